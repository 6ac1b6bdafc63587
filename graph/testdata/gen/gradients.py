#!/usr/bin/python3
"""Records PyTorch's gradients for the tests of package graph.

Usage: gradients.py        writes ../gradients.json.gz

A case is an operator with its attributes as the Go struct's fields, the inputs,
random gradients of the outputs (null for one nothing depends on), and the
gradients of the inputs that autograd makes of them (null for one without).
PyTorch computes in float64, so that what is compared is the gradient and not
its rounding, but where the operator itself depends on float32.
"""

import math
import os
import sys

import torch
import torch.nn.functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "..", "ops", "testdata", "gen"))

from gen import Suite, encode


class Gradients(Suite):
    def add(self, op, attr, inputs, fn, known=None, outputs=(0,), wide=True):
        """Records the gradients of fn(*inputs), whose results are the outputs of
        the given numbers. known lists inputs that are constants; wide says
        whether PyTorch computes in float64."""
        known = known or []
        leaves = []
        for k, t in enumerate(inputs):
            leaf = t.clone()
            if t.dtype == torch.float32:
                leaf = (leaf.double() if wide else leaf).requires_grad_(k not in known)
            leaves.append(leaf)
        results = fn(*leaves)
        if isinstance(results, torch.Tensor):
            results = [results]
        assert len(results) == len(outputs), op
        upstream = [self.rand(*r.shape, lo=-2, hi=2) for r in results]
        total = sum((r * u.to(r.dtype)).sum() for r, u in zip(results, upstream))
        wanted = [t for t in leaves if t.requires_grad]
        grads = iter(torch.autograd.grad(total, wanted, allow_unused=True))
        recorded = []
        for t in leaves:
            g = next(grads) if t.requires_grad else None
            recorded.append(None if g is None else encode(g.float()))
        dout = [None] * (max(outputs) + 1)
        for k, u in zip(outputs, upstream):
            dout[k] = encode(u)
        case = {"op": op, "attr": attr, "in": [encode(t) for t in inputs], "dout": dout, "grads": recorded}
        if known:
            case["known"] = known
        self.cases.append(case)

    def distinct(self, *shape, step=0.0625):
        """Values none of which stands twice: for extremes."""
        n = math.prod(shape)
        return ((torch.randperm(n, generator=self.generator) - n // 2) * step).reshape(shape)

    def index(self, hi, *shape, lo=0):
        return torch.randint(lo, hi, shape, generator=self.generator)


ACTIVATIONS = {
    "": lambda x: x, "relu": F.relu, "relu6": F.relu6, "gelu": F.gelu, "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"), "silu": F.silu,
    "tanh": torch.tanh, "sigmoid": torch.sigmoid, "hardswish": F.hardswish, "hardsigmoid": F.hardsigmoid,
}


def layers(s):
    for act in ACTIVATIONS:
        s.add("Linear", {"HasBias": True, "Act": act}, [s.rand(5, 7, lo=-1, hi=1), s.rand(3, 7, lo=-1, hi=1), s.rand(3)], lambda x, w, b: ACTIVATIONS[act](F.linear(x, w, b)))
        s.add("Conv", {"Stride": [1, 1], "Padding": [1, 1], "Dilation": [1, 1], "Groups": 1, "HasBias": True, "Act": act},
              [s.rand(1, 2, 4, 5, lo=-1, hi=1), s.rand(3, 2, 3, 3, lo=-1, hi=1), s.rand(3)], lambda x, w, b: ACTIVATIONS[act](F.conv2d(x, w, b, padding=1)))
    s.add("Linear", {}, [s.rand(2, 3, 20), s.rand(18, 20)], F.linear)
    s.add("Linear", {}, [s.rand(6), s.rand(4, 6)], F.linear)
    s.add("Linear", {"HasBias": True, "HasResidual": True, "Act": "relu"}, [s.rand(2, 3, 5), s.rand(4, 5), s.rand(4), s.rand(2, 3, 4)], lambda x, w, b, r: F.relu(F.linear(x, w, b) + r))
    for a, b in [([3, 4], [4, 5]), ([2, 3, 4], [2, 4, 5]), ([2, 3, 4], [4, 5]), ([3, 4], [2, 4, 5]), ([2, 1, 3, 4], [5, 4, 2]), ([4], [4]), ([4], [4, 5]), ([3, 4], [4]), ([2, 3, 4], [4]), ([4], [2, 4, 5]), ([1, 70], [70, 33])]:
        s.add("MatMul", {}, [s.rand(*a), s.rand(*b)], torch.matmul)
        if len(b) > 1:
            s.add("MatMul", {"TransposeB": True}, [s.rand(*a), s.rand(*b).transpose(-1, -2).contiguous()], lambda a, b: torch.matmul(a, b.transpose(-1, -2)))
    for x, a, b in [([2, 5], [2, 3], [3, 5]), ([5], [2, 3], [3, 5]), ([], [2, 3], [3, 5]), ([2, 1], [2, 3], [3, 5])]:
        for beta, alpha in [(1, 1), (0.5, 2), (0, 1)]:
            s.add("AddMM", {"Beta": beta, "Alpha": alpha}, [s.rand(*x), s.rand(*a), s.rand(*b)], lambda x, a, b: torch.addmm(x, a, b, beta=beta, alpha=alpha) if beta else alpha * (a @ b))
    s.add("AddMM", {"Beta": 0.5, "Alpha": 1}, [s.rand(2, 2, 4), s.rand(2, 2, 3), s.rand(2, 3, 4)], lambda x, a, b: torch.baddbmm(x, a, b, beta=0.5))
    for equation, shapes in [("bij,bjk->bik", [[2, 3, 4], [2, 4, 5]]), ("bhid,bhjd->bhij", [[1, 2, 3, 4], [1, 2, 5, 4]]), ("i,j->ij", [[3], [4]]), ("ii->i", [[3, 3]]), ("ij->", [[2, 3]]), ("ij->ji", [[2, 3]]),
                             ("...ij,jk->...ik", [[2, 2, 3], [3, 4]]), ("ab,bc,cd->ad", [[2, 3], [3, 4], [4, 2]]), ("i,i->", [[4], [4]]), ("bi,i->b", [[2, 3], [3]])]:
        s.add("Einsum", {"Equation": equation}, [s.rand(*x) for x in shapes], lambda *x: torch.einsum(equation, *x))


def convolutions(s):
    functions = {1: (F.conv1d, F.conv_transpose1d), 2: (F.conv2d, F.conv_transpose2d), 3: (F.conv3d, F.conv_transpose3d)}
    # batch, channels, spatial, outputs, kernel, stride, padding, dilation, groups
    settings = [
        (2, 3, [9], 4, [3], [2], [1], [1], 1), (1, 4, [8], 6, [2], [1], [0], [3], 2), (2, 6, [7], 6, [3], [1], [1], [1], 6), (1, 3, [5], 8, [1], [1], [0], [1], 1),
        (2, 4, [6, 5], 7, [3, 3], [1, 1], [1, 1], [1, 1], 1), (1, 3, [7, 8], 18, [3, 3], [2, 2], [1, 1], [1, 1], 1), (1, 2, [11, 9], 3, [3, 3], [3, 3], [2, 2], [2, 2], 1), (2, 3, [5, 6], 4, [1, 1], [2, 2], [0, 0], [1, 1], 1),
        (1, 3, [6, 7], 5, [2, 4], [2, 1], [1, 0], [1, 2], 1), (2, 4, [5, 5], 6, [3, 3], [1, 1], [1, 1], [1, 1], 2), (1, 8, [6, 6], 8, [3, 3], [2, 2], [1, 1], [1, 1], 8), (1, 4, [5, 6], 8, [3, 3], [1, 1], [1, 1], [1, 1], 4),
        (2, 9, [5, 5], 9, [3, 3], [1, 1], [1, 1], [1, 1], 9), (1, 8, [6, 5], 8, [3, 3], [1, 1], [2, 2], [2, 2], 8), (1, 5, [8, 7], 5, [2, 2], [3, 3], [0, 0], [1, 1], 5), (1, 3, [16, 16], 8, [7, 7], [2, 2], [3, 3], [1, 1], 1),
        (1, 16, [8, 8], 16, [3, 3], [1, 1], [1, 1], [1, 1], 1), (1, 2, [4, 4], 3, [3, 3], [1, 1], [3, 3], [1, 1], 1),
        (1, 2, [4, 5, 4], 3, [3, 2, 3], [1, 2, 1], [1, 0, 1], [1, 1, 1], 1), (1, 4, [3, 4, 5], 4, [3, 3, 3], [1, 1, 1], [1, 1, 1], [1, 1, 1], 4), (1, 4, [5, 5, 5], 2, [2, 2, 2], [2, 2, 2], [0, 0, 0], [2, 2, 2], 2),
    ]
    for n, c, spatial, o, kernel, stride, padding, dilation, groups in settings:
        conv, _ = functions[len(spatial)]
        a = {"Stride": stride, "Padding": padding, "Dilation": dilation, "Groups": groups}
        x, w, b = s.rand(n, c, *spatial, lo=-1, hi=1), s.rand(o, c // groups, *kernel, lo=-1, hi=1), s.rand(o)
        s.add("Conv", a, [x, w], lambda x, w: conv(x, w, None, stride, padding, dilation, groups))
        if groups > 1 or len(spatial) != 2:
            s.add("Conv", dict(a, HasBias=True, Act="relu6"), [x, w, b], lambda x, w, b: F.relu6(conv(x, w, b, stride, padding, dilation, groups)))
    a = {"Stride": [1, 1], "Padding": [0, 0], "Dilation": [1, 1], "Groups": 1, "HasResidual": True}
    tensors = [s.rand(2, 3, 4, 4, lo=-1, hi=1), s.rand(5, 3, 1, 1, lo=-1, hi=1)]
    s.add("Conv", a, tensors + [s.rand(2, 5, 4, 4)], lambda x, w, r: F.conv2d(x, w) + r)
    s.add("Conv", dict(a, HasBias=True, Act="relu"), tensors + [s.rand(5), s.rand(2, 5, 4, 4)], lambda x, w, b, r: F.relu(F.conv2d(x, w, b) + r))
    # batch, channels, spatial, outputs, kernel, stride, padding, output padding, dilation, groups
    settings = [
        (2, 3, [5], 4, [3], [2], [1], [1], [1], 1), (1, 4, [4], 4, [2], [1], [0], [0], [2], 2), (2, 4, [3, 3], 4, [3, 3], [2, 2], [1, 1], [1, 1], [1, 1], 4), (1, 3, [3, 4], 5, [3, 3], [2, 2], [1, 1], [1, 1], [1, 1], 1),
        (1, 4, [3, 4], 4, [3, 3], [1, 1], [0, 0], [0, 0], [1, 1], 2), (2, 3, [4, 4], 2, [2, 2], [2, 2], [0, 0], [0, 0], [1, 1], 1), (1, 3, [3, 4], 4, [4, 4], [2, 2], [1, 1], [0, 0], [1, 1], 1), (1, 2, [4, 3], 3, [3, 2], [1, 3], [1, 0], [0, 2], [2, 1], 1),
        (1, 2, [4, 4], 3, [3, 3], [1, 1], [1, 1], [1, 1], [2, 2], 1), (1, 2, [3, 3, 2], 3, [2, 3, 2], [2, 1, 2], [0, 1, 0], [1, 0, 0], [1, 1, 1], 1), (1, 4, [2, 3, 3], 4, [3, 3, 3], [1, 2, 1], [1, 1, 1], [0, 1, 0], [1, 1, 1], 2),
    ]
    for n, c, spatial, o, kernel, stride, padding, out, dilation, groups in settings:
        conv = functions[len(spatial)][1]
        a = {"Stride": stride, "Padding": padding, "OutputPadding": out, "Dilation": dilation, "Groups": groups}
        x, w, b = s.rand(n, c, *spatial, lo=-1, hi=1), s.rand(c, o // groups, *kernel, lo=-1, hi=1), s.rand(o)
        s.add("ConvTranspose", a, [x, w], lambda x, w: conv(x, w, None, stride, padding, out, groups, dilation))
        s.add("ConvTranspose", dict(a, HasBias=True, Act="relu"), [x, w, b], lambda x, w, b: F.relu(conv(x, w, b, stride, padding, out, groups, dilation)))


def norms(s):
    for shape in [[3, 4], [2, 3, 5], [2, 3, 2, 3], [1, 2, 2, 2, 2]]:
        c = shape[1]
        tensors = [s.rand(*shape), s.rand(c), s.rand(c), s.rand(c), s.rand(c, lo=1)]
        s.add("BatchNorm", {"Eps": 1e-5}, tensors, lambda x, w, b, m, v: F.batch_norm(x, m.detach(), v.detach(), w, b, False, 0.1, 1e-5), known=[3, 4])
        s.add("BatchNormTrain", {"Eps": 1e-3, "Momentum": 0.1}, tensors, lambda x, w, b, m, v: F.batch_norm(x, m.detach(), v.detach(), w, b, True, 0.1, 1e-3), known=[3, 4])
    for shape, bias in [([3, 2, 2], False), ([3, 2, 2], True), ([4, 3, 3, 3], True)]:
        o = shape[0]

        def fold(*t):
            w, b = t[0], t[1] if bias else 0
            gamma, beta, mean, variance = t[-4:]
            r = (variance.detach() + 1e-5).rsqrt()
            return [w * (gamma * r).reshape([-1] + [1] * (w.dim() - 1)), (b - mean.detach()) * r * gamma + beta]

        first = [s.rand(*shape)] + ([s.rand(o)] if bias else [])
        s.add("FoldBatchNorm", {"Eps": 1e-5, "HasBias": bias}, first + [s.rand(o), s.rand(o), s.rand(o), s.rand(o, lo=1)], fold, known=[len(first) + 2, len(first) + 3], outputs=(0, 1))
    for shape, dims in [([4, 10], 1), ([2, 3, 4], 1), ([2, 3, 4], 2), ([2, 3, 4], 3), ([2, 130], 1), ([5], 1)]:
        normal = shape[len(shape) - dims:]
        for weight, bias in [(True, True), (True, False), (False, False)]:
            tensors = [s.rand(*shape)] + [s.rand(*normal) for has in (weight, bias) if has]
            s.add("LayerNorm", {"Dims": dims, "Eps": 1e-5, "HasWeight": weight, "HasBias": bias}, tensors, lambda x, w=None, b=None: F.layer_norm(x, normal, w, b, 1e-5))
    for shape, groups in [([2, 6, 4, 5], 3), ([2, 6, 4, 5], 1), ([2, 4, 3], 4), ([3, 12], 2), ([1, 4, 2, 3, 2], 2)]:
        for weight, bias in [(True, True), (False, False)]:
            tensors = [s.rand(*shape)] + [s.rand(shape[1]) for has in (weight, bias) if has]
            s.add("GroupNorm", {"Groups": groups, "Eps": 1e-5, "HasWeight": weight, "HasBias": bias}, tensors, lambda x, w=None, b=None: F.group_norm(x, groups, w, b, 1e-5))
            if len(shape) > 2:
                s.add("InstanceNorm", {"Eps": 1e-5, "HasWeight": weight, "HasBias": bias}, tensors, lambda x, w=None, b=None: F.instance_norm(x, weight=w, bias=b, eps=1e-5))


def poolings(s):
    maxes, averages = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}, {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}
    adaptive = {1: F.adaptive_avg_pool1d, 2: F.adaptive_avg_pool2d, 3: F.adaptive_avg_pool3d}
    settings = [([2, 3, 9], [3], [2], [1]), ([1, 70, 8], [2], [2], [0]), ([2, 3, 6, 7], [3, 2], [2, 1], [1, 0]), ([1, 3, 7, 7], [2, 2], [2, 2], [0, 0]), ([1, 2, 7, 8], [3, 3], [2, 2], [1, 1]), ([1, 2, 5, 6, 5], [2, 3, 2], [2, 2, 1], [1, 1, 0])]
    for shape, kernel, stride, padding in settings:
        n = len(kernel)
        for ceil in [False, True]:
            for dilation in [1, 2]:
                a = {"Kernel": kernel, "Stride": stride, "Padding": padding, "Dilation": [dilation] * n, "CeilMode": ceil}
                # Few different values, so that windows have several greatest elements.
                for x in [s.distinct(*shape), s.rand(*shape, lo=0, hi=1) // 0.25]:
                    s.add("MaxPool", a, [x], lambda x: maxes[n](x, kernel, stride, padding, dilation, ceil))
            for include in [False, True]:
                a = {"Kernel": kernel, "Stride": stride, "Padding": padding, "CeilMode": ceil, "CountIncludePad": include}
                s.add("AvgPool", a, [s.rand(*shape)], lambda x: averages[n](x, kernel, stride, padding, ceil, include))
                if n > 1:
                    s.add("AvgPool", dict(a, Divisor=5), [s.rand(*shape)], lambda x: averages[n](x, kernel, stride, padding, ceil, include, 5))
    for shape, size in [([2, 3, 7], [3]), ([2, 3, 7], [1]), ([2, 3, 4], [9]), ([2, 3, 7, 5], [3, 2]), ([2, 3, 4, 5], [1, 1]), ([1, 2, 6, 6], [3, 3]), ([1, 2, 3, 4], [5, 7]), ([1, 2, 5, 4, 3], [2, 3, 1])]:
        s.add("AdaptiveAvgPool", {"Size": size}, [s.rand(*shape)], lambda x: adaptive[len(size)](x, size))


UNARY = {
    "relu": F.relu, "relu6": F.relu6, "neg": torch.neg, "abs": torch.abs, "sign": torch.sign, "square": torch.square, "floor": torch.floor, "ceil": torch.ceil, "round": torch.round,
    "trunc": torch.trunc, "exp": torch.exp, "exp2": torch.exp2, "expm1": torch.expm1, "log": torch.log, "log2": torch.log2, "log10": torch.log10, "log1p": torch.log1p, "sqrt": torch.sqrt,
    "rsqrt": torch.rsqrt, "reciprocal": torch.reciprocal, "sin": torch.sin, "cos": torch.cos, "tan": torch.tan, "asin": torch.asin, "acos": torch.acos, "atan": torch.atan, "sinh": torch.sinh,
    "cosh": torch.cosh, "tanh": torch.tanh, "asinh": torch.asinh, "acosh": torch.acosh, "atanh": torch.atanh, "erf": torch.erf, "erfc": torch.erfc, "sigmoid": torch.sigmoid,
    "log_sigmoid": F.logsigmoid, "gelu": F.gelu, "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"), "silu": F.silu, "mish": F.mish, "softsign": F.softsign, "hardswish": F.hardswish,
    "hardsigmoid": F.hardsigmoid, "selu": F.selu,
}
# With the parameters a and b, and values at which the derivative jumps.
PARAMETERS = {
    "clamp": (lambda x, a, b: torch.clamp(x, a, b), [(-1, 2), (0, 0), (0.5, 0.25)]), "clamp_min": (lambda x, a, b: torch.clamp(x, min=a), [(0.5, 0), (0, 0)]),
    "clamp_max": (lambda x, a, b: torch.clamp(x, max=a), [(0.5, 0), (0, 0)]), "softplus": (lambda x, a, b: F.softplus(x, a, b), [(1, 20), (2, 3)]),
    "hardshrink": (lambda x, a, b: F.hardshrink(x, a), [(0.5, 0), (0, 0)]), "softshrink": (lambda x, a, b: F.softshrink(x, a), [(0.5, 0), (0, 0)]),
    "leaky_relu": (lambda x, a, b: F.leaky_relu(x, a), [(0.01, 0), (0.25, 0), (0, 0)]), "threshold": (lambda x, a, b: F.threshold(x, a, b), [(0.5, 2), (0, 0)]),
    "elu": (lambda x, a, b: F.elu(x, a), [(1, 0), (0.5, 0)]), "celu": (lambda x, a, b: F.celu(x, a), [(1, 0), (0.5, 0)]),
}
INSIDE = {"log": (1, 8), "log2": (1, 8), "log10": (1, 8), "sqrt": (1, 8), "rsqrt": (1, 8), "reciprocal": (1, 8), "acosh": (2, 8), "log1p": (0, 8)}


def elementwise(s):
    kinks = torch.tensor([-6, -3, -2, -1, -0.5, 0, 0.25, 0.5, 1, 1.5, 2, 2.5, 3, 6, 7]).float()
    for name, f in UNARY.items():
        x = s.rand(3, 5)
        if name in INSIDE:
            x = s.rand(3, 5, lo=INSIDE[name][0], hi=INSIDE[name][1])
        elif name in ("asin", "acos", "atanh"):
            x = x / 5
        s.add("Unary", {"Fn": name}, [x], f)
        if name not in INSIDE and name not in ("asin", "acos", "atanh"):
            s.add("Unary", {"Fn": name}, [kinks], f)
    for name, (f, parameters) in PARAMETERS.items():
        for a, b in parameters:
            s.add("Unary", {"Fn": name, "Alpha": a, "Beta": b}, [torch.cat([kinks, s.rand(10)])], lambda x: f(x, a, b))
    # Of selu a NaN has 0, of softsign, which PyTorch makes of others, an infinity NaN.
    for name, f in UNARY.items():
        if name not in ("selu", "softsign"):
            s.add("Unary", {"Fn": name}, [torch.tensor([math.nan, math.inf, -math.inf, 1])], f)
    s.add("Unary", {"Fn": "round", "Alpha": 1}, [kinks], lambda x: x + (x.round() - x).detach())
    for name in ["sqrt", "log", "reciprocal", "rsqrt"]:
        s.add("Unary", {"Fn": name}, [torch.tensor([0.0, 1.0])], UNARY[name])
    for name in ["sigmoid", "log_sigmoid", "tanh", "gelu", "gelu_tanh", "silu", "mish", "softsign", "erf", "elu", "selu", "celu", "softplus"]:
        f = UNARY[name] if name in UNARY else lambda x: PARAMETERS[name][0](x, 1, 20)
        s.add("Unary", {"Fn": name, "Alpha": 1, "Beta": 20}, [torch.tensor([-100.0, -30, -15, 0.5, 15, 30, 100])], f)
    binary(s)


def binary(s):
    functions = {
        "add": torch.add, "sub": torch.sub, "mul": torch.mul, "div": torch.div, "pow": torch.pow, "maximum": torch.maximum, "minimum": torch.minimum, "atan2": torch.atan2,
        "floor_divide": lambda x, y: torch.div(x, y, rounding_mode="floor"), "trunc_divide": lambda x, y: torch.div(x, y, rounding_mode="trunc"), "remainder": torch.remainder, "fmod": torch.fmod,
    }
    for name, f in functions.items():
        for x, y in [([3, 4], [3, 4]), ([3, 4], [4]), ([3, 1], [3, 4]), ([2, 3, 4], [3, 1]), ([1, 4], [3, 1]), ([3, 4], []), ([], [2, 2]), ([], [])]:
            low = {"pow": 1, "div": 1, "atan2": 1}.get(name, -4)
            a, b = s.rand(*x, lo=low), s.rand(*y, lo=low)
            if "div" in name or name in ("remainder", "fmod"):
                b = b.sign() * (b.abs() + 0.53) + (b == 0).float()
            s.add("Binary", {"Fn": name}, [a, b], f)
        # A Python number on either side.
        for shape in [[3, 4], []]:
            n = torch.tensor(2.5, dtype=torch.float64)
            x = s.rand(*shape, lo=1)
            if name not in ("maximum", "minimum", "atan2"):
                s.add("Binary", {"Fn": name, "BNumber": True}, [x, n], lambda x, n: f(x, n.item()))
                if name not in ("floor_divide", "trunc_divide", "fmod"):
                    s.add("Binary", {"Fn": name, "ANumber": True}, [n, x], lambda n, x: f(torch.full_like(x, n.item()), x) if name == "remainder" else {"add": n.item() + x, "sub": n.item() - x, "mul": n.item() * x, "div": n.item() / x, "pow": n.item() ** x}[name])
    for act in ["relu", "relu6"]:
        for name in ["add", "sub", "mul", "div"]:
            s.add("Binary", {"Fn": name, "Act": act}, [s.rand(3, 4), s.rand(4, lo=1)], lambda x, y: ACTIVATIONS[act](functions[name](x, y)))
    for name in ["maximum", "minimum"]:
        s.add("Binary", {"Fn": name}, [torch.tensor([math.nan, 1, 2]), torch.tensor([1, math.nan, 2])], functions[name])
    few = lambda: s.rand(20, lo=0, hi=1) // 0.5
    for name in ["maximum", "minimum"]:
        s.add("Binary", {"Fn": name}, [few(), few()], functions[name])
    s.add("Binary", {"Fn": "pow"}, [torch.tensor([0.0, 0, 2, -2, -2, 3]), torch.tensor([0.0, 2, 0, 2, 3, -1])], torch.pow)
    for y in [0, 1, 2, 3, -1, 0.5]:
        x = torch.tensor([0.5, 2, 3]) if y < 1 else torch.tensor([-2.0, 0, 0.5, 3])
        s.add("Binary", {"Fn": "pow", "BNumber": True}, [x, torch.tensor(y, dtype=torch.float64)], lambda x, n: torch.pow(x, y))
    s.add("Binary", {"Fn": "mul"}, [s.rand(2, 3), s.rand(2, 3, dtype=torch.int64)], torch.mul)
    s.add("Binary", {"Fn": "add"}, [s.rand(2, 3), s.rand(3, dtype=torch.bool)], torch.add)


def reductions(s):
    dims = [([2, 3, 4], [1], False), ([2, 3, 4], [0, 2], True), ([2, 3, 4], [], False), ([4], [0], False), ([3, 1], [-1], False), ([], [], False)]
    for shape, axes, keep in dims:
        whole = axes or list(range(len(shape)))
        n = math.prod(shape[a] for a in whole)
        a = {"Axes": axes, "KeepDims": keep}
        functions = {
            "sum": lambda x: x.sum(whole, keep), "mean": lambda x: x.mean(whole, keep), "amax": lambda x: x.amax(whole, keep), "amin": lambda x: x.amin(whole, keep),
            "logsumexp": lambda x: x.logsumexp(whole, keep),
        }
        if not shape:
            functions = {"sum": torch.sum, "mean": torch.mean, "amax": torch.amax, "amin": torch.amin}
        for name, f in functions.items():
            s.add("Reduce", dict(a, Fn=name), [s.distinct(*shape)], f)
            if name in ("amax", "amin") and shape:
                s.add("Reduce", dict(a, Fn=name), [s.rand(*shape, lo=0, hi=1) // 0.5], f)
        if not shape:
            continue
        for zeros in range(3):
            if len(whole) == 1 or not keep:
                x = s.rand(*shape, lo=1, hi=2)
                x.view(-1)[: zeros * (zeros < x.numel())] = 0
                s.add("Reduce", dict(a, Fn="prod"), [x], lambda x: x.prod(whole[0], keep) if len(whole) == 1 else x.prod())
        for correction in [0, 1]:
            if n > correction:
                for x in [s.rand(*shape), torch.ones(*shape)]:
                    s.add("Reduce", dict(a, Fn="var", Correction=correction), [x], lambda x: torch.var(x, whole, correction=correction, keepdim=keep))
                    s.add("Reduce", dict(a, Fn="std", Correction=correction), [x], lambda x: torch.std(x, whole, correction=correction, keepdim=keep))
        for p in [0, 0.5, 1, 1.5, 2, 3, math.inf, -math.inf]:
            some = s.rand(*shape)
            some.view(-1)[0] = 0
            for x in [some, torch.zeros(*shape), s.rand(*shape, lo=0, hi=1) // 0.5 * 2 - 1]:
                s.add("Reduce", dict(a, Fn="norm", P="+Inf" if p == math.inf else "-Inf" if p == -math.inf else str(p)), [x], lambda x: torch.norm(x, p, whole, keep))
    for axis in [0, 1, -1]:
        for zeros in range(4):
            x = s.rand(3, 4, lo=1, hi=2)
            x[1, :zeros] = 0
            s.add("PrefixScan", {"Axis": axis, "Product": True}, [x], lambda x: x.cumprod(axis))
        s.add("PrefixScan", {"Axis": axis}, [s.rand(3, 4)], lambda x: x.cumsum(axis))
    for shape, axis in [([3, 5], -1), ([2, 3, 4], 1), ([3, 4, 2], 0), ([5], 0), ([2, 150], 1), ([2, 3, 4, 2], 1)]:
        x = s.rand(*shape)
        s.add("Softmax", {"Axis": axis}, [x], lambda x: x.softmax(axis))
        s.add("Softmax", {"Axis": axis, "Log": True}, [x], lambda x: x.log_softmax(axis))
    x = s.rand(3, 4)
    x[:, 1] = -math.inf
    s.add("Softmax", {"Axis": 1}, [x], lambda x: x.softmax(1))
    for n, c in [(5, 4), (1, 10), (7, 2)]:
        s.add("CrossEntropy", {}, [s.rand(n, c), s.index(c, n)], F.cross_entropy)
    for blank, zero, targets in [(0, False, s.index(4, 2, 3, lo=1)), (3, True, s.index(3, 5))]:
        lengths = torch.tensor([6, 4]), torch.tensor([3, 2])
        s.add("CTCLoss", {"Blank": blank, "ZeroInfinity": zero}, [s.rand(6, 2, 4).log_softmax(-1), targets, *lengths], lambda x, t, a, b: F.ctc_loss(x, t, a, b, blank, "none", zero))
    s.add("CrossEntropy", {}, [s.rand(3, 4) * 30, s.index(4, 3)], F.cross_entropy)


def moves(s):
    for shape, to in [([2, 3, 4], [3, -1]), ([2, 3, 4], [0, 12]), ([1], []), ([4], [2, 2])]:
        s.add("Reshape", {"Shape": to}, [s.rand(*shape)], lambda x: x.reshape([shape[0] if d == 0 else d for d in to]))
        s.add("ReshapeTo", {}, [s.rand(*shape), torch.tensor([shape[0] if d == 0 else d for d in to], dtype=torch.int64)], lambda x, n: x.reshape(n.tolist()), known=[1])
    for start, end in [(1, -1), (0, 1), (0, -1)]:
        s.add("Flatten", {"Start": start, "End": end}, [s.rand(2, 3, 4)], lambda x: x.flatten(start, end))
    s.add("DynamicReshape", {"Extents": [{"Of": [{"Axis": 0}, {"Axis": 1}], "Divisor": 3}, {"Factor": 3}, {"Of": [{"Axis": 2}]}]}, [s.rand(2, 3, 4)], lambda x: x.reshape(2, 3, 4))
    for order in [[2, 0, 1], [0, 2, 1], [-1, 0, 1], [0, 1, 2]]:
        s.add("Permute", {"Order": order}, [s.rand(2, 3, 4)], lambda x: x.permute(order))
    for before, after in [([0, 1], [2, -1]), ([1, 1], [1, 1]), ([-1, 0], [0, 3])]:
        s.add("Pad", {"Before": before, "After": after, "Value": 0.5}, [s.rand(3, 4)], lambda x: F.pad(x, [before[1], after[1], before[0], after[0]], value=0.5))
    for shape, before, after in [([2, 3, 5], [0, 0, 2], [0, 0, 1]), ([2, 3, 5], [0, 0, 4], [0, 0, 4]), ([1, 2, 3, 4], [0, 0, 1, 2], [0, 0, 2, 1]), ([1, 2, 3, 4], [0, 0, 0, 1], [0, 0, 2, 0]), ([1, 2, 4, 4], [0, 0, -1, 2], [0, 0, 2, -1]), ([1, 1, 2, 3, 4], [0, 0, 1, 1, 1], [0, 0, 1, 2, 3])]:
        for mode in ["reflect", "replicate", "circular"]:
            if mode == "circular" and min(before + after) < 0:
                continue
            p = [v for pair in reversed(list(zip(before[2:], after[2:]))) for v in pair]
            s.add("PadMode", {"Fn": mode, "Before": before, "After": after}, [s.rand(*shape)], lambda x: F.pad(x, p, mode))
    for axis, start, end, step in [(1, 1, 6, 2), (0, 0, 2, 1), (-1, -3, 7, 1), (1, 2, 3, 1), (0, 0, 3, 1)]:
        key = lambda x: x[start:end:step] if axis == 0 else x[:, start:end:step]
        s.add("Slice", {"Axis": axis, "Start": start, "End": end, "Step": step}, [s.rand(3, 7)], key)
        s.add("SliceTo", {"Axis": axis, "Step": step}, [s.rand(3, 7), torch.tensor(start), torch.tensor(end)], lambda x, a, b: key(x), known=[1, 2])
    for shapes, axis in [([[2, 3, 4], [2, 1, 4]], 1), ([[2, 3], [2, 3], [1, 3]], 0), ([[2, 3], [2, 2]], -1), ([[2, 3]], 0)]:
        s.add("Concat", {"Axis": axis}, [s.rand(*x) for x in shapes], lambda *x: torch.cat(x, axis))
    for axis in [0, 1, 2, -1]:
        s.add("Stack", {"Axis": axis}, [s.rand(2, 3), s.rand(2, 3)], lambda *x: torch.stack(x, axis))
    for shape, to in [([3, 1], [2, 3, 4]), ([1], [2, 3]), ([], [2, 2]), ([2, 1, 3], [-1, 4, -1]), ([3], [3])]:
        s.add("Expand", {"Shape": to}, [s.rand(*shape)], lambda x: x.expand(to))
        s.add("Expand", {}, [s.rand(*shape), torch.tensor(to)], lambda x, n: x.expand(n.tolist()), known=[1])
    for shape, n in [([3], [2]), ([2, 3], [2, 1]), ([2, 3], [3, 2, 2]), ([], [3]), ([2, 2, 2], [1, 2, 3]), ([2, 3], [1, 1])]:
        s.add("Tile", {"Repeats": n}, [s.rand(*shape)], lambda x: x.repeat(n))
    for axes in [[0], [1], [0, -1], []]:
        s.add("Flip", {"Axes": axes}, [s.rand(3, 4)], lambda x: torch.flip(x, axes))
    for shifts, axes in [([1], [0]), ([-3, 2], [1, 0]), ([2], []), ([1, 1], [0, 0])]:
        s.add("Roll", {"Shifts": shifts, "Axes": axes}, [s.rand(3, 4)], lambda x: torch.roll(x, shifts, axes) if axes else torch.roll(x, shifts))
    for diagonal in [-1, 0, 2]:
        s.add("Trilu", {"Diagonal": diagonal}, [s.rand(2, 3, 4)], lambda x: torch.tril(x, diagonal))
        s.add("Trilu", {"Diagonal": diagonal, "Upper": True}, [s.rand(4, 3)], lambda x: torch.triu(x, diagonal))
        s.add("Diagonal", {"Offset": diagonal, "Axis1": 0, "Axis2": 1}, [s.rand(3, 4)], lambda x: torch.diagonal(x, diagonal))
        s.add("Diagonal", {"Offset": diagonal, "Axis1": 2, "Axis2": 0}, [s.rand(4, 2, 3)], lambda x: torch.diagonal(x, diagonal, 2, 0))
    for shape, axis, size, step in [([7], 0, 3, 2), ([2, 6], 1, 2, 2), ([2, 6], -1, 6, 1), ([5, 3], 0, 2, 1), ([2, 7, 3], 1, 3, 1)]:
        s.add("SlidingWindow", {"Axis": axis, "Size": size, "Step": step}, [s.rand(*shape)], lambda x: x.unfold(axis, size, step))
    for shape, *window in [([2, 3, 4, 5], [3, 3], [1, 1], [1, 1], [1, 1]), ([1, 2, 5, 5], [2, 2], [2, 2], [0, 0], [1, 1]), ([1, 1, 6, 7], [3, 2], [2, 1], [1, 2], [2, 1])]:
        kernel, stride, padding, dilation = window
        a = {"Kernel": kernel, "Stride": stride, "Padding": padding, "Dilation": dilation}
        s.add("Unfold", a, [s.rand(*shape)], lambda x: F.unfold(x, kernel, dilation, padding, stride))
        columns = F.unfold(torch.zeros(shape), kernel, dilation, padding, stride)
        s.add("Fold", dict(a, Size=shape[2:]), [s.rand(*columns.shape)], lambda x: F.fold(x, shape[2:], kernel, dilation, padding, stride))
    for shape, r in [([2, 8, 3, 4], 2), ([1, 9, 2, 2], 3), ([4, 2, 2], 2)]:
        s.add("PixelShuffle", {"Factor": r}, [s.rand(*shape)], lambda x: F.pixel_shuffle(x, r))
    for shape, r in [([2, 2, 4, 6], 2), ([1, 3, 3], 3)]:
        s.add("PixelShuffle", {"Factor": r, "Reverse": True}, [s.rand(*shape)], lambda x: F.pixel_unshuffle(x, r))
    for groups in [2, 3]:
        s.add("ChannelShuffle", {"Groups": groups}, [s.rand(2, 6, 2, 3)], lambda x: x.reshape(2, groups, -1, 2, 3).transpose(1, 2).reshape(x.shape))  # PyTorch 1.13 has no gradient of its own
    s.add("Cast", {"DType": "float32"}, [s.rand(2, 3)], lambda x: x.clone())
    s.add("Cast", {"DType": "float16"}, [s.rand(2, 3)], lambda x: x.half(), wide=False)
    s.add("Full", {"Like": True, "Value": 2, "DType": "float32"}, [s.rand(2, 3)], lambda x: torch.full_like(x, 2) + 0 * x)
    s.add("Detach", {}, [s.rand(2, 3)], lambda x: x.detach() + 0 * x)


def empties(s):
    """Without elements, and made of none."""
    x = lambda *shape: torch.zeros(*shape)
    s.add("Reshape", {"Shape": [0, -1]}, [x(3, 0)], lambda x: x.reshape(3, 0))
    s.add("Flatten", {"Start": 0, "End": -1}, [x(0, 3)], lambda x: x.flatten())
    s.add("Stack", {"Axis": 0}, [x(0, 3), x(0, 3)], lambda *x: torch.stack(x))
    s.add("Expand", {"Shape": [2, 0, 3]}, [x(0, 1)], lambda x: x.expand(2, 0, 3))
    s.add("Tile", {"Repeats": [2, 2]}, [x(0, 3)], lambda x: x.repeat(2, 2))
    s.add("Tile", {"Repeats": [0, 1]}, [s.rand(2, 3)], lambda x: x.repeat(0, 1))
    s.add("Diagonal", {"Axis1": 1, "Axis2": 2}, [x(0, 3, 4)], lambda x: x.diagonal(0, 1, 2))
    s.add("Binary", {"Fn": "mul"}, [x(0, 3), s.rand(3)], torch.mul)
    s.add("Linear", {"HasBias": True}, [x(0, 3), s.rand(2, 3), s.rand(2)], F.linear)
    s.add("MatMul", {}, [x(0, 3), s.rand(3, 2)], torch.matmul)
    s.add("MatMul", {}, [s.rand(2, 3), x(3, 0)], torch.matmul)
    s.add("Softmax", {"Axis": 1}, [x(0, 3)], lambda x: x.softmax(1))
    s.add("GroupNorm", {"Groups": 2, "Eps": 1e-5, "HasWeight": True, "HasBias": True}, [x(0, 4, 3), s.rand(4), s.rand(4)], lambda x, w, b: F.group_norm(x, 2, w, b))
    s.add("LayerNorm", {"Dims": 1, "Eps": 1e-5, "HasWeight": True, "HasBias": True}, [x(0, 4), s.rand(4), s.rand(4)], lambda x, w, b: F.layer_norm(x, [4], w, b))
    for fn in ["sum", "mean", "prod", "logsumexp"]:
        s.add("Reduce", {"Fn": fn, "Axes": [0]}, [x(3, 0)], lambda x: getattr(x, fn)(0))
    s.add("Reduce", {"Fn": "sum", "Axes": [0]}, [x(0, 3)], lambda x: x.sum(0))
    s.add("Index", {"Axes": [0]}, [s.rand(3, 2), s.index(3, 0)], lambda x, i: x[i])
    s.add("Gather", {"Axis": 0}, [s.rand(3), s.index(3, 0)], lambda x, i: x.gather(0, i))
    s.add("Embedding", {}, [s.rand(3, 2), s.index(3, 0)], lambda w, i: F.embedding(i, w))
    s.add("Concat", {"Axis": 0}, [s.rand(2, 3), x(0, 3)], lambda *x: torch.cat(x))
    s.add("Slice", {"Axis": 0, "Start": 1, "End": 1, "Step": 1}, [s.rand(2, 3)], lambda x: x[1:1])
    s.add("ArgMax", {"Axis": 0, "Values": True}, [x(3, 0)], lambda x: x.max(0)[0])
    s.add("Sort", {"Axis": 0}, [x(3, 0)], lambda x: x.sort(0)[0])


def indices(s):
    for shape in [[3], [2, 2], []]:
        s.add("Embedding", {}, [s.rand(5, 3), s.index(5, *shape)], lambda w, i: F.embedding(i, w))
    s.add("Embedding", {}, [s.rand(5, 70), s.index(5, 9).int()], lambda w, i: F.embedding(i, w))
    for shape, axis, n in [([4, 3], 0, 6), ([2, 3, 4], 1, 2), ([2, 3, 4], -1, 5), ([5], 0, 3)]:
        s.add("IndexSelect", {"Axis": axis}, [s.rand(*shape), s.index(shape[axis], n)], lambda x, i: x.index_select(axis, i))
    for x, i, axis in [([4], [6], 0), ([3, 4], [3, 4], 0), ([3, 4], [2, 2], 1), ([3, 4, 5], [2, 4, 3], 1), ([3, 1, 5], [3, 1, 7], -1), ([], [], 0)]:
        s.add("Gather", {"Axis": axis}, [s.rand(*x), s.index(x[axis] if x else 1, *i)], lambda x, i: x.gather(axis, i))
    for shape, axes, idx in [([5], [0], [[4]]), ([4, 5], [1], [[3]]), ([4, 5], [0, 1], [[3], [3]]), ([4, 5], [0, 1], [[3, 1], [2]]), ([4, 5, 6], [1], [[2, 2]]), ([4, 5, 6], [0, 2], [[3], [3]]), ([2, 3, 4, 5], [1, 2], [[2], [2]])]:
        i = [s.index(shape[a], *n, lo=-shape[a]) for a, n in zip(axes, idx)]
        key = lambda x, i: tuple(i[axes.index(d)] if d in axes else slice(None) for d in range(x.dim()))
        s.add("Index", {"Axes": axes}, [s.rand(*shape)] + i, lambda x, *i: x[key(x, i)])
        result = torch.zeros(shape)[key(torch.zeros(shape), i)].shape
        once = [torch.randperm(min(shape[a] for a in axes), generator=s.generator)[:2] for a in axes]
        for accumulate in [True, False]:

            def put(x, v, *i):
                y = x.clone()
                if accumulate:
                    flat = torch.arange(x.numel()).view(x.shape)[key(x, i)]
                    return y.view(-1).index_add(0, flat.reshape(-1), v.expand(flat.shape).reshape(-1)).view(x.shape)
                y[key(x, i)] = v
                return y

            chosen = i if accumulate else once
            result = torch.zeros(shape)[key(torch.zeros(shape), chosen)].shape
            for values in [s.rand(*result), s.rand(*result[-1:]), s.rand()]:
                s.add("IndexPut", {"Axes": axes, "Accumulate": accumulate}, [s.rand(*shape), values] + chosen, put)
    functions = {
        "set": lambda x, a, i, v: x.scatter(a, i, v), "add": lambda x, a, i, v: x.scatter_add(a, i, v),
        "amax": lambda x, a, i, v: x.scatter_reduce(a, i, v, "amax"), "amin": lambda x, a, i, v: x.scatter_reduce(a, i, v, "amin"),
    }
    for fn, f in functions.items():
        for x, i, axis in [([4], [3], 0), ([3, 4], [3, 2], 1), ([3, 4], [2, 4], 0), ([3, 4, 2], [2, 4, 1], 1)]:
            if fn == "set":
                lines = torch.stack([torch.randperm(x[axis], generator=s.generator)[: i[axis]] for _ in range(math.prod(i) // i[axis])])
                index = lines.reshape([d for k, d in enumerate(i) if k != axis] + [i[axis]]).movedim(-1, axis).contiguous()
            else:
                index = s.index(x[axis], *i)
            few = lambda *shape: s.rand(*shape, lo=0, hi=1) // 0.5 if fn in ("amax", "amin") else s.rand(*shape)
            s.add("Scatter", {"Axis": axis, "Fn": fn}, [few(*x), index, few(*i)], lambda x, i, v: f(x, axis, i, v))
    s.add("Scatter", {"Axis": 1, "Number": True}, [s.rand(2, 3), torch.tensor([[0, 2], [1, 1]]), torch.tensor(0.5, dtype=torch.float64)], lambda x, i, v: x.scatter(1, i, v.item()))
    s.add("Scatter", {"Axis": 1, "Fn": "add"}, [s.rand(2, 3), torch.tensor([[0, 2], [1, 1]]), s.rand(3, 4)], lambda x, i, v: x.scatter_add(1, i, v[:2, :2]))  # PyTorch refuses more elements than indices
    for shapes in [([3, 4], [3, 4], [3, 4]), ([3, 1], [4], [2, 3, 4]), ([4], [], [3, 1])]:
        s.add("Where", {}, [s.rand(*shapes[0], dtype=torch.bool)] + [s.rand(*x) for x in shapes[1:]], torch.where)
    s.add("Where", {"ANumber": True, "KeepB": True}, [s.rand(3, 4, dtype=torch.bool), torch.tensor(0.5, dtype=torch.float64), s.rand(3, 4)], lambda m, v, x: x.masked_fill(m, v.item()))
    for axis in [0, 1, -1]:
        for least in [False, True]:
            for keep in [False, True]:
                f = torch.min if least else torch.max
                s.add("ArgMax", {"Axis": axis, "Min": least, "KeepDims": keep, "Values": True}, [s.distinct(4, 5)], lambda x: f(x, axis, keep)[0])
    s.add("ArgMax", {"Axis": 1, "Values": True}, [torch.tensor([[1.0, 3, 3], [2, 2, 2]])], lambda x: torch.max(x, 1)[0])
    s.add("ArgMax", {"Values": True}, [torch.tensor(2.0)], lambda x: torch.max(x, 0)[0])
    for axis in [0, 1, -1]:
        for turned in [False, True]:
            s.add("Sort", {"Axis": axis, "Descending": turned}, [s.distinct(4, 5)], lambda x: x.sort(axis, turned)[0])
            s.add("TopK", {"K": 2, "Axis": axis, "Least": turned}, [s.distinct(4, 5)], lambda x: x.topk(2, axis, not turned)[0])


def resizing(s):
    modes = {1: ["nearest", "nearest-exact", "linear"], 2: ["nearest", "nearest-exact", "bilinear", "bicubic"], 3: ["nearest", "nearest-exact", "trilinear"]}
    for shape, sizes in [([2, 3, 7], [[10], [3], [1]]), ([1, 2, 5, 6], [[10, 12], [3, 4], [1, 1], [7, 3]]), ([2, 2, 1, 4], [[3, 3]]), ([1, 2, 2, 3, 3], [[4, 6, 5], [1, 5, 3]])]:
        n = len(shape) - 2
        for mode in modes[n]:
            name = "linear" if mode.endswith("linear") else mode
            for align in [None] if "nearest" in mode else [False, True]:
                a = {"Mode": name, "AlignCorners": bool(align)}
                for size in sizes:
                    s.add("Interpolate", dict(a, Size=size), [s.rand(*shape)], lambda x: F.interpolate(x, size=size, mode=mode, align_corners=align), wide=False)
                for scale in [2.0, 1.7, 0.5]:
                    if min(int(d * scale) for d in shape[2:]) > 0:
                        s.add("Interpolate", dict(a, Scales=[scale] * n), [s.rand(*shape)], lambda x: F.interpolate(x, scale_factor=scale, mode=mode, align_corners=align), wide=False)
    s.add("Interpolate", {"Mode": "linear"}, [s.rand(1, 2, 3, 4), torch.tensor([5, 7])], lambda x, n: F.interpolate(x, size=n.tolist(), mode="bilinear"), known=[1], wide=False)


def attention(s):
    for q, k, v in [([3, 4], [5, 4], [5, 6]), ([2, 3, 4], [2, 5, 4], [2, 5, 6]), ([2, 2, 7, 8], [2, 2, 7, 8], [2, 2, 7, 8])]:
        scores = q[:-1] + [k[-2]]
        for mask, boolean, scale, heads in [(None, False, 0, False), (None, False, 0.3, False), ("causal", False, 0, False), (scores, False, 0, False), (scores[-2:], True, 0, False), (scores[-1:], False, 0, False), (None, False, 0, True), ("causal", False, 0, True), (scores[-2:], False, 0, True)]:
            if heads and len(q) < 3:
                continue
            has = isinstance(mask, list)
            turn = (lambda t: t.transpose(-3, -2)) if heads else (lambda t: t)
            tensors = [turn(s.rand(*x, lo=-1, hi=1)).contiguous() for x in (q, k, v)]
            if has:
                m = s.rand(*mask, dtype=torch.bool) if boolean else s.rand(*mask)
                if boolean:
                    m[..., 0] = True
                tensors.append(m)

            def f(q, k, v, m=None):
                q, k, v = turn(q), turn(k), turn(v)
                a = q @ k.transpose(-1, -2) * (scale or 1 / math.sqrt(q.shape[-1]))
                if m is not None:
                    a = a.masked_fill(~m, -math.inf) if m.dtype == torch.bool else a + m
                if mask == "causal":
                    a = a.masked_fill(~torch.ones(a.shape[-2:], dtype=torch.bool).tril(), -math.inf)
                return turn(torch.softmax(a, -1) @ v)

            s.add("Attention", {"Scale": scale, "Causal": mask == "causal", "HasMask": has, "HeadsLast": heads}, tensors, f)


def transforms(s):
    for shape in [[8], [2, 7], [1, 3, 6], [2, 1]]:
        s.add("RFFT", {}, [s.rand(*shape)], lambda x: torch.view_as_real(torch.fft.rfft(x)))
    for shape, n, hop, one, normal in [([16], 4, 2, True, False), ([2, 15], 6, 3, True, True), ([2, 12], 5, 1, False, False)]:
        s.add("STFT", {"Hop": hop, "OneSided": one, "Normalized": normal}, [s.rand(*shape), s.rand(n)],
              lambda x, w: torch.view_as_real(torch.stft(x, n, hop, window=w, center=False, normalized=normal, onesided=one, return_complex=True)))


def recurrent(s):
    functions = {"lstm": (torch.lstm, 4), "gru": (torch.gru, 3), "rnn_tanh": (torch.rnn_tanh, 1), "rnn_relu": (torch.rnn_relu, 1)}
    for cell, (function, gates) in functions.items():
        # steps, batch, input, hidden, layers, bidirectional, batch first, bias
        for steps, batch, inputs, hidden, depth, two, first, bias in [(4, 2, 3, 4, 1, False, False, True), (3, 2, 2, 3, 1, False, True, False), (1, 1, 1, 1, 1, False, False, True), (3, 2, 2, 3, 2, True, True, True), (2, 1, 3, 2, 2, True, False, False), (3, None, 2, 3, 1, True, False, True)]:
            shape = [steps, inputs] if batch is None else [batch, steps, inputs] if first else [steps, batch, inputs]
            directions = 2 if two else 1
            state = [depth * directions] + ([] if batch is None else [batch]) + [hidden]
            states = 2 if cell == "lstm" else 1
            tensors = [s.rand(*shape, lo=-1, hi=1)] + [s.rand(*state, lo=-1, hi=1) for _ in range(states)]
            for layer in range(depth):
                for _ in range(directions):
                    width = inputs if layer == 0 else directions * hidden
                    tensors += [s.rand(gates * hidden, width, lo=-1, hi=1), s.rand(gates * hidden, hidden, lo=-1, hi=1)]
                    if bias:
                        tensors += [s.rand(gates * hidden, lo=-1, hi=1), s.rand(gates * hidden, lo=-1, hi=1)]

            def f(x, *rest):
                h, w = rest[:states], rest[states:]
                if batch is None:
                    x, h = x.unsqueeze(1), [t.unsqueeze(1) for t in h]
                out = function(x, h if states == 2 else h[0], list(w), bias, depth, 0.0, True, two, first)
                return [t.squeeze(1) for t in out] if batch is None else list(out)

            s.add("RNN", {"Cell": cell, "Layers": depth, "Bidirectional": two, "BatchFirst": first, "HasBias": bias}, tensors, f, outputs=tuple(range(states + 1)))


def gammas(s):
    for name, f in [("lgamma", torch.lgamma), ("digamma", torch.digamma)]:
        s.add("Unary", {"Fn": name}, [s.rand(3, 5).abs() + 0.1], f)
        s.add("Unary", {"Fn": name}, [torch.tensor([-0.4, -1.7, 30.0])], f)


def special_functions(s):
    special = torch.special
    for name, f in [("special_erfcx", special.erfcx), ("special_log_ndtr", special.log_ndtr), ("i0", special.i0), ("special_i0e", special.i0e), ("special_i1", special.i1), ("special_i1e", special.i1e)]:
        s.add("Unary", {"Fn": name}, [torch.cat([s.rand(5) * 2, torch.tensor([-5.0, 0.0, 40.0 if "erfcx" in name or name.endswith("e") else 9.0])])], f)
    for name, f in [("erfinv", special.erfinv), ("special_ndtri", special.ndtri), ("special_entr", special.entr)]:
        s.add("Unary", {"Fn": name}, [torch.tensor([0.1, 0.5, 0.875, 0.001])], f)
    for n in (1, 2, 5):
        s.add("Unary", {"Fn": "polygamma", "Alpha": n}, [torch.tensor([0.5, 1.25, 4.0, 30.0])], lambda x: special.polygamma(n, x))


def complex_transforms(s):
    for shape, inverse, norm, name in [([8, 2], False, "none", "backward"), ([2, 6, 2], True, "n", "backward"), ([2, 3, 67, 2], False, "ortho", "ortho"), ([5, 2], True, "none", "forward")]:
        f = torch.fft.ifft if inverse else torch.fft.fft
        s.add("FFT", {"Inverse": inverse, "Norm": norm}, [s.rand(*shape)], lambda x: torch.view_as_real(f(torch.view_as_complex(x), norm=name)))


def scattered_products(s):
    for x, i, axis in [([4], [3], 0), ([3, 4], [3, 2], 1), ([2, 4, 2], [5, 4, 1], 0)]:
        for some in (s.rand, lambda *shape: s.rand(*shape) * (s.rand(*shape, lo=0, hi=1) > 0.4)):  # the second with zeros
            s.add("Scatter", {"Axis": axis, "Fn": "multiply"}, [some(*x), s.index(x[axis], *i), some(*i)], lambda x, i, v: x.scatter_reduce(axis, i, v, "prod"))


def signed(x):
    """The sign of the element of greatest magnitude in each column."""
    return x.gather(-2, x.abs().argmax(-2, keepdim=True)).sign().detach()


def linear_algebra(s):
    def matrix(*shape):
        """A matrix whose singular values are apart."""
        u, _, v = torch.linalg.svd(s.rand(*shape), full_matrices=False)
        k = min(shape[-2:])
        return (u * (torch.arange(k) + 1.5) @ v).float()

    symmetric = lambda *shape: (lambda x: x + x.transpose(-1, -2))(matrix(*shape))
    positive = lambda *shape: (lambda x: x @ x.transpose(-1, -2))(matrix(*shape))
    for shape in [(3, 3), (2, 4, 4), (1, 1)]:
        s.add("Decompose", {"Fn": "lu"}, [matrix(*shape)], lambda x: torch.linalg.lu_factor(x)[0])
        for upper in [False, True]:
            s.add("Decompose", {"Fn": "cholesky", "Upper": upper, "Check": True}, [positive(*shape)], lambda x: torch.linalg.cholesky(x, upper=upper))
            s.add("Decompose", {"Fn": "eigh", "Upper": upper}, [symmetric(*shape)], lambda x: torch.linalg.eigvalsh(x, "LU"[upper]))

        def eigh(x):
            l, v = torch.linalg.eigh(x)
            return l, v * signed(v)

        s.add("Decompose", {"Fn": "eigh"}, [symmetric(*shape)], eigh, outputs=(0, 1))
        s.add("Decompose", {"Fn": "eigh"}, [symmetric(*shape)], lambda x: eigh(x)[1], outputs=(1,))
    for shape in [(3, 3), (2, 5, 3), (4, 1)]:
        s.add("Decompose", {"Fn": "qr"}, [matrix(*shape)], torch.linalg.qr, outputs=(0, 1))
        s.add("Decompose", {"Fn": "qr"}, [matrix(*shape)], lambda x: torch.linalg.qr(x)[0])
        s.add("Decompose", {"Fn": "qr"}, [matrix(*shape)], lambda x: torch.linalg.qr(x)[1], outputs=(1,))
    for shape in [(3, 3), (5, 3), (2, 3, 5), (1, 4)]:

        def svd(x):
            u, v, vh = torch.linalg.svd(x, full_matrices=False)
            sign = signed(u)
            return u * sign, v, vh * sign.transpose(-1, -2)

        s.add("Decompose", {"Fn": "svd"}, [matrix(*shape)], svd, outputs=(0, 1, 2))
        s.add("Decompose", {"Fn": "svd"}, [matrix(*shape)], lambda x: svd(x)[0])
        s.add("Decompose", {"Fn": "svd"}, [matrix(*shape)], torch.linalg.svdvals, outputs=(1,))
        s.add("Decompose", {"Fn": "svd"}, [matrix(*shape)], lambda x: svd(x)[2], outputs=(2,))
    for a, b in [((3, 3), (3, 2)), ((2, 4, 4), (2, 4, 1))]:
        for transposed in [False, True]:
            t = lambda x: x.transpose(-1, -2) if transposed else x
            s.add("Solve", {"Transpose": transposed, "Check": True}, [matrix(*a), s.rand(*b)], lambda a, b: torch.linalg.solve(t(a), b))
            for upper in [False, True]:
                for unit in [False, True]:
                    solve = lambda a, b: torch.linalg.solve_triangular(t(a.triu() if upper else a.tril()), b, upper=upper != transposed, unitriangular=unit)
                    s.add("Solve", {"Fn": "upper" if upper else "lower", "Unit": unit, "Transpose": transposed}, [matrix(*a) + 2 * torch.eye(a[-1]), s.rand(*b)], solve)
    for shape in [(3, 3), (2, 4, 4), (1, 1)]:
        s.add("MatrixExp", {}, [matrix(*shape)], torch.linalg.matrix_exp)


def boxes(s):
    import torchvision.ops as vision

    rois = torch.tensor([[1.0, 2.0, 1.0, 9.0, 7.5], [0.0, -3.0, 4.0, 5.0, 20.0], [1.0, 6.0, 6.0, 6.5, 6.5]])
    for size, scale, ratio, aligned in ((2, 3), 0.5, 2, True), ((3, 1), 1.0, 0, False):
        attr = {"Size": list(size), "Scale": scale, "Ratio": ratio, "Aligned": aligned}
        s.add("RoIAlign", attr, [s.rand(2, 3, 8, 9), rois], lambda x, b: vision.roi_align(x, b.to(x.dtype), size, scale, ratio, aligned), known=[1])
        s.add("RoIAlign", dict(attr, Aligned=True, PerBin=True), [s.rand(2, 12, 8, 9), rois], lambda x, b: vision.ps_roi_align(x, b.to(x.dtype), size, scale, ratio), known=[1])


def grids(s):
    for mode, m in [("bilinear", 0), ("nearest", 1), ("bicubic", 2)]:
        for padding, p in [("zeros", 0), ("border", 1), ("reflection", 2)]:
            for align in [False, True]:
                for shape, places in [((2, 2, 3, 4), (2, 2, 3, 2)), ((1, 2, 2, 3, 4), (1, 2, 1, 3, 3))][: 1 if mode == "bicubic" else 2]:
                    s.add("GridSample", {"Mode": m, "Padding": p, "AlignCorners": align}, [s.rand(*shape), s.rand(*places, lo=-2, hi=2) + 0.0137], lambda x, g: F.grid_sample(x, g, mode, padding, align))


def main():
    torch.set_num_threads(1)
    s = Gradients(7)
    for family in [layers, convolutions, norms, poolings, elementwise, reductions, moves, empties, indices, resizing, attention, transforms, recurrent, complex_transforms, gammas, scattered_products, linear_algebra, boxes, grids, special_functions]:
        family(s)
    s.write(os.path.join(HERE, "..", "gradients"))


if __name__ == "__main__":
    main()
