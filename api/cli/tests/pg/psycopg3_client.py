"""Stories with psycopg 3: `psycopg3_client.py STORY`, arguments as JSON on stdin, results as JSON."""

import datetime
import decimal
import json
import sys
import threading
import time
import uuid

import psycopg
from psycopg import sql as composed


def connect(args, **more):
    options = {"host": args["host"], "port": args["port"], "user": args.get("user", "ada"), "dbname": "partitura"}
    options |= {"connect_timeout": 30, "autocommit": True} | args.get("connect", {}) | more
    return psycopg.connect(**options)


def refusal(call):
    """What the driver says of a call that is refused."""
    try:
        call()
    except psycopg.Error as error:
        diag = error.diag
        text = " ".join(part for part in (diag.message_primary or str(error), diag.message_hint) if part)
        return {"state": error.sqlstate, "text": text, "position": diag.statement_position, "code": diag.source_function}
    return {"state": None, "text": "it was answered"}


def rows(connection, statement, parameters=None, **more):
    return [list(row) for row in connection.execute(statement, parameters, **more).fetchall()]


def types(args):
    statement = (
        "SELECT 1::smallint AS a, 2::int AS b, 3::bigint AS c, 1.5::real AS d, 2.5::float8 AS e, true AS f, 'é' AS g,"
        " CAST('1.25' AS DECIMAL(10, 2)) AS h, DATE '2026-01-02' AS i, TIMESTAMP '2026-01-02 03:04:05.000006' AS j,"
        " CAST('2026-01-02T03:04:05Z' AS TIMESTAMPTZ) AS k, make_array(1, 2, NULL) AS l, make_array('a', 'b c') AS m,"
        " CAST(NULL AS BIGINT) AS n, NULL AS o, arrow_cast('x', 'Binary') AS p, INTERVAL '1 month 2 days' AS q,"
        " CAST('-0.001' AS DECIMAL(38, 3)) AS r, TIME '01:02:03' AS s, named_struct('x', 1) AS t"
    )
    found = {}
    with connect(args) as connection:
        for name, binary in (("text", False), ("binary", True)):
            cursor = connection.cursor(binary=binary)
            cursor.execute(statement)
            found["names"] = [column.name for column in cursor.description]
            found["types"] = [connection.adapters.types[column.type_code].name for column in cursor.description]
            found[name] = [str(value) for value in cursor.fetchone()]
    return found


def parameters(args):
    with connect(args) as connection:
        found = {
            "text": rows(connection, "SELECT interaction_id FROM interactions WHERE agent_id = %s AND tokens_in > %s"
                         " ORDER BY 1", ("claude", 20)),
            "binary": rows(connection, "SELECT interaction_id FROM interactions WHERE tokens_in = %b", (30,)),
            "unknown_number": rows(connection, "SELECT interaction_id FROM interactions WHERE tokens_in > %s ORDER BY 1",
                                   ("9",)),
            "time": rows(connection, "SELECT count(*) FROM interactions WHERE started_at < %s OR started_at IS NULL",
                         (datetime.datetime(2027, 1, 1, tzinfo=datetime.timezone.utc),)),
            "date": rows(connection, "SELECT %s::date + INTERVAL '1 day' > DATE '2026-01-01'", (datetime.date(2026, 1, 1),)),
            "decimal": rows(connection, "SELECT %s::numeric(10,2) = CAST('12.50' AS DECIMAL(10,2))",
                            (decimal.Decimal("12.50"),)),
            "any": rows(connection, "SELECT count(*) FROM interactions WHERE interaction_id = ANY(%s)", (["i1", "i3", "x"],)),
            "none_of": rows(connection, "SELECT count(*) FROM interactions WHERE tokens_in = ANY(%s)", ([10, 20],)),
            "null": rows(connection, "SELECT %s::bigint IS NULL", (None,)),
            "bool": rows(connection, "SELECT %s AND true", (True,)),
            "float": rows(connection, "SELECT %s * 2", (0.25,)),
            "uuid": rows(connection, "SELECT %s::text", (uuid.UUID(int=1),)),
            "limit": rows(connection, "SELECT interaction_id FROM interactions ORDER BY 1 LIMIT %s OFFSET %s", (2, 1)),
            "search": rows(connection, "SELECT count(*) >= 0 FROM search(%s, k => 5)", ("question",)),
            "hostile": rows(connection, "SELECT count(*) FROM interactions WHERE agent_id = %s", ("' OR 1=1 --",)),
        }
        prepared = [rows(connection, "SELECT tokens_in FROM interactions WHERE interaction_id = %s", (name,), prepare=True)
                    for name in ("i1", "i2", "i1")]
        found["prepared"] = prepared
        found["wrong"] = refusal(lambda: connection.execute("SELECT 1 FROM interactions WHERE tokens_in = %s", ("many",)))
        found["after"] = rows(connection, "SELECT 1")
    return found


