//! The names that conventions have given to the same thing: explicit ones first, newer before older.

/// Our own names, for which no convention has any: as resource attribute, span attribute or baggage.
pub const TASK: &[&str] = &["task.id", "baggage.task.id"];
/// Task, as frameworks call it.
pub const FRAMEWORK_TASK: &[&str] =
    &["gen_ai.task.id", "crewai.task.id", "langfuse.experiment.item.id", "task_id", "ai.telemetry.metadata.taskId"];
/// Type of the task.
pub const TASK_TYPE: &[&str] = &["task.type", "baggage.task.type"];
/// Type of the task, as frameworks call it.
pub const FRAMEWORK_TASK_TYPE: &[&str] = &["gen_ai.task.kind", "task.kind", "crewai.task.name", "task_name"];
/// Short name of the task.
pub const TASK_TITLE: &[&str] = &["task.title", "task.name", "gen_ai.task.name", "crewai.task.name", "task_name"];
/// Description of the task.
pub const TASK_TEXT: &[&str] =
    &["task.description", "crewai.task.description", "formatted_description", "task_description", "gen_ai.task.input"];
/// Task of which it is a part.
pub const PARENT_TASK: &[&str] = &["task.parent.id", "baggage.task.parent.id", "gen_ai.task.parent.id"];
/// How the task ended.
pub const TASK_STATUS: &[&str] = &["task.status", "gen_ai.task.status"];
/// Project of the task.
pub const PROJECT: &[&str] = &["project.id", "baggage.project.id"];
/// Attempt at the task.
pub const ATTEMPT: &[&str] = &["attempt.id", "baggage.attempt.id"];
/// Agent, as the user calls it.
pub const AGENT: &[&str] = &["agent.id", "baggage.agent.id"];
/// Agent, as frameworks call it.
pub const FRAMEWORK_AGENT: &[&str] = &[
    "crewai.agent.role",
    "gen_ai.agent.id",
    "gen_ai.agent.name",
    "agent.name",
    "agent_name",
    "ai.telemetry.functionId",
    "lk.agent_name",
];
/// Name of the agent, kept beside its id.
pub const AGENT_NAME: &[&str] = &["crewai.agent.role", "gen_ai.agent.name", "agent.name", "agent_name"];
/// Version of the agent.
pub const AGENT_VERSION: &[&str] = &["agent.version", "gen_ai.agent.version"];
/// Thread.
pub const CONVERSATION: &[&str] = &[
    "langfuse.session.id",
    "gen_ai.conversation.id",
    "session.id",
    "conversation.id",
    "traceloop.association.properties.session_id",
    "langsmith.metadata.thread_id",
    "langsmith.metadata.session_id",
    "langsmith.metadata.conversation_id",
    "mlflow.trace.session",
    "gcp.vertex.agent.session_id",
    "ai.telemetry.metadata.sessionId",
];
/// Person on whose behalf it is done.
pub const USER: &[&str] = &[
    "langfuse.user.id",
    "user.account_uuid",
    "user.id",
    "enduser.id",
    "user.account_id",
    "traceloop.association.properties.user_id",
    "llm.user",
    "gen_ai.user",
    "litellm.end_user.id",
    "mlflow.trace.user",
    "langsmith.metadata.user_id",
    "ai.telemetry.metadata.userId",
];
/// Model that was asked for, then the one that answered.
pub const MODEL: &[&str] = &[
    "langfuse.observation.model.name",
    "gen_ai.request.model",
    "llm.request.model_name",
    "llm.model_name",
    "embedding.model_name",
    "reranker.model_name",
    "ai.model.id",
    "gen_ai.response.model",
    "llm.response.model_name",
    "ai.response.model",
    "mlflow.llm.model",
    "langsmith.metadata.ls_model_name",
    "model",
    "slug",
];
/// Model that answered.
pub const RESPONSE_MODEL: &[&str] = &["gen_ai.response.model", "llm.response.model_name", "ai.response.model"];
/// Who runs the model.
pub const PROVIDER: &[&str] = &[
    "langsmith.metadata.ls_provider",
    "gen_ai.provider.name",
    "gen_ai.system",
    "llm.provider",
    "llm.system",
    "ai.model.provider",
    "mlflow.llm.provider",
];
/// Prompt template.
pub const PROMPT: &[&str] =
    &["langfuse.observation.prompt.name", "gen_ai.prompt.name", "traceloop.prompt.key", "llm.prompt_template.name"];
