"""Durable appends: 32 clients × batches of 100 × 1 KiB and 64 clients × 1 event, beside three stores."""

from speed.peers import attempt, postgresql, sqlite, umadb
from speed.report import number, ratio, table

TITLE = "Durable appends"
LOADS = ((32, 100), (64, 1))
# By batch: what DESIGN asks for, as a multiple of the peer's pace.
TARGETS = {("UmaDB", 100): 1.0, ("PostgreSQL", 100): 2.5, ("SQLite", 100): 1.3, ("UmaDB", 1): 1.5}


def measure(run):
    peers = {}
    for peer in (sqlite, umadb, postgresql):
        run.say(f"   {peer.NAME}")
        peers[peer.NAME] = attempt(lambda: {"note": peer.NOTE, "loads": peer.measure(run.path(peer.NAME), run.seconds)})
    return {"peers": peers, "ours": [ours(run, "off"), ours(run, "all-MiniLM-L6-v2")]}


def ours(run, model):
    run.say(f"   partitura, model {model}")
    with run.serve(f"append-{model}", "--model", model) as server:
        loads = []
        for clients, batch in LOADS:
            first = ["--first", 0 if batch > 1 else 1 << 32]
            load = run.load("append", "--clients", clients, "--batch", batch, "--seconds", run.seconds, *first, url=server.url)
            if model == "off":
                server.settle(run.say)
                load["until_visible_s"] = server.settled_after
            loads.append(load)
        return {"model": model, "loads": loads}


def report(result):
    rows = []
    for place, (clients, batch) in enumerate(LOADS):
        for own in result["ours"]:
            load = own["loads"][place]
            ack = load["ack_ms"]
            note = "tables and text index follow, no embedding" if own["model"] == "off" else "default settings: embedding runs beside"
            name = f"**Partitura** (HTTP, JSON; {note})"
            told = f"ack p50 {number(ack['p50'], 1)}, p95 {number(ack['p95'], 1)}, p99 {number(ack['p99'], 1)} ms"
            if "until_visible_s" in load:
                told += f"; all visible in SQL {number(load['until_visible_s'], 1)} s after the last"
            rows.append([f"{clients} clients × {batch}", name, number(load["events_per_second"]), "", "", told])
        pace = result["ours"][0]["loads"][place]["events_per_second"]
        for name, peer in result["peers"].items():
            if "missing" in peer:
                rows.append(["", name, "–", "–", "", peer["missing"]])
                continue
            load = peer["loads"][place]
            target = TARGETS.get((name, batch))
            wanted = f"≥ {target}×" if target else ""
            rows.append([f"{load['clients']} × {batch}", name, number(load["events_per_second"]), ratio(pace, load["events_per_second"]), wanted, peer["note"]])
    return table(["load", "engine", "events/s", "ours without embedding is", "target", "how"], rows)
