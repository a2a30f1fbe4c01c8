-- grain: One row per outcome in force, with the task and the attempt that it speaks of.
-- key: source, outcome_id
-- join: task_key → lower(tasks.task_id)
-- join: attempt_key → lower(attempts.attempt_id)
-- inherits: outcomes
-- column attempt_key: Attempt it is about, in lower case. What is said about a task without explicit attempts counts for its last implied attempt.
-- column task_key: Task it is about, in lower case; also when only its attempt was named.
SELECT
    o.outcome_id, o.source, o.time, o.name, o.value, o.label, o.success, o.evaluator, o.evaluator_id, o.evaluator_version,
    lower(coalesce(
        o.attempt_id,
        CASE WHEN NOT t.explicit_attempts THEN get_field(array_element(t._implied, -1), 'attempt_id') END
    )) AS attempt_key,
    o.task_key,
    o._pos
FROM (
    SELECT
        o.*,
        lower(coalesce(o.task_id, a.task_id, CASE WHEN strpos(o.attempt_id, '#') > 0
            THEN regexp_replace(o.attempt_id, '#[0-9]+$', '') END)) AS task_key
    FROM base.outcomes AS o
    LEFT JOIN base.attempts AS a ON lower(o.attempt_id) = lower(a.attempt_id)
    WHERE NOT EXISTS (SELECT 1 FROM base.outcome_supersessions AS s WHERE lower(s.outcome_id) = lower(o.outcome_id))
) AS o
LEFT JOIN base.tasks AS t ON o.task_key = lower(t.task_id)
