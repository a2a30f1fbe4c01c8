"""Stories with the ADBC driver for Flight SQL: `adbc_client.py STORY`, arguments as JSON on stdin, results as JSON."""

import datetime
import json
import sys
import threading
import time

import adbc_driver_flightsql.dbapi as flightsql
import pyarrow as pa
import pyarrow.compute as pc
from adbc_driver_flightsql import DatabaseOptions

HEADER = DatabaseOptions.RPC_CALL_HEADER_PREFIX.value


def connect(args, **headers):
    options = {HEADER + name.replace("_", "-"): value for name, value in headers.items()}
    if "password" in args:
        options |= {"username": args.get("user", "anybody"), "password": args["password"]}
    if "token" in args:
        options[DatabaseOptions.AUTHORIZATION_HEADER.value] = "Bearer " + args["token"]
    if "certificate" in args:
        options[DatabaseOptions.TLS_ROOT_CERTS.value] = args["certificate"]
    return flightsql.connect(args["uri"], db_kwargs=options, autocommit=True)


def refusal(call):
    """What the driver says of a call that is refused."""
    try:
        call()
    except Exception as error:
        return {"type": type(error).__name__, "text": str(error)}
    return {"type": "none", "text": "it was answered"}


def rows(connection, sql, parameters=None):
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall()


def query(args):
    with connect(args) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 AS n, 'é' AS t, CAST(NULL AS BIGINT) AS nothing, 1.5 AS f, true AS b,"
            " CAST('1.25' AS DECIMAL(10, 2)) AS d, DATE '2026-01-02' AS day,"
            " arrow_cast('view', 'Utf8View') AS v, arrow_cast('x', 'BinaryView') AS bin,"
            " arrow_cast('word', 'Dictionary(Int32, Utf8)') AS word, make_array(1, 2) AS l"
        )
        table = cursor.fetch_arrow_table()
        row = {name: str(value) for name, value in table.to_pylist()[0].items()}
        types = {field.name: str(field.type) for field in table.schema}
        return {"row": row, "types": types}


def parameters(args):
    with connect(args) as connection:
        found = {
            "marks": rows(connection, "SELECT id FROM events WHERE source = ? AND id <> ? ORDER BY id", ("t", "2")),
            "numbers": rows(connection, "SELECT $2 || $1", ("a", "b")),
            "typed": rows(connection, "SELECT id FROM events WHERE position >= ? ORDER BY position LIMIT ?", (2, 1)),
            "null": rows(connection, "SELECT ? IS NULL", (None,)),
            "hostile": rows(connection, "SELECT count(*) FROM events WHERE id = ?", ("1' OR '1'='1",)),
            "time": rows(connection, "SELECT count(*) FROM events WHERE time < ?", (datetime.datetime(2100, 1, 1),)),
        }
        with connection.cursor() as cursor:
            named = pa.record_batch({"agent": ["claude"], "n": [2]})
            cursor.execute("SELECT $agent AS a, $n + 1 AS n", named)
            found["named"] = cursor.fetchall()
        with connection.cursor() as cursor:
            statement = "SELECT id FROM events WHERE source = ? ORDER BY id LIMIT 1"
            again = []
            for source in ("t", "u"):
                cursor.execute(statement, (source,))
                again.append(cursor.fetchall())
            found["again"] = again
        with connection.cursor() as cursor:
            schema = cursor.adbc_prepare("SELECT id, position FROM events WHERE position > $1 AND id = $2")
            found["parameter_schema"] = {field.name: str(field.type) for field in schema}
            schema = cursor.adbc_execute_schema("SELECT id, position FROM events")
            found["result_schema"] = {field.name: str(field.type) for field in schema}
        found["too_few"] = refusal(lambda: rows(connection, "SELECT ?, ?", ("a",)))
        found["none"] = refusal(lambda: rows(connection, "SELECT ?"))
        found["mixed"] = refusal(lambda: rows(connection, "SELECT ?, $1", ("a", "b")))
        found["binary"] = refusal(lambda: rows(connection, "SELECT ?", (b"x",)))
        return found


