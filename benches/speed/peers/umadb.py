"""UmaDB: its own server and client, both from its Python package."""

import os
import shutil
import socket
import subprocess
import sys
import time

from speed.peers import Missing
from speed.peers.load import bodies, timed

NAME = "UmaDB"
NOTE = "gRPC, its Python client"


def measure(folder, seconds):
    try:
        import umadb
    except ImportError as missing:
        raise Missing(str(missing)) from None
    program = shutil.which("umadb", path=os.path.dirname(sys.executable))
    if program is None:
        raise Missing("the package brings no server on this machine")
    folder.mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [program, "--listen", f"127.0.0.1:{port}", "--db-path", str(folder)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}"
        wait(umadb, url)
        made = [body.encode() for body in bodies()]
        results = []
        for clients, batch in ((32, 100), (64, 1)):
            connections = [umadb.Client(url) for _ in range(clients)]

            def append(client, first, batch):
                tags = [f"load:{client}"]
                events = [umadb.Event(event_type="interaction.recorded", tags=tags, data=made[n % 512]) for n in range(first, first + batch)]
                connections[client].append(events)

            results.append(timed(clients, batch, seconds, append))
        return results
    finally:
        server.kill()
        server.wait()


def wait(umadb, url):
    for _ in range(100):
        try:
            umadb.Client(url).head()
            return
        except Exception:
            time.sleep(0.1)
    raise RuntimeError("UmaDB did not start")
