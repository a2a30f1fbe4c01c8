-- grain: One row per project that has a task.
-- key: project_id
-- column project_id: Project; null for tasks without one.
-- column tasks: Tasks of it.
-- column open: Tasks that are neither ended nor begun.
-- column in_progress: Tasks in progress.
-- column blocked: Tasks that are blocked.
-- column overdue: Tasks not ended whose `due` has passed.
-- column completed: Tasks completed.
-- column completed_7d: Tasks completed in the last seven days.
-- column given_up: Tasks given up.
-- column reopened: Times that a task was taken up again after its end.
-- column accepted_rate: Accepted tasks as a part of those with a verdict.
-- column oldest_open_at: Creation of the oldest task that is not ended.
-- column cost: Cost of its tasks; null when they are in several currencies.
-- column currency: Currency of `cost`; `mixed` when there are several.
SELECT
    project_id,
    count(*) AS tasks,
    sum(CASE WHEN status IN ('open', 'assigned') THEN 1 ELSE 0 END) AS open,
    sum(CASE WHEN status = 'in_progress' THEN 1 ELSE 0 END) AS in_progress,
    sum(CASE WHEN status = 'blocked' THEN 1 ELSE 0 END) AS blocked,
    sum(CASE WHEN ended_at IS NULL AND due < now() THEN 1 ELSE 0 END) AS overdue,
    sum(CASE WHEN status = 'completed' THEN 1 ELSE 0 END) AS completed,
    sum(CASE WHEN status = 'completed' AND ended_at >= now() - INTERVAL '7 days' THEN 1 ELSE 0 END) AS completed_7d,
    sum(CASE WHEN status = 'failed' THEN 1 ELSE 0 END) AS given_up,
    sum(reopened) AS reopened,
    CAST(sum(CASE WHEN verdict = 'accepted' THEN 1 ELSE 0 END) AS DOUBLE)
        / nullif(sum(CASE WHEN verdict <> 'pending' THEN 1 ELSE 0 END), 0) AS accepted_rate,
    min(CASE WHEN ended_at IS NULL THEN created_at END) AS oldest_open_at,
    CASE WHEN min(currency) = max(currency) AND min(currency) <> 'mixed' THEN sum(cost) END AS cost,
    CASE WHEN min(currency) = max(currency) THEN min(currency) WHEN min(currency) IS NOT NULL THEN 'mixed' END AS currency
FROM task_facts
GROUP BY project_id
