"""Hybrid search with and without a filter over 100 thousand and a million chunks, beside LanceDB."""

from speed.peers import attempt, lance
from speed.report import number, ratio, table

TITLE = "Hybrid search"
SIZES = (100_000, 1_000_000)
# By size: p95 with a filter, end to end.
TARGETS = {100_000: "≤ 12 ms", 1_000_000: "≤ 30 ms"}
# Above this many chunks our server uses an index; LanceDB is given one from the smaller size on.
CLIENTS = 4


def measure(run):
    corpus = run.path("corpus")
    sizes = sorted({run.sized(size, 1_000) for size in SIZES})
    queries = run.sized(300, 60) if run.scale < 1 else 300
    run.say(f"   corpus of {sizes[-1]} texts")
    run.load("corpus", "--documents", sizes[-1], "--queries", queries, "--out", corpus)
    rounds = []
    for full, size in zip(SIZES, sizes):
        run.say(f"   partitura, {size} chunks")
        one = {"chunks": size, "target": TARGETS[full], "ours": ours(run, corpus, size)}
        run.say(f"   LanceDB, {size} chunks")
        folder, seconds = run.path(f"lancedb-{size}"), run.seconds * 0.8
        one["lancedb"] = attempt(lambda: lance.measure(corpus, size, folder, seconds, CLIENTS, size >= 5_000))
        rounds.append(one)
    return {"rounds": rounds}


def ours(run, corpus, size):
    name, positions = f"search-{size}", run.path(f"positions-{size}")
    given = ["--corpus", corpus, "--documents", size, "--positions", positions]
    with run.serve(name, "--model", "off") as server:
        told = {"load": run.load("documents", *given, url=server.url)}
        server.settle(run.say, durable=True, text=True)
        told["until_searchable_s"] = server.settled_after
    run.say("   vectors")
    told["vectors"] = run.load("vectors", *given, "--data", run.path(name))
    run.say("   searches")
    with run.serve(name) as server:
        server.settle(run.say, text=True)
        told["ready_ms"] = server.ready_ms
        for key, flags in (("filtered", ["--filter"]), ("all", ["--recall", 100])):
            told[key] = run.load("search", "--corpus", corpus, "--clients", CLIENTS, "--seconds", run.seconds * 0.8, *flags, url=server.url)
        told["embedding_ms"] = embedding(run, corpus, server)
        told["memory"] = server.memory()
        if server.gauge("partitura_vectors_embedded"):
            raise RuntimeError("the server embedded, so not all vectors were in place")
    return told


def embedding(run, corpus, server):
    """What of a search is embedding the query: searches by meaning less those by words is an upper bound of it."""
    ask = lambda mode: run.load("search", "--corpus", corpus, "--mode", mode, "--clients", 1, "--seconds", 0.5, url=server.url)["ms"]["p50"]
    return {"semantic_p50": ask("semantic"), "text_p50": ask("text")}


def report(result):
    rows = []
    for one in result["rounds"]:
        own, peer = one["ours"], one["lancedb"]
        for key, name in (("filtered", "one agent of ten"), ("all", "no filter")):
            ms = own[key]["ms"]
            recall = own["all"]["recall_at_10"] if key == "all" else None
            rows.append([number(one["chunks"]), name, "**Partitura** (HTTP, embeds the query)", number(ms["p50"], 1), number(ms["p95"], 1), one["target"] if key == "filtered" else "", number(own[key]["per_second"]), "", number(recall, 3)])
            if "missing" in peer:
                rows.append(["", "", f"LanceDB: {peer['missing']}", "", "", "", "", "", ""])
                continue
            theirs = peer[key]
            rows.append(["", "", "LanceDB (in process, vector given)", number(theirs["p50"], 1), number(theirs["p95"], 1), "", number(theirs["per_second"]), ratio(own[key]["per_second"], theirs["per_second"]), number(peer["recall_at_10"], 3) if key == "all" else "–"])
    notes = []
    for one in result["rounds"]:
        own, peer = one["ours"], one["lancedb"]
        vectors = own["vectors"]
        notes.append(
            f"* {number(one['chunks'])} chunks: texts written and searchable in {number(own['load']['seconds'] + own['until_searchable_s'])} s, vectors written in {number(vectors['write_seconds'])} s and indexed in {number(vectors['index_seconds'])} s"
            + (f" (LanceDB: rows {number(peer['write_seconds'])} s, text {number(peer['text_index_seconds'])} s, vectors {number(peer['vector_index_seconds'])} s)" if "missing" not in peer else "")
            + f"; the first 30 searches with filters took p95 {number(own['filtered']['first_ms']['p95'])} ms; by meaning alone p50 {number(own['embedding_ms']['semantic_p50'], 1)} ms, by words alone {number(own['embedding_ms']['text_p50'], 1)} ms; server {own['memory']['resident_mib']} MiB resident, ready after {number(own['ready_ms'])} ms."
        )
    said = (
        "Top ten, latencies of one client, throughput of four. A million texts cannot be embedded in a bench: some thousand are, and the corpus is variations of them with noise on their vectors (`src/corpus.rs`), put in through the store's own door for vectors. "
        "Both engines read the same file. Recall is of the ordinary search by meaning against `exact: true`. Target: ≥ 3× LanceDB's throughput, recall ≥ 0.95.\n\n"
    )
    head = ["chunks", "filter", "engine", "p50, ms", "p95, ms", "target", "searches/s", "ours is", "recall@10"]
    return said + table(head, rows) + "\n\n" + "\n".join(notes)
