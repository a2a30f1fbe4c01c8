"""The results of the parts as one Markdown page: ratios first, since absolute numbers are a machine's.

`python -m speed.report RESULTS README` puts it into a README, between its two marks.
"""

import importlib
import json
import pathlib
import sys

BEGIN, END = "<!-- results -->", "<!-- end of results -->"


def markdown(folder, parts):
    pages = [machine(json.loads((folder / "machine.json").read_text()))]
    for name in parts:
        file = folder / f"{name}.json"
        if not file.exists():
            continue
        result = json.loads(file.read_text())
        module = importlib.import_module(f"speed.parts.{name}")
        body = f"**Failed:** {result['failed']}" if "failed" in result else module.report(result)
        pages.append(f"### {module.TITLE}\n\n{body}\n")
    return "\n".join(pages)


def machine(told):
    peers = ", ".join(f"{name} {version}" for name, version in told["versions"].items() if version)
    smoke = " It only shows that the scripts work." if told["scale"] < 0.05 else ""
    scale = "" if told["scale"] == 1 else f" **Sizes are {told['scale']} of a full run's.{smoke}**"
    return (
        f"Machine: {told['processor']}, {told['cores']} cores, {told['memory_gib']} GiB, Linux {told['kernel']}, "
        f"{told['filesystem']}; 4 KiB and fdatasync take {told['fdatasync_ms']:.2f} ms. "
        f"Profile `{told['profile']}`, commit {told['commit']}, {told['date']}, load {told['load_at_start']:.1f} at the start. "
        f"Peers: {peers}.{scale}\n"
    )


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows])


def number(value, digits=0):
    return "–" if value is None else f"{value:,.{digits}f}"


def ratio(ours, theirs):
    return "–" if not theirs else f"{ours / theirs:.2f}×"


def insert(results, readme):
    from speed.__main__ import PARTS

    text = readme.read_text()
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    readme.write_text(f"{before}{BEGIN}\n\n{markdown(results, PARTS)}\n{END}{after}")


if __name__ == "__main__":
    insert(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
