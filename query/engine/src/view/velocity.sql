-- grain: One row per week, project and team in which a task was completed.
-- key: week, project_id, team
-- column week: Beginning of the week, in the workspace's time zone and by its first day of the week.
-- column project_id: Project of the tasks; null where they have none.
-- column team: Team of the tasks; null where they have none.
-- column completed: Tasks completed in that week.
-- column accepted: Of these, tasks whose verdict is `accepted`.
-- column points: Story points of the completed tasks.
-- column median_minutes: Median of the minutes from creation to end.
SELECT
    date_trunc('week', ended_at) AS week, project_id, team,
    count(*) AS completed,
    sum(CASE WHEN verdict = 'accepted' THEN 1 ELSE 0 END) AS accepted,
    sum(points) AS points,
    median((CAST(ended_at AS BIGINT) - CAST(created_at AS BIGINT)) / 60e6) AS median_minutes
FROM tasks
WHERE status = 'completed'
GROUP BY date_trunc('week', ended_at), project_id, team
