-- grain: One row per service level and period in which a task that it covers was judged.
-- key: sla_id, period_start
-- inherits: sla_definitions
-- column period: `day`, `week`, `month`, `quarter`, `year` or `total`; `month` where none was given.
-- column period_start: Beginning of the period in the time zone of the service level, or in the workspace's; null for `total`.
-- column tasks: Tasks judged in it. `start_minutes` judges what was created in the period and was begun or is overdue, `complete_minutes` what was created in it and was completed, given up or is overdue, `success_rate` what ended in it and has a verdict.
-- column kept: Tasks of these that kept the threshold, or were accepted.
-- column share: `kept` as a part of `tasks`.
-- column met: Whether the share reaches the objective.
-- column burn: Part of the allowed misses that is used up: 1 is all of them.
SELECT
    sla_id, metric, threshold, objective, period, period_start, tasks, kept,
    CAST(kept AS DOUBLE) / tasks AS share,
    CAST(kept AS DOUBLE) / tasks >= objective AS met,
    (1.0 - CAST(kept AS DOUBLE) / tasks) / nullif(1.0 - objective, 0.0) AS burn
FROM (
    SELECT
        sla_id, metric, threshold, objective, period, _period_start(time, period, time_zone) AS period_start,
        count(*) AS tasks, sum(CASE WHEN kept THEN 1 ELSE 0 END) AS kept
    FROM (
        SELECT
            d.sla_id, d.metric, d.threshold, d.objective, coalesce(d.period, 'month') AS period, d.time_zone,
            CASE WHEN d.metric = 'success_rate' THEN t.ended_at ELSE t.created_at END AS time,
            CASE
                WHEN d.metric = 'start_minutes' THEN CASE
                    WHEN t.start_minutes > d.threshold THEN FALSE
                    WHEN t.first_started_at IS NOT NULL THEN TRUE END
                WHEN d.metric = 'complete_minutes' THEN CASE
                    WHEN t.status = 'cancelled' THEN NULL
                    WHEN t.status = 'failed' OR t.end_minutes > d.threshold THEN FALSE
                    WHEN t.status = 'completed' THEN TRUE END
                WHEN t.ended_at IS NOT NULL AND t.verdict <> 'pending' THEN t.verdict = 'accepted'
            END AS kept
        FROM base.sla_definitions AS d
        JOIN (
            SELECT
                t.*,
                (CAST(coalesce(first_started_at, ended_at, now()) AS BIGINT) - CAST(created_at AS BIGINT)) / 60e6 AS start_minutes,
                (CAST(coalesce(ended_at, now()) AS BIGINT) - CAST(created_at AS BIGINT)) / 60e6 AS end_minutes
            FROM tasks AS t
        ) AS t
        ON (d.team IS NULL OR lower(d.team) = lower(t.team))
            AND (d.project_id IS NULL OR lower(d.project_id) = lower(t.project_id))
            AND (d.agent_id IS NULL OR lower(d.agent_id) = lower(t.agent_id))
            AND (d.task_type IS NULL OR lower(d.task_type) = lower(t.type))
    )
    WHERE kept IS NOT NULL
    GROUP BY sla_id, metric, threshold, objective, period, _period_start(time, period, time_zone)
)
