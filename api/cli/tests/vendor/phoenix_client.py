"""Traces with Phoenix's `register` over HTTP or gRPC, and annotates: phoenix_client.py URL KEY http/protobuf|grpc ENDPOINT.
Prints the ids."""

import json
import sys

from openinference.semconv.trace import SpanAttributes
from opentelemetry.trace import format_span_id, format_trace_id
from phoenix.client import Client
from phoenix.otel import register

url, key, protocol, endpoint = sys.argv[1:5]
provider = register(
    endpoint=endpoint, protocol=protocol, api_key=key, project_name="support", batch=False, verbose=False,
    set_global_tracer_provider=False,
)
tracer = provider.get_tracer("app")
with tracer.start_as_current_span("support", openinference_span_kind="agent") as root:
    root.set_input("Why?")
    root.set_attribute(SpanAttributes.SESSION_ID, "thread-9")
    with tracer.start_as_current_span("answer", openinference_span_kind="llm") as call:
        call.set_attribute(SpanAttributes.LLM_MODEL_NAME, "gpt-4o")
        call.set_attribute(SpanAttributes.LLM_TOKEN_COUNT_PROMPT, 12)
        call.set_attribute(SpanAttributes.LLM_TOKEN_COUNT_COMPLETION, 3)
        call.set_output("Because.")
    root.set_output("Because.")
provider.shutdown()
ids = {
    "TRACE": format_trace_id(root.context.trace_id), "ROOT": format_span_id(root.context.span_id),
    "CALL": format_span_id(call.context.span_id),
}
client = Client(base_url=url, api_key=key)
stored = client.spans.add_span_annotation(
    span_id=ids["CALL"], annotation_name="tone", annotator_kind="LLM", label="good", score=0.75,
    explanation="Friendly.", identifier="judge-1", sync=True,
)
client.spans.add_span_annotation(span_id=ids["ROOT"], annotation_name="solved", annotator_kind="HUMAN", score=1)
client.traces.log_trace_annotations(
    trace_annotations=[{"trace_id": ids["TRACE"], "name": "verdict", "annotator_kind": "CODE", "result": {"label": "good"}}]
)
print(json.dumps(ids))
print(json.dumps(stored))
