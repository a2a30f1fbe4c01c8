"""Texts per second of the server's embedder beside bare ONNX Runtime: same model file, same texts, same threads."""

import json

from speed.peers import attempt, onnx
from speed.report import number, ratio, table

TITLE = "Embedding"
THREADS = (1, 2)


def measure(run):
    file = run.path("texts.json")
    scale = min(1.0, run.scale * 5)
    rounds = []
    for threads in THREADS:
        run.say(f"   {threads} threads")
        ours = run.load("embed", "--threads", threads, "--texts", file, "--scale", scale)["texts_per_second"]
        texts = json.loads(file.read_text())
        theirs = attempt(lambda: onnx.measure(texts, threads))
        if "missing" in theirs:
            return theirs
        # Ours again: a machine that gets slower or faster meanwhile must not decide.
        again = run.load("embed", "--threads", threads, "--scale", scale)["texts_per_second"]
        rounds.append({"threads": threads, "ours": {k: (ours[k] + again[k]) / 2 for k in ours}, "bare": theirs})
    return {"rounds": rounds}


def report(result):
    if "missing" in result:
        return f"Not measured: {result['missing']}."
    rows = []
    for one in result["rounds"]:
        for words, bare in one["bare"].items():
            ours = one["ours"][words]
            rows.append([one["threads"], words, number(ours), number(bare["whole"]), ratio(ours, bare["whole"]), number(bare["model_only"]), ratio(ours, bare["model_only"]), f"{bare['cosine']:.4f}"])
    said = "One text at a time, as the server does (a text's vector must not depend on its neighbours). Target: ≥ 0.95 of bare ONNX Runtime.\n\n"
    return said + table(["threads", "words", "ours, texts/s", "bare: tokenise, run, pool", "ours is", "bare: `run` alone", "ours is", "cosine of the two vectors"], rows)
