"""Turns the BERT weights of a safetensors folder into `model_fp32.onnx` and `model.onnx` (int8), checked before use.

Usage: convert_model.py WEIGHTS_DIR OUTPUT_DIR

The graph is written from the weights with ONNX operators of opset 17, so that no deep-learning framework is needed:
inputs `input_ids`, `attention_mask`, `token_type_ids` (int64, [batch, tokens]); output `last_hidden_state` (float32,
[batch, tokens, width]). Mean pooling is left to the caller. Query, key and value share one multiplication.
"""
import json
import logging
import math
import os
import shutil
import struct
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime import InferenceSession
from onnxruntime.quantization import QuantType, quantize_dynamic

OPSET = 17
COPIED_FILES = ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "config.json",
                "sentence_bert_config.json", "1_Pooling/config.json"]


def read_safetensors(path):
    """Returns {name: float32 array}; the format is a length, a JSON header, then the raw bytes."""
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header, body = json.loads(file.read(length)), file.read()
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__" and entry["dtype"] == "F32":
            start, end = entry["data_offsets"]
            tensors[name] = np.frombuffer(body[start:end], dtype="<f4").reshape(entry["shape"])
    return tensors


class Graph:
    """Collects nodes and constants; every method returns the name of its output."""

    def __init__(self, config, weights):
        self.config, self.weights, self.nodes, self.constants = config, weights, [], {}

    def op(self, kind, *inputs, **attributes):
        output = attributes.pop("name", f"{kind}_{len(self.nodes)}")
        self.nodes.append(helper.make_node(kind, list(inputs), [output], name=f"node_{len(self.nodes)}", **attributes))
        return output

    def constant(self, name, array):
        self.constants[name] = numpy_helper.from_array(np.ascontiguousarray(array), name)
        return name

    def shape(self, *sizes):
        return self.constant("shape_" + "_".join(map(str, sizes)), np.array(sizes, dtype=np.int64))

    def linear(self, x, names):
        weight = np.concatenate([self.weights[name + ".weight"] for name in names]).T
        bias = np.concatenate([self.weights[name + ".bias"] for name in names])
        product = self.op("MatMul", x, self.constant(names[0] + ".w", weight))
        return self.op("Add", product, self.constant(names[0] + ".b", bias))

    def norm(self, x, layer, **output):
        scale = self.constant(layer + ".scale", self.weights[layer + ".weight"])
        bias = self.constant(layer + ".shift", self.weights[layer + ".bias"])
        return self.op("LayerNormalization", x, scale, bias, axis=-1, epsilon=self.config["layer_norm_eps"], **output)

    def embeddings(self):
        prefix = "embeddings."

        def table(name):
            return self.constant(prefix + name, self.weights[prefix + name + "_embeddings.weight"])

        first, second = (self.constant(f"at_{n}", np.array([n], np.int64)) for n in (0, 1))
        count = self.op("Gather", self.op("Shape", "input_ids"), second)
        places = self.op("Slice", table("position"), first, count, first)
        words = self.op("Gather", table("word"), "input_ids")
        kinds = self.op("Gather", table("token_type"), "token_type_ids")
        return self.norm(self.op("Add", self.op("Add", words, kinds), places), prefix + "LayerNorm")

    def mask(self):
        """Returns 0 where a token counts and a large negative number where it is padding, as [batch, 1, 1, tokens]."""
        axes = self.constant("mask_axes", np.array([1, 2], np.int64))
        kept = self.op("Cast", self.op("Unsqueeze", "attention_mask", axes), to=TensorProto.FLOAT)
        hidden = self.op("Sub", self.constant("one_f", np.array(1, np.float32)), kept)
        return self.op("Mul", hidden, self.constant("minus", np.array(-10000, np.float32)))

    def attention(self, x, mask, prefix):
        heads, width = self.config["num_attention_heads"], self.config["hidden_size"]
        size = width // heads
        mixed = self.linear(x, [f"{prefix}.self.{part}" for part in ("query", "key", "value")])
        outputs = [f"{prefix}.{part}" for part in ("q", "k", "v")]
        self.nodes.append(helper.make_node("Split", [mixed, self.shape(width, width, width)], outputs, axis=-1))
        split = [self.op("Reshape", part, self.shape(0, 0, heads, size)) for part in outputs]
        q = self.op("Transpose", split[0], perm=[0, 2, 1, 3])
        k = self.op("Transpose", split[1], perm=[0, 2, 3, 1])
        v = self.op("Transpose", split[2], perm=[0, 2, 1, 3])
        scale = self.constant("attention_scale", np.array(math.sqrt(size), np.float32))
        scores = self.op("Add", self.op("Div", self.op("MatMul", q, k), scale), mask)
        context = self.op("MatMul", self.op("Softmax", scores, axis=-1), v)
        joined = self.op("Reshape", self.op("Transpose", context, perm=[0, 2, 1, 3]), self.shape(0, 0, width))
        return self.norm(self.op("Add", self.linear(joined, [prefix + ".output.dense"]), x), prefix + ".output.LayerNorm")

    def gelu(self, x):
        """Returns x / 2 * (1 + erf(x / sqrt 2)), in the order that the runtime fuses."""
        root = self.constant("root_2", np.array(math.sqrt(2), np.float32))
        one, half = (self.constant(n, np.array(v, np.float32)) for n, v in (("one_f", 1), ("half", 0.5)))
        gate = self.op("Add", self.op("Erf", self.op("Div", x, root)), one)
        return self.op("Mul", self.op("Mul", x, gate), half)

    def build(self):
        layers, x, mask = self.config["num_hidden_layers"], self.embeddings(), self.mask()
        for layer in range(layers):
            prefix = f"encoder.layer.{layer}"
            x = self.attention(x, mask, prefix + ".attention")
            inner = self.gelu(self.linear(x, [prefix + ".intermediate.dense"]))
            outer = self.op("Add", self.linear(inner, [prefix + ".output.dense"]), x)
            last = {"name": "last_hidden_state"} if layer == layers - 1 else {}
            x = self.norm(outer, prefix + ".output.LayerNorm", **last)
        tokens = ["batch", "tokens"]
        names = ("input_ids", "attention_mask", "token_type_ids")
        inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, tokens) for name in names]
        shape = tokens + [self.config["hidden_size"]]
        outputs = [helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, shape)]
        graph = helper.make_graph(self.nodes, "bert", inputs, outputs, list(self.constants.values()))
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="partitura")
        model.ir_version = 8
        onnx.checker.check_model(model)
        return model


