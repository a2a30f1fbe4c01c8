"""The same spans for everyone who takes OTLP: traces of an agent with two model calls and two tools."""

import http.client
import random
import threading
import time
import urllib.parse

from speed.peers import Missing
from speed.peers.load import WORDS

SPANS_OF_A_TRACE = 5
SPANS_OF_A_REQUEST = 100
CLIENTS = 4
PROTOBUF, JSON = "application/x-protobuf", "application/json"


def requests(spans):
    """Returns export requests with that many spans: protobuf messages of `opentelemetry-proto`, OpenInference inside."""
    try:
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
    except ImportError as missing:
        raise Missing(str(missing)) from None
    dice, begin = random.Random(11), time.time_ns() - 3_600_000_000_000
    made = []
    for first in range(0, spans, SPANS_OF_A_REQUEST):
        request = ExportTraceServiceRequest()
        resource = request.resource_spans.add()
        attribute(resource.resource, "service.name", "bench")
        scope = resource.scope_spans.add()
        scope.scope.name = "openinference.instrumentation.openai"
        for n in range(first, min(spans, first + SPANS_OF_A_REQUEST), SPANS_OF_A_TRACE):
            trace(scope, dice, n, begin + n * 1_000_000)
        made.append(request)
    return made


def trace(scope, dice, n, begin):
    trace_id, root = dice.randbytes(16), dice.randbytes(8)
    for place, kind in enumerate(("AGENT", "LLM", "TOOL", "LLM", "TOOL")):
        span = scope.spans.add()
        span.trace_id, span.span_id = trace_id, root if place == 0 else dice.randbytes(8)
        span.parent_span_id = b"" if place == 0 else root
        span.name, span.kind = f"{kind.lower()} {n % 7}", 1
        span.start_time_unix_nano = begin + place * 1_000_000
        span.end_time_unix_nano = span.start_time_unix_nano + 250_000_000
        attribute(span, "openinference.span.kind", kind)
        attribute(span, "session.id", f"session-{n // 50}")
        attribute(span, "input.value", text(dice))
        attribute(span, "output.value", text(dice))
        if kind == "LLM":
            attribute(span, "llm.model_name", f"model-{n % 4}")
            attribute(span, "llm.token_count.prompt", 100 + n % 900)
            attribute(span, "llm.token_count.completion", 10 + n % 90)
        if kind == "TOOL":
            attribute(span, "tool.name", f"tool-{n % 5}")


def text(dice):
    return " ".join(dice.choice(WORDS) for _ in range(60))


def attribute(holder, key, value):
    pair = holder.attributes.add()
    pair.key = key
    if isinstance(value, int):
        pair.value.int_value = value
    else:
        pair.value.string_value = value


def as_json(request):
    """Writes a request as OTLP/JSON: protobuf's mapping, but with ids in hexadecimal."""
    import json

    from google.protobuf.json_format import MessageToDict

    told = MessageToDict(request)
    for resource, shown in zip(request.resource_spans, told["resourceSpans"]):
        for scope, shown_scope in zip(resource.scope_spans, shown["scopeSpans"]):
            for span, shown_span in zip(scope.spans, shown_scope["spans"]):
                shown_span["traceId"], shown_span["spanId"] = span.trace_id.hex(), span.span_id.hex()
                if span.parent_span_id:
                    shown_span["parentSpanId"] = span.parent_span_id.hex()
    return json.dumps(told).encode()


def over_http(url, headers, media):
    """Returns what makes a sender: a kept connection that posts one body."""
    at = urllib.parse.urlsplit(url)

    def sender():
        connection = http.client.HTTPConnection(at.hostname, at.port, timeout=300)

        def send(body):
            connection.request("POST", at.path, body, {"Content-Type": media, **headers})
            reply = connection.getresponse()
            said = reply.read()
            if reply.status != 200:
                raise RuntimeError(f"{url} answered {reply.status}: {said[:200]!r}")

        return send

    return sender


def over_grpc(address):
    """Returns what makes a sender over gRPC; the body goes as it is."""
    try:
        import grpc
    except ImportError as missing:
        raise Missing(str(missing)) from None

    def sender():
        channel = grpc.insecure_channel(address)
        call = channel.unary_unary("/opentelemetry.proto.collector.trace.v1.TraceService/Export")
        return lambda body: call(body, timeout=300)

    return sender


def timed(bodies, spans, sender, visible):
    """Sends all bodies by some clients; returns spans per second until the last is taken, and until `visible()`."""
    waiting, failures = list(reversed(bodies)), []

    def work():
        send = sender()
        try:
            while not failures:
                try:
                    body = waiting.pop()
                except IndexError:
                    return
                send(body)
        except Exception as failure:
            failures.append(failure)

    begin = time.perf_counter()
    threads = [threading.Thread(target=work) for _ in range(CLIENTS)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    if failures:
        raise failures[0]
    taken = time.perf_counter() - begin
    while not visible():
        if time.perf_counter() - begin > 1200:
            raise RuntimeError("the spans did not become visible in 20 minutes")
        time.sleep(0.05)
    return {"spans": spans, "taken_per_second": spans / taken, "visible_per_second": spans / (time.perf_counter() - begin)}