def metadata(args):
    with connect(args) as connection:
        info = connection.adbc_get_info()
        objects = connection.adbc_get_objects(depth="all").read_all().to_pylist()
        some = connection.adbc_get_objects(
            depth="tables", db_schema_filter="pub%", table_name_filter="task%", table_types_filter=["VIEW"]
        )
        schemas = {}
        differ = []
        for catalog in objects:
            for schema in catalog["catalog_db_schemas"]:
                for table in schema["db_schema_tables"]:
                    place = (schema["db_schema_name"], table["table_name"])
                    told = connection.adbc_get_table_schema(table["table_name"], db_schema_filter=place[0])
                    with connection.cursor() as cursor:
                        cursor.execute('SELECT * FROM "{}"."{}" LIMIT 0'.format(*place))
                        given = cursor.fetch_arrow_table().schema
                    if [(f.name, f.type) for f in told] != [(f.name, f.type) for f in given]:
                        differ.append([place, str(told), str(given)])
                    schemas[".".join(place)] = {
                        "type": table["table_type"],
                        "columns": [column["column_name"] for column in table["table_columns"]],
                        "schema": [field.name for field in told],
                    }
        return {
            "info": {str(key): str(value) for key, value in info.items()},
            "catalogs": [catalog["catalog_name"] for catalog in objects],
            "schemas": sorted(schema["db_schema_name"] for schema in objects[0]["catalog_db_schemas"]),
            "tables": schemas,
            "differ": differ,
            "types": connection.adbc_get_table_types(),
            "some": sorted(
                table["table_name"]
                for catalog in some.read_all().to_pylist()
                for schema in catalog["catalog_db_schemas"]
                for table in schema["db_schema_tables"]
            ),
            "unknown": refusal(lambda: connection.adbc_get_table_schema("taks")),
        }


def events(first, count, source="bulk", size=0):
    ids = [str(n) for n in range(first, first + count)]
    return {
        "type": ["note.taken"] * count,
        "source": [source] * count,
        "id": ids,
        "time": [datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)] * count,
        "data": [json.dumps({"n": int(n), "text": "x" * size}) for n in ids],
    }


def ingest(args):
    with connect(args) as connection, connection.cursor() as cursor:
        found = {"first": cursor.adbc_ingest("events", pa.table(events(1, 3)), mode="append")}
        found["visible"] = rows(connection, "SELECT id, type, source, time, data FROM events WHERE source = 'bulk' ORDER BY id")
        found["again"] = cursor.adbc_ingest("events", pa.table(events(1, 4)), mode="append")
        found["count"] = rows(connection, "SELECT count(*) FROM events WHERE source = 'bulk'")
        words = pa.table(events(10, 3, "words"))
        words = words.set_column(0, "type", words["type"].dictionary_encode())
        found["words"] = cursor.adbc_ingest("events", words, mode="create_append")
        # More rows than one append takes, in one batch, and then in many.
        found["large"] = cursor.adbc_ingest("events", pa.table(events(1, 25_000, "large")), mode="append")
        batches = pa.table(events(1, 12_000, "batches", 900))
        found["batches"] = cursor.adbc_ingest("events", batches.to_reader(max_chunksize=3_000), mode="append")
        # One batch of which an append takes only the half.
        found["heavy"] = cursor.adbc_ingest("events", pa.table(events(1, 7_000, "heavy", 1_500)), mode="append")
        found["nothing"] = cursor.adbc_ingest("events", pa.table(events(1, 0)), mode="append")
        found["counts"] = rows(
            connection,
            "SELECT source, count(*), count(DISTINCT id), sum(CAST(json_get(data, 'n') AS BIGINT)) FROM events"
            " GROUP BY source ORDER BY source",
        )
        secret = {"type": ["note.taken"], "id": ["s"], "source": ["secret"],
                  "data": [json.dumps({"text": "key sk-ant-api03-" + "Ab1" * 31 + "AA"})]}
        found["secret"] = cursor.adbc_ingest("events", pa.table(secret), mode="append")
        found["redacted"] = rows(connection, "SELECT data FROM events WHERE source = 'secret'")
        return found


def ingest_refused(args):
    def put(rows, table="events", mode="append", **more):
        with connect(args) as connection, connection.cursor() as cursor:
            cursor.adbc_ingest(table, pa.table(rows), mode=mode, **more)

    bad = events(1, 3, "bad")
    bad["time"] = ["2026-01-02T03:04:05Z", "yesterday", "2026-01-02T03:04:05Z"]
    late = events(1, 10_005, "late")
    late["data"][10_002] = "{"
    column = {**events(1, 1), "sourc": ["x"]}
    found = {
        "table": refusal(lambda: put(events(1, 1), "tasks")),
        "unknown": refusal(lambda: put(events(1, 1), "evnts")),
        "create": refusal(lambda: put(events(1, 1), mode="create")),
        "replace": refusal(lambda: put(events(1, 1), mode="replace")),
        "temporary": refusal(lambda: put(events(1, 1), temporary=True)),
        "row": refusal(lambda: put(bad)),
        "late": refusal(lambda: put(late)),
        "column": refusal(lambda: put(column)),
        "message": refusal(lambda: put(events(1, 20, size=900_000))),
    }
    with connect(args) as connection:
        found["stored"] = rows(connection, "SELECT source, count(*) FROM events GROUP BY source ORDER BY source")
    return found