def cursors(args):
    found = {}
    with connect(args, autocommit=False) as connection:
        with connection.cursor(name="named") as cursor:
            cursor.itersize = 300
            cursor.execute("SELECT value AS n FROM generate_series(1, 1000)")
            found["columns"] = [column.name for column in cursor.description]
            found["first"] = [row[0] for row in cursor.fetchmany(3)]
            cursor.scroll(2)
            found["after_move"] = cursor.fetchone()[0]
            found["rest"] = sum(1 for _ in cursor)
        connection.rollback()
        with connection.cursor(name="held", withhold=True) as cursor:
            cursor.execute("SELECT value FROM generate_series(1, 5)")
            found["held"] = [row[0] for row in cursor.fetchmany(2)]
            connection.commit()
            found["held_after"] = [row[0] for row in cursor.fetchall()]
        connection.rollback()
        back = connection.cursor(name="back")
        back.execute("SELECT 1")
        found["backward"] = refusal(lambda: connection.execute("FETCH BACKWARD 1 FROM back"))
        connection.rollback()
        found["gone"] = refusal(lambda: connection.execute("FETCH 1 FROM back"))
        connection.rollback()
    with connect(args) as connection:
        found["outside"] = refusal(lambda: connection.execute("DECLARE c CURSOR FOR SELECT 1"))
        found["stream"] = sum(1 for _ in connection.cursor().stream("SELECT value FROM generate_series(1, 20000)"))
    return found


def pipeline(args):
    with connect(args) as connection:
        with connection.pipeline():
            cursors = [connection.execute("SELECT %s::int * 2", (n,)) for n in range(50)]
            values = [cursor.fetchone()[0] for cursor in cursors]
        found = {"values": values}

        def fails():
            with connection.pipeline():
                connection.execute("SELECT 1")
                connection.execute("SELECT nothing_of_that_name")
                connection.execute("SELECT 2")

        found["failed"] = refusal(fails)
        found["after"] = rows(connection, "SELECT 3")
    return found


def transactions(args):
    found = {}
    with connect(args, autocommit=False) as connection:
        connection.execute("SELECT 1")
        found["status"] = connection.info.transaction_status.name
        found["failed"] = refusal(lambda: connection.execute("SELECT broken_column"))
        found["in_error"] = connection.info.transaction_status.name
        found["aborted"] = refusal(lambda: connection.execute("SELECT 1"))
        connection.rollback()
        with connection.transaction():
            with connection.transaction():
                found["nested"] = rows(connection, "SELECT 1")
            try:
                with connection.transaction():
                    connection.execute("SELECT broken_column")
            except psycopg.Error:
                found["recovered"] = rows(connection, "SELECT 2")
        connection.read_only = True
        found["read_only"] = rows(connection, "SELECT 3")
        connection.rollback()
        found["insert"] = refusal(lambda: connection.execute("INSERT INTO events (id) VALUES ('x')"))
        connection.rollback()
    with connect(args) as connection:
        for name, statement in {
            "create": "CREATE TABLE t (a int)", "drop": "DROP TABLE events", "update": "UPDATE tasks SET title = 'x'",
            "delete": "WITH d AS (DELETE FROM tasks RETURNING *) SELECT * FROM d", "into": "SELECT 1 INTO t",
            "copy": "COPY events FROM STDIN", "file": "COPY events TO '/tmp/x'", "truncate": "TRUNCATE events",
            "listen": "LISTEN x", "do": "DO $$ BEGIN END $$", "vacuum": "VACUUM", "share": "SELECT id FROM events FOR UPDATE",
        }.items():
            found[name] = refusal(lambda: connection.execute(statement))
        found["after"] = rows(connection, "SELECT 4")
    return found


def errors(args):
    with connect(args) as connection:
        find = lambda statement: refusal(lambda: connection.execute(statement))
        return {
            "syntax": find("SELECT 1 +"),
            "column": find("SELECT 'é', agent_idd\nFROM interactions"),
            "table": find("SELECT 1 FROM interaction"),
            "function": find("SELECT lenght('a')"),
            "random": find("SELECT random()"),
            "several": find("SELECT $1; SELECT $1"),
            "long": find("SELECT '" + "x" * 70_000 + "'"),
            "deep": find("SELECT " + "(" * 200 + "1" + ")" * 200),
            "divided": find("SELECT 1 / 0"),
            "after": rows(connection, "SELECT 5"),
        }


