"""Stories below the drivers, with pyarrow's Flight client: tickets, exact schemas, what a client does wrong."""

import json
import sys
import time

import flightsql.flightsql_pb2 as sql
import pyarrow as pa
import pyarrow.flight as flight
from google.protobuf import any_pb2

from adbc_client import refusal


def packed(message):
    any_message = any_pb2.Any()
    any_message.Pack(message)
    return any_message.SerializeToString()


class Client:
    def __init__(self, args, token=None):
        self.flight = flight.FlightClient(args["uri"].replace("grpc://", "grpc+tcp://"))
        token = token or args.get("token")
        headers = [(b"authorization", b"Bearer " + token.encode())] if token else []
        headers += [(name.encode(), value.encode()) for name, value in args.get("headers", {}).items()]
        self.options = flight.FlightCallOptions(headers=headers, timeout=90)

    def info(self, message):
        return self.flight.get_flight_info(flight.FlightDescriptor.for_command(packed(message)), self.options)

    def ask(self, text):
        return self.info(sql.CommandStatementQuery(query=text))

    def get(self, ticket):
        return self.flight.do_get(ticket, self.options).read_all()

    def rows(self, message):
        info = self.info(message)
        table = self.get(info.endpoints[0].ticket)
        assert table.schema == info.schema, (table.schema, info.schema)
        return table

    def act(self, name, body):
        return [result.body.to_pybytes() for result in self.flight.do_action(flight.Action(name, body), self.options)]


def schema(table):
    return [[field.name, str(field.type), field.nullable] for field in table.schema]


def metadata(args):
    client = Client(args)
    found = {}
    reference = sql.CommandGetCrossReference(pk_table="tasks", fk_table="attempts")
    for name, message in {
        "catalogs": sql.CommandGetCatalogs(),
        "schemas": sql.CommandGetDbSchemas(),
        "tables": sql.CommandGetTables(),
        "tables_with_schema": sql.CommandGetTables(include_schema=True),
        "base_tables": sql.CommandGetTables(table_types=["BASE TABLE", "table"]),
        "no_tables": sql.CommandGetTables(catalog="elsewhere"),
        "table_types": sql.CommandGetTableTypes(),
        "primary": sql.CommandGetPrimaryKeys(table="tasks"),
        "no_primary": sql.CommandGetPrimaryKeys(table="nothing"),
        "imported": sql.CommandGetImportedKeys(table="attempts"),
        "exported": sql.CommandGetExportedKeys(table="tasks"),
        "cross": reference,
        "types": sql.CommandGetXdbcTypeInfo(),
        "bigint": sql.CommandGetXdbcTypeInfo(data_type=-5),
        "info": sql.CommandGetSqlInfo(),
        "one_info": sql.CommandGetSqlInfo(info=[0, 8]),
    }.items():
        table = client.rows(message)
        if "table_schema" in table.column_names:
            read = [pa.ipc.open_stream(one.as_py()).schema.names for one in table["table_schema"]]
            found[name] = {"schema": schema(table), "columns": dict(zip(table["table_name"].to_pylist(), read))}
            continue
        found[name] = {"schema": schema(table), "rows": table.to_pylist()}
    names = found["info"]["rows"]
    functions = [word for row in names if row["info_name"] in (509, 510, 511, 512) for word in row["value"]]
    known = client.rows(sql.CommandStatementQuery(query="SELECT DISTINCT routine_name FROM information_schema.routines"))
    found["unknown_functions"] = sorted(set(functions) - set(known["routine_name"].to_pylist()))
    found["get_schema"] = client.flight.get_schema(
        flight.FlightDescriptor.for_command(packed(sql.CommandStatementQuery(query="SELECT 1 AS n"))), client.options
    ).schema.names
    found["actions"] = sorted(action.type for action in client.flight.list_actions(client.options))
    return found


def refused_plain(args):
    client = Client(args)
    client.options = flight.FlightCallOptions(timeout=10)
    return {"said": refusal(lambda: client.ask("SELECT 1"))}


def ticket(args):
    """Asks, and hands the ticket out."""
    info = Client(args).ask(args["sql"])
    return {"ticket": info.endpoints[0].ticket.ticket.hex(), "told": json.loads(info.app_metadata)}


def fetch(args):
    """Fetches a ticket that another process was given, whole and changed."""
    client = Client(args)
    whole = bytes.fromhex(args["ticket"])
    found = {"rows": refusal(lambda: client.get(flight.Ticket(whole)))}
    if found["rows"]["type"] == "none":
        found["rows"] = client.get(flight.Ticket(whole)).to_pylist()
    changed = []
    # Every byte of the sealed part: the head of the message around it is found by its length.
    for place in range(len(whole) - args.get("sealed", 40), len(whole)):
        other = bytearray(whole)
        other[place] ^= 1
        changed.append(refusal(lambda: client.get(flight.Ticket(bytes(other))))["text"])
    found["changed"] = sorted({text.split(";")[0].split(".")[0] for text in changed})
    return found


