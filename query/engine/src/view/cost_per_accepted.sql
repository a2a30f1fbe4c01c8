-- grain: One row per agent, task type and currency.
-- key: agent_id, task_type, currency
-- join: agent_id → agents.agent_id
-- column agent_id: Agent; aliases count as the agent that they stand for now.
-- column task_type: Task type; null where tasks have none.
-- column currency: Currency of the costs; `mixed` where an attempt cost several, null where no cost is known.
-- column attempts: Attempts.
-- column accepted: Attempts whose verdict is `accepted`.
-- column judged: Attempts whose verdict is not pending.
-- column cost: Cost of all attempts, the failed ones included.
-- column cost_per_accepted: `cost` divided by `accepted`; null when none was accepted.
SELECT
    agent_id, task_type, currency,
    count(*) AS attempts,
    sum(CASE WHEN verdict = 'accepted' THEN 1 ELSE 0 END) AS accepted,
    sum(CASE WHEN verdict <> 'pending' THEN 1 ELSE 0 END) AS judged,
    sum(cost) AS cost,
    CAST(sum(cost) / nullif(sum(CASE WHEN verdict = 'accepted' THEN 1 ELSE 0 END), 0) AS DECIMAL(38, 12)) AS cost_per_accepted
FROM attempt_facts
GROUP BY agent_id, task_type, currency
