-- grain: One row per interaction that used tokens or reports a cost.
-- key: interaction_id
-- join: task_id → tasks.task_id
-- join: attempt_id → attempts.attempt_id
-- join: agent_id → agents.agent_id
-- join: price_id → prices.price_id
-- inherits: interactions, prices
-- column cost: What it cost: as the client reported it; else derived from its tokens at the price valid at its time, as known at the query's position.
-- column currency: Currency of `cost`.
-- column cost_source: `reported`, `derived`, or null when neither is known.
-- column reported_cost: Cost as the client reported it.
-- column reported_currency: Currency of `reported_cost`.
-- column derived_cost: Cost derived from tokens and meters.
-- column derived_currency: Currency of `derived_cost`.
-- column price_id: Price that it was derived with.
SELECT
    c.interaction_id, c.time, c.kind, c.agent_id, c.attempt_id, c.task_id, c.conversation_id, c.provider, c.model,
    c.tokens_in, c.tokens_out, c.tokens_cache_read, c.tokens_cache_write, c.tokens_reasoning,
    coalesce(c.cost, get_field(c.derived, 'cost')) AS cost,
    CASE WHEN c.cost IS NOT NULL THEN c.currency
         WHEN get_field(c.derived, 'cost') IS NOT NULL THEN get_field(c.derived, 'currency') END AS currency,
    CASE WHEN c.cost IS NOT NULL THEN 'reported'
         WHEN get_field(c.derived, 'cost') IS NOT NULL THEN 'derived' END AS cost_source,
    c.cost AS reported_cost,
    c.currency AS reported_currency,
    get_field(c.derived, 'cost') AS derived_cost,
    get_field(c.derived, 'currency') AS derived_currency,
    get_field(c.derived, 'price_id') AS price_id,
    c._pos
FROM (
    SELECT *, _cost(agent_id, model, provider, coalesce(started_at, time), tokens_in, tokens_out, tokens_cache_read,
        tokens_cache_write, tokens_reasoning, latency_ms) AS derived
    FROM interactions
    WHERE tokens_in IS NOT NULL OR tokens_out IS NOT NULL OR cost IS NOT NULL
) AS c
