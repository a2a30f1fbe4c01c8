"""Runs the parts that are named (all when none is), one after the other, and writes the report.

A part that fails is told in the report, and the others still run; the exit code is 1 then.
"""

import importlib
import json
import pathlib
import sys
import time
import traceback

from speed import machine, report
from speed.run import Run

PARTS = ["append", "lag", "tiny", "embed", "rebuild", "search", "sql", "state", "restart", "otlp", "doors"]


def main(names):
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        sys.exit(f"run.sh: there is no part `{unknown[0]}`; the parts are {', '.join(PARTS)}")
    results = pathlib.Path(__file__).parent.parent / "results"
    results.mkdir(exist_ok=True)
    failed = []
    with Run(names or PARTS) as run:
        (results / "machine.json").write_text(json.dumps(machine.describe(run), indent=1))
        for name in names or PARTS:
            started = time.monotonic()
            run.say(f"== {name}")
            part = importlib.import_module(f"speed.parts.{name}")
            try:
                result = part.measure(run)
            except Exception:
                traceback.print_exc()
                failed.append(name)
                result = {"failed": traceback.format_exc().strip().splitlines()[-1][:500]}
            result["part_seconds"] = time.monotonic() - started
            result["scale"] = run.scale
            (results / f"{name}.json").write_text(json.dumps(result, indent=1))
            run.say(f"   {result['part_seconds']:.0f} s")
            (results / "report.md").write_text(report.markdown(results, PARTS))
    print((results / "report.md").read_text())
    if failed:
        sys.exit(f"run.sh: failed: {', '.join(failed)}; see benches/results")


if __name__ == "__main__":
    main(sys.argv[1:])
