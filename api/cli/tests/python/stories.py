"""Every call of the Python client. `stories.py NAME URL …` prints what it found as JSON."""

import asyncio
import inspect
import json
import sys
import tempfile
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
from partitura_client import AsyncPartitura, Partitura, PartituraError, Retry


async def waited(value):
    """The result of a call, whether it is to be awaited or not."""
    return await value if inspect.isawaitable(value) else value


async def listed(events):
    if hasattr(events, "__aiter__"):
        return [event async for event in events]
    return list(events)


async def calls(partitura):
    found = {}
    await waited(partitura.append({"type": "note.taken", "source": "first", "id": "1", "data": {"text": "T"}}))
    batch = [
        {"type": "interaction.recorded", "source": "batch", "id": str(n), "time": datetime(2026, 1, 5, tzinfo=UTC),
         "data": {"interaction_id": f"b-{n}", "kind": "llm", "tokens_in": n}}
        for n in range(4_500)
    ]  # fmt: skip
    appended = await waited(partitura.append(batch, idempotency_key="batch"))
    positions = {item.position for item in appended.results}
    found["batches"] = [len(appended.results), len(positions)]
    again = await waited(partitura.append(batch, idempotency_key="batch"))
    found["again"] = [len(again.refused), again.replayed]

    one = await waited(
        partitura.record_interaction("llm", model="m", tokens_in=7, cost=Decimal("0.5"), currency="USD", conversation_id="c")
    )
    asked = await waited(partitura.sql("SELECT model, tokens_in, cost FROM interactions WHERE interaction_id = $1", [one]))
    (row,) = asked.to_pylist()
    found["interaction"] = row | {"cost": str(row["cost"].normalize())}
    task = await waited(partitura.record_task("T", team="core"))
    await waited(partitura.record_outcome("works", task_id=task, success=True, evaluator="human"))
    asked = await waited(partitura.sql("SELECT title, team, verdict FROM tasks WHERE task_id = $task", {"task": task}))
    found["task"] = asked.to_pylist()[0]

    named = await waited(partitura.sql("SELECT $a AS a, $n AS n", {"a": "a", "n": 2}))
    counted = await waited(partitura.sql("SELECT $1 + $2 AS sum", [1, 2]))
    found["params"] = [list(named.to_pylist()[0].values()), list(counted.to_pylist()[0].values())]
    cut = await waited(partitura.sql("SELECT * FROM interactions", limit=5))
    found["cut"] = [len(cut), cut.truncated]
    whole = await waited(partitura.sql("SELECT * FROM interactions WHERE kind = $kind", {"kind": "llm"}, whole=True))
    table = await waited(partitura.table("interactions"))
    with tempfile.TemporaryDirectory() as folder:
        file = await waited(partitura.download(Path(folder) / "calls.parquet", query="SELECT * FROM interactions"))
        found["whole"] = [len(whole), len(table), pq.read_metadata(file).num_rows]
    past = await waited(partitura.sql("SELECT * FROM events", as_of=1))
    found["past"] = len(past)

    first = await waited(partitura.note("the lock is green", kind="fact"))
    second = await waited(partitura.note("the lock is red", kind="fact", tags=["lock"]))
    await waited(partitura.supersede(first, by=second))
    reply = await waited(partitura.search("lock", mode="text", facets=["kind"], filter="kind = 'knowledge'"))
    found["search"] = [reply.hits[0].kind, reply.hits[0].text]
    found["facets"] = reply.facets
    context = await waited(partitura.context("lock", max_tokens=100))
    found["context"] = [passage.text for passage in context.passages]
    text = (await waited(partitura.knowledge(second)))["text"]
    versions = await waited(partitura.knowledge_history(first))
    await waited(partitura.retract(second, reason="it was painted"))
    try:
        await waited(partitura.knowledge("nothing"))
    except PartituraError as error:
        found["knowledge"] = [text, len(versions), type(error).__name__]
    found["conversation"] = len((await waited(partitura.conversation("c")))["turns"])
    events = await listed(partitura.tail(after=0, follow=False))
    found["tail"] = [event.position for event in events[:3]]
    found["limits"] = (await waited(partitura.limits()))["query_rows_max"]
    return found


def sync(url):
    with Partitura(url) as partitura:
        return asyncio.run(calls(partitura))


def awaited(url):
    async def run():
        async with AsyncPartitura(url) as partitura:
            return await calls(partitura)

    return asyncio.run(run())


def told(call):
    try:
        call()
    except PartituraError as error:
        kind = type(error).__name__
        return {"kind": kind, "code": error.code, "text": str(error), "suggestions": error.suggestions, "issues": error.issues}
    return {"kind": "none"}


def refusals(url):
    with Partitura(url) as partitura:
        event = {"type": "note.taken", "source": "s", "id": "1", "data": {"n": 1}}
        wrong = {"type": "interaction.recorded", "data": {"interaction_id": "i", "kind": "llm", "tokens_in": "many"}}
        partitura.append(event)
        mixed = partitura.append([event | {"id": "2"}, wrong])
        nobody = Partitura("http://127.0.0.1:9", retry=Retry(attempts=2, first_s=0.01))
        return {
            "unknown_table": told(lambda: partitura.sql("SELECT * FROM taskz")),
            "syntax": told(lambda: partitura.sql("SELEC 1")),
            "invalid_event": told(lambda: partitura.append(wrong)),
            "conflict": told(lambda: partitura.append(event | {"data": {"n": 2}})),
            "revision": told(lambda: partitura.append(event | {"id": "3", "stream": "s/1", "expected_revision": 7})),
            "nobody": told(lambda: nobody.sql("SELECT 1")),
            "partly": [item.status for item in mixed.results],
        }


def keyless(url):
    with Partitura(url) as partitura:
        return told(lambda: partitura.sql("SELECT 1"))


def follow(url, count):
    with Partitura(url, retry=Retry(attempts=200, first_s=0.05, longest_s=0.2)) as partitura:
        seen = []
        for event in partitura.tail(after=0, types=["note.taken"]):
            seen.append(event.data["n"])
            if len(seen) == int(count):
                return seen
    return seen


if __name__ == "__main__":
    stories = {"sync": sync, "async": awaited, "refusals": refusals, "keyless": keyless, "follow": follow}
    json.dump(stories[sys.argv[1]](*sys.argv[2:]), sys.stdout)
