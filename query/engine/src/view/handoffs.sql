-- grain: One row per hand-off of a task from one agent to another: of each `task.handed_off` event, and of each that OpenTelemetry data tells of.
-- key: handoff_id
-- join: task_id → tasks.task_id
-- join: from_attempt → attempts.attempt_id
-- inherits: handoffs
-- column task_id: Task that was handed off; null where telemetry knows none.
-- column from_agent: Agent that gave the task away, where it or its attempt is known.
-- column number: Which hand-off of its task it is, from 1; of its trace, where no task is known.
SELECT
    h.handoff_id, h.task_id, h.time, h.from_attempt, coalesce(h.from_agent, a.agent_id) AS from_agent, h.to_agent,
    row_number() OVER (PARTITION BY coalesce(lower(h.task_id), h.trace_id, h.handoff_id) ORDER BY h.time, h._pos) AS number,
    h.reason, h.summary, h.context_refs, h.attributes, h._pos
FROM (
    SELECT
        handoff_id, task_id, time, from_attempt, CAST(NULL AS VARCHAR) AS from_agent, to_agent, reason, summary,
        context_refs, attributes, CAST(NULL AS VARCHAR) AS trace_id, _pos
    FROM base.handoffs
    UNION ALL
    SELECT
        handoff_id, task_id, time, from_attempt, from_agent, to_agent, reason, CAST(NULL AS VARCHAR) AS summary,
        CASE WHEN FALSE THEN make_array('') END AS context_refs, CAST(NULL AS VARCHAR) AS attributes, trace_id, _pos
    FROM base.otlp_handoffs
) AS h
LEFT JOIN base.attempts AS a ON lower(h.from_attempt) = lower(a.attempt_id)
