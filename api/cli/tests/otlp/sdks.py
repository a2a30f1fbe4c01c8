"""Real libraries of tools, each against a model that this program serves itself; what they tell goes to the server.

Usage: sdks.py NAME URL
"""

import os
import sys

from model import serve, traces


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
