#!/usr/bin/env python3
"""Records what PyTorch's optimisers and losses compute, for the tests of package train.

Usage: gen.py OUT_DIR      writes OUT_DIR/torch.json.gz
"""
import gzip
import json
import pathlib
import sys

import torch
import torch.nn.functional as F

torch.manual_seed(0)


def floats(t):
    return [float(v) for v in t.detach().reshape(-1)]


def optimizer(name, make, options):
    p = torch.nn.Parameter(torch.randn(7))
    opt = make([p], **options)
    case = {"name": name, "options": options, "start": floats(p), "grads": [], "values": []}
    for step in range(6):
        p.grad = torch.randn(7) * 10 ** (step - 3)
        case["grads"].append(floats(p.grad))
        opt.step()
        case["values"].append(floats(p))
    return case


def loss(name, f, shape, target):
    x = torch.randn(shape, dtype=torch.float64, requires_grad=True)
    y = target(shape)
    value = f(x, y)
    value.backward()
    return {"name": name, "shape": list(shape), "output": floats(x), "target": floats(y), "loss": float(value), "grad": floats(x.grad)}


def distill(temperature):
    def f(x, y):
        return F.kl_div(F.log_softmax(x / temperature, -1), F.softmax(y / temperature, -1), reduction="batchmean") * temperature**2

    return f


normal = lambda shape: torch.randn(shape, dtype=torch.float64)
document = {
    "optimizers": [
        optimizer("sgd", torch.optim.SGD, {"lr": 0.1}),
        optimizer("sgd", torch.optim.SGD, {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.01}),
        optimizer("sgd", torch.optim.SGD, {"lr": 0.05, "momentum": 0.8, "nesterov": True, "weight_decay": 0.1}),
        optimizer("adam", torch.optim.Adam, {"lr": 0.01}),
        optimizer("adam", torch.optim.Adam, {"lr": 0.02, "betas": [0.8, 0.99], "eps": 1e-6, "weight_decay": 0.1}),
        optimizer("adamw", torch.optim.AdamW, {"lr": 0.02, "weight_decay": 0.1}),
    ],
    "losses": [
        loss("cross_entropy", F.cross_entropy, (5, 4), lambda s: torch.randint(0, s[1], s[:1])),
        loss("mse", F.mse_loss, (3, 2, 4), normal),
        loss("distill 1", distill(1), (5, 4), normal),
        loss("distill 3", distill(3), (6, 10), normal),
    ],
}
with open(pathlib.Path(sys.argv[1]) / "torch.json.gz", "wb") as f, gzip.GzipFile("", "wb", 9, f, 0) as z:
    z.write(json.dumps(document).encode())
