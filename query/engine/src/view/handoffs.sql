-- grain: One row per hand-off of a task from one agent to another.
-- key: handoff_id
-- join: task_id → tasks.task_id
-- join: from_attempt → attempts.attempt_id
-- inherits: handoffs
-- column from_agent: Agent that gave the task away, where its attempt is known.
-- column number: Which hand-off of its task it is, from 1.
SELECT
    h.handoff_id, h.task_id, h.time, h.from_attempt, a.agent_id AS from_agent, h.to_agent,
    row_number() OVER (PARTITION BY lower(h.task_id) ORDER BY h.time, h._pos) AS number,
    h.reason, h.summary, h.context_refs, h.attributes, h._pos
FROM base.handoffs AS h
LEFT JOIN base.attempts AS a ON lower(h.from_attempt) = lower(a.attempt_id)
