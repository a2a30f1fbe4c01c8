-- grain: One row per price: a model, provider or agent, in one currency, from one time on; the workspace's and the defaults that ship.
-- key: price_id
-- inherits: prices
-- column origin: `workspace` for prices that were set, `default` for those that ship.
SELECT price_id, model, provider, agent_id, currency, meters, valid_from, set_at, attributes, 'workspace' AS origin, _pos
FROM base.prices
UNION ALL
SELECT price_id, model, provider, agent_id, currency, meters, valid_from, set_at, attributes, 'default' AS origin, _pos
FROM base.default_prices