/// Version of the template.
pub const PROMPT_VERSION: &[&str] = &[
    "langfuse.observation.prompt.version",
    "gen_ai.prompt.version",
    "traceloop.prompt.version",
    "llm.prompt_template.version",
];
/// Tool that is called.
pub const TOOL: &[&str] = &[
    "gen_ai.tool.name",
    "tool.name",
    "tool_name",
    "function_name",
    "ai.toolCall.name",
    "mcp.tool.name",
    "traceloop.entity.name",
];
/// Tokens in.
pub const TOKENS_IN: &[&str] = &[
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.prompt_tokens",
    "llm.token_count.prompt",
    "llm.usage.prompt_tokens",
    "ai.usage.inputTokens",
    "ai.usage.promptTokens",
    "ai.usage.tokens",
    "gen_ai.aggregated_usage.input_tokens",
    "input_tokens",
    "input_token_count",
];
/// Tokens out.
pub const TOKENS_OUT: &[&str] = &[
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.completion_tokens",
    "llm.token_count.completion",
    "llm.usage.completion_tokens",
    "ai.usage.outputTokens",
    "ai.usage.completionTokens",
    "gen_ai.aggregated_usage.output_tokens",
    "output_tokens",
    "output_token_count",
];
/// Tokens in and out, by which it is known what stands beside them.
pub const TOKENS_TOTAL: &[&str] = &[
    "gen_ai.usage.total_tokens",
    "llm.token_count.total",
    "llm.usage.total_tokens",
    "ai.usage.totalTokens",
    "total_token_count",
];
/// Tokens that tools sent to the model, where a total is told too.
pub const TOKENS_OF_TOOLS: &[&str] = &["tool_token_count"];
/// Of the tokens in, those read from a cache.
pub const TOKENS_CACHE_READ: &[&str] = &[
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.cache_read_input_tokens",
    "gen_ai.usage.details.cache_read_tokens",
    "llm.token_count.prompt_details.cache_read",
    "ai.usage.cachedInputTokens",
    "ai.usage.inputTokenDetails.cacheReadTokens",
    "cache_read_tokens",
    "cached_token_count",
    "cached_content_token_count",
];
/// Of the tokens in, those written to a cache.
pub const TOKENS_CACHE_WRITE: &[&str] = &[
    "gen_ai.usage.cache_write.input_tokens",
    "gen_ai.usage.cache_creation.input_tokens",
    "gen_ai.usage.cache_creation_input_tokens",
    "gen_ai.usage.details.cache_write_tokens",
    "llm.token_count.prompt_details.cache_write",
    "ai.usage.inputTokenDetails.cacheWriteTokens",
    "cache_creation_tokens",
    "cache_write_token_count",
];
/// Of the tokens out, those of reasoning.
pub const TOKENS_REASONING: &[&str] = &[
    "gen_ai.usage.reasoning.output_tokens",
    "gen_ai.usage.reasoning_tokens",
    "gen_ai.usage.details.reasoning_tokens",
    "llm.token_count.completion_details.reasoning",
    "ai.usage.reasoningTokens",
    "ai.usage.outputTokenDetails.reasoningTokens",
    "reasoning_token_count",
    "thoughts_token_count",
];
/// Cost in USD as a number.
pub const COST: &[&str] = &[
    "gen_ai.usage.cost",
    "gen_ai.usage.total_cost",
    "llm.cost.total",
    "litellm.cost.total",
    "gen_ai.cost.total_cost",
    "operation.cost",
    "cost_usd",
];
/// Why the model stopped.
pub const FINISH: &[&str] = &[
    "gen_ai.response.finish_reasons",
    "llm.finish_reason",
    "gen_ai.completion.0.finish_reason",
    "ai.response.finishReason",
    "stop_reason",
    "finish_reasons",
];
/// The provider's id of the answer.
pub const RESPONSE_ID: &[&str] = &["gen_ai.response.id", "ai.response.id", "request_id"];
/// What went wrong.
pub const ERROR: &[&str] =
    &["langfuse.observation.status_message", "error.message", "error", "api_error", "exception.message", "error.type"];
