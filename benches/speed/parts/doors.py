"""The same result through each door: rows per second of a million rows, and the time of a small query."""

import asyncio
import json
import time

from speed.peers import Missing, attempt
from speed.report import number, table

TITLE = "Doors"
ROWS = 1_000_000
RUNS = 3
SMALL_RUNS = 300
LARGE = "SELECT interaction_id, time, agent_id, model, kind, tokens_in, tokens_out, latency_ms, status FROM interactions LIMIT {rows}"
SMALL = "SELECT type, count(*) AS n FROM events WHERE position <= 1000 GROUP BY type ORDER BY type"


def measure(run):
    rows = run.sized(ROWS, 2_000)
    run.calls(rows)
    flags = ["--model", "off", "--flight", "127.0.0.1:0", "--pg", "127.0.0.1:0", "--query-bytes-max", "2GiB"]
    with run.serve("calls", *flags) as server:
        server.settle(run.say, durable=True)
        large = LARGE.format(rows=rows)
        told = {}
        for name, door in DOORS.items():
            run.say(f"   {name}")
            told[name] = attempt(lambda: one(door, server, large, rows))
    return {"rows": rows, "doors": told}


def one(door, server, large, rows):
    with door(server) as (ask, close_note):
        paces, took = [], []
        for _ in range(RUNS if door.is_for_many else 0):
            begin = time.perf_counter()
            got = ask(large)
            paces.append(rows / (time.perf_counter() - begin))
            if got != rows:
                raise RuntimeError(f"{got} rows came, {rows} were asked for")
        for _ in range(SMALL_RUNS):
            begin = time.perf_counter()
            ask(SMALL)
            took.append((time.perf_counter() - begin) * 1000)
    took.sort()
    return {"rows_per_second": max(paces, default=None), "small_p50_ms": took[len(took) // 2], "small_p95_ms": took[len(took) * 95 // 100], "how": close_note}


class door:
    """Opens a connection, gives what asks and counts rows, closes it."""

    def __init__(self, opens, how, is_for_many=True):
        self.opens, self.how, self.is_for_many = opens, how, is_for_many

    def __call__(self, server):
        self.server = server
        return self

    def __enter__(self):
        self.ask, self.close = self.opens(self.server)
        return self.ask, self.how

    def __exit__(self, *_):
        self.close()


def http(format, count):
    def opens(server):
        import http.client
        import urllib.parse

        at = urllib.parse.urlsplit(server.url)
        connection = http.client.HTTPConnection(at.hostname, at.port, timeout=600)

        def ask(text):
            body = json.dumps({"sql": text, "format": format})
            connection.request("POST", "/v1/sql", body, {"Content-Type": "application/json"})
            reply = connection.getresponse()
            if reply.status != 200:
                raise RuntimeError(reply.read()[:300])
            return count(reply)

        return ask, connection.close

    return opens


def mcp(server):
    """The era without a handshake: one request a call."""
    import http.client
    import urllib.parse

    at = urllib.parse.urlsplit(server.url)
    connection = http.client.HTTPConnection(at.hostname, at.port, timeout=600)
    about = "io.modelcontextprotocol/"
    meta = {about + "protocolVersion": "2026-07-28", about + "clientInfo": {"name": "bench", "version": "1"}, about + "clientCapabilities": {}}
    headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2026-07-28"}
    headers |= {"Mcp-Method": "tools/call", "Mcp-Name": "query_sql"}

    def ask(text):
        params = {"name": "query_sql", "arguments": {"sql": text}, "_meta": meta}
        connection.request("POST", "/mcp", json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}), headers)
        told = json.loads(connection.getresponse().read())
        if "error" in told or told["result"]["isError"]:
            raise RuntimeError(str(told)[:300])
        return told["result"]["structuredContent"]["row_count"]

    return ask, connection.close


def arrow_rows(reply):
    import pyarrow

    rows = pyarrow.ipc.open_stream(reply).read_all().num_rows
    # The stream says where it ends; the connection can be used again once HTTP has said so too.
    reply.read()
    return rows


def json_rows(reply):
    return len(json.loads(reply.read()))


def flight(server):
    try:
        import adbc_driver_flightsql.dbapi as adbc
    except ImportError as missing:
        raise Missing(str(missing)) from None
    connection = adbc.connect(server.listeners["flight"], autocommit=True)
    cursor = connection.cursor()

    def ask(text):
        cursor.execute(text)
        return cursor.fetch_arrow_table().num_rows

    def close():
        cursor.close()
        connection.close()

    return ask, close


def host_and_port(server):
    host, port = server.listeners["pg"].split("://")[1].split("/")[0].rsplit(":", 1)
    return host, int(port)


def psycopg_rows(server):
    try:
        import psycopg
    except ImportError as missing:
        raise Missing(str(missing)) from None
    host, port = host_and_port(server)
    connection = psycopg.connect(host=host, port=port, user="bench", dbname="partitura", autocommit=True)
    cursor = connection.cursor(binary=True)

    def ask(text):
        cursor.execute(text)
        # Counted by libpq: turning a million rows into Python's objects would measure Python.
        return cursor.rowcount

    return ask, connection.close


def asyncpg_rows(server):
    try:
        import asyncpg
    except ImportError as missing:
        raise Missing(str(missing)) from None
    host, port = host_and_port(server)
    loop = asyncio.new_event_loop()
    connection = loop.run_until_complete(asyncpg.connect(host=host, port=port, user="bench", database="partitura"))

    def ask(text):
        return len(loop.run_until_complete(connection.fetch(text)))

    def close():
        loop.run_until_complete(connection.close())
        loop.close()

    return ask, close


DOORS = {
    "HTTP, Arrow": door(http("arrow", arrow_rows), "pyarrow reads the stream"),
    "HTTP, JSON": door(http("json", json_rows), "parsed by Python"),
    "Flight SQL": door(flight, "ADBC, an Arrow table"),
    "Postgres wire, libpq": door(psycopg_rows, "psycopg, binary, rows left in libpq"),
    "Postgres wire, asyncpg": door(asyncpg_rows, "binary, rows as Python objects"),
    "MCP, `query_sql`": door(mcp, "2026-07-28, one request a call; answers are for models, so never large", is_for_many=False),
}


def report(result):
    rows = []
    for name, told in result["doors"].items():
        if "missing" in told:
            rows.append([name, "–", "–", "–", told["missing"]])
            continue
        pace = told["rows_per_second"]
        rows.append([name, number(pace) if pace else "–", number(told["small_p50_ms"], 2), number(told["small_p95_ms"], 2), told["how"]])
    said = f"{number(result['rows'])} rows of nine columns, best of {RUNS}; then the first thousand events by type, {SMALL_RUNS} times on one connection.\n\n"
    return said + table(["door", "rows/s", "small query p50, ms", "p95, ms", "client"], rows)
