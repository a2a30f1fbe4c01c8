"""Exports spans of four conventions with OpenTelemetry's Python SDK: exporter.py http|grpc URL none|gzip|deflate."""

import sys

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Status, StatusCode

protocol, url, coding = sys.argv[1:4]
resource = Resource.create({"service.name": "python-app", "task.id": "py-1"})
provider = TracerProvider(resource=resource)
if protocol == "grpc":
    import grpc
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

    # A certificate comes in OTEL_EXPORTER_OTLP_CERTIFICATE.
    compression = {"none": grpc.Compression.NoCompression, "gzip": grpc.Compression.Gzip, "deflate": grpc.Compression.Deflate}
    exporter = OTLPSpanExporter(endpoint=url, compression=compression[coding], timeout=30)
else:
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    exporter = OTLPSpanExporter(endpoint=f"{url}/v1/traces", compression=Compression(coding), timeout=30)
provider.add_span_processor(BatchSpanProcessor(exporter))
tracer = provider.get_tracer("exporter", "1")

with tracer.start_as_current_span("invoke_agent planner") as agent:
    agent.set_attributes({"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "planner"})
    with tracer.start_as_current_span("chat gpt-4o", kind=trace.SpanKind.CLIENT) as call:
        call.set_attributes({
            "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o",
            "gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 10,
            "gen_ai.usage.cache_read.input_tokens": 64, "gen_ai.response.finish_reasons": ["stop"],
            "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"Plan it"}]}]',
        })
    with tracer.start_as_current_span("ChatCompletion") as call:
        call.set_attributes({
            "openinference.span.kind": "LLM", "llm.model_name": "gpt-4o-mini", "llm.token_count.prompt": 30,
            "llm.token_count.completion": 3, "llm.cost.total": 0.25,
            "llm.input_messages.0.message.content": "Do it",
        })
    with tracer.start_as_current_span("openai.chat") as call:
        call.set_attributes({
            "llm.request.type": "chat", "gen_ai.system": "OpenAI", "gen_ai.request.model": "gpt-3.5-turbo",
            "gen_ai.prompt.0.content": "Check it", "gen_ai.usage.prompt_tokens": 7, "gen_ai.usage.completion_tokens": 2,
        })
    with tracer.start_as_current_span("generation") as call:
        call.set_attributes({
            "langfuse.observation.type": "generation", "langfuse.observation.model.name": "claude-sonnet-4-5",
            "langfuse.observation.usage_details": '{"input":5,"output":1,"total":6}',
        })
    with tracer.start_as_current_span("execute_tool bash") as tool:
        tool.set_attributes({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "bash"})
        tool.record_exception(ValueError("exit 1"))
        tool.set_status(Status(StatusCode.ERROR))
    with tracer.start_as_current_span("GET /health"):
        pass

provider.shutdown()
