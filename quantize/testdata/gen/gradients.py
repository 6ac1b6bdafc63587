#!/usr/bin/python3
"""Records PyTorch's gradients of learnable fake quantization, for the tests of package quantize.

Usage: gradients.py        writes ../gradients.json.gz

A case is named; the test has the operator of that name. The layers of the deployed
forward are what PyTorch makes of a float layer between learnable fake-quantizes. Scales are powers of
two and values multiples of them where the arithmetic of integers is to give
what float32 gives. Zero points are even then: halfway between two integers
PyTorch's forward rounds before it adds the zero point, as octet does, and its
backward after it.
"""

import math
import os
import sys

import torch
import torch.nn.functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "..", "ops", "testdata", "gen"))

from gen import Suite, encode


def fake(x, scale, zero, lo, hi, axis=None):
    factor = 1 / math.sqrt(hi * x.numel())
    if axis is None:
        return torch._fake_quantize_learnable_per_tensor_affine(x, scale, zero, lo, hi, factor)
    return torch._fake_quantize_learnable_per_channel_affine(x, scale, zero, axis, lo, hi, factor)


class Gradients(Suite):
    def add(self, name, inputs, fn):
        leaves = [t.clone().requires_grad_() for t in inputs]
        y = fn(*leaves)
        dy = self.rand(*y.shape, lo=-2, hi=2)
        grads = torch.autograd.grad((y * dy).sum(), leaves, allow_unused=True)
        self.cases.append({"name": name, "in": [encode(t) for t in inputs], "dout": encode(dy), "grads": [None if g is None else encode(g) for g in grads]})

    def steps(self, *shape, step, lo=-24, hi=24):
        return torch.randint(lo, hi + 1, shape, generator=self.generator) * step


def vector(*v):
    return torch.tensor(v, dtype=torch.float32)


def lsq(s):
    for name, scale, zero, lo, hi in [("affine", 0.02, 120.3, 0, 255), ("4 bits", 0.3, 6.5, 0, 15), ("symmetric", 0.03, 0, -128, 127)]:
        s.add("lsq " + name, [torch.randn(3, 40, generator=s.generator) * 2, vector(scale), vector(zero)], lambda x, a, z: fake(x, a, z, lo, hi))
    s.add("lsq channels", [torch.randn(3, 2, 5, generator=s.generator), vector(0.1, 0.05, 0.2), vector(0, 0, 0)], lambda x, a, z: fake(x, a, z, -8, 7, 0))
    s.add("lsq negative", [torch.randn(3, 40, generator=s.generator) * 2, vector(0.03), vector(-20.3)], lambda x, a, z: fake(x, a, z, -128, 127))
    s.add("lsq channels affine", [torch.randn(2, 3, 5, generator=s.generator), vector(0.1, 0.05, 0.2), vector(-1.5, 0.4, 3)], lambda x, a, z: fake(x, a, z, -8, 7, 1))


ACTIVATIONS = {"": lambda x: x, " relu": F.relu, " relu6": F.relu6}
X, W, Y = 1 / 8, 1 / 16, 1 / 4  # scales


