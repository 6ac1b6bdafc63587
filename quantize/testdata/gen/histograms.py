#!/usr/bin/env python3
"""Records which range PyTorch's HistogramObserver chooses for activations of a real model.

Usage: histograms.py BERT_DIR OUT.npz

BERT_DIR has pytorch_model.bin, config.json and calib.npz (input_ids, attention_mask, token_type_ids). Written are, of some
linear layers' outputs, `counts` [n, 2048], `range` [n, 2] of the histogram, and `chosen` [n, 2] by the search.
"""
import json
import math
import pathlib
import sys

import numpy as np
import torch
import torch.nn.functional as F
from torch.ao.quantization.observer import HistogramObserver

torch.set_grad_enabled(False)
src = pathlib.Path(sys.argv[1])
weights = torch.load(src / "pytorch_model.bin", map_location="cpu")
config = json.loads((src / "config.json").read_text())
heads, hidden = config["num_attention_heads"], config["hidden_size"]
outputs = {}


def linear(name, x):
    y = F.linear(x, weights[name + ".weight"], weights[name + ".bias"])
    outputs.setdefault(name, []).append(y)
    return y


def norm(name, x):
    return F.layer_norm(x, (hidden,), weights[name + ".weight"], weights[name + ".bias"], config["layer_norm_eps"])


def run(ids, mask, types):
    e = "bert.embeddings."
    v = weights[e + "word_embeddings.weight"][ids] + weights[e + "token_type_embeddings.weight"][types]
    v = norm(e + "LayerNorm", v + weights[e + "position_embeddings.weight"][: ids.shape[1]])
    drop = (1 - mask[:, None, None, :].float()) * torch.finfo(torch.float32).min
    for i in range(config["num_hidden_layers"]):
        p = f"bert.encoder.layer.{i}."
        split = lambda x: x.view(*x.shape[:2], heads, -1).permute(0, 2, 1, 3)
        q, k, u = (split(linear(p + "attention.self." + n, v)) for n in ("query", "key", "value"))
        a = torch.softmax(q @ k.transpose(-1, -2) / math.sqrt(hidden // heads) + drop, -1) @ u
        a = linear(p + "attention.output.dense", a.permute(0, 2, 1, 3).reshape(v.shape))
        v = norm(p + "attention.output.LayerNorm", a + v)
        h = linear(p + "output.dense", F.gelu(linear(p + "intermediate.dense", v)))
        v = norm(p + "output.LayerNorm", h + v)
    linear("classifier", torch.tanh(linear("bert.pooler.dense", v[:, 0])))


data = np.load(src / "calib.npz")
inputs = [torch.from_numpy(data[k]) for k in ("input_ids", "attention_mask", "token_type_ids")]
for i in range(0, len(inputs[0]), 64):
    run(*(x[i : i + 64] for x in inputs))
counts, ranges, chosen = [], [], []
for y in list(outputs.values())[::2]:
    # One batch of all values, whose histogram does not depend on how ranges grow.
    y = torch.cat(y)
    o = HistogramObserver()
    lo, hi = torch.aminmax(y)
    o.min_val.copy_(lo)
    o.max_val.copy_(hi)
    torch.histc(y, o.bins, min=lo, max=hi, out=o.histogram)
    counts.append(o.histogram.numpy())
    ranges.append([lo, hi])
    chosen.append(o._non_linear_param_search())
arrays = {"counts": counts, "range": ranges, "chosen": chosen}
np.savez_compressed(sys.argv[2], **{k: np.array(v, dtype=np.float32) for k, v in arrays.items()})
