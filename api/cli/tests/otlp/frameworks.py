"""Real frameworks of agents, each against a model that this program serves itself; what they tell goes to the server.

Usage: frameworks.py NAME URL
"""

import asyncio
import os
import sys

from model import serve, traces


def find_order(number: int) -> str:
    """Looks an order up by its number."""
    return f"order {number} is on its way"


def exporting(url):
    """Sets what each framework reads by itself."""
    os.environ.update(OTEL_EXPORTER_OTLP_ENDPOINT=url, OTEL_EXPORTER_OTLP_PROTOCOL="http/protobuf", OTEL_SERVICE_NAME="sdk")


def adk(url):
    """Agents of Google's kit, which sets up all three signals by itself, with contents."""
    exporting(url)
    os.environ.update(OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="SPAN_AND_EVENT", GOOGLE_API_KEY="none",
                      GOOGLE_GEMINI_BASE_URL=serve().removesuffix("/v1"), GOOGLE_GENAI_USE_VERTEXAI="false")
    from google.adk.telemetry.setup import maybe_set_otel_providers
    from opentelemetry import _logs, metrics, trace

    maybe_set_otel_providers()
    asyncio.run(serve_a_customer("gemini-2.5-flash"))
    for provider in (trace.get_tracer_provider(), _logs.get_logger_provider(), metrics.get_meter_provider()):
        provider.shutdown()


def adk_older(url):
    """The same in the form of before, which says everything in other words."""
    os.environ["ADK_TELEMETRY_SCHEMA_VERSION_OPT_IN"] = "1"
    adk(url)


async def serve_a_customer(model):
    """A coordinator hands over to an agent that has a tool."""
    from google.adk.agents import Agent
    from google.adk.runners import InMemoryRunner
    from google.genai import types

    # The second one cannot give the customer back.
    alone = {"disallow_transfer_to_parent": True, "disallow_transfer_to_peers": True}
    billing = Agent(name="billing", model=model, instruction="Refund.", tools=[find_order], **alone)
    coordinator = Agent(name="coordinator", model=model, instruction="Route.", sub_agents=[billing])
    runner = InMemoryRunner(agent=coordinator, app_name="shop")
    await runner.session_service.create_session(app_name="shop", user_id="ana", session_id="s-1")
    question = types.Content(role="user", parts=[types.Part(text="Where is my order?")])
    async for _ in runner.run_async(user_id="ana", session_id="s-1", new_message=question):
        pass
    await runner.close()


def litellm(url, generation="true"):
    """LiteLLM as a library, with its own callback."""
    exporting(url)
    # Prices are those of the package, not of a download.
    os.environ.update(LITELLM_OTEL_V2=generation, LITELLM_LOCAL_MODEL_COST_MAP="True",
                      OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="SPAN_ONLY")
    import litellm

    litellm.callbacks = ["otel"]
    litellm.suppress_debug_info = True
    # What is left goes out at the end of the program.
    asyncio.run(ask(litellm))


def litellm_older(url):
    """The same by the callback of before, which is the one that is used unless the newer one is asked for."""
    litellm(url, generation="false")


async def ask(litellm):
    """Asks the model for an answer, for a tool, for a vector, and in vain."""
    server = {"api_base": serve(), "api_key": "none", "max_retries": 0}
    function = {"name": "find_order", "description": "Looks it up", "parameters": {"type": "object", "properties": {}}}
    question = [{"role": "user", "content": "Why is it blue?"}]
    first = [{"role": "system", "content": "Be brief."}, *question]
    await litellm.acompletion(model="openai/gpt-4o", messages=first, **server)
    tools = [{"type": "function", "function": function}]
    await litellm.acompletion(model="openai/gpt-4o", messages=question, tools=tools, metadata={"session_id": "s-1"}, **server)
    await litellm.aembedding(model="openai/text-embedding-3-small", input=["blue"], **server)
    try:
        await litellm.acompletion(model="openai/broken", messages=question, **server)
    except litellm.InternalServerError:
        pass
    # Its callbacks run beside the calls.
    await asyncio.sleep(1)


def crewai(url):
    """Two agents of CrewAI with a task each, by OpenInference's listener. By hand: CrewAI takes a gigabyte."""
    os.environ.update(CREWAI_DISABLE_TELEMETRY="true", CREWAI_DISABLE_TRACKING="true", CREWAI_TRACING_ENABLED="false",
                      CREWAI_DISABLE_VERSION_CHECK="true", CREWAI_TESTING="true")
    from crewai import LLM, Agent, Crew, Task
    from crewai.events import crewai_event_bus
    from crewai.tools import tool
    from openinference.instrumentation.crewai import CrewAIInstrumentor

    provider = traces(url)
    CrewAIInstrumentor().instrument(tracer_provider=provider, use_event_listener=True)
    model = LLM(model="openai/gpt-4o", base_url=serve(), api_key="none")
    clerk = Agent(role="Clerk", goal="Answer", backstory="Old hand", llm=model, tools=[tool("find_order")(find_order)])
    writer = Agent(role="Writer", goal="Write", backstory="Poet", llm=model)
    find = Task(name="find", description="Where is my order?", expected_output="A place", agent=clerk)
    write = Task(name="write", description="Write it down.", expected_output="A letter", agent=writer)
    Crew(name="shop", agents=[clerk, writer], tasks=[find, write]).kickoff()
    crewai_event_bus.flush()
    provider.shutdown()


globals()[sys.argv[1]](sys.argv[2])
