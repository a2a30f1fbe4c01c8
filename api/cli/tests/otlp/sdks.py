"""Real libraries of tools, each against a model that this program serves itself; what they tell goes to the server.

Usage: sdks.py NAME URL
"""

import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

USAGE = {"prompt_tokens": 50, "completion_tokens": 7, "total_tokens": 57, "prompt_tokens_details": {"cached_tokens": 32}}


class Model(BaseHTTPRequestHandler):
    """Answers as OpenAI's API does: a fixed text, or a hand-off where one is offered and not yet made."""

    def log_message(self, *_):
        pass

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if asked.get("model") == "broken":
            return self.answer(500, {"error": {"message": "the model is broken", "type": "server_error"}})
        if self.path.endswith("/embeddings"):
            data = [{"object": "embedding", "index": 0, "embedding": [0.1, 0.2]}]
            usage = {"prompt_tokens": 4, "total_tokens": 4}
            return self.answer(200, {"object": "list", "model": asked["model"], "data": data, "usage": usage})
        if self.path.endswith("/responses"):
            return self.answer(200, self.response(asked))
        message = {"role": "assistant", "content": "It is blue."}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        base = {"id": "chatcmpl-77", "object": "chat.completion", "created": 1767607200, "model": "gpt-4o-2024-08-06"}
        self.answer(200, {**base, "choices": [choice], "usage": USAGE})

    def response(self, asked):
        transfers = [tool["name"] for tool in asked.get("tools", []) if tool.get("name", "").startswith("transfer_to")]
        call = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "", "arguments": "{}", "status": "completed"}
        text = {"type": "output_text", "text": "Refunded.", "annotations": []}
        message = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [text]}
        output = [{**call, "name": transfers[0]}] if transfers else [message]
        usage = {"input_tokens": 30, "output_tokens": 5, "total_tokens": 35, "input_tokens_details": {"cached_tokens": 8},
                 "output_tokens_details": {"reasoning_tokens": 2}}
        return {"id": f"resp_{len(transfers)}", "object": "response", "created_at": 1767607200, "status": "completed",
                "model": "gpt-4.1", "output": output, "usage": usage, "tools": [], "tool_choice": "auto",
                "parallel_tool_calls": True}

    def answer(self, code, body):
        text = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


def serve():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Model)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_address[1]}/v1"


def traces(url, one_by_one=False, **resource):
    """Sets up OpenTelemetry's own exporter; returns the provider."""
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor

    processor = SimpleSpanProcessor if one_by_one else BatchSpanProcessor
    provider = TracerProvider(resource=Resource.create({"service.name": "sdk", **resource}))
    provider.add_span_processor(processor(OTLPSpanExporter(endpoint=f"{url}/v1/traces")))
    trace.set_tracer_provider(provider)
    return provider


