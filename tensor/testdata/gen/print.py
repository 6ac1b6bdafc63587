#!/usr/bin/python3
"""Records how PyTorch prints tensors.

Usage: print.py        writes ../print.json
"""

import json
import os

import torch
from torch._tensor_str import _tensor_str

torch.manual_seed(1)
cases = []


def case(dtype, shape, values):
    t = torch.tensor(values, dtype=getattr(torch, dtype)).reshape(shape)
    cases.append({"dtype": dtype, "shape": shape, "values": [str(float(v)) for v in values], "text": _tensor_str(t, 0)})


def arange(n, scale=1.0, shift=0.0):
    return [i * scale + shift for i in range(n)]


nan, inf = float("nan"), float("inf")
case("float32", [], [3.25])
case("float32", [], [7])
case("float32", [3], [1, 2, -3])
case("float32", [4], [0.5, -1.25, 100, 0])
case("float32", [4], [0.5, nan, inf, -inf])
case("float32", [3], [nan, 0, nan])
case("float32", [3], [1, nan, inf])
case("float32", [3], [0.00001, 1, 2])
case("float32", [3], [1e9, 1, 2])
case("float32", [2], [200000000, 200000001])
case("float32", [3], [1500.5, 1, -2])
case("float32", [3], [-0.0, 0.0, 1e-12])
case("float32", [2, 3], arange(6, 0.37, -1))
case("float32", [2, 2, 3], arange(12, -1.5))
case("float32", [30], arange(30, 1.37, -20))
case("float32", [1, 2, 1, 2], arange(4))
case("float32", [0], [])
case("float32", [2, 0, 3], [])
case("float32", [1001], arange(1001, 0.1))
case("float32", [1000], arange(1000))
case("float32", [40, 40], arange(1600, 0.125, -3))
case("float32", [2, 9, 80], arange(1440, 1.0))
case("float32", [7, 2, 100], arange(1400, 0.5, -7))
case("float64", [2, 2], [0.1, 1 / 3, -2, 1e3])
case("float16", [3], [0.1, 65504, -2])
case("float16", [3], [0.1, 6.5, -2])
case("bfloat16", [3], [0.1, 3.14159, -2])
case("int64", [2, 3], [1, -20, 300, 4, 5, 6])
case("int32", [], [42])
case("int8", [3], [-128, 0, 127])
case("uint8", [60], [i * 4 for i in range(60)])
case("int64", [1200], list(range(1200)))
case("bool", [2, 2], [1, 0, 0, 1])
case("bool", [], [0])

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "print.json"), "w") as f:
    json.dump(cases, f, indent=0)
    f.write("\n")
