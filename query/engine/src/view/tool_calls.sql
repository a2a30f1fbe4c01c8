-- grain: One row per call of a tool.
-- key: interaction_id
-- join: task_id → tasks.task_id
-- join: attempt_id → attempts.attempt_id
-- join: agent_id → agents.agent_id
-- inherits: interactions
-- column failed: Whether it ended in an error.
SELECT
    interaction_id, tool_name, time, started_at, agent_id, attempt_id, task_id, conversation_id, trace_id, parent_id,
    input, output, latency_ms, status, error,
    (error IS NOT NULL OR coalesce(status, 'ok') IN ('error', 'failed', 'timeout')) AS failed,
    retry_of, attributes, _pos
FROM interactions
WHERE kind = 'tool'