def cancels(args):
    with connect(args) as connection:
        stop = threading.Timer(0.5, connection.cancel)
        stop.start()
        started = time.monotonic()
        slow = "SELECT count(*) FROM generate_series(1, 3000000) a, generate_series(1, 3000000) b"
        found = {"cancelled": refusal(lambda: connection.execute(slow))}
        found["seconds"] = time.monotonic() - started
        found["after"] = rows(connection, "SELECT 6")
        connection.execute("SET statement_timeout = 300")
        found["timed_out"] = refusal(lambda: connection.execute(slow))
        connection.execute("RESET statement_timeout")
        found["reset"] = rows(connection, "SHOW statement_timeout")
    return found


def copies(args):
    found = {}
    with connect(args) as connection, connection.cursor() as cursor:
        def copied(statement):
            with cursor.copy(statement) as copy:
                return b"".join(bytes(piece) for piece in copy)

        query = "SELECT interaction_id, tokens_in, input, error FROM interactions ORDER BY 1 LIMIT 2"
        found["text"] = copied(f"COPY ({query}) TO STDOUT").decode()
        found["csv"] = copied(f"COPY ({query}) TO STDOUT WITH (FORMAT csv, HEADER)").decode()
        found["old"] = copied(f"COPY ({query}) TO STDOUT CSV HEADER").decode()
        found["table"] = copied("COPY interactions (interaction_id) TO STDOUT").decode()
        with cursor.copy(f"COPY ({query}) TO STDOUT (FORMAT binary)") as copy:
            copy.set_types(["text", "int8", "text", "text"])
            found["binary"] = [list(row) for row in copy.rows()]
        with cursor.copy("COPY (SELECT value FROM generate_series(1, 300000)) TO STDOUT") as copy:
            found["many"] = sum(bytes(piece).count(b"\n") for piece in copy)
    with connect(args) as connection:
        found["option"] = refusal(lambda: connection.execute("COPY (SELECT 1) TO STDOUT (FORMAT xml)"))
    return found


def sessions(args):
    found = {}
    with connect(args, options="-c statement_timeout=7s -c search_path=public", application_name="story") as one, connect(args) as two:
        show = lambda connection, name: rows(connection, f"SHOW {name}")[0][0]
        found["options"] = [show(one, name) for name in ("statement_timeout", "search_path", "application_name")]
        one.execute("SET TIME ZONE 'Asia/Tokyo'")
        found["zone"] = [show(one, "TimeZone"), one.info.parameter_status("TimeZone"), show(two, "timezone")]
        day = "SELECT date_trunc('day', TIMESTAMPTZ '2026-01-01T20:00:00Z')::text"
        found["days"] = [rows(one, day)[0][0], rows(two, day)[0][0]]
        one.execute("RESET ALL")
        found["reset"] = [show(one, "TimeZone"), show(one, "statement_timeout")]
        found["set_config"] = rows(one, "SELECT set_config('application_name', 'other', false)")
        found["configured"] = [show(one, "application_name"), one.info.parameter_status("application_name")]
        found["current_setting"] = rows(one, "SELECT current_setting('application_name'), current_setting('no.such', true)")
        with one.transaction():
            one.execute("SET LOCAL application_name = 'inner'")
            found["local"] = [show(one, "application_name")]
        found["local"].append(show(one, "application_name"))
        try:
            with one.transaction():
                one.execute("SET application_name = 'undone'")
                raise psycopg.Rollback()
        except psycopg.Rollback:
            pass
        found["rolled_back"] = show(one, "application_name")
        one.execute("SET partitura.as_of = '2'")
        count = "SELECT count(*) FROM interactions"
        found["as_of"] = [rows(one, count)[0][0], rows(two, count)[0][0]]
        one.execute("SET partitura.as_of = ''")
        one.execute("SET partitura.limit = 3")
        found["limit"] = len(rows(one, "SELECT value FROM generate_series(1, 100)"))
        one.execute("DISCARD ALL")
        found["discarded"] = [show(one, name) for name in ("partitura.limit", "application_name")]
        for name, statement in {
            "unknown": "SET statement_timout = 1", "fixed": "SET server_version = '1'", "value": "SET statement_timeout = 'soon'",
            "zone_name": "SET TIME ZONE 'Mars/Base'", "encoding": "SET client_encoding = 'LATIN1'", "style": "SET DateStyle = 'German'",
            "show": "SHOW nothing", "past": "SET partitura.as_of = 'yesterday'",
        }.items():
            found[name] = refusal(lambda: one.execute(statement))
        found["identity"] = rows(one, "SELECT current_user, session_user, current_database(), current_schema(),"
                                      " pg_is_in_recovery(), pg_backend_pid()::text, version()")[0]
        found["pid"] = one.info.backend_pid
        found["qualified"] = rows(one, "SELECT pg_catalog.version() LIKE 'PostgreSQL 16%'")
        one.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        found["isolation"] = show(one, "transaction_isolation")
        one.execute("COMMIT")
    return found


