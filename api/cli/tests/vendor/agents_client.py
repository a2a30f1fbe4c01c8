"""Traces with OpenAI's Agents SDK: agents_client.py URL KEY. No model is called: the spans are those of its own API.
Prints the ids."""

import json
import sys

from agents.tracing import (
    agent_span, custom_span, function_span, generation_span, guardrail_span, handoff_span, set_trace_processors, trace,
)
from agents.tracing.processors import BackendSpanExporter, BatchTraceProcessor

url, key = sys.argv[1], sys.argv[2]
processor = BatchTraceProcessor(BackendSpanExporter(api_key=key, endpoint=f"{url}/v1/traces/ingest"))
set_trace_processors([processor])
with trace("Support", group_id="thread-9", metadata={"plan": "pro"}) as workflow:
    with agent_span("Planner", tools=["lookup"], handoffs=["Writer"]) as agent:
        with generation_span(
            input=[{"role": "user", "content": "Why?"}], output=[{"role": "assistant", "content": "Because."}],
            model="gpt-4o", usage={"input_tokens": 12, "output_tokens": 3, "input_tokens_details": {"cached_tokens": 4}},
        ) as call:
            pass
        with function_span("lookup", input='{"id":7}', output="found") as tool:
            tool.set_error({"message": "not found", "data": None})
        with guardrail_span("polite", triggered=True):
            pass
        with handoff_span(from_agent="Planner", to_agent="Writer"):
            pass
        with custom_span("note", {"n": 1}):
            pass
processor.shutdown()
print(json.dumps({"TRACE": workflow.trace_id, "AGENT": agent.span_id, "CALL": call.span_id, "TOOL": tool.span_id}))
