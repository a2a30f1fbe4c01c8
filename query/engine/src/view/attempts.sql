-- grain: One row per attempt: one agent working on one task; explicit ones and those implied by task events.
-- key: attempt_id
-- join: task_id → tasks.task_id
-- join: agent_id → agents.agent_id
-- inherits: attempts
-- column implied: Whether no `attempt.started` tells of it: it follows from task events, or was only spoken of.
-- column verdict: What it came to by the workspace's verdict policy: `accepted`, `partial`, `rejected` or `pending`; null when it was superseded or cut off and nobody judged it.
-- column verdict_by: Who decided: `human`, `code`, `model`, `attempt` (its own result) or `artifact`.
SELECT
    a.attempt_id, a.task_id, a.agent_id, a.agent_version, a.role, a.number, a.cause, a.retry_of, a.decision_id,
    a.lease_until, a.status, a.started_at, a.ended_at, a.result, a.fraction, a.error_class, a.retryable,
    get_field(_verdict(t.type, a.result, a.ended_at, j.outcomes, r.artifacts), 'verdict') AS verdict,
    get_field(_verdict(t.type, a.result, a.ended_at, j.outcomes, r.artifacts), 'verdict_by') AS verdict_by,
    a.implied, a.attributes, a._pos
FROM (
    SELECT
        attempt_id, task_id, agent_id, agent_version, role, number, cause, retry_of, decision_id, lease_until, status,
        started_at, ended_at, result, fraction, error_class, retryable, implied, attributes, _pos
    FROM base.attempts
    UNION ALL
    SELECT
        get_field(i, 'attempt_id') AS attempt_id, task_id, get_field(i, 'agent_id') AS agent_id,
        CAST(NULL AS VARCHAR) AS agent_version, CAST(NULL AS VARCHAR) AS role, get_field(i, 'number') AS number,
        get_field(i, 'cause') AS cause, CAST(NULL AS VARCHAR) AS retry_of, CAST(NULL AS VARCHAR) AS decision_id,
        arrow_cast(NULL, 'Timestamp(Microsecond, Some("UTC"))') AS lease_until,
        CASE WHEN get_field(i, 'ended_at') IS NULL THEN 'running' ELSE 'ended' END AS status,
        get_field(i, 'started_at') AS started_at, get_field(i, 'ended_at') AS ended_at, get_field(i, 'result') AS result,
        CAST(NULL AS DOUBLE) AS fraction, CAST(NULL AS VARCHAR) AS error_class, CAST(NULL AS BOOLEAN) AS retryable,
        TRUE AS implied, CAST(NULL AS VARCHAR) AS attributes, _pos
    FROM (SELECT task_id, _pos, unnest(_implied) AS i FROM base.tasks WHERE NOT explicit_attempts)
) AS a
LEFT JOIN base.tasks AS t ON lower(a.task_id) = lower(t.task_id)
LEFT JOIN (
    SELECT attempt_key, array_agg(named_struct('time', time, 'pos', _pos, 'name', name, 'evaluator', evaluator,
        'value', value, 'label', label, 'success', success)) AS outcomes
    FROM judgements
    WHERE attempt_key IS NOT NULL
    GROUP BY attempt_key
) AS j ON lower(a.attempt_id) = j.attempt_key
LEFT JOIN (
    SELECT lower(attempt_id) AS attempt_key, array_agg(named_struct('kind', kind, 'state', state)) AS artifacts
    FROM base.artifacts
    WHERE attempt_id IS NOT NULL
    GROUP BY lower(attempt_id)
) AS r ON lower(a.attempt_id) = r.attempt_key
