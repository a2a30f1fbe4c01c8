-- grain: One row per attempt, with everything that is joined to it for analysis.
-- key: attempt_id
-- join: task_id → task_facts.task_id
-- join: agent_id → agents.agent_id
-- inherits: attempts, tasks
-- column agent_id: Agent that worked; where an alias was sent, the agent that it stands for now.
-- column task_type: Type of its task.
-- column minutes: Minutes from start to end; null while it runs.
-- column human_minutes: Minutes that it waited for the approval of a human.
-- column calls: Interactions in it. Those that name only the task count when the task has a single implied attempt.
-- column tool_calls: Calls of tools in it.
-- column errors: Interactions in it that ended in an error.
-- column latency_ms: Sum of the durations of its interactions.
-- column tokens_in: Input tokens.
-- column tokens_out: Output tokens.
-- column tokens_cache_read: Input tokens read from a cache.
-- column tokens_cache_write: Input tokens written to a cache.
-- column tokens_reasoning: Output tokens spent on reasoning.
-- column cost: Cost of its interactions; null when they are in several currencies.
-- column currency: Currency of `cost`; `mixed` when there are several.
-- column artifacts: Artifacts it produced.
-- column merged: Artifacts that were merged.
-- column reverted: Artifacts that were reverted.
-- column lines_added: Lines it added.
-- column lines_removed: Lines it removed.
-- column is_final: Whether it is the last attempt at its task.
SELECT
    a.attempt_id, a.task_id, coalesce(al.agent_id, a.agent_id) AS agent_id, a.agent_version, a.role, a.number, a.cause,
    a.retry_of, a.decision_id, a.status, a.started_at, a.ended_at,
    (CAST(a.ended_at AS BIGINT) - CAST(a.started_at AS BIGINT)) / 60e6 AS minutes,
    h.human_minutes, a.result, a.fraction, a.error_class, a.retryable, a.verdict, a.verdict_by, a.implied,
    t.type AS task_type, t.project_id, t.team, t.repository, t.language, t.complexity, t.priority,
    coalesce(c.calls, 0) AS calls, coalesce(c.tool_calls, 0) AS tool_calls, coalesce(c.errors, 0) AS errors, c.latency_ms,
    c.tokens_in, c.tokens_out, c.tokens_cache_read, c.tokens_cache_write, c.tokens_reasoning,
    m.cost, m.currency,
    coalesce(r.artifacts, 0) AS artifacts, coalesce(r.merged, 0) AS merged, coalesce(r.reverted, 0) AS reverted,
    r.lines_added, r.lines_removed,
    a._pos
FROM attempts AS a
LEFT JOIN base.agent_aliases AS al ON lower(a.agent_id) = lower(al.alias)
LEFT JOIN base.tasks AS t ON lower(a.task_id) = lower(t.task_id)
LEFT JOIN (
    SELECT lower(attempt_id) AS attempt_key,
        sum(CAST(decided_at AS BIGINT) - CAST(requested_at AS BIGINT)) / 60e6 AS human_minutes
    FROM base.approvals
    WHERE attempt_id IS NOT NULL
    GROUP BY lower(attempt_id)
) AS h ON lower(a.attempt_id) = h.attempt_key
LEFT JOIN (
    SELECT attempt_key, count(*) AS calls, sum(CASE WHEN kind = 'tool' THEN 1 ELSE 0 END) AS tool_calls,
        sum(CASE WHEN error IS NOT NULL OR status = 'error' THEN 1 ELSE 0 END) AS errors, sum(latency_ms) AS latency_ms,
        sum(tokens_in) AS tokens_in, sum(tokens_out) AS tokens_out, sum(tokens_cache_read) AS tokens_cache_read,
        sum(tokens_cache_write) AS tokens_cache_write, sum(tokens_reasoning) AS tokens_reasoning
    FROM (
        SELECT i.*, lower(coalesce(i.attempt_id, CASE WHEN NOT t.explicit_attempts AND cardinality(t._implied) = 1
            THEN get_field(array_element(t._implied, 1), 'attempt_id') END)) AS attempt_key
        FROM interactions AS i
        LEFT JOIN base.tasks AS t ON lower(i.task_id) = lower(t.task_id)
    )
    WHERE attempt_key IS NOT NULL
    GROUP BY attempt_key
) AS c ON lower(a.attempt_id) = c.attempt_key
LEFT JOIN (
    SELECT attempt_key, CASE WHEN min(currency) = max(currency) THEN sum(cost) END AS cost,
        CASE WHEN min(currency) = max(currency) THEN min(currency) ELSE 'mixed' END AS currency
    FROM (
        SELECT i.cost, i.currency, lower(coalesce(i.attempt_id, CASE WHEN NOT t.explicit_attempts
            AND cardinality(t._implied) = 1 THEN get_field(array_element(t._implied, 1), 'attempt_id') END)) AS attempt_key
        FROM costs AS i
        LEFT JOIN base.tasks AS t ON lower(i.task_id) = lower(t.task_id)
        WHERE i.cost IS NOT NULL
    )
    WHERE attempt_key IS NOT NULL
    GROUP BY attempt_key
) AS m ON lower(a.attempt_id) = m.attempt_key
LEFT JOIN (
    SELECT lower(attempt_id) AS attempt_key, count(*) AS artifacts,
        sum(CASE WHEN state = 'merged' THEN 1 ELSE 0 END) AS merged,
        sum(CASE WHEN state = 'reverted' THEN 1 ELSE 0 END) AS reverted,
        sum(lines_added) AS lines_added, sum(lines_removed) AS lines_removed
    FROM base.artifacts
    WHERE attempt_id IS NOT NULL
    GROUP BY lower(attempt_id)
) AS r ON lower(a.attempt_id) = r.attempt_key
