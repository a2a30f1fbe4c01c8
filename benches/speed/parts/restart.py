"""Restart and memory with ten million events, and memory of a server that has nothing to do."""

import signal
import time

from speed.report import number, table

TITLE = "Restart and memory"
EVENTS = 10_000_000


def measure(run):
    events = run.sized(EVENTS, 2_000)
    result = {"events": events, "idle": {model: idle(run, model) for model in ("off", "all-MiniLM-L6-v2")}}
    run.say(f"   {events} events")
    result["load"] = run.calls(events)
    server = run.serve("calls", "--model", "off")
    with server:
        result["clean"] = ready(run, server)
        server.settle(run.say, durable=True, text=True)
        result["files"] = server.files()
        # Some rows that are in no table file yet, then the hard way out.
        run.load("trickle", "--events", 200, "--from", 2 * events, url=server.url)
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
    with run.serve("calls", "--model", "off") as server:
        result["killed"] = ready(run, server)
        rows = server.sql("SELECT count(*) AS n FROM events")[0]["n"]
    if rows != events + 200:
        raise RuntimeError(f"{rows} events are in SQL, {events + 200} were written")
    return result


def ready(run, server):
    told = {"ready_ms": server.ready_ms, "at_once": server.memory()}
    server.settle(run.say)
    server.sql("SELECT agent_id, count(*), sum(tokens_in) FROM interactions GROUP BY agent_id ORDER BY 1")
    time.sleep(2)
    return told | {"after_a_query": server.memory()}


def idle(run, model):
    with run.serve(f"idle-{model}", "--model", model) as server:
        time.sleep(3)
        return {"ready_ms": server.ready_ms, **server.memory()}


def report(result):
    rows = [
        [f"nothing in it, {'no model' if model == 'off' else 'default model'}", number(told["ready_ms"]), "", told["resident_mib"], told["anonymous_mib"], "≤ 200 MB"]
        for model, told in result["idle"].items()
    ]
    for name, told in (("clean stop", result["clean"]), ("kill -9", result["killed"])):
        at_once, later = told["at_once"], told["after_a_query"]
        rows.append([f"{result['events']:,} events, after a {name}", number(told["ready_ms"]), "≤ 5 s", at_once["resident_mib"], at_once["anonymous_mib"], "≤ 2 GB"])
        rows.append(["the same, after an aggregate over all rows", "", "", later["resident_mib"], later["anonymous_mib"], "≤ 2 GB"])
    files = result["files"]
    said = f"The folder holds {number(files['files'])} files, {number(files['bytes'] / (1 << 30), 1)} GiB. Measured without a model, which would embed in the background. Resident memory counts pages of mapped files, which the system takes back when it needs them.\n\n"
    return said + table(["server", "ready after, ms", "target", "resident, MiB", "of it anonymous", "target"], rows)