def ask(client):
    """Asks the model once for an answer, once for a vector, once in vain."""
    import openai

    client.chat.completions.create(
        model="gpt-4o", messages=[{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why is it blue?"}]
    )
    client.embeddings.create(model="text-embedding-3-small", input="blue")
    try:
        client.chat.completions.create(model="broken", messages=[{"role": "user", "content": "Fail"}])
    except openai.APIError:
        pass


def client():
    from openai import OpenAI

    return OpenAI(base_url=serve(), api_key="none", max_retries=0)


def openinference(url):
    from openinference.instrumentation.openai import OpenAIInstrumentor

    provider = traces(url)
    OpenAIInstrumentor().instrument(tracer_provider=provider)
    ask(client())
    provider.shutdown()


def traceloop(url):
    from opentelemetry.instrumentation.openai import OpenAIInstrumentor

    provider = traces(url)
    OpenAIInstrumentor().instrument(tracer_provider=provider)
    ask(client())
    provider.shutdown()


def both(url):
    """Two libraries see the same calls; each span is sent by itself, the inner one first."""
    from openinference.instrumentation.openai import OpenAIInstrumentor as Inner
    from opentelemetry.instrumentation.openai import OpenAIInstrumentor as Outer

    provider = traces(url, one_by_one=True)
    Inner().instrument(tracer_provider=provider)
    Outer().instrument(tracer_provider=provider)
    ask(client())
    provider.shutdown()


def agents(url):
    """Two agents of the OpenAI Agents SDK: the first hands off to the second."""
    import agents
    from openai import AsyncOpenAI
    from openinference.instrumentation.openai_agents import OpenAIAgentsInstrumentor

    provider = traces(url, **{"task.id": "ticket-9", "task.type": "refund"})
    OpenAIAgentsInstrumentor().instrument(tracer_provider=provider)
    agents.set_default_openai_client(AsyncOpenAI(base_url=serve(), api_key="none", max_retries=0), use_for_tracing=False)
    billing = agents.Agent(name="Billing", instructions="Refund.", model="gpt-4.1")
    triage = agents.Agent(name="Triage", instructions="Route.", handoffs=[billing], model="gpt-4.1")
    agents.Runner.run_sync(triage, "My bill is wrong")
    provider.shutdown()


def pydantic_ai(url):
    from pydantic_ai import Agent
    from pydantic_ai.models.instrumented import InstrumentationSettings
    from pydantic_ai.models.test import TestModel

    provider = traces(url)
    Agent.instrument_all(InstrumentationSettings(tracer_provider=provider))
    agent = Agent(TestModel(custom_output_text="Done"), name="support")

    @agent.tool_plain
    def find_order(number: int) -> str:
        return f"order {number} is on its way"

    agent.run_sync("Where is my order?")
    provider.shutdown()


def langsmith(url):
    os.environ.update(LANGSMITH_TRACING="true", LANGSMITH_TRACING_MODE="otel", LANGSMITH_API_KEY="none",
                      OTEL_EXPORTER_OTLP_ENDPOINT=url)
    from langsmith import Client, traceable

    provider = traces(url)
    client = Client(api_key="none", api_url="http://127.0.0.1:9", otel_enabled=True, tracing_mode="otel")

    @traceable(run_type="llm", name="ChatOpenAI", client=client,
               metadata={"ls_provider": "openai", "ls_model_name": "gpt-4o-mini", "thread_id": "thread-7"})
    def model(messages):
        return {"messages": [{"role": "assistant", "content": "Booked"}],
                "usage_metadata": {"input_tokens": 80, "output_tokens": 15, "input_token_details": {"cache_read": 32}}}

    @traceable(run_type="tool", name="transfer_to_flights", client=client)
    def transfer():
        return "ok"

    @traceable(run_type="chain", name="LangGraph", client=client, metadata={"thread_id": "thread-7"})
    def graph(question):
        transfer()
        return model([{"role": "user", "content": question}])

    graph("Book a flight")
    client.flush()
    provider.shutdown()


def mlflow(url):
    os.environ.update(OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=f"{url}/v1/traces", OTEL_SERVICE_NAME="sdk",
                      OTEL_EXPORTER_OTLP_TRACES_PROTOCOL="http/protobuf", MLFLOW_TRACKING_URI="http://127.0.0.1:9")
    import mlflow
    from mlflow.entities import SpanType

    with mlflow.start_span(name="predict", span_type=SpanType.AGENT) as span:
        span.set_inputs({"question": "What is in it?"})
        with mlflow.start_span(name="Completions", span_type=SpanType.CHAT_MODEL) as call:
            call.set_inputs({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "What is in it?"}]})
            call.set_attribute("mlflow.chat.tokenUsage", {"input_tokens": 60, "output_tokens": 9, "total_tokens": 69})
            call.set_attribute("mlflow.llm.model", "gpt-4o-mini")
            call.set_outputs({"choices": [{"message": {"role": "assistant", "content": "A report."}}]})
        span.set_outputs("A report.")
    from mlflow.tracing.provider import provider

    provider.get().force_flush()


def metrics(url):
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
    from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
    from opentelemetry.sdk.resources import Resource

    exporter = OTLPMetricExporter(endpoint=f"{url}/v1/metrics")
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=3_600_000)
    views = [View(instrument_name="latency", aggregation=ExponentialBucketHistogramAggregation())]
    resource = Resource.create({"service.name": "sdk", "task.id": "42"})
    provider = MeterProvider(metric_readers=[reader], resource=resource, views=views)
    meter = provider.get_meter("sdk-meter", "1")
    meter.create_counter("tokens", unit="{token}").add(30, {"gen_ai.request.model": "gpt-4o", "session.id": "s-1"})
    meter.create_up_down_counter("open").add(-2)
    meter.create_gauge("temperature", unit="Cel").set(21.5)
    histogram = meter.create_histogram("duration", unit="s", explicit_bucket_boundaries_advisory=[0.5, 1.0])
    for seconds in (0.25, 0.75, 4.0):
        histogram.record(seconds)
    latency = meter.create_histogram("latency", unit="ms")
    for millis in (1.0, 2.0, 4.0):
        latency.record(millis)
    provider.shutdown()


globals()[sys.argv[1]](sys.argv[2])
