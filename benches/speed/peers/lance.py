"""LanceDB in Python: the same texts and vectors, a full-text index, a vector index, hybrid with RRF.

The query's vector is given, so that LanceDB does not embed; ours does, within its time.
"""

import json
import os
import statistics
import threading
import time

from speed.peers import Missing

NAME = "LanceDB"
# Its fastest index takes about ten minutes for a million vectors on two cores, so above this many it is given another,
# which finds as much with as many candidates per one asked for compared again with the whole vector.
HNSW_ROWS, REFINE = 200_000, 10


def measure(corpus, documents, folder, seconds, clients, build_index):
    # Else it writes a line about a coming change for every search.
    os.environ.setdefault("LANCEDB_LOG", "error")
    try:
        import lancedb
        import pyarrow
        from lancedb.rerankers import RRFReranker
    except ImportError as missing:
        raise Missing(str(missing)) from None
    begin = time.monotonic()
    db = lancedb.connect(str(folder))
    table = db.create_table("chunks", reader(pyarrow, corpus / "corpus.arrow", documents))
    written = time.monotonic()
    table.create_fts_index("text", use_tantivy=False)
    table.create_scalar_index("agent_id", index_type="BITMAP")
    texted = time.monotonic()
    if build_index:
        kind = {"index_type": "IVF_HNSW_SQ", "num_partitions": 2} if documents <= HNSW_ROWS else {"index_type": "IVF_RQ"}
        table.create_index(metric="dot", **kind)
    told = {"write_seconds": written - begin, "text_index_seconds": texted - written, "vector_index_seconds": time.monotonic() - texted}
    queries = json.loads((corpus / "queries.json").read_text())
    reranker = RRFReranker()

    def ask(query, filtered=True):
        search = table.search(query_type="hybrid").vector(query["vector"]).text(query["text"]).rerank(reranker).limit(10).refine_factor(REFINE)
        if filtered:
            search = search.where(f"agent_id = '{query['agent_id']}'", prefilter=True)
        found = search.select(["number"]).to_arrow()
        if len(found) != 10:
            raise RuntimeError(f"LanceDB found {len(found)} of 10")

    for name, filtered in (("filtered", True), ("all", False)):
        times = []
        for n, query in enumerate(queries):
            begin = time.perf_counter()
            ask(query, filtered)
            if n >= 30:
                times.append((time.perf_counter() - begin) * 1000)
        pace = throughput(lambda query: ask(query, filtered), queries, seconds, clients)
        told[name] = {"p50": statistics.median(times), "p95": statistics.quantiles(times, n=20)[18], "per_second": pace}
    told["recall_at_10"] = recall(table, queries[:100]) if build_index else None
    return told


def reader(pyarrow, file, documents):
    """Reads the first `documents` rows batch by batch."""
    source = pyarrow.ipc.open_file(pyarrow.memory_map(str(file)))

    def batches():
        left = documents
        for n in range(source.num_record_batches):
            batch = source.get_batch(n)
            batch = batch.slice(0, min(left, batch.num_rows))
            left -= batch.num_rows
            yield batch
            if left == 0:
                return

    return pyarrow.RecordBatchReader.from_batches(source.schema, batches())


def throughput(ask, queries, seconds, clients):
    begin, counts, failures = time.perf_counter(), [0] * clients, []

    def work(client):
        n = client
        try:
            while time.perf_counter() - begin < seconds:
                ask(queries[n % len(queries)])
                n += clients
                counts[client] += 1
        except Exception as failure:
            failures.append(failure)

    threads = [threading.Thread(target=work, args=(client,)) for client in range(clients)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    if failures:
        raise failures[0]
    return sum(counts) / (time.perf_counter() - begin)


def recall(table, queries):
    found = wanted = 0
    for query in queries:
        search = lambda: table.search(query["vector"], vector_column_name="vector").distance_type("dot").limit(10).refine_factor(REFINE).select(["number"])
        near = set(search().to_arrow()["number"].to_pylist())
        truth = set(search().bypass_vector_index().to_arrow()["number"].to_pylist())
        found += len(near & truth)
        wanted += len(truth)
    return found / wanted
