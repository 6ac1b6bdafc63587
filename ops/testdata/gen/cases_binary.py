"""Functions of two elements: broadcasting, promotion, special values."""

import math

import torch

FUNCTIONS = {
    "add": torch.add,
    "sub": torch.sub,
    "mul": torch.mul,
    "div": torch.div,
    "floor_divide": lambda a, b: torch.div(a, b, rounding_mode="floor"),
    "trunc_divide": lambda a, b: torch.div(a, b, rounding_mode="trunc"),
    "remainder": torch.remainder,
    "fmod": torch.fmod,
    "pow": torch.pow,
    "maximum": torch.maximum,
    "minimum": torch.minimum,
    "atan2": torch.atan2,
    "eq": torch.eq,
    "ne": torch.ne,
    "lt": torch.lt,
    "le": torch.le,
    "gt": torch.gt,
    "ge": torch.ge,
    "bitwise_and": torch.bitwise_and,
    "bitwise_or": torch.bitwise_or,
    "bitwise_xor": torch.bitwise_xor,
    "logical_and": torch.logical_and,
    "logical_or": torch.logical_or,
    "logical_xor": torch.logical_xor,
}

TENSORS_ONLY = ("maximum", "minimum", "atan2", "logical_and", "logical_or", "logical_xor")

DTYPES = [torch.float32, torch.int64, torch.int32, torch.bool, torch.float16, torch.uint8]

SHAPES = [
    ([2, 3, 4, 5], [1, 3, 1, 1]),
    ([2, 3, 4], [4]),
    ([3, 1], [1, 5]),
    ([2, 3, 4], [2, 1, 4]),
    ([2, 3, 4, 5], [3, 4, 5]),
    ([0, 3], [1, 3]),
    ([1], []),
    ([2, 1, 3], [4, 1]),
    ([5, 0], [1]),
]

# No integer pow with a base and exponent that overflow differently.
SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.5, -2.5, 7.0, -3.0, math.inf, -math.inf, math.nan, 1e-40, 3e38]


def binary(s, fn, a, b, number=None, **attr):
    attr["Fn"] = fn
    f = FUNCTIONS[fn]
    if number == "a":
        attr["ANumber"] = True
        s.add("binary", attr, [a, b], lambda a, b: f(a.item(), b) if fn != "pow" else torch.pow(a.item(), b), 1e-6)
    elif number == "b":
        attr["BNumber"] = True
        s.add("binary", attr, [a, b], lambda a, b: f(a, b.item()), 1e-6)
    else:
        s.add("binary", attr, [a, b], f, 1e-6)


def number(v):
    if isinstance(v, bool):
        return torch.tensor(v)
    return torch.tensor(v, dtype=torch.int64 if isinstance(v, int) else torch.float64)


def cases(s):
    for fn in FUNCTIONS:
        special = torch.tensor(SPECIAL)
        binary(s, fn, special.view(-1, 1), special.view(1, -1))
        for a, b in SHAPES:
            binary(s, fn, s.rand(*a), s.rand(*b))
            binary(s, fn, s.rand(*b), s.rand(*a))
        for da in DTYPES:
            for db in DTYPES:
                a = s.rand(3, 4, dtype=da)
                b = s.rand(3, 4, dtype=db)
                if not db.is_floating_point and db != torch.bool and fn in ("floor_divide", "trunc_divide", "remainder", "fmod"):
                    b[b == 0] = 3
                binary(s, fn, a, b)
                binary(s, fn, a, b[1, 1].clone())
                binary(s, fn, a[0, 0].clone(), b[0, 1].clone())
        if fn in TENSORS_ONLY:
            continue
        for d in DTYPES:
            for v in [2, 3, 0.3, -0.5, 2.0, True, -1, 0.5]:
                binary(s, fn, s.rand(2, 3, dtype=d), number(v), "b")
                binary(s, fn, s.rand(dtype=d), number(v), "b")
    for e in [-2, -1.0, -0.5, 0, 0.5, 1, 2, 3, 4, 1.7]:
        binary(s, "pow", torch.tensor(SPECIAL), number(e), "b")
    for d in [torch.int64, torch.int32, torch.uint8]:
        for fn in ["floor_divide", "trunc_divide", "remainder", "fmod"]:
            binary(s, fn, torch.arange(20, dtype=d).view(2, 10) - (0 if d == torch.uint8 else 10), torch.tensor([[3], [7]], dtype=d))
            binary(s, fn, torch.arange(3, dtype=d), torch.tensor([1, 0, 2], dtype=d))
            binary(s, fn, torch.zeros(0, dtype=d), torch.tensor(0, dtype=d))
        if d != torch.uint8:
            for fn in ["floor_divide", "trunc_divide", "remainder", "fmod"]:
                binary(s, fn, torch.arange(-9, 9, dtype=d), number(-4), "b")
    binary(s, "add", s.rand(2, 3), s.rand(2, 4))
    binary(s, "add", s.rand(2, 3, 2), s.rand(2, 3))
    # Long enough for several tasks and conversions of several buffers.
    a, b = s.rand(3, 70, 100), s.rand(70, 1)
    for act, f in [("", lambda x: x), ("relu", torch.relu), ("relu6", torch.nn.functional.relu6)]:
        s.add("binary", {"Fn": "mul", "Act": act}, [a[:, :9, :50].half(), b[:9].half()], lambda a, b: f((a * b).float()).half(), 1e-3)
        s.add("binary", {"Fn": "add", "Act": act}, [a[0, :, :30], b], lambda a, b: f(a + b))
