"""Six hours of one event per second, as fast as they are taken, with a flush for about every fifth: how many files are there then?"""

import time

from speed.report import number, table

TITLE = "Tiny writes"
EVENTS = 21_600
# An event makes two to four rows, so that this many are about five events: what five seconds of the six hours bring.
FLUSH_ROWS = 15
# Old versions are kept a minute; the next clean-up after that removes them.
QUIET_S = 75


def measure(run):
    events = run.sized(EVENTS, 100)
    quiet = QUIET_S if run.scale >= 0.2 else 2
    with run.serve("tiny", "--model", "off", "--flush-rows", str(FLUSH_ROWS)) as server:
        load = run.load("trickle", "--events", events, url=server.url)
        server.settle(run.say, durable=True)
        behind = server.settled_after
        versions = server.sql("SELECT max(version) AS n FROM system.tables")[0]["n"]
        fragments = server.sql("SELECT sum(fragments) AS n FROM system.tables")[0]["n"]
        at_end = server.files()
        time.sleep(quiet)
        # What comes next starts the clean-up.
        run.load("trickle", "--events", 200, "--from", events, "--pause-us", 10_000, url=server.url)
        server.settle(run.say, durable=True, text=True)
        time.sleep(3)
        cleaned = server.files()
        rows = server.sql("SELECT count(*) AS n FROM events")[0]["n"]
    if rows != events + 200:
        raise RuntimeError(f"{rows} events are in SQL, {events + 200} were written")
    return {"load": load, "events": events, "versions": versions, "fragments": fragments, "at_end": at_end, "cleaned": cleaned, "until_durable_s": behind}


def report(result):
    rows = [
        [when, number(told["files"]), ", ".join(f"{name} {count}" for name, count in sorted(told["by_folder"].items())), number(told["bytes"] / (1 << 20), 1)]
        for when, told in (("right after the last event", result["at_end"]), ("a minute later", result["cleaned"]))
    ]
    ack = result["load"]["ack_ms"]
    return (
        f"{result['events']:,} events one by one in {number(result['load']['seconds'])} s (ack p50 {number(ack['p50'], 2)}, p99 {number(ack['p99'], 2)} ms); "
        f"the busiest table reached version {number(result['versions'])}, all tables together have {number(result['fragments'])} fragments; "
        f"tables were durable {number(result['until_durable_s'], 1)} s after the last event.\n\n"
    ) + table(["when", "files", "where", "MiB"], rows)