def repeatable(args):
    """Reads, says so, waits until more was written, and reads again in the same transaction."""
    count = "SELECT count(*) FROM interactions"
    with connect(args) as connection:
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        before = rows(connection, count)[0][0]
        body = json.dumps({"type": "interaction.recorded", "source": "again", "id": "1",
                           "data": {"interaction_id": "late", "kind": "llm"}}).encode()
        import urllib.request
        ask = urllib.request.Request(args["url"] + "/v1/events", body, {"content-type": "application/json"})
        position = json.load(urllib.request.build_opener(urllib.request.ProxyHandler({})).open(ask))["position"]
        with connect(args) as other:
            other.execute(composed.SQL("SET partitura.min_position = {}").format(str(position)))
            outside = rows(other, count)[0][0]
        again = rows(connection, count)[0][0]
        connection.execute("COMMIT")
        return {"before": before, "outside": outside, "again": again, "after": rows(connection, count)[0][0]}


def access(args):
    count = "SELECT count(*) FROM events WHERE source = 'pg'"

    def tried(user, password, **more):
        def call():
            with connect(args, user=user, password=password, **more) as connection:
                found["rows"].append(rows(connection, count)[0][0])
        return call

    found = {"rows": []}
    reader, other = args["reader"], args["other"]
    identity = lambda key: key.split("_")[1]
    tried(identity(reader), reader, require_auth="scram-sha-256")()
    tried("anybody", reader, require_auth="password")()
    tried("key/" + identity(reader), reader)()
    tried(identity(other), other)()
    tried("root", args["root"], options="-c partitura.workspace=alpha")()
    found["wrong_proof"] = refusal(tried(identity(reader), other))
    found["wrong_password"] = refusal(tried("anybody", reader[:-1] + ("0" if reader[-1] != "0" else "1")))
    found["no_password"] = refusal(tried("anybody", "x"))
    found["writer"] = refusal(tried(identity(args["writer"]), args["writer"]))
    found["elsewhere"] = refusal(tried(identity(reader), reader, options="-c partitura.workspace=beta"))
    found["database"] = refusal(tried(identity(reader), reader, dbname="postgres"))
    with connect(args, user=identity(reader), password=reader) as connection:
        found["seen"] = rows(connection, "SELECT usename FROM pg_user")
        found["names"] = rows(connection, "SELECT count(*) > 20 FROM pg_class")
    return found


def revoked(args):
    """A session of a key that is revoked while it is open."""
    key = args["reader"]
    with connect(args, user=key.split("_")[1], password=key) as connection:
        found = {"before": rows(connection, "SELECT 1")}
        import urllib.request
        ask = urllib.request.Request(f"{args['url']}/v1/keys/{key.split('_')[1]}", method="DELETE",
                                     headers={"authorization": "Bearer " + args["root"]})
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(ask).read()
        found["after"] = refusal(lambda: connection.execute("SELECT 1"))
        found["closed"] = connection.closed
    return found


def crowd(args):
    """More connections than there may be."""
    held = [connect(args) for _ in range(args["places"])]
    found = {"over": refusal(lambda: connect(args))}
    found["still"] = rows(held[0], "SELECT 1")
    held.pop().close()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            with connect(args) as connection:
                found["after"] = rows(connection, "SELECT 2")
            break
        except psycopg.OperationalError:
            time.sleep(0.05)
    return found


def idle(args):
    with connect(args) as connection:
        time.sleep(args["seconds"])
        return {"said": refusal(lambda: connection.execute("SELECT 1"))}


def encrypted(args):
    with connect(args) as connection:
        return {"rows": rows(connection, "SELECT 1"), "tls": connection.pgconn.ssl_in_use}


def plainly(args):
    return {"said": refusal(lambda: connect(args))}


if __name__ == "__main__":
    print(json.dumps(globals()[sys.argv[1]](json.load(sys.stdin)), default=str))
