"""A server on a free port for as long as a `with` lasts."""

import json
import os
import select
import signal
import subprocess
import time
import urllib.request

# Longest wait for a start, and for tables that catch up with the log.
START_S, SETTLE_S = 180, 1200
# The other doors have fixed ports; two servers would meet. A flag opens one all the same.
HTTP_ALONE = {f"PARTITURA_{door}": "off" for door in ("FLIGHT", "PG", "OTLP_GRPC", "OTLP_HTTP")}


class Server:
    def __init__(self, program, folder, flags=()):
        self.program, self.folder, self.flags = program, folder, flags

    def __enter__(self):
        self.log = open(f"{self.folder}.log", "a")
        command = [str(self.program), "serve", "--data", str(self.folder), "--http", "127.0.0.1:0"]
        command += ["--log", "warn", *self.flags]
        begin = time.monotonic()
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.log, text=True, env={**os.environ, **HTTP_ALONE})
        self.listeners = self.addresses(begin)
        self.url = self.listeners["http"]
        self.ready_ms = (time.monotonic() - begin) * 1000
        return self

    def addresses(self, begin):
        """Waits for the one line on stdout that names the listeners, as `name=uri` each."""
        while time.monotonic() - begin < START_S:
            if select.select([self.process.stdout], [], [], 1)[0]:
                line = self.process.stdout.readline()
                if "http=" in line:
                    return dict(word.split("=", 1) for word in line.split() if "=" in word)
                if not line and self.process.poll() is not None:
                    break
        self.stop(signal.SIGKILL)
        with open(self.log.name) as log:
            raise RuntimeError(f"the server on {self.folder} did not start: {log.read()[-1500:]}")

    def __exit__(self, *_):
        self.stop(signal.SIGTERM)

    def stop(self, how):
        if self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process.stdout.close()
        self.log.close()

    def get(self, path):
        with urllib.request.urlopen(self.url + path, timeout=600) as reply:
            return reply.read()

    def post(self, path, body, timeout=1500):
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=timeout) as reply:
            return reply.read()

    def sql(self, text):
        """Returns the rows as dictionaries."""
        return json.loads(self.post("/v1/sql", {"sql": text, "format": "json", "timeout_ms": 300_000}))

    def arrow(self, text):
        """Returns the rows as an Arrow table."""
        import pyarrow

        body = self.post("/v1/sql", {"sql": text, "format": "arrow", "timeout_ms": 300_000})
        return pyarrow.ipc.open_stream(body).read_all()

    def gauge(self, name):
        for line in self.get("/metrics").decode().splitlines():
            if line.startswith(name + " "):
                return float(line.split()[1])
        return 0.0

    def settle(self, say, durable=False, text=False):
        """Waits until tables (their files too if `durable`, the text index too if `text`) stand where the log does."""
        begin = told = time.monotonic()
        while True:
            row = self.sql("SELECT head, position, durable_position, parked, last_error FROM system.projections WHERE name = 'tables'")[0]
            head = row["head"] or 0
            behind = head - (row["durable_position" if durable else "position"] or 0)
            if text and behind == 0:
                behind = head - int(self.gauge("partitura_search_position"))
            if behind <= 0:
                break
            now = time.monotonic()
            if now - begin > SETTLE_S:
                raise RuntimeError(f"tables are {behind} events behind after {SETTLE_S} s: {row}")
            if now - told > 10:
                told = now
                say(f"   {behind} events behind")
            time.sleep(0.05 if now - begin < 2 else 0.5)
        if row["parked"]:
            raise RuntimeError(f"{row['parked']} events of the bench were parked")
        self.settled_after = time.monotonic() - begin

    def memory(self):
        """Returns MiB of the process: all that is resident, and what of it no file backs."""
        with open(f"/proc/{self.process.pid}/status") as status:
            fields = dict(line.split(":", 1) for line in status)
        mib = lambda name: int(fields[name].split()[0]) // 1024
        return {"resident_mib": mib("VmRSS"), "anonymous_mib": mib("RssAnon"), "peak_mib": mib("VmHWM")}

    def files(self):
        """Counts the files of the data folder by their first folder, and their bytes."""
        counts, size = {}, 0
        for root, _, names in os.walk(self.folder):
            part = os.path.relpath(root, self.folder).split(os.sep)[0]
            counts[part] = counts.get(part, 0) + len(names)
            for name in names:
                try:
                    size += os.path.getsize(os.path.join(root, name))
                except FileNotFoundError:
                    pass
        return {"files": sum(counts.values()), "by_folder": counts, "bytes": size}
