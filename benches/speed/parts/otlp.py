"""OpenTelemetry spans per second until they are taken and until they are visible, beside Phoenix and MLflow."""

from speed.peers import attempt, mlflow, phoenix, telemetry
from speed.report import number, ratio, table

TITLE = "OpenTelemetry spans"
SPANS = 20_000
# Our own pace needs more spans than the peers' to be a measurement.
OURS = 200_000


def measure(run):
    spans, ours = run.sized(SPANS, 500), run.sized(OURS, 500)
    made = telemetry.requests(ours)
    protobuf = [request.SerializeToString() for request in made]
    peers = {}
    few = protobuf[: spans // telemetry.SPANS_OF_A_REQUEST]
    for peer in (phoenix, mlflow):
        run.say(f"   {peer.NAME}")
        peers[peer.NAME] = attempt(lambda: {"ways": peer.measure(run.path(peer.NAME), few, spans)})
    json = [telemetry.as_json(request) for request in made]
    ways = {}
    for way, bodies in (("protobuf over HTTP", protobuf), ("protobuf over gRPC", protobuf), ("JSON over HTTP", json)):
        run.say(f"   partitura, {way}")
        ways[way] = one(run, way, bodies, ours)
    ways["protobuf over HTTP, embedding beside"] = one(run, "protobuf over HTTP", protobuf, ours, "all-MiniLM-L6-v2")
    return {"peers": peers, "ours": ways, "bytes_of_a_span": sum(map(len, few)) // spans}


def one(run, way, bodies, spans, model="off"):
    with run.serve(f"otlp-{way}-{model}".replace(" ", "-"), "--model", model, "--otlp-grpc", "127.0.0.1:0") as server:
        media = telemetry.JSON if way.startswith("JSON") else telemetry.PROTOBUF
        if way.endswith("gRPC"):
            sender = telemetry.over_grpc(server.listeners["otlp_grpc"].split("://")[1])
        else:
            sender = telemetry.over_http(server.url + "/v1/traces", {}, media)
        count = lambda: server.sql("SELECT count(*) AS n FROM interactions")[0]["n"]
        told = telemetry.timed(bodies, spans, sender, lambda: count() >= spans)
        if count() != spans:
            raise RuntimeError(f"{count()} spans are in SQL, {spans} were sent")
        return told


def report(result):
    rows = []
    pace = {way: told for way, told in result["ours"].items()}
    for way, told in pace.items():
        rows.append([f"**Partitura**, {way}", number(told["spans"]), number(told["taken_per_second"]), "", number(told["visible_per_second"]), ""])
    for name, peer in result["peers"].items():
        if "missing" in peer:
            rows.append([name, "–", "–", "", peer["missing"], ""])
            continue
        for way, told in peer["ways"].items():
            own = pace[way]
            rows.append([f"{name}, {way}", number(told["spans"]), number(told["taken_per_second"]), ratio(own["taken_per_second"], told["taken_per_second"]), number(told["visible_per_second"]), ratio(own["visible_per_second"], told["visible_per_second"])])
    said = (
        f"The same spans for all: {telemetry.SPANS_OF_A_TRACE} a trace, {result['bytes_of_a_span']} bytes each, {telemetry.SPANS_OF_A_REQUEST} a request, "
        f"{telemetry.CLIENTS} clients in Python. Phoenix takes spans into memory and answers before they are stored; MLflow and we answer when they are. "
        "Both peers write to SQLite. Visible: counted by SQL, by Phoenix's GraphQL, found by MLflow's search. "
        "Target of what is visible: ≥ 200× Phoenix, ≥ 50× MLflow.\n\n"
    )
    return said + table(["engine", "spans", "taken, spans/s", "ours is", "visible, spans/s", "ours is"], rows)
