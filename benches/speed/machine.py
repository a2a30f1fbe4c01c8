"""Names the machine, because a number without it means nothing."""

import importlib.metadata
import os
import pathlib
import platform
import subprocess
import time

from speed.peers import installed

PEERS = ["umadb", "duckdb", "datafusion", "lancedb", "onnxruntime", "pyarrow", "adbc-driver-flightsql", "psycopg", "asyncpg"]
SERVERS = {"Phoenix": "arize-phoenix", "MLflow": "mlflow"}


def describe(run):
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)),
        "kernel": platform.release(),
        "filesystem": filesystem(run.folder),
        "fdatasync_ms": syncs(run.path("sync")),
        "load_at_start": os.getloadavg()[0],
        "commit": command("git", "rev-parse", "--short", "HEAD"),
        "profile": run.profile,
        "scale": run.scale,
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "versions": {name: version(name) for name in PEERS} | {"postgresql": postgresql()} | {name: installed.version(name.lower(), package) for name, package in SERVERS.items()},
    }


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def filesystem(folder):
    lines = command("df", "--output=fstype,source", str(folder)).splitlines()
    return " on ".join(lines[-1].split()) if lines else "unknown"


def syncs(path):
    """Returns the median time of writing 4 KiB to the end of a file and syncing it."""
    times = []
    with open(path, "wb", buffering=0) as file:
        for _ in range(200):
            begin = time.perf_counter()
            file.write(bytes(4096))
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - begin)
    path.unlink()
    return sorted(times)[len(times) // 2] * 1000


def command(*arguments):
    try:
        return subprocess.run(arguments, capture_output=True, text=True).stdout.strip()
    except OSError:
        return ""


def version(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def postgresql():
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    return command(str(found[-1]), "--version").split()[2] if found else None
