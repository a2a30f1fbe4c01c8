"""A server of our own on a free port, with a fresh folder, for as long as a `with` lasts."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request


def binary():
    given = os.environ.get("PARTITURA_BIN")
    target = os.environ.get("CARGO_TARGET_DIR", "target")
    found = [p for p in (given, f"{target}/release/partitura", f"{target}/debug/partitura") if p and os.path.exists(p)]
    if not found:
        sys.exit("realdata: no partitura binary; run `make build` first, or set PARTITURA_BIN")
    return found[0]


# The other doors have fixed ports; two servers would meet. A flag opens one all the same.
HTTP_ALONE = {f"PARTITURA_{door}": "off" for door in ("FLIGHT", "PG", "OTLP_GRPC", "OTLP_HTTP")}


class Server:
    def __init__(self, program):
        self.program = program

    def __enter__(self):
        self.written = 0
        self.folder = tempfile.mkdtemp(prefix="partitura-realdata-")
        self.log = open(os.path.join(self.folder, "server.log"), "w")
        command = [self.program, "serve", "--data", os.path.join(self.folder, "data"), "--http", "127.0.0.1:0"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.log, text=True, env={**os.environ, **HTTP_ALONE})
        self.url = self.address()
        return self

    def address(self):
        """Reads the one line on stdout that names the listeners."""
        for line in self.process.stdout:
            for word in line.replace(",", " ").replace("=", " ").split():
                if word.startswith("http://"):
                    return word.rstrip("/")
        with open(self.log.name) as log:
            sys.exit(f"realdata: the server did not start\n{log.read()[-2000:]}")

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def load(self, files, mapping):
        """Imports files, and says how long that took."""
        begin = time.monotonic()
        command = [self.program, "import", *files, "--map", mapping, "--url", self.url, "--format", "ndjson"]
        done = subprocess.run(command, capture_output=True, text=True, cwd=self.folder)
        if done.returncode != 0:
            raise AssertionError(f"import failed with {done.returncode}: {done.stderr[-1500:]}{done.stdout[-500:]}")
        told = json.loads(done.stdout.strip().splitlines()[-1])
        self.written = told["position"]
        return time.monotonic() - begin, told

    def sql(self, text):
        """Returns the rows of a query, each as a list."""
        body = {"sql": text, "format": "json", "limit": 100_000, "timeout_ms": 120_000}
        body |= {"min_position": self.written, "wait_ms": 60_000}
        request = urllib.request.Request(
            f"{self.url}/v1/sql", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=150) as reply:
                return [list(row.values()) for row in json.loads(reply.read(), parse_float=str)]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{text}\n{error.read().decode()[:1500]}") from None
