"""Tools that take a URL for a file. Each story reads its arguments from stdin and prints what it found."""

import json
import sys
import urllib.request
from pathlib import Path

import duckdb
import fsspec
import pandas as pd
import polars as pl
import pyarrow.dataset as ds
import pyarrow.parquet as pq


def connection():
    """DuckDB with httpfs, from its package: by itself it would fetch the extension."""
    import duckdb_ext

    folder = Path(next(iter(duckdb_ext.__path__))) / "extensions"
    (extension,) = folder.glob("*/*/httpfs.duckdb_extension")
    made = duckdb.connect()
    made.execute(f"LOAD '{extension}'")
    return made


def saw(rows, tokens):
    return {"rows": int(rows), "tokens": int(tokens)}


def of_arrow(table):
    import pyarrow.compute as pc

    return saw(table.num_rows, pc.sum(table["tokens_in"]).as_py())


def of_polars(frame):
    return saw(frame.height, frame["tokens_in"].sum())


def of_pandas(frame):
    return saw(len(frame), frame["tokens_in"].sum())


def open_story(given):
    url = given["url"]
    parquet, csv = f"{url}/v1/tables/interactions.parquet", f"{url}/v1/tables/interactions.csv"
    duck = connection()
    sums = "count(*), sum(tokens_in)"
    tools = {
        "duckdb read_parquet": saw(*duck.sql(f"SELECT {sums} FROM read_parquet('{parquet}')").fetchone()),
        "duckdb FROM url": saw(*duck.sql(f"SELECT {sums} FROM '{parquet}'").fetchone()),
        "duckdb read_csv": saw(*duck.sql(f"SELECT {sums} FROM read_csv('{csv}')").fetchone()),
        "duckdb read_json": saw(
            *duck.sql(f"SELECT {sums} FROM read_json('{url}/v1/tables/interactions.ndjson')").fetchone()
        ),
        "polars read_parquet": of_polars(pl.read_parquet(parquet)),
        "polars scan_parquet": of_polars(pl.scan_parquet(parquet).select("tokens_in").collect()),
        "polars read_csv": of_polars(pl.read_csv(csv)),
        "pandas read_parquet": of_pandas(pd.read_parquet(parquet)),
        "pandas read_csv": of_pandas(pd.read_csv(csv)),
    }
    with fsspec.open(parquet, "rb") as file:
        tools["pyarrow over fsspec"] = of_arrow(pq.read_table(file, columns=["tokens_in"]))
    http = fsspec.filesystem("http")
    tools["pyarrow dataset"] = of_arrow(ds.dataset([parquet], filesystem=http).to_table(columns=["tokens_in"]))
    query = "SELECT%20agent_id,%20tokens_in%20FROM%20interactions"
    tools["polars query"] = of_polars(pl.read_parquet(f"{url}/v1/sql.parquet?query={query}"))
    join = duck.sql(f"SELECT agent_id, count(*) FROM '{parquet}' GROUP BY 1 ORDER BY 1").fetchall()
    before = pl.read_parquet(f"{url}/v1/tables/events.parquet").height
    event = json.dumps({"type": "note.taken", "source": "t", "id": "1", "data": {}}).encode()
    request = urllib.request.Request(f"{url}/v1/events", event, {"content-type": "application/json"})
    position = json.load(urllib.request.urlopen(request))["position"]
    after = pl.read_parquet(f"{url}/v1/tables/events.parquet?min_position={position}").height
    return {"tools": tools, "duckdb_join": join, "polars_after_append": [before, after]}


def keyed_story(given):
    url, key = given["url"], given["key"]
    parquet = f"{url}/v1/tables/interactions.parquet"
    bearer = {"Authorization": f"Bearer {key}"}
    duck = connection()
    try:
        duck.sql(f"SELECT * FROM '{parquet}'").fetchall()
        without = "it was let in"
    except duckdb.Error as error:
        without = str(error)
    duck.execute(f"CREATE SECRET (TYPE http, BEARER_TOKEN '{key}', SCOPE '{url}')")
    tools = {
        "duckdb secret": saw(*duck.sql(f"SELECT count(*), sum(tokens_in) FROM '{parquet}'").fetchone()),
        "pandas, header": of_pandas(pd.read_parquet(parquet, storage_options=bearer)),
        "pandas csv, header": of_pandas(pd.read_csv(parquet.replace(".parquet", ".csv"), storage_options=bearer)),
    }
    with fsspec.open(parquet, "rb", headers=bearer) as file:
        tools["pyarrow over fsspec, header"] = of_arrow(pq.read_table(file, columns=["tokens_in"]))
        file.seek(0)
        tools["polars read, file"] = of_polars(pl.read_parquet(file))
    return {"tools": tools, "without_key": without}


if __name__ == "__main__":
    stories = {"open": open_story, "keyed": keyed_story}
    json.dump(stories[sys.argv[1]](json.load(sys.stdin)), sys.stdout)
