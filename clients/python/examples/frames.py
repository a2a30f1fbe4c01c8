"""Rows as Arrow, as a Polars frame and as a pandas frame; a table as a Parquet file."""

import os
import tempfile
from pathlib import Path

import pyarrow.parquet as pq

from partitura_client import Partitura


def main() -> None:
    """Run it."""
    with Partitura(os.environ["PARTITURA_URL"], os.environ.get("PARTITURA_KEY")) as partitura:
        partitura.append(
            {
                "type": "interaction.recorded",
                "source": "frames",
                "id": str(n),
                "time": "2026-01-05T10:00:00Z",
                "data": {"interaction_id": f"frames/{n}", "kind": "llm", "model": f"m-{n % 3}", "tokens_in": n},
            }
            for n in range(5_000)
        )
        rows = partitura.sql(
            "SELECT model, sum(tokens_in) AS tokens FROM interactions WHERE interaction_id LIKE 'frames/%' "
            "GROUP BY model ORDER BY model"
        )
        print("arrow:", rows.table.schema.field("tokens").type)
        print("polars:", rows.to_polars().shape)
        print("pandas:", list(rows.to_pandas()["model"]))
        with tempfile.TemporaryDirectory() as folder:
            file = partitura.download(Path(folder) / "calls.parquet", table="interactions")
            print("parquet:", pq.read_metadata(file).num_rows >= 5_000)


if __name__ == "__main__":
    main()
