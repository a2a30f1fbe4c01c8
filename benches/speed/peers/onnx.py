"""Bare ONNX Runtime in Python: the model file that the server loads, one session of one thread per thread."""

import itertools
import os
import pathlib
import threading
import time

from speed.peers import Missing


def measure(texts, threads):
    try:
        import numpy
        import onnxruntime
        import tokenizers
    except ImportError as missing:
        raise Missing(str(missing)) from None
    folder = pathlib.Path(os.environ["PARTITURA_MODEL_DIR"])
    if not (folder / "model.onnx").exists():
        raise Missing(f"{folder} has no model.onnx; run scripts/setup.sh model")
    tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(256)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    make = lambda: onnxruntime.InferenceSession(str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"])
    sessions = [make() for _ in range(threads)]
    names = {given.name for given in sessions[0].get_inputs()}

    def inputs(text):
        encoding = tokenizer.encode(text)
        all = {"input_ids": encoding.ids, "attention_mask": encoding.attention_mask, "token_type_ids": encoding.type_ids}
        return {name: numpy.array([ids], dtype=numpy.int64) for name, ids in all.items() if name in names}

    def whole(session, text):
        vector = session.run(None, inputs(text))[0][0].mean(axis=0)
        return vector / numpy.linalg.norm(vector)

    results = {}
    for words, given in texts.items():
        prepared = [inputs(text) for text in given["texts"]]
        own = numpy.array(given["first_vector"])
        cosine = float(whole(sessions[0], given["texts"][0]) @ own)
        pace = lambda work, items: len(items) / spread(sessions, work, items)
        results[words] = {
            "whole": pace(whole, given["texts"]),
            "model_only": pace(lambda session, ready: session.run(None, ready), prepared),
            "cosine": cosine,
        }
    return results


def spread(sessions, work, items):
    """Works on all items, one thread per session; returns the seconds."""
    for session in sessions:
        [work(session, item) for item in items[:10]]
    count = itertools.count()

    def run(session):
        while (at := next(count)) < len(items):
            work(session, items[at])

    threads = [threading.Thread(target=run, args=(session,)) for session in sessions]
    begin = time.perf_counter()
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    return time.perf_counter() - begin
