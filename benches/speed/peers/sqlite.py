"""SQLite in process: one writer, WAL, synchronous=FULL, one transaction per batch."""

import sqlite3

from speed.peers.load import bodies, timed

NAME = "SQLite"
NOTE = "in process, one writer, WAL, FULL"


def measure(folder, seconds):
    folder.mkdir()
    db = sqlite3.connect(folder / "events.db", isolation_level=None, check_same_thread=False)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.execute("CREATE TABLE events(position INTEGER PRIMARY KEY, source TEXT, id TEXT, type TEXT, time TEXT, data TEXT, UNIQUE(source, id))")
    made = bodies()
    run = iter(range(1 << 30))

    def append(client, first, batch):
        turn = next(run)
        rows = [("load", f"{turn}-{n}", "interaction.recorded", "2026-03-01T10:00:00Z", made[n % 512]) for n in range(batch)]
        db.execute("BEGIN")
        db.executemany("INSERT INTO events(source, id, type, time, data) VALUES (?,?,?,?,?)", rows)
        db.execute("COMMIT")

    results = [timed(1, batch, seconds, append) for batch in (100, 1)]
    db.close()
    return results