def million(args):
    with connect(args) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT value FROM generate_series(1, 1000000)")
        count, total = 0, 0
        for batch in cursor.fetch_record_batch():
            count += batch.num_rows
            total += pc.sum(batch.column(0)).as_py()
        cut = refusal(lambda: rows(connection, "SELECT value FROM generate_series(1, 1000001)"))
        with connect(args, x_partitura_limit="7") as few:
            limited = len(rows(few, "SELECT value FROM generate_series(1, 1000001)"))
        return {"count": count, "sum": total, "cut": cut, "limited": limited}


def cancel(args):
    with connect(args, x_partitura_query_id="long", x_partitura_timeout_ms="100000") as connection:
        cursor = connection.cursor()
        slow = "SELECT a.value FROM generate_series(1, 90000000000) a WHERE a.value % 1000000007 = 3"
        ended = {}

        def read():
            ended["said"] = refusal(lambda: (cursor.execute(slow), cursor.fetchall()))
            ended["at"] = time.monotonic()

        reader = threading.Thread(target=read)
        reader.start()
        with connect(args) as other:
            until = time.monotonic() + 60
            running = 0
            while running == 0 and time.monotonic() < until:
                running = rows(other, "SELECT count(*) FROM system.queries WHERE query_id = 'long'")[0][0]
            cursor.adbc_cancel()
            reader.join(60)
            left = 1
            while left and time.monotonic() < until:
                left = rows(other, "SELECT count(*) FROM system.queries WHERE query_id = 'long'")[0][0]
        return {"running": running, "ended": not reader.is_alive(), "said": ended.get("said"), "left": left}


def access(args):
    def ask(**more):
        headers = more.pop("headers", {})
        with connect({"uri": args["uri"], **more}, **headers) as connection:
            return rows(connection, "SELECT source, count(*) FROM events GROUP BY source ORDER BY source")

    def put(**more):
        with connect({"uri": args["uri"], **more}) as connection, connection.cursor() as cursor:
            return cursor.adbc_ingest("events", pa.table(events(1, 1, "put")), mode="append")

    return {
        "none": refusal(ask),
        "wrong_password": refusal(lambda: ask(password="pt_00_" + "0" * 64)),
        "wrong_token": refusal(lambda: ask(token="nonsense")),
        "password": ask(password=args["reader"]),
        "token": ask(token=args["reader"]),
        "other": ask(token=args["other"]),
        "elsewhere": refusal(lambda: ask(token=args["other"], headers={"x_partitura_workspace": "alpha"})),
        "reader_puts": refusal(lambda: put(token=args["reader"])),
        "writer_reads": refusal(lambda: ask(token=args["writer"])),
        "writer_puts": put(token=args["writer"]),
        "after": ask(token=args["reader"]),
    }


def bad_input(args):
    with connect(args) as connection:
        ask = lambda sql: refusal(lambda: rows(connection, sql))
        found = {
            "syntax": ask("SELEC 1"),
            "table": ask("SELECT * FROM taks"),
            "column": ask("SELECT statu FROM tasks"),
            "ddl": ask("CREATE TABLE x (a INT)"),
            "insert": ask("INSERT INTO events VALUES (1)"),
            "copy": ask("COPY (SELECT 1) TO '/tmp/partitura-flight-test.csv'"),
            "external": ask("CREATE EXTERNAL TABLE x STORED AS CSV LOCATION '/etc/passwd'"),
            "several": ask("SELECT 1; SELECT 2"),
            "long": ask("SELECT '" + "x" * 70_000 + "'"),
        }

        def update():
            with connection.cursor() as cursor:
                cursor.adbc_statement.set_sql_query("DELETE FROM events")
                cursor.adbc_statement.execute_update()

        found["update"] = refusal(update)
        with connect(args, x_partitura_asof="1") as other:
            found["header"] = refusal(lambda: rows(other, "SELECT 1"))
        with connect(args, x_partitura_timeout_ms="200") as other:
            slow = "SELECT count(*) FROM generate_series(1, 90000000000) a WHERE a.value % 7 = 3"
            found["time"] = refusal(lambda: rows(other, slow))
        found["alive"] = rows(connection, "SELECT 1")
        return found


def past(args):
    with connect(args, x_partitura_as_of=str(args["as_of"])) as connection:
        then = rows(connection, "SELECT count(*) FROM events")
    with connect(args, x_partitura_min_position=str(args["head"])) as connection:
        now = rows(connection, "SELECT count(*) FROM events")
    return {"then": then, "now": now}


def plain(args):
    with connect(args) as connection:
        return {"rows": rows(connection, "SELECT count(*) FROM events")}


def untrusting(args):
    return {"said": refusal(lambda: plain(args))}


if __name__ == "__main__":
    story = globals()[sys.argv[1]]
    json.dump(story(json.load(sys.stdin)), sys.stdout, default=str)
