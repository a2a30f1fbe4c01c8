"""Where do a million tasks stand now? One aggregate over the current rows of a keyed table, and the same in the past."""

import json
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

from speed.report import number, table

TITLE = "Current state of a million tasks"
TASKS = 1_000_000
BATCH = 500
RUNS = 10
# Each task is created; two of three are started, one of three is completed.
LIVES = [("task.created",), ("task.created", "task.started"), ("task.created", "task.started", "task.completed")]
STATEMENTS = {
    "by status": "SELECT status, count(*) AS n FROM tasks GROUP BY status ORDER BY status",
    "by status, as of half of the events": "SELECT status, count(*) AS n FROM as_of(tasks, {half}) GROUP BY status ORDER BY status",
    "one task": "SELECT status FROM tasks WHERE task_id = 'task-4200'",
}


def events(first, count):
    for n in range(first, first + count):
        for step, kind in enumerate(LIVES[n % 3]):
            data = {"task_id": f"task-{n}"} | ({"title": f"Task {n}", "type": f"type-{n % 7}"} if step == 0 else {})
            yield json.dumps({"type": kind, "source": "state", "id": f"{n}-{step}", "time": 1_767_225_600_000 + n * 10 + step, "data": data})


def measure(run):
    tasks = run.sized(TASKS, 1_000)
    with run.serve("state", "--model", "off") as server:

        def post(first):
            body = "\n".join(events(first, min(BATCH, tasks - first))).encode()
            request = urllib.request.Request(server.url + "/v1/events", body, {"Content-Type": "application/x-ndjson"})
            with urllib.request.urlopen(request, timeout=600) as reply:
                reply.read()

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(post, range(0, tasks, BATCH)))
        server.settle(run.say, durable=True, text=True)
        head = server.sql("SELECT max(head) AS n FROM system.projections")[0]["n"]
        told = {}
        for name, text in STATEMENTS.items():
            text = text.format(half=head // 2)
            took = []
            for _ in range(RUNS):
                begin = time.monotonic()
                rows = server.sql(text)
                took.append((time.monotonic() - begin) * 1000)
            told[name] = {"best_ms": min(took), "worst_ms": max(took), "rows": rows}
        memory = server.memory()
    counted = sum(row["n"] for row in told["by status"]["rows"])
    if counted != tasks:
        raise RuntimeError(f"{counted} tasks are in SQL, {tasks} were written")
    return {"tasks": tasks, "events": head, "statements": told, "memory": memory}


def report(result):
    rows = [[name, number(told["best_ms"], 1), number(told["worst_ms"], 1), "≤ 100 ms" if name == "by status" else ""] for name, told in result["statements"].items()]
    said = f"{number(result['tasks'])} tasks of {number(result['events'])} events; {RUNS} runs over HTTP; server {result['memory']['resident_mib']} MiB resident.\n\n"
    return said + table(["question", "best, ms", "worst, ms", "target"], rows)
