-- grain: One row per entity that events speak of and that none has created (yet); other names of agents are not among them.
-- key: kind, id
-- column kind: `task`, `attempt`, `agent`, `artifact`, `approval` or `knowledge`.
-- column id: Its id, as it was spelled first.
-- column position: Position of the latest event that speaks of it.
SELECT 'task' AS kind, task_id AS id, _pos AS position FROM base.tasks WHERE implied
UNION ALL
SELECT 'attempt' AS kind, attempt_id AS id, _pos AS position FROM base.attempts WHERE implied
UNION ALL
SELECT 'agent' AS kind, g.agent_id AS id, g._pos AS position
FROM base.agents AS g
LEFT JOIN base.agent_aliases AS al ON lower(g.agent_id) = lower(al.alias)
WHERE g.implied AND al.alias IS NULL
UNION ALL
SELECT 'artifact' AS kind, artifact_id AS id, _pos AS position FROM base.artifacts WHERE implied
UNION ALL
SELECT 'approval' AS kind, approval_id AS id, _pos AS position FROM base.approvals WHERE implied
UNION ALL
SELECT 'knowledge' AS kind, knowledge_id AS id, _pos AS position FROM base.knowledge WHERE implied
