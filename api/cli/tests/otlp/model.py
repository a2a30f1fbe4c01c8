"""A model that a test serves itself, as OpenAI's API and Google's answer, and the exporter of what libraries tell."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

USAGE = {"prompt_tokens": 50, "completion_tokens": 7, "total_tokens": 57, "prompt_tokens_details": {"cached_tokens": 32}}
GOOGLE_USAGE = {"promptTokenCount": 50, "candidatesTokenCount": 5, "thoughtsTokenCount": 2, "totalTokenCount": 57,
                "cachedContentTokenCount": 32}
# Tools that it knows how to call, with what it calls them.
ARGUMENTS = {"find_order": {"number": 7}, "transfer_to_agent": {"agent_name": "billing"}}


class Model(BaseHTTPRequestHandler):
    """Answers with a fixed text, or calls a tool where one is offered that it has not called yet."""

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
        if self.path.endswith(":generateContent"):
            return self.answer(200, self.content(asked))
        self.answer(200, self.completion(asked))

    def completion(self, asked):
        offered = [tool["function"]["name"] for tool in asked.get("tools", [])]
        wanted = None if asked["messages"][-1]["role"] == "tool" else first_known(offered)
        message = {"role": "assistant", "content": None if wanted else "It is blue."}
        if wanted:
            function = {"name": wanted, "arguments": json.dumps(ARGUMENTS[wanted])}
            message["tool_calls"] = [{"id": "call_1", "type": "function", "function": function}]
        choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if wanted else "stop"}
        base = {"id": "chatcmpl-77", "object": "chat.completion", "created": 1767607200, "model": "gpt-4o-2024-08-06"}
        return {**base, "choices": [choice], "usage": USAGE}

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

    def content(self, asked):
        offered = [one["name"] for tool in asked.get("tools", []) for one in tool.get("functionDeclarations", [])]
        is_answered = any("functionResponse" in part for part in asked["contents"][-1]["parts"])
        wanted = None if is_answered else first_known(offered)
        call = {"functionCall": {"id": "call_1", "name": wanted, "args": ARGUMENTS.get(wanted)}}
        parts = [call if wanted else {"text": "It is blue."}]
        candidate = {"content": {"role": "model", "parts": parts}, "finishReason": "STOP", "index": 0}
        return {"candidates": [candidate], "usageMetadata": GOOGLE_USAGE, "modelVersion": "gemini-2.5-flash",
                "responseId": "resp-77"}

    def answer(self, code, body):
        text = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


def first_known(offered):
    return next((name for name in ARGUMENTS if name in offered), None)


def serve():
    """Serves the model; returns its address."""
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
