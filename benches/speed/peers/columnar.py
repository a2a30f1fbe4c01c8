"""DuckDB and DataFusion in process, over a Parquet file; and what it means that two answers are the same."""

import datetime
import decimal
import math
import statistics
import time

from speed.peers import Missing


class DuckDb:
    NAME = "DuckDB"

    def __init__(self, parquet):
        try:
            import duckdb
        except ImportError as missing:
            raise Missing(str(missing)) from None
        self.connection = duckdb.connect()
        self.connection.execute("SET TimeZone = 'UTC'")
        self.connection.execute(f"CREATE VIEW interactions AS SELECT * FROM read_parquet('{parquet}')")

    def answer(self, text):
        return self.connection.sql(text).to_arrow_table()

    def run(self, text):
        self.answer(text)


class DataFusion:
    NAME = "DataFusion"

    def __init__(self, parquet):
        try:
            import datafusion
        except ImportError as missing:
            raise Missing(str(missing)) from None
        self.context = datafusion.SessionContext()
        self.context.register_parquet("interactions", str(parquet))

    def answer(self, text):
        return self.context.sql(text).to_arrow_table()

    def run(self, text):
        self.context.sql(text).collect()


def measure(engine, statements, runs):
    """Times each statement and keeps its answer."""
    timed = [{"sql": text, **times(lambda: engine.run(text), runs)} for text in statements]
    return {"statements": timed, "answers": [rows(engine.answer(text)) for text in statements]}


def times(work, runs):
    taken = []
    for _ in range(runs):
        begin = time.perf_counter()
        work()
        taken.append((time.perf_counter() - begin) * 1000)
    return {"best_ms": min(taken), "median_ms": statistics.median(taken)}


def rows(table):
    """Returns an Arrow table as lists of plain values; names and types of columns are each engine's own."""
    columns = [[plain(value) for value in column.to_pylist()] for column in table.columns]
    return [list(row) for row in zip(*columns)]


def plain(value):
    if isinstance(value, datetime.datetime):
        return value.replace(tzinfo=value.tzinfo or datetime.timezone.utc).timestamp()
    if isinstance(value, (bool, decimal.Decimal)):
        return float(value)
    return value


def equal(ours, theirs):
    """Numbers may differ in the last digits: engines add floats up in different orders."""
    return len(ours) == len(theirs) and all(len(a) == len(b) and all(map(same, a, b)) for a, b in zip(ours, theirs))


def same(a, b):
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9)
    return a == b
