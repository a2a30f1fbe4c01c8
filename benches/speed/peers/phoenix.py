"""Arize Phoenix: its own server with SQLite, from its Python package in an environment of its own."""

import json
import urllib.request

from speed.peers.installed import environment, free_port, running
from speed.peers.telemetry import PROTOBUF, over_grpc, over_http, timed

NAME = "Phoenix"


def measure(folder, bodies, spans):
    python = environment("phoenix", "arize-phoenix")
    folder.mkdir()
    http, grpc = free_port(), free_port()
    settings = {"PHOENIX_WORKING_DIR": folder, "PHOENIX_HOST": "127.0.0.1", "PHOENIX_PORT": http, "PHOENIX_GRPC_PORT": grpc, "PHOENIX_TELEMETRY_ENABLED": "false"}
    url = f"http://127.0.0.1:{http}"
    with running([python.parent / "phoenix", "serve"], folder, url + "/healthz", settings):
        half = len(bodies) // 2
        results = {}
        for way, sender, part in (
            ("protobuf over HTTP", over_http(url + "/v1/traces", {}, PROTOBUF), bodies[:half]),
            ("protobuf over gRPC", over_grpc(f"127.0.0.1:{grpc}"), bodies[half:]),
        ):
            share = spans * len(part) // len(bodies)
            wanted = count(url) + share
            results[way] = timed(part, share, sender, lambda: count(url) >= wanted)
        return results


def count(url):
    query = json.dumps({"query": "{projects{edges{node{recordCount}}}}"}).encode()
    request = urllib.request.Request(url + "/graphql", query, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=300) as reply:
        return sum(edge["node"]["recordCount"] for edge in json.load(reply)["data"]["projects"]["edges"])
