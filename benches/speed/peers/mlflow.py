"""MLflow: its own server with SQLite, from its Python package in an environment of its own."""

import json
import urllib.request

from speed.peers.installed import environment, free_port, running
from speed.peers.telemetry import PROTOBUF, over_http, timed

NAME = "MLflow"


def measure(folder, bodies, spans):
    python = environment("mlflow", "mlflow")
    folder.mkdir()
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [python.parent / "mlflow", "server", "--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--default-artifact-root", folder / "artifacts", "--host", "127.0.0.1", "--port", port, "--workers", 2]
    with running(command, folder, url + "/health", {}):
        # It takes protobuf over HTTP alone, and answers when the spans are in its store.
        sender = over_http(url + "/v1/traces", {"x-mlflow-experiment-id": "0"}, PROTOBUF)
        return {"protobuf over HTTP": timed(bodies, spans, sender, lambda: found(url))}


def found(url):
    query = json.dumps({"locations": [{"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "0"}}], "max_results": 1})
    request = urllib.request.Request(url + "/api/3.0/mlflow/traces/search", query.encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=300) as reply:
        return bool(json.load(reply).get("traces"))
