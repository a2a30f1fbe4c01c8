"""Tables made again from the log: lives of tasks, tables alone, then the text index alone."""

import json
import shutil
import time

from speed.report import number, table

TITLE = "Rebuild"
EVENTS = 1_000_000


def measure(run):
    events = run.sized(EVENTS, 1_000)
    result = {"events": events}
    with run.serve("lives", "--model", "off") as server:
        result["load"] = run.load("history", "--kind", "lives", "--events", events, url=server.url)
        server.settle(run.say, text=True)
        result["until_visible_s"] = server.settled_after
        before = digest(server)
        run.say("   rebuild of all tables")
        begin = time.monotonic()
        told = json.loads(server.post("/v1/rebuild", {"tables": []}))
        result["seconds"] = time.monotonic() - begin
        result["memory"] = server.memory()
        if digest(server) != before:
            raise RuntimeError(f"the rebuilt tables differ: {before} before, {digest(server)} after")
        run.say("   rebuild of interactions")
        begin = time.monotonic()
        server.post("/v1/rebuild", {"tables": ["interactions"]})
        result["interactions_seconds"] = time.monotonic() - begin
        result["told"] = told
        result["documents"] = server.sql("SELECT count(*) AS n FROM documents")[0]["n"]
    run.say("   text index")
    shutil.rmtree(run.path("lives") / "search")
    with run.serve("lives", "--model", "off") as server:
        begin = time.monotonic()
        server.settle(run.say, text=True)
        result["text_seconds"] = time.monotonic() - begin
    return result


def digest(server):
    """Sums over the tables that the history fills, so that a wrong rebuild is seen."""
    text = """SELECT (SELECT count(*) FROM events) AS events, (SELECT count(*) FROM tasks) AS tasks,
              (SELECT count(*) FROM tasks WHERE status = 'completed') AS completed, (SELECT count(*) FROM attempts) AS attempts,
              (SELECT count(*) FROM tasks_history) AS closed, (SELECT count(*) FROM documents) AS documents,
              (SELECT sum(tokens_in) FROM interactions) AS tokens, (SELECT sum(cost) FROM interactions) AS cost,
              (SELECT count(*) FROM outcomes WHERE success) AS successes"""
    return server.sql(text)[0]


def report(result):
    events = result["events"]
    rows = [
        ["all tables", number(events), number(result["seconds"], 1), f"{number(events / result['seconds'])} events/s", "≥ 200,000"],
        ["`interactions` alone", number(events), number(result["interactions_seconds"], 1), f"{number(events / result['interactions_seconds'])} events/s", ""],
        ["text index alone, removed before a start", number(result["documents"]), number(result["text_seconds"], 1), f"{number(result['documents'] / result['text_seconds'])} documents/s", ""],
        ["for comparison: written over HTTP and visible", number(events), number(result["load"]["seconds"] + result["until_visible_s"], 1), f"{number(events / (result['load']['seconds'] + result['until_visible_s']))} events/s", ""],
    ]
    said = f"Lives of {number(events // 13)} tasks, 13 events each. Counts and sums are the same before and after; memory at the end {result['memory']['resident_mib']} MiB, at most {result['memory']['peak_mib']} MiB.\n\n"
    return said + table(["what", "rows in", "seconds", "pace", "target"], rows)
