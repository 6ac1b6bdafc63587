"""Functions of one element."""

import math

import torch
import torch.nn.functional as F



def softshrink(x, lambd=0.5):
    """PyTorch's, of today: 1.13 makes 0 of NaN, later ones keep it."""
    return torch.where(torch.isnan(x), x, F.softshrink(x, lambd))


SIMPLE = {
    "relu": torch.relu,
    "relu6": F.relu6,
    "neg": torch.neg,
    "abs": torch.abs,
    "sign": torch.sign,
    "square": torch.square,
    "floor": torch.floor,
    "ceil": torch.ceil,
    "round": torch.round,
    "trunc": torch.trunc,
    "exp": torch.exp,
    "exp2": torch.exp2,
    "expm1": torch.expm1,
    "log": torch.log,
    "log2": torch.log2,
    "log10": torch.log10,
    "log1p": torch.log1p,
    "sqrt": torch.sqrt,
    "rsqrt": torch.rsqrt,
    "reciprocal": torch.reciprocal,
    "sin": torch.sin,
    "cos": torch.cos,
    "tan": torch.tan,
    "asin": torch.asin,
    "acos": torch.acos,
    "atan": torch.atan,
    "sinh": torch.sinh,
    "cosh": torch.cosh,
    "tanh": torch.tanh,
    "asinh": torch.asinh,
    "acosh": torch.acosh,
    "atanh": torch.atanh,
    "erf": torch.erf,
    "erfc": torch.erfc,
    "sigmoid": torch.sigmoid,
    "log_sigmoid": F.logsigmoid,
    "gelu": F.gelu,
    "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
    "silu": F.silu,
    "mish": F.mish,
    "softsign": F.softsign,
    "hardswish": F.hardswish,
    "hardsigmoid": F.hardsigmoid,
    "selu": F.selu,
    "isnan": torch.isnan,
    "isinf": torch.isinf,
    "isfinite": torch.isfinite,
    "logical_not": torch.logical_not,
    "bitwise_not": torch.bitwise_not,
}

PARAMETERS = [
    ("clamp", -1.5, 2.0, lambda x: torch.clamp(x, -1.5, 2.0)),
    ("clamp", 2.0, -1.0, lambda x: torch.clamp(x, 2.0, -1.0)),
    ("clamp_min", -0.5, 0, lambda x: torch.clamp_min(x, -0.5)),
    ("clamp_max", 0.5, 0, lambda x: torch.clamp_max(x, 0.5)),
    ("softplus", 1.0, 20.0, F.softplus),
    ("softplus", 2.5, 3.0, lambda x: F.softplus(x, 2.5, 3.0)),
    ("hardshrink", 0.5, 0, F.hardshrink),
    ("hardshrink", 2.0, 0, lambda x: F.hardshrink(x, 2.0)),
    ("softshrink", 0.5, 0, softshrink),
    ("softshrink", 1.0, 0, lambda x: softshrink(x, 1.0)),
    ("leaky_relu", 0.01, 0, F.leaky_relu),
    ("leaky_relu", -0.5, 0, lambda x: F.leaky_relu(x, -0.5)),
    ("threshold", 0.5, -3.0, lambda x: F.threshold(x, 0.5, -3.0)),
    ("elu", 1.0, 0, F.elu),
    ("elu", 0.3, 0, lambda x: F.elu(x, 0.3)),
    ("celu", 1.0, 0, F.celu),
    ("celu", 0.7, 0, lambda x: F.celu(x, 0.7)),
]

DTYPES = [torch.int64, torch.int32, torch.uint8, torch.bool, torch.float16, torch.bfloat16, torch.float64]

SPECIAL = [0.0, -0.0, math.inf, -math.inf, math.nan, 1e-40, -1e-40, 3e38, -3e38, 0.5, -0.5, 1.5, 2.5, -2.5, 88.0, -88.0, 100.0, -104.0, 1e-4, -1e-4, 20.5]


def unary(s, name, x, f, a=0, b=0):
    s.add("unary", {"Fn": name, "Alpha": a, "Beta": b}, [x], f, 4e-6)


def cases(s):
    functions = [(name, 0, 0, f) for name, f in SIMPLE.items()] + PARAMETERS
    for name, a, b, f in functions:
        special = torch.tensor(SPECIAL)
        if name == "log1p":
            special = special[special.abs() != 3e38]  # its log1p gives infinity above 1e38
        if name == "gelu":
            special = special[special != -math.inf]  # NaN, where its limit 0 is as good
        unary(s, name, special, f, a, b)
        unary(s, name, torch.linspace(-6, 6, 97), f, a, b)
        unary(s, name, torch.linspace(-1, 1, 33), f, a, b)
        unary(s, name, s.rand(2, 0, 3), f, a, b)
        unary(s, name, s.rand(), f, a, b)
        if name in ("clamp", "clamp_min", "clamp_max", "threshold"):
            continue
        for d in DTYPES:
            unary(s, name, s.rand(7, dtype=d), f, a, b)
    for d in [torch.int64, torch.int32, torch.uint8]:
        unary(s, "clamp", s.rand(9, dtype=d), lambda x: torch.clamp(x, 1, 3), 1, 3)
        unary(s, "clamp_min", s.rand(9, dtype=d), lambda x: torch.clamp_min(x, 2), 2)
        unary(s, "clamp_max", s.rand(9, dtype=d), lambda x: torch.clamp_max(x, 2), 2)
        unary(s, "threshold", s.rand(9, dtype=d), lambda x: F.threshold(x, 1, 5), 1, 5)
    # Several tasks and several buffers.
    unary(s, "neg", s.rand(50, 100, dtype=torch.float16), torch.neg)
    unary(s, "abs", s.rand(40000, dtype=torch.int32), torch.abs)
