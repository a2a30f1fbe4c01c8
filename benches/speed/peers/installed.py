"""Peers that are servers of Python packages: an environment of their own each, a process for as long as a `with` lasts."""

import contextlib
import os
import pathlib
import socket
import subprocess
import sys
import time
import urllib.request

from speed.peers import Missing

# Longest wait for a peer's start.
START_S = 180


def environment(name, package):
    """Returns the Python of an environment with that package, beside the one that runs this."""
    folder = pathlib.Path(sys.prefix).parent / f"bench-{name}"
    python = folder / "bin" / "python"
    installed = subprocess.run([python, "-m", "pip", "show", "-q", package], capture_output=True).returncode == 0 if python.exists() else False
    if not installed:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        done = subprocess.run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", package], capture_output=True, text=True)
        if done.returncode != 0:
            raise Missing(f"{package} cannot be installed: {done.stderr.strip().splitlines()[-1][:150]}")
    return python


def version(name, package):
    """Returns the installed version of a peer, or None."""
    python = pathlib.Path(sys.prefix).parent / f"bench-{name}" / "bin" / "python"
    if not python.exists():
        return None
    done = subprocess.run([python, "-c", f"import importlib.metadata as m; print(m.version({package!r}))"], capture_output=True, text=True)
    return done.stdout.strip() or None


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@contextlib.contextmanager
def running(command, folder, ready, settings):
    """Runs a server until the `with` ends; `ready` is a URL that answers once it is up."""
    with open(folder / "server.log", "w") as log:
        variables = {**os.environ, **{name: str(value) for name, value in settings.items()}}
        server = subprocess.Popen([str(word) for word in command], stdout=log, stderr=log, env=variables, cwd=folder, start_new_session=True)
    try:
        wait(server, ready, folder / "server.log")
        yield
    finally:
        # Its workers too.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, 9)
        server.wait()


def wait(server, ready, log):
    for _ in range(START_S * 4):
        if server.poll() is not None:
            break
        with contextlib.suppress(OSError), urllib.request.urlopen(ready, timeout=5):
            return
        time.sleep(0.25)
    raise RuntimeError(f"it did not start: {log.read_text()[-500:]}")
