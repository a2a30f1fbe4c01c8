"""Stories with SQLAlchemy over flightsql-dbapi."""

import json
import sys

import flightsql.sqlalchemy  # registers the dialect
from sqlalchemy import MetaData, Table, create_engine, func, inspect, select, text

from adbc_client import refusal


def engine(args, **query):
    address = args["uri"].split("://")[1]
    pairs = {"insecure": "true", **query}
    if "token" in args:
        pairs["token"] = args["token"]
    user = "anybody:{}@".format(args["password"]) if "password" in args else ""
    return create_engine(f"datafusion+flightsql://{user}{address}?" + "&".join(f"{k}={v}" for k, v in pairs.items()))


def everything(args):
    with engine(args).connect() as connection:
        found = {"one": connection.execute(text("SELECT 1")).scalar()}
        inspector = inspect(connection)
        found["schemas"] = sorted(inspector.get_schema_names())
        found["has"] = [inspector.has_table(name) for name in ("tasks", "taks")]
        found["columns"] = [column["name"] for column in inspector.get_columns("events")]
        events = Table("events", MetaData(), autoload_with=connection)
        question = select(events.c.source, func.count().label("n")).where(events.c.source == "t'").group_by(events.c.source)
        found["rows"] = [list(row) for row in connection.execute(question)]
        found["refused"] = refusal(lambda: connection.execute(text("SELECT * FROM taks")))
    with engine(args, **{"feature-sqlalchemy-prepared-statements": "on", "feature-sqlalchemy-primary-keys": "on"}).connect() as connection:
        events = Table("events", MetaData(), autoload_with=connection)
        found["key"] = [column.name for column in events.primary_key]
        question = select(func.count()).select_from(events).where(events.c.source == "t'")
        found["bound"] = connection.execute(question).scalar()
    return found


if __name__ == "__main__":
    story = globals()[sys.argv[1]]
    json.dump(story(json.load(sys.stdin)), sys.stdout, default=str)