def garbage(args):
    client = Client(args)
    descriptor = flight.FlightDescriptor.for_command

    def put(command, schema=pa.schema([("a", pa.int64())])):
        writer, reader = client.flight.do_put(descriptor(command), schema, client.options)
        writer.write(pa.record_batch([[1]], schema=schema))
        writer.done_writing()
        reader.read()
        writer.close()

    begin = sql.ActionBeginTransactionRequest()
    substrait = sql.CommandStatementSubstraitPlan()
    prepared = sql.CommandPreparedStatementQuery(prepared_statement_handle=b"nonsense")
    return {
        "command": refusal(lambda: client.flight.get_flight_info(descriptor(b"\x00\xff"), client.options)),
        "plain": refusal(lambda: client.flight.get_flight_info(flight.FlightDescriptor.for_path("a"), client.options)),
        "ticket": refusal(lambda: client.get(flight.Ticket(b"nonsense"))),
        "empty_ticket": refusal(lambda: client.get(flight.Ticket(packed(sql.TicketStatementQuery())))),
        "handle": refusal(lambda: client.info(prepared)),
        "transaction": refusal(lambda: client.act("BeginTransaction", packed(begin))),
        "substrait": refusal(lambda: client.info(substrait)),
        "update": refusal(lambda: put(packed(sql.CommandStatementUpdate(query="DELETE FROM events")))),
        "put": refusal(lambda: put(b"\x08")),
        "action": refusal(lambda: client.act("CreatePreparedStatment", b"")),
        "exchange": refusal(lambda: client.flight.do_exchange(descriptor(b"a"), client.options)[1].read_all()),
        "list": refusal(lambda: list(client.flight.list_flights(b"", client.options))),
        "alive": client.rows(sql.CommandStatementQuery(query="SELECT 1 AS n")).to_pylist(),
    }


def prepared(args):
    """As clients do that keep the handle of the preparation, and do not take the one that binding returns."""
    client = Client(args)
    create = sql.ActionCreatePreparedStatementRequest(query="SELECT $1 AS a")
    any_message = any_pb2.Any()
    any_message.ParseFromString(client.act("CreatePreparedStatement", packed(create))[0])
    result = sql.ActionCreatePreparedStatementResult()
    any_message.Unpack(result)
    handle = result.prepared_statement_handle
    command = sql.CommandPreparedStatementQuery(prepared_statement_handle=handle)
    found = {"unbound": refusal(lambda: client.info(command)), "values": []}

    def bind(values):
        batch = pa.record_batch({"a": values})
        descriptor = flight.FlightDescriptor.for_command(packed(command))
        writer, reader = client.flight.do_put(descriptor, batch.schema, client.options)
        writer.write(batch)
        writer.done_writing()
        reader.read()
        writer.close()

    for value in ("one", "two"):
        bind([value])
        found["values"].append(client.rows(command).to_pylist())
    found["two_rows"] = refusal(lambda: bind(["a", "b"]))
    close = sql.ActionClosePreparedStatementRequest(prepared_statement_handle=handle)
    client.act("ClosePreparedStatement", packed(close))
    found["closed"] = refusal(lambda: client.info(command))
    return found


def cancel_query(client, info):
    request = sql.ActionCancelQueryRequest(info=info.serialize())
    any_message, result = any_pb2.Any(), sql.ActionCancelQueryResult()
    any_message.ParseFromString(client.act("CancelQuery", packed(request))[0])
    any_message.Unpack(result)
    return sql.ActionCancelQueryResult.CancelResult.Name(result.result)


def cancel_flight_info(client, info):
    """`CancelFlightInfoRequest{info = 1}`, answered by `CancelFlightInfoResult{status = 1}`: pyarrow has neither."""
    request = sql.ActionCancelQueryRequest(info=info.serialize()).SerializeToString()
    (result,) = client.act("CancelFlightInfo", request)
    return {b"\x08\x01": "CANCEL_RESULT_CANCELLED", b"\x08\x03": "CANCEL_RESULT_NOT_CANCELLABLE"}[result]


def cancel(args):
    """Cancels by an action, the older or the newer one, while another connection reads."""
    client, other = Client(args), Client(args)
    slow = "SELECT a.value FROM generate_series(1, 90000000000) a WHERE a.value % 1000000007 <> 3"
    info = client.ask(slow)
    reader = client.flight.do_get(info.endpoints[0].ticket, client.options)
    first = reader.read_chunk().data.num_rows
    query = json.loads(info.app_metadata)["query_id"]
    running = other.rows(sql.CommandStatementQuery(query=f"SELECT query_id FROM system.queries WHERE query_id = '{query}'"))
    act = {"CancelQuery": cancel_query, "CancelFlightInfo": cancel_flight_info}[args["action"]]
    results = []
    for _ in range(2):
        results.append(act(other, info))
        until = time.monotonic() + 60
        left = f"SELECT count(*) AS n FROM system.queries WHERE query_id = '{query}'"
        while other.rows(sql.CommandStatementQuery(query=left)).to_pylist()[0]["n"] and time.monotonic() < until:
            pass
    return {"first": first, "running": running.num_rows, "results": results, "said": refusal(reader.read_all)}


def one(args):
    """Asks until it is answered: a place may still be taken."""
    until = time.monotonic() + 60
    while True:
        try:
            return {"rows": Client(args).rows(sql.CommandStatementQuery(query="SELECT 1 AS n")).to_pylist()}
        except flight.FlightUnavailableError:
            if time.monotonic() > until:
                raise


def stall(args):
    """Reads one batch and then nothing, until the server has given the query up."""
    client, other = Client(args), Client(args)
    info = client.ask("SELECT a.value, repeat('x', 1000) AS t FROM generate_series(1, 250000) a")
    query = json.loads(info.app_metadata)["query_id"]
    reader = client.flight.do_get(info.endpoints[0].ticket, client.options)
    first = reader.read_chunk().data.num_rows
    count = f"SELECT count(*) AS n FROM system.queries WHERE query_id = '{query}'"
    until, left = time.monotonic() + 60, 1
    while left and time.monotonic() < until:
        left = other.rows(sql.CommandStatementQuery(query=count)).to_pylist()[0]["n"]
    return {"first": first, "left": left, "said": refusal(reader.read_all)}


if __name__ == "__main__":
    story = globals()[sys.argv[1]]
    json.dump(story(json.load(sys.stdin)), sys.stdout, default=str)
