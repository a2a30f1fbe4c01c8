-- grain: One row per project and day on which a task of it was created or ended.
-- key: project_id, day
-- column project_id: Project; null for tasks without one.
-- column day: Beginning of the day in the workspace's time zone.
-- column created: Tasks created on that day.
-- column ended: Tasks completed, given up or cancelled on that day.
-- column remaining: Tasks open at the end of that day.
-- column remaining_points: Their story points.
SELECT
    project_id, day, created, ended,
    sum(created - ended) OVER running AS remaining,
    sum(points) OVER running AS remaining_points
FROM (
    SELECT project_id, day, sum(created) AS created, sum(ended) AS ended, sum(points) AS points
    FROM (
        SELECT project_id, date_trunc('day', created_at) AS day, 1 AS created, 0 AS ended, coalesce(points, 0.0) AS points
        FROM base.tasks
        UNION ALL
        SELECT project_id, date_trunc('day', ended_at), 0, 1, -coalesce(points, 0.0)
        FROM base.tasks
        WHERE ended_at IS NOT NULL
    )
    GROUP BY project_id, day
)
WINDOW running AS (PARTITION BY project_id ORDER BY day)
