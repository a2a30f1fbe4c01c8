"""A story with asyncpg: arguments as JSON on stdin, results as JSON."""

import asyncio
import datetime
import json
import sys

import asyncpg


async def story(args):
    connection = await asyncpg.connect(host=args["host"], port=args["port"], user="ada", database="partitura", ssl=False)
    found = {"version": list(connection.get_server_version())[:2]}
    statement = await connection.prepare("SELECT interaction_id, tokens_in FROM interactions WHERE tokens_in >= $1 ORDER BY 1")
    found["parameters"] = [parameter.name for parameter in statement.get_parameters()]
    found["columns"] = [[column.name, column.type.name] for column in statement.get_attributes()]
    found["rows"] = [[list(row) for row in await statement.fetch(bound)] for bound in (20, 40)]
    found["value"] = await connection.fetchval("SELECT count(*) FROM interactions WHERE agent_id = $1", "claude")
    found["time"] = await connection.fetchval("SELECT count(*) FROM events WHERE time < $1",
                                              datetime.datetime(2026, 1, 3, tzinfo=datetime.timezone.utc))
    found["limit"] = [row[0] for row in await connection.fetch("SELECT interaction_id FROM interactions ORDER BY 1 LIMIT $1", 2)]
    found["cast"] = await connection.fetchval("SELECT $1::int + 1", 41)
    found["list"] = await connection.fetchval("SELECT make_array('a', NULL, 'c')")
    found["search"] = await connection.fetchval("SELECT count(*) >= 0 FROM search($1, k => 3)", "question")
    async with connection.transaction(readonly=True):
        cursor = await connection.cursor("SELECT value FROM generate_series(1, 50)")
        found["fetched"] = [row[0] for row in await cursor.fetch(3)]
        await cursor.forward(5)
        found["forward"] = (await cursor.fetchrow())[0]
        found["iterated"] = len([row async for row in connection.cursor("SELECT value FROM generate_series(1, 120)", prefetch=50)])
    try:
        await connection.fetch("SELECT count(*) FROM generate_series(1, 3000000) a, generate_series(1, 3000000) b", timeout=0.5)
    except asyncio.TimeoutError:
        found["timed_out"] = True
    found["after"] = await connection.fetchval("SELECT 1")
    try:
        await connection.execute("INSERT INTO events VALUES (1)")
    except asyncpg.PostgresError as error:
        found["write"] = {"state": error.sqlstate, "text": str(error)}
    await connection.reset()
    await connection.close()
    async with asyncpg.create_pool(host=args["host"], port=args["port"], user="ada", database="partitura", ssl=False,
                                   min_size=2, max_size=4) as pool:
        found["pool"] = sum(await asyncio.gather(*(pool.fetchval("SELECT $1::int", n) for n in range(20))))
    return found


def everything(args):
    return asyncio.run(story(args))


if __name__ == "__main__":
    print(json.dumps(globals()[sys.argv[1]](json.load(sys.stdin)), default=str))
