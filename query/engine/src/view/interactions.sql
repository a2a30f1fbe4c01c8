-- grain: One row per call: of each `interaction.recorded` event, and of each call that OpenTelemetry data tells of.
-- key: interaction_id
-- join: task_id → tasks.task_id
-- join: attempt_id → attempts.attempt_id
-- join: agent_id → agents.agent_id
-- join: _pos → events.position
-- inherits: interactions
-- without: otlp_interactions
SELECT
    interaction_id, kind, time, started_at, agent_id, attempt_id, task_id, conversation_id, trace_id, parent_id,
    user_id, provider, model, prompt_id, prompt_version, input, output, input_chars, output_chars, tool_name,
    latency_ms, ttft_ms, tokens_in, tokens_out, tokens_cache_read, tokens_cache_write, tokens_reasoning, cost,
    currency, status, finish_reason, error, retry_of, attributes, _pos
FROM base.interactions
UNION ALL
SELECT
    interaction_id, kind, time, started_at, agent_id, attempt_id, task_id, conversation_id, trace_id, parent_id,
    user_id, provider, model, prompt_id, prompt_version, input, output, input_chars, output_chars, tool_name,
    latency_ms, ttft_ms, tokens_in, tokens_out, tokens_cache_read, tokens_cache_write, tokens_reasoning, cost,
    currency, status, finish_reason, error, retry_of, attributes, _pos
FROM base.otlp_interactions
WHERE kind <> 'unknown'
