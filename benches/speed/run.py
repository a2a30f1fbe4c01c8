"""One run: its scale, its folder on the disk that is measured, and the loads of `partitura-load`."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

from speed.server import Server

# GiB of disk that parts at full scale need: the history of `restart` is the largest.
DISK, LIGHT = 40, 10
LIGHT_PARTS = {"embed", "otlp", "doors"}


class Run:
    def __init__(self, parts):
        self.disk = (LIGHT if LIGHT_PARTS.issuperset(parts) else DISK) << 30
        self.scale = float(os.environ.get("BENCH_SCALE", "1"))
        self.bin = pathlib.Path(os.environ["BENCH_BIN"])
        self.profile = os.environ.get("BENCH_PROFILE", self.bin.name)
        self.seconds = max(1.0, float(os.environ.get("BENCH_SECONDS", "10")) * min(1.0, self.scale * 10))
        self.calls_written = 0
        self.begun = time.monotonic()

    def __enter__(self):
        parent = os.environ.get("BENCH_DIR") or tempfile.gettempdir()
        free = shutil.disk_usage(parent).free
        if free < self.disk * min(1.0, self.scale):
            sys.exit(f"run.sh: {parent} has {free >> 30} GiB free, {int(self.disk * self.scale) >> 30} are needed; set BENCH_DIR or BENCH_SCALE")
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="partitura-bench-", dir=parent))
        return self

    def __exit__(self, *_):
        if os.environ.get("BENCH_KEEP"):
            self.say(f"kept {self.folder}")
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    def say(self, text):
        print(f"[{time.monotonic() - self.begun:6.0f} s] {text}", file=sys.stderr, flush=True)

    def sized(self, number, least=1):
        """Returns a size of this run."""
        return max(least, int(number * self.scale))

    def path(self, name):
        return self.folder / name

    def serve(self, name, *flags):
        """Returns a server on the data folder of that name, to be used with `with`."""
        return Server(self.bin / "partitura", self.folder / name, flags)

    def load(self, *arguments, url=None, timeout=1500):
        """Runs `partitura-load` and returns the line that it prints."""
        at = ["--url", url] if url else []
        command = [str(self.bin / "partitura-load"), *at, *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()[-1500:]}")
        return json.loads(done.stdout.strip().splitlines()[-1])

    def calls(self, events):
        """Sees to it that the folder `calls` holds that many interactions; returns how they came in, if any were missing."""
        missing = events - self.calls_written
        if missing <= 0:
            return None
        with self.serve("calls", "--model", "off") as server:
            told = self.load("history", "--kind", "calls", "--from", self.calls_written, "--events", missing, url=server.url)
            server.settle(self.say)
            told["until_visible_s"] = server.settled_after
        self.calls_written = events
        return told
