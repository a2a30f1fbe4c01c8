"""From acknowledge to visible, in SQL and in search, while others write. Default settings: embedding runs beside."""

from speed.report import number, table

TITLE = "Lag from acknowledge to visible"
RATES = (1_000, 5_000)


def measure(run):
    loads = []
    with run.serve("lag") as server:
        for number_, rate in enumerate(RATES):
            run.say(f"   {rate} events/s beside")
            probes = run.sized(200, 10)
            loads.append(run.load("lag", "--probes", probes, "--rate", rate, "--run", number_, url=server.url))
            server.settle(run.say)
    return {"loads": loads}


def report(result):
    rows = []
    for load in result["loads"]:
        for name, target in (("sql", "p95 ≤ 50 ms"), ("search", "p95 ≤ 1 s")):
            lag = load[f"{name}_ms"]
            plain = lag["same_read_without_waiting"]
            rows.append([f"{load['rate']:,.0f} events/s", name.upper() if name == "sql" else name, number(lag["p50"], 1), number(lag["p95"], 1), target, number(plain["p95"], 1)])
    said = "Each probe is a write, then the read that must find it, with the write's position as `min_position`; the read itself is in the time.\n\n"
    return said + table(["beside a load of", "visible in", "p50, ms", "p95, ms", "target", "the same read alone, p95"], rows)
