-- grain: One row per entity that events speak of and that none has created (yet); other names of agents are not among them.
-- key: kind, id
-- column kind: `task`, `attempt`, `agent`, `artifact`, `approval`, `knowledge`, `interaction`, `message` or `outcome`.
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
UNION ALL
SELECT 'interaction' AS kind, first_value(n.id ORDER BY n._pos) AS id, max(n._pos) AS position
FROM (
  SELECT parent_id AS id, _pos FROM interactions WHERE parent_id IS NOT NULL
  UNION ALL
  SELECT retry_of AS id, _pos FROM interactions WHERE retry_of IS NOT NULL
  UNION ALL
  SELECT interaction_id AS id, _pos FROM base.outcomes WHERE interaction_id IS NOT NULL
) AS n
LEFT JOIN interactions AS i ON lower(n.id) = lower(i.interaction_id)
WHERE i.interaction_id IS NULL
GROUP BY lower(n.id)
UNION ALL
SELECT 'message' AS kind, first_value(n.id ORDER BY n._pos) AS id, max(n._pos) AS position
FROM (
  SELECT reply_to AS id, _pos FROM base.messages WHERE reply_to IS NOT NULL
  UNION ALL
  SELECT message_id AS id, _pos FROM base.messages WHERE kind = 'accepted'
  UNION ALL
  SELECT message_id AS id, _pos FROM base.outcomes WHERE message_id IS NOT NULL
) AS n
LEFT JOIN base.messages AS m ON lower(n.id) = lower(m.message_id) AND m.kind <> 'accepted'
WHERE m.message_id IS NULL
GROUP BY lower(n.id)
UNION ALL
SELECT 'outcome' AS kind, first_value(n.outcome_id ORDER BY n._pos) AS id, max(n._pos) AS position
FROM base.outcome_supersessions AS n
LEFT JOIN base.outcomes AS o ON lower(n.outcome_id) = lower(o.outcome_id)
WHERE o.outcome_id IS NULL
GROUP BY lower(n.outcome_id)
