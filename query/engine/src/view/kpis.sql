-- grain: One row per key figure, with its value now.
-- key: kpi_id
-- inherits: kpi_definitions
-- column direction: `up` when more is better, `down` when less is.
-- column value: First column of the first row that its query answers; null when it answers none or fails.
-- column met: Whether the value is as good as the target; null without both.
-- column error: Why its query has no number.
SELECT
    d.kpi_id, d.description, d.sql, d.target, coalesce(d.direction, 'up') AS direction, v.value,
    CASE WHEN d.direction = 'down' THEN v.value <= d.target ELSE v.value >= d.target END AS met,
    v.error, d.set_at, d.attributes, d._pos
FROM base.kpi_definitions AS d
LEFT JOIN base.kpi_values AS v ON lower(d.kpi_id) = v.kpi_key