/// Milliseconds to the first token.
pub const TTFT_MS: &[&str] = &["ttft_ms", "copilot_chat.time_to_first_token", "ai.response.msToFirstChunk"];
/// Seconds to the first token.
pub const TTFT_S: &[&str] = &["gen_ai.response.time_to_first_chunk", "gen_ai.client.operation.time_to_first_chunk"];
/// Milliseconds from start to end, where no span says it.
pub const DURATION_MS: &[&str] = &["duration_ms"];

/// What went into a tool.
pub const TOOL_INPUT: &[&str] = &[
    "gen_ai.tool.call.arguments",
    "tool_arguments",
    "ai.toolCall.args",
    "ai.toolCall.input",
    "arguments",
    "function_args",
    "tool_parameters",
    "tool_input",
    "gcp.vertex.agent.tool_call_args",
    "mcp.request.argument",
    "full_command",
];
/// What came out of a tool.
pub const TOOL_OUTPUT: &[&str] = &[
    "gen_ai.tool.call.result",
    "tool_response",
    "ai.toolCall.result",
    "ai.toolCall.output",
    "gcp.vertex.agent.tool_response",
    "mcp.response.value",
    "output",
];
/// What was looked for.
pub const QUERY: &[&str] =
    &["gen_ai.retrieval.query.text", "gen_ai.memory.query.text", "crewai.memory.query", "crewai.knowledge.query"];
/// What went in, whole, before lists of messages are looked at.
pub const EXPLICIT_INPUT: &[&str] = &["langfuse.observation.input"];
/// What came out, whole, before lists of messages are looked at.
pub const EXPLICIT_OUTPUT: &[&str] = &["langfuse.observation.output"];
/// What went in, as one value.
pub const INPUT: &[&str] = &[
    "gen_ai.prompt",
    "ai.prompt.messages",
    "ai.prompt",
    "ai.value",
    "ai.values",
    "input.value",
    "traceloop.entity.input",
    "crewai.task.description",
    "gen_ai.task.input",
    "mlflow.spanInputs",
    "gcp.vertex.agent.llm_request",
    "prompt",
    "user_prompt",
    "new_context",
    "request_text",
    "tool.parameters",
];
/// What came out, as one value.
pub const OUTPUT: &[&str] = &[
    "gen_ai.completion",
    "ai.response.text",
    "ai.response.object",
    "ai.response.toolCalls",
    "output.value",
    "traceloop.entity.output",
    "crewai.task.output",
    "gen_ai.task.output",
    "mlflow.spanOutputs",
    "gcp.vertex.agent.llm_response",
    "final_result",
    "response.model_output",
    "response",
    "response_text",
];
/// Returns the agent whose service it is.
pub fn agent_of_service(service: &str) -> Option<&'static str> {
    Some(match service {
        "claude-code" => "claude-code",
        "codex_cli_rs" | "codex_vscode" | "codex_exec" | "codex-cli" => "codex",
        "gemini-cli" => "gemini-cli",
        "qwen-code" => "qwen-code",
        "copilot-chat" | "github-copilot" | "copilot" | "copilot-cli" => "copilot",
        _ => return None,
    })
}
