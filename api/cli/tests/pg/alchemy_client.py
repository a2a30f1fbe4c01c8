"""A story with SQLAlchemy 2 over psycopg 3 and psycopg2: arguments as JSON on stdin, results as JSON."""

import json
import sys

import sqlalchemy as sa


def reflected(url):
    engine = sa.create_engine(url)
    inspector = sa.inspect(engine)
    found = {
        "schemas": sorted(inspector.get_schema_names()),
        "default": inspector.default_schema_name,
        "tables": sorted(inspector.get_table_names()),
        "views": sorted(inspector.get_view_names()),
        "system": sorted(inspector.get_table_names(schema="system")),
        "columns": {column["name"]: str(column["type"]) for column in inspector.get_columns("events")},
        "comment": inspector.get_table_comment("events")["text"],
        "column_comment": inspector.get_columns("events")[0]["comment"],
        "has": [inspector.has_table("events"), inspector.has_table("nothing")],
        "primary_key": inspector.get_pk_constraint("events")["constrained_columns"],
        "foreign_keys": inspector.get_foreign_keys("events"),
        "indexes": inspector.get_indexes("events"),
        "definition": "SELECT" in (inspector.get_view_definition("handoffs") or "").upper(),
    }
    table = sa.Table("interactions", sa.MetaData(), autoload_with=engine)
    with engine.connect() as connection:
        chosen = sa.select(table.c.interaction_id, table.c.tokens_in).where(table.c.tokens_in.in_([10, 30]))
        found["rows"] = [list(row) for row in connection.execute(chosen.order_by(table.c.interaction_id))]
        found["counted"] = connection.execute(sa.select(sa.func.count()).select_from(table)).scalar()
        with connection.execution_options(stream_results=True, yield_per=10).execute(
            sa.text("SELECT value FROM generate_series(1, 35)")
        ) as result:
            found["streamed"] = sum(1 for _ in result)
    engine.dispose()
    return found


def everything(args):
    place = f"{args['host']}:{args['port']}/partitura"
    return {driver: reflected(f"postgresql+{driver}://ada@{place}") for driver in ("psycopg", "psycopg2")}


if __name__ == "__main__":
    print(json.dumps(globals()[sys.argv[1]](json.load(sys.stdin)), default=str))
