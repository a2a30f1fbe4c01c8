-- grain: One row per task.
-- key: task_id
-- join: parent_id → tasks.task_id
-- join: agent_id → agents.agent_id
-- inherits: tasks
-- column verdict: What it came to by the workspace's verdict policy: `accepted`, `partial`, `rejected` or `pending`; null when it was cancelled and nobody judged it.
-- column verdict_by: Who decided: `human`, `code`, `model`, `attempt` (its own end) or `artifact`.
SELECT
    t.task_id, t.title, t.text, t.type, t.project_id, t.team, t.requester, t.repository, t.language, t.complexity,
    t.priority, t.estimate_minutes, t.estimate_low, t.estimate_high, t.points, t.due, t.parent_id, t.depends_on,
    t.required, t.labels, t.status, t.status_since, t.created_at, t.first_started_at, t.ended_at, t.updated_at,
    t.first_agent_id, t.agent_id, t.decision_id, t.handoffs, t.reopened, t.percent, t.note, t.queue_minutes,
    t.active_minutes, t.blocked_minutes, t.paused_minutes, t.actual_minutes, t.blocked_by, t.reason, t.summary, t.error,
    t.censored,
    get_field(_verdict(t.type, CASE
        WHEN t.status = 'completed' THEN 'succeeded'
        WHEN t.status = 'failed' AND t.censored IS NULL THEN 'failed'
        WHEN t.status = 'failed' THEN 'censored'
        WHEN t.status = 'cancelled' THEN 'cancelled' END, t.ended_at, j.outcomes, r.artifacts), 'verdict') AS verdict,
    get_field(_verdict(t.type, CASE
        WHEN t.status = 'completed' THEN 'succeeded'
        WHEN t.status = 'failed' AND t.censored IS NULL THEN 'failed'
        WHEN t.status = 'failed' THEN 'censored'
        WHEN t.status = 'cancelled' THEN 'cancelled' END, t.ended_at, j.outcomes, r.artifacts), 'verdict_by') AS verdict_by,
    t.explicit_attempts, t.implied, t.attributes, t._pos
FROM base.tasks AS t
LEFT JOIN (
    SELECT task_key, array_agg(named_struct('time', time, 'pos', _pos, 'name', name, 'evaluator', evaluator,
        'value', value, 'label', label, 'success', success)) AS outcomes
    FROM judgements
    WHERE task_key IS NOT NULL
    GROUP BY task_key
) AS j ON lower(t.task_id) = j.task_key
LEFT JOIN (
    SELECT task_key, array_agg(named_struct('kind', kind, 'state', state)) AS artifacts
    FROM (
        SELECT lower(coalesce(f.task_id, a.task_id)) AS task_key, f.kind, f.state
        FROM base.artifacts AS f
        LEFT JOIN base.attempts AS a ON lower(f.attempt_id) = lower(a.attempt_id)
    )
    WHERE task_key IS NOT NULL
    GROUP BY task_key
) AS r ON lower(t.task_id) = r.task_key
