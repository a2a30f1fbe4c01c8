"""PostgreSQL: a cluster of its own in the bench's folder, fsync on, pgbench, one transaction per batch.

Its rows are made by the server itself, so that no client has to make them: a little generous.
"""

import os
import pathlib
import re
import shutil
import socket
import subprocess
import time

from speed.peers import Missing
from speed.peers.load import bodies

NAME = "PostgreSQL"
NOTE = "pgbench, rows made by the server, one transaction per batch, fsync on"


def measure(folder, seconds):
    bins = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if not bins:
        raise Missing("not installed (Debian: apt install postgresql)")
    home = bins[-1].parent
    folder.mkdir()
    prefix = []
    if os.geteuid() == 0:
        # It refuses to run as root; the folder above must let it pass.
        os.chmod(folder.parent, 0o755)
        shutil.chown(folder, "postgres")
        prefix = ["runuser", "-u", "postgres", "--"]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
    data = folder / "data"
    subprocess.run([*prefix, home / "initdb", "-D", data, "-U", "bench", "-A", "trust"], check=True, **quiet)
    settings = ["-c", "shared_buffers=512MB", "-c", "max_wal_size=4GB", "-c", "max_connections=100"]
    server = subprocess.Popen([*prefix, home / "postgres", "-D", data, "-p", str(port), "-k", folder, *settings], **quiet)
    where = ["-h", "127.0.0.1", "-p", str(port), "-U", "bench"]
    try:
        create(home, where)
        return [pgbench(home, where, folder, clients, batch, seconds) for clients, batch in ((8, 100), (64, 1))]
    finally:
        server.terminate()
        server.wait()


def create(home, where):
    sql = """CREATE TABLE events(position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, source text, id text,
             type text, time timestamptz, data jsonb, UNIQUE(source, id))"""
    for _ in range(100):
        done = subprocess.run([home / "psql", *where, "-q", "-d", "postgres", "-c", sql], capture_output=True, text=True)
        if done.returncode == 0:
            return
        time.sleep(0.1)
    raise RuntimeError(f"PostgreSQL did not start: {done.stderr}")


def pgbench(home, where, folder, clients, batch, seconds):
    script = folder / f"insert-{batch}.sql"
    body = bodies()[0].replace("'", "''")
    script.write_text(
        "INSERT INTO events(source, id, type, time, data) SELECT 'load-' || :client_id, gen_random_uuid()::text, "
        f"'interaction.recorded', now(), '{body}'::jsonb FROM generate_series(1, {batch}) i;\n"
    )
    command = [home / "pgbench", "-n", *where, "-c", str(clients), "-j", "2", "-T", str(max(3, round(seconds))), "-f", script, "postgres"]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    told = {name: re.search(f"{name}[:=] *([0-9.]+)", out) for name in ("actually processed", "tps ")}
    if not all(told.values()):
        raise RuntimeError(f"pgbench did not say how many transactions it made: {out}")
    done, pace = (float(found.group(1)) for found in told.values())
    return {"clients": clients, "batch": batch, "events": int(done) * batch, "events_per_second": pace * batch}
