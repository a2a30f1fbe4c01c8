"""Twenty analytic statements over five million interactions beside DuckDB and DataFusion over Parquet of the same rows."""

import math
import pathlib

from speed.peers import attempt, columnar
from speed.report import number, ratio, table

TITLE = "Analytic SQL"
ROWS = 5_000_000
RUNS = 5
FILE = pathlib.Path(__file__).parent.parent.parent / "queries.sql"


def measure(run):
    rows = run.sized(ROWS, 5_000)
    run.say(f"   {rows} interactions")
    load = run.calls(rows)
    parquet = run.path("interactions.parquet")
    statements = [text.strip() for text in FILE.read_text().split(";") if text.strip()]
    with run.serve("calls", "--model", "off") as server:
        server.settle(run.say, durable=True, text=True)
        written = server.sql("SELECT count(*) AS n FROM interactions")[0]["n"]
        run.say("   export to Parquet")
        parquet.write_bytes(server.get("/v1/tables/interactions.parquet"))
        run.say("   partitura")
        ours = run.load("query", "--file", FILE, "--runs", RUNS, url=server.url)["statements"]
        memory = server.memory()
        answers = [columnar.rows(server.arrow(text)) for text in statements]
    peers, differing = {}, []
    for peer in (columnar.DuckDb, columnar.DataFusion):
        run.say(f"   {peer.NAME}")
        told = peers[peer.NAME] = attempt(lambda: columnar.measure(peer(parquet), statements, RUNS))
        for text, own, theirs in zip(statements, answers, told.pop("answers", [])):
            if not columnar.equal(own, theirs):
                differing.append([peer.NAME, text])
    result = {"rows": written, "load": load, "ours": ours, "peers": peers, "memory": memory, "differing": differing, "parquet_bytes": parquet.stat().st_size}
    parquet.unlink()
    return result


def report(result):
    peers = {name: peer for name, peer in result["peers"].items() if "statements" in peer}
    rows, logs = [], {name: [] for name in peers}
    for place, own in enumerate(result["ours"]):
        cells = []
        for name, peer in peers.items():
            theirs = peer["statements"][place]["best_ms"]
            logs[name].append(math.log(own["best_ms"] / theirs))
            cells += [number(theirs, 1), ratio(own["best_ms"], theirs)]
        text = " ".join(own["sql"].split()).replace("|", "\\|")
        rows.append([f"`{text}`", number(own["best_ms"], 1), *cells])
    means = [f"{math.exp(sum(all) / len(all)):.2f}× {name}'s time" for name, all in logs.items()]
    missing = [f"{name}: {peer['missing']}" for name, peer in result["peers"].items() if "missing" in peer]
    same = "Every answer is the same in all engines." if not result["differing"] else "**Answers differ:** " + "; ".join(f"{name}: `{text}`" for name, text in result["differing"])
    said = (
        f"{number(result['rows'])} interactions; best of {RUNS} runs, ours over HTTP as an Arrow stream, the others in process over Parquet (zstd, {number(result['parquet_bytes'] / (1 << 20))} MiB). "
        f"**Geometric mean: ours is {', '.join(means) or 'not compared'}** (target ≤ 1.00). {same} Memory of the server after it: {result['memory']['resident_mib']} MiB, {result['memory']['anonymous_mib']} of it anonymous. {' '.join(missing)}\n\n"
    )
    head = ["statement", "ours, ms"]
    for name in peers:
        head += [f"{name}, ms", "ours is"]
    return said + table(head, rows)
