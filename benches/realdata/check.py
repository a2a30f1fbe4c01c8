"""Imports the real data sets and compares SQL with figures computed straight from the files.

Python's standard library only. `--only NAME` checks one set. Exit code 1 when a figure differs.
"""

import argparse
import os
import sys
from decimal import Decimal, InvalidOperation

from server import Server, binary
from sets import SETS

# Money and counts are equal to the last digit of Decimal128(38, 12); sums of floats to eight digits.
RELATIVE = Decimal("1e-8")


def number(value):
    if isinstance(value, bool) or value is None:
        return None
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None


def same(left, right):
    a, b = number(left), number(right)
    if a is None or b is None:
        return left == right
    return a == b or abs(a - b) <= max(abs(a), abs(b)) * RELATIVE


def key(row):
    return [str(value) for value in row if number(value) is None or isinstance(value, str)] or [str(row)]


def differences(found, wanted):
    """Returns what differs, rows in any order."""
    if len(found) != len(wanted):
        return [f"{len(found)} rows, {len(wanted)} expected"]
    pairs = zip(sorted(found, key=key), sorted(wanted, key=key))
    return [
        f"{one} is not {other}"
        for one, other in pairs
        if len(one) != len(other) or not all(same(a, b) for a, b in zip(one, other))
    ]


def check(make, folder, program):
    files, comparisons = make(folder)
    faults = 0
    with Server(program) as server:
        seconds, told = server.load([f"{folder}/{name}" for name in files], make.__name__)
        print(f"{make.__name__}: {told['new']} events imported in {seconds:.1f} s")
        for name, sql, wanted in comparisons:
            try:
                wrong = differences(server.sql(sql), wanted)
            except AssertionError as error:
                wrong = [str(error)]
            faults += bool(wrong)
            print(f"  {'DIFFERS' if wrong else 'equal  '}  {name} ({len(wanted)} rows)")
            for line in wrong[:5]:
                print(f"           {line}")
        _, again = server.load([f"{folder}/{name}" for name in files], make.__name__)
        same_end = again["new"] == 0 and again["position"] == told["position"]
        faults += not same_end
        print(f"  {'equal  ' if same_end else 'DIFFERS'}  a second import adds nothing ({again['duplicates']} known)")
    return faults


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", help="check this set alone")
    arguments = parser.parse_args()
    root = os.environ.get("PARTITURA_REALDATA", os.path.join(os.path.dirname(__file__), "../../../shared/data"))
    if not os.path.isdir(root):
        print(f"realdata: skipped, there is no {os.path.normpath(root)} (set PARTITURA_REALDATA)")
        return 0
    faults = 0
    for make in SETS:
        folder = os.path.join(root, make.__name__)
        if arguments.only and make.__name__ != arguments.only:
            continue
        if not os.path.isdir(folder):
            print(f"{make.__name__}: skipped, the folder is absent")
            continue
        faults += check(make, os.path.abspath(folder), binary())
    print("realdata: all equal" if faults == 0 else f"realdata: {faults} figures differ")
    return int(faults > 0)


if __name__ == "__main__":
    sys.exit(main())
