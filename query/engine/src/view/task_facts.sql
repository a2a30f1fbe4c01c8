-- grain: One row per task, with everything that is joined to it for analysis.
-- key: task_id
-- join: parent_id → task_facts.task_id
-- inherits: tasks, attempt_facts
-- column minutes: Minutes from its creation to its end; null while it is open.
-- column human_minutes: Minutes that it waited for the approval of a human.
-- column attempts: Attempts at it.
-- column failed_attempts: Attempts whose verdict is `rejected`.
-- column first_agent: Agent of its first attempt; aliases count as the agent that they stand for now.
-- column first_agent_version: Version of that agent.
-- column final_agent: Agent of its last attempt.
-- column final_agent_version: Version of that agent.
-- column calls: Interactions that name it or one of its attempts.
-- column tokens_in: Input tokens of these.
-- column tokens_out: Output tokens of these.
-- column tokens_cache_read: Input tokens read from a cache.
-- column tokens_cache_write: Input tokens written to a cache.
-- column tokens_reasoning: Output tokens spent on reasoning.
-- column cost: Cost of all its interactions; null when they are in several currencies.
-- column currency: Currency of the costs; `mixed` when there are several.
-- column cost_failed: Cost of its attempts whose verdict is `rejected`.
-- column cost_graders: Cost of its attempts in the role `reviewer`.
SELECT
    t.task_id, t.title, t.type, t.project_id, t.team, t.requester, t.repository, t.language, t.complexity, t.priority,
    t.points, t.estimate_minutes, t.due, t.parent_id, t.status, t.created_at, t.first_started_at, t.ended_at,
    (CAST(t.ended_at AS BIGINT) - CAST(t.created_at AS BIGINT)) / 60e6 AS minutes,
    t.queue_minutes, t.active_minutes, t.blocked_minutes, t.paused_minutes, h.human_minutes, t.actual_minutes,
    t.verdict, t.verdict_by, coalesce(f.attempts, 0) AS attempts, coalesce(f.failed_attempts, 0) AS failed_attempts,
    t.handoffs, t.reopened,
    coalesce(f.first_agent, t.first_agent_id) AS first_agent, f.first_agent_version,
    coalesce(f.final_agent, t.agent_id) AS final_agent, f.final_agent_version,
    coalesce(c.calls, 0) AS calls, c.tokens_in, c.tokens_out, c.tokens_cache_read, c.tokens_cache_write,
    c.tokens_reasoning, m.cost, m.currency, f.cost_failed, f.cost_graders, t.implied, t._pos
FROM tasks AS t
LEFT JOIN (
    SELECT lower(task_id) AS task_key,
        sum(CAST(decided_at AS BIGINT) - CAST(requested_at AS BIGINT)) / 60e6 AS human_minutes
    FROM base.approvals
    WHERE task_id IS NOT NULL
    GROUP BY lower(task_id)
) AS h ON lower(t.task_id) = h.task_key
LEFT JOIN (
    SELECT lower(task_id) AS task_key, count(*) AS attempts,
        sum(CASE WHEN verdict = 'rejected' THEN 1 ELSE 0 END) AS failed_attempts,
        first_value(agent_id ORDER BY started_at, attempt_id) AS first_agent,
        first_value(agent_version ORDER BY started_at, attempt_id) AS first_agent_version,
        last_value(agent_id ORDER BY started_at, attempt_id) AS final_agent,
        last_value(agent_version ORDER BY started_at, attempt_id) AS final_agent_version,
        sum(CASE WHEN verdict = 'rejected' THEN cost END) AS cost_failed,
        sum(CASE WHEN role = 'reviewer' THEN cost END) AS cost_graders
    FROM attempt_facts
    WHERE task_id IS NOT NULL
    GROUP BY lower(task_id)
) AS f ON lower(t.task_id) = f.task_key
LEFT JOIN (
    SELECT task_key, count(*) AS calls, sum(tokens_in) AS tokens_in, sum(tokens_out) AS tokens_out,
        sum(tokens_cache_read) AS tokens_cache_read, sum(tokens_cache_write) AS tokens_cache_write,
        sum(tokens_reasoning) AS tokens_reasoning
    FROM (
        SELECT i.*, lower(coalesce(i.task_id, a.task_id)) AS task_key
        FROM interactions AS i
        LEFT JOIN base.attempts AS a ON lower(i.attempt_id) = lower(a.attempt_id)
    )
    WHERE task_key IS NOT NULL
    GROUP BY task_key
) AS c ON lower(t.task_id) = c.task_key
LEFT JOIN (
    SELECT task_key, CASE WHEN min(currency) = max(currency) THEN sum(cost) END AS cost,
        CASE WHEN min(currency) = max(currency) THEN min(currency) ELSE 'mixed' END AS currency
    FROM (
        SELECT i.cost, i.currency, lower(coalesce(i.task_id, a.task_id)) AS task_key
        FROM costs AS i
        LEFT JOIN base.attempts AS a ON lower(i.attempt_id) = lower(a.attempt_id)
        WHERE i.cost IS NOT NULL
    )
    WHERE task_key IS NOT NULL
    GROUP BY task_key
) AS m ON lower(t.task_id) = m.task_key