def similarity(path, texts):
    """Returns the cosine of two texts, given as token ids."""
    session, vectors = InferenceSession(path, providers=["CPUExecutionProvider"]), []
    for tokens in texts:
        ids = np.array([tokens], dtype=np.int64)
        feed = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        vector = session.run(None, feed)[0][0].mean(axis=0)
        vectors.append(vector / np.linalg.norm(vector))
    return float(vectors[0] @ vectors[1])


def check(path, tolerance):
    """Compares with the published cosine of "A man is eating food." and "A man is eating a piece of bread."."""
    food = [101, 1037, 2158, 2003, 5983, 2833, 1012, 102]
    bread = [101, 1037, 2158, 2003, 5983, 1037, 3538, 1997, 7852, 1012, 102]
    cosine = similarity(path, [food, bread])
    print(f"{os.path.basename(path)}: cosine of the test pair {cosine:.3f} (expected 0.755)")
    if abs(cosine - 0.755) > tolerance:
        sys.exit(f"{path}: the converted model is wrong: cosine {cosine:.3f}, expected 0.755; please report it")


def main():
    source, target = sys.argv[1], sys.argv[2]
    config = json.load(open(os.path.join(source, "config.json")))
    if config["hidden_act"] != "gelu" or config["position_embedding_type"] != "absolute":
        sys.exit(f"{source}: only BERT with gelu and absolute positions can be converted")
    os.makedirs(target, exist_ok=True)
    logging.disable(logging.WARNING)  # the quantiser recommends a pre-processing that this graph does not need
    full, small = os.path.join(target, "model_fp32.onnx"), os.path.join(target, "model.onnx")
    onnx.save(Graph(config, read_safetensors(os.path.join(source, "model.safetensors"))).build(), full)
    # Per channel and 7 bits: without VNNI the 8-bit kernels saturate, and then quality would depend on the machine.
    quantize_dynamic(full, small, weight_type=QuantType.QInt8, per_channel=True, reduce_range=True,
                     op_types_to_quantize=["MatMul", "Gather"])
    check(full, 0.002)
    check(small, 0.03)
    os.makedirs(os.path.join(target, "1_Pooling"), exist_ok=True)
    for name in COPIED_FILES:
        shutil.copyfile(os.path.join(source, name), os.path.join(target, name))


main()
