"""A story with psycopg2: arguments as JSON on stdin, results as JSON."""

import json
import sys

import psycopg2
import psycopg2.extras


def everything(args):
    connection = psycopg2.connect(host=args["host"], port=args["port"], user="ada", dbname="partitura", connect_timeout=30)
    found = {"version": connection.server_version, "encoding": connection.encoding}
    with connection, connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor:
        cursor.execute("SELECT interaction_id, tokens_in, input FROM interactions WHERE agent_id = %(agent)s AND"
                       " interaction_id IN %(ids)s ORDER BY 1", {"agent": "claude", "ids": ("i1", "i3")})
        found["rows"] = [dict(row) for row in cursor.fetchall()]
    with connection, connection.cursor("named") as cursor:
        cursor.itersize = 7
        cursor.execute("SELECT value FROM generate_series(1, 100)")
        found["sum"] = sum(row[0] for row in cursor)
    with connection, connection.cursor() as cursor:
        with open(args["file"], "w+b") as file:
            cursor.copy_expert("COPY (SELECT interaction_id FROM interactions ORDER BY 1) TO STDOUT WITH CSV HEADER", file)
            file.seek(0)
            found["copied"] = file.read().decode()
    connection.set_session(readonly=True, autocommit=True)
    with connection.cursor() as cursor:
        try:
            cursor.execute("DELETE FROM events")
        except psycopg2.Error as error:
            found["write"] = {"state": error.pgcode, "text": error.pgerror}
        cursor.execute("SELECT NULL, ARRAY[1, 2], true, 1.5::float8, '2026-01-01'::date")
        found["values"] = [str(value) for value in cursor.fetchone()]
    connection.close()
    return found


if __name__ == "__main__":
    print(json.dumps(globals()[sys.argv[1]](json.load(sys.stdin)), default=str))
