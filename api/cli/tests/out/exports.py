"""Reads what `partitura export` wrote. Each story reads its arguments from stdin and prints what it found."""

import json
import sys
from collections import Counter
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq


def summed(rows):
    """Rows of (day, agent, tokens)."""
    days, agents = Counter(), Counter()
    for day, agent, _ in rows:
        days[str(day)] += 1
        agents[agent] += 1
    return {"days": days, "agents": agents, "tokens": sum(tokens for *_, tokens in rows)}


def hive(given):
    root = Path(given["folder"])
    folder = root / "parquet" / "interactions"
    found = {}
    glob = f"{folder}/**/*.parquet"
    query = f"SELECT date, agent_id, tokens_in FROM read_parquet('{glob}', hive_partitioning = true)"
    found["duckdb"] = summed(duckdb.sql(query).fetchall())
    frame = pl.scan_parquet(folder, hive_partitioning=True).select("date", "agent_id", "tokens_in").collect()
    found["polars"] = summed(frame.rows())
    # The days are text in folders; a schema says so, where a tool would guess.
    schema = pa.schema([("date", pa.string()), ("agent_id", pa.string())])
    table = ds.dataset(folder, partitioning=ds.partitioning(schema, flavor="hive")).to_table(
        columns=["date", "agent_id", "tokens_in"]
    )
    found["pyarrow"] = summed([tuple(row.values()) for row in table.to_pylist()])
    csv = f"SELECT count(*) FROM read_csv('{root}/csv/interactions/**/*.csv')"
    found["csv_rows"] = duckdb.sql(csv).fetchone()[0]
    ndjson = f"SELECT count(*) FROM read_json('{root}/ndjson/interactions/**/*.ndjson')"
    found["ndjson_rows"] = duckdb.sql(ndjson).fetchone()[0]
    arrow = [pa.ipc.open_stream(path.read_bytes()).read_all() for path in (root / "arrow").rglob("*.arrow")]
    found["arrow_rows"] = sum(table.num_rows for table in arrow)
    return found


def tasks(given):
    folder = Path(given["folder"])
    files = f"read_parquet('{folder}/tasks/**/*.parquet', hive_partitioning = true)"
    rows = duckdb.sql(f"SELECT task_id, title, team FROM {files} ORDER BY 1").fetchall()
    events = f"read_parquet('{folder}/events/**/*.parquet')"
    counted = "count(*), count(DISTINCT position), min(position), max(position)"
    return {"tasks": rows, "events": duckdb.sql(f"SELECT {counted} FROM {events}").fetchone()}


def row_groups(given):
    files = [pq.read_metadata(path) for path in sorted(Path(given["folder"]).rglob("*.parquet"))]
    groups = [[file.row_group(n).num_rows for n in range(file.num_row_groups)] for file in files]
    return {"rows": [file.num_rows for file in files], "groups": groups}


if __name__ == "__main__":
    stories = {"hive": hive, "tasks": tasks, "row_groups": row_groups}
    json.dump(stories[sys.argv[1]](json.load(sys.stdin)), sys.stdout)