def layers(s):
    x = [vector(X), vector(30)]
    y = [vector(Y), vector(10)]
    weight = lambda *shape: [s.steps(*shape, step=1 / 64, lo=-48, hi=48), torch.full(shape[:1], W), torch.zeros(shape[0])]
    quantized = lambda w, a, z: fake(w, a, z, -8, 7, 0)
    for act, f in ACTIVATIONS.items():
        s.add("linear" + act, [s.steps(6, 5, step=X)] + x + weight(7, 5) + [s.steps(7, step=X * W)] + y, lambda x, _a, _b, w, sw, zw, b, sy, zy: fake(f(F.linear(x, quantized(w, sw, zw), b)), sy, zy, 0, 31))
        s.add("conv" + act, [s.steps(2, 3, 5, 5, step=X)] + x + weight(4, 3, 3, 3) + y, lambda x, _a, _b, w, sw, zw, sy, zy: fake(f(F.conv2d(x, quantized(w, sw, zw), stride=2, padding=1)), sy, zy, 0, 31))
        s.add("depthwise" + act, [s.steps(1, 4, 5, 5, step=X)] + x + weight(4, 1, 3, 3) + [s.steps(4, step=X * W)] + y, lambda x, _a, _b, w, sw, zw, b, sy, zy: fake(f(F.conv2d(x, quantized(w, sw, zw), b, padding=1, groups=4)), sy, zy, 0, 31))
        s.add("residual" + act, [s.steps(2, 3, 4, 4, step=X)] + x + weight(5, 3, 1, 1) + [s.steps(2, 5, 4, 4, step=Y, lo=-10, hi=21), vector(Y), vector(10)] + y, lambda x, _a, _b, w, sw, zw, r, _c, _d, sy, zy: fake(f(F.conv2d(x, quantized(w, sw, zw)) + r), sy, zy, 0, 31))
        s.add("float output" + act, [s.steps(6, 5, step=X)] + x + weight(7, 5) + [s.steps(7, step=X * W)], lambda x, _a, _b, w, sw, zw, b: f(F.linear(x, quantized(w, sw, zw), b)))
    s.add("weight per tensor", [s.steps(6, 5, step=X)] + x + weight(7, 5)[:1] + [vector(W), vector(0)] + y, lambda x, _a, _b, w, sw, zw, sy, zy: fake(F.linear(x, fake(w, sw, zw, -8, 7)), sy, zy, 0, 31))


def others(s):
    at = lambda step, zero: [vector(step), vector(zero)]
    for act, f in ACTIVATIONS.items():
        s.add("add" + act, [s.steps(2, 3, 4, step=X)] + at(X, 30) + [s.steps(2, 3, 4, step=Y)] + at(Y, 30) + at(Y, 10), lambda a, _a, _b, b, _c, _d, sy, zy: fake(f(a + b), sy, zy, 0, 31))
        s.add("mul" + act, [s.steps(2, 3, 4, step=X)] + at(X, 30) + [s.steps(1, 3, 1, step=Y)] + at(Y, 30) + at(Y, 10), lambda a, _a, _b, b, _c, _d, sy, zy: fake(f(a * b), sy, zy, 0, 31))
    s.add("gelu", [s.steps(2, 3, 5, step=X)] + at(X, 30) + at(Y, 4), lambda x, _a, _b, sy, zy: fake(F.gelu(x), sy, zy, 0, 15))
    s.add("times a number", [s.steps(2, 3, 5, step=X)] + at(X, 30) + at(Y, 10), lambda x, _a, _b, sy, zy: fake(x * 2.5, sy, zy, 0, 31))
    s.add("a number less", [s.steps(2, 3, 5, step=X)] + at(X, 30) + at(Y, 10), lambda x, _a, _b, sy, zy: fake(2.5 - x, sy, zy, 0, 31))
    s.add("avg pool", [s.steps(2, 3, 6, 6, step=X)] + at(X, 30) + at(X / 2, 10), lambda x, _a, _b, sy, zy: fake(F.avg_pool2d(x, 2), sy, zy, 0, 31))
    s.add("adaptive avg pool", [s.steps(2, 3, 4, 4, step=X)] + at(X, 30) + at(X / 4, 10), lambda x, _a, _b, sy, zy: fake(F.adaptive_avg_pool2d(x, 1), sy, zy, 0, 31))


def pairs(s):
    # Weights of a pair that exceed the limit of 128 steps become the nearest that do not, straight through.
    def project(w, scale, _zero):
        a, b = (w / scale[:, None]).view(3, 2, 2).unbind(-1)
        half = ((a - b + torch.sign(a) * 128) / 2).round()
        beyond = ((a * b > 0) & ((a + b).abs() > 128))[..., None]
        q = torch.stack([half, torch.sign(a) * 128 - half], -1)
        moved = torch.where(beyond, q, torch.stack([a, b], -1)).view(3, 4) * scale[:, None]
        return w + (moved - w).detach()

    s.add("project pairs", [s.steps(3, 4, step=4.0, lo=-31, hi=31), torch.ones(3), torch.zeros(3)], project)


def main():
    torch.set_num_threads(1)
    s = Gradients(11)
    for family in [lsq, layers, others, pairs]:
        family(s)
    s.write(os.path.join(HERE, "..", "gradients"))


if __name__ == "__main__":
    main()
