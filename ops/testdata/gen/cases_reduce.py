"""Reductions over dimensions, and where the greatest element is."""

import itertools
import math

import torch

FUNCTIONS = {
    "sum": lambda x, d, k: torch.sum(x, d, k),
    "mean": lambda x, d, k: torch.mean(x, d, k),
    "amax": lambda x, d, k: torch.amax(x, d, k),
    "amin": lambda x, d, k: torch.amin(x, d, k),
    "logsumexp": lambda x, d, k: torch.logsumexp(x, d, k),
}

DTYPES = [torch.float32, torch.int64, torch.int32, torch.uint8, torch.bool, torch.float16, torch.float64]


def every(f, x, dims, keep):
    """Applies a function that takes one dimension to several, from the last on."""
    if not dims:
        dims = range(x.dim())
    if x.dim() == 0:
        return f(x, 0, keep)
    for d in sorted((d % max(x.dim(), 1) for d in dims), reverse=True):
        x = f(x, d, keep)
    return x


def cases(s):
    shapes = [[4], [2, 3], [2, 3, 4], [2, 1, 4, 5], [1, 1], [], [2, 0, 3], [0]]
    for shape in shapes:
        rank = len(shape)
        dims = [list(c) for r in range(rank + 1) for c in itertools.combinations(range(rank), r)]
        dims += [[-1], [rank], [0, 0]] + ([[-2, -1]] if rank > 1 else [])
        for d in dims:
            for keep in [False, True]:
                x = s.rand(*shape)
                for fn, f in FUNCTIONS.items():
                    if fn == "logsumexp" and not d:
                        continue
                    s.add("reduce", {"Fn": fn, "Axes": d, "KeepDims": keep}, [x], lambda x: f(x, d, keep), 2e-6)
                if len(set(d)) == len(d) and all(-rank <= v < rank for v in d):
                    for fn, f in [("prod", torch.prod), ("any", torch.any), ("all", torch.all)]:
                        y = x if fn == "prod" else x.clamp(-1, 1).round()
                        s.add("reduce", {"Fn": fn, "Axes": d, "KeepDims": keep}, [y], lambda x: every(f, x, d, keep), 2e-6)
                for p in [2] if keep else [2, 1, 0, 3, 0.5, math.inf, -math.inf]:
                    if 0 in shape and abs(p) == math.inf:
                        continue
                    s.add("reduce", {"Fn": "norm", "P": str(p), "Axes": d, "KeepDims": keep}, [x],
                          lambda x: torch.linalg.vector_norm(x, p, d if d else None, keep), 4e-6)
                for correction in [1] if keep else [0, 1, 2]:
                    a = {"Axes": d, "KeepDims": keep, "Correction": correction}
                    s.add("reduce", dict(a, Fn="var"), [x], lambda x: torch.var(x, dim=d, correction=correction, keepdim=keep), 4e-6)
                    s.add("reduce", dict(a, Fn="std"), [x], lambda x: torch.std(x, dim=d, correction=correction, keepdim=keep), 4e-6)
    special = torch.tensor([[math.nan, 1, 2], [math.inf, -math.inf, 0], [-math.inf, -math.inf, -math.inf], [1, 2, math.nan]])
    for fn, f in FUNCTIONS.items():
        for d in [[0], [1]]:
            s.add("reduce", {"Fn": fn, "Axes": d}, [special], lambda x: f(x, d, False), 2e-6)
            for dt in DTYPES:
                s.add("reduce", {"Fn": fn, "Axes": d}, [s.rand(3, 4, dtype=dt)], lambda x: f(x, d, False), 2e-6)
    for fn, f in [("prod", torch.prod), ("any", torch.any), ("all", torch.all)]:
        for d in [0, 1]:
            s.add("reduce", {"Fn": fn, "Axes": [d]}, [special], lambda x: f(x, d), 2e-6)
            for dt in DTYPES:
                s.add("reduce", {"Fn": fn, "Axes": [d]}, [s.rand(3, 4, dtype=dt)], lambda x: f(x, d), 2e-6)
    # Long rows, many columns, several tasks.
    for fn in ["sum", "mean", "amax"]:
        for shape, d in [([3, 2100], [1]), ([1030, 3], [0]), ([2, 3, 100], [0, 2]), ([5, 600], [0])]:
            for dt in [torch.float32, torch.float16]:
                s.add("reduce", {"Fn": fn, "Axes": d}, [s.rand(*shape).to(dt)], lambda x: FUNCTIONS[fn](x, d, False), 2e-6)
    argmax(s, special)


def argmax(s, special):
    for shape in [[4], [2, 3], [2, 3, 4], [1], [], [2, 0], [0, 2], [3, 1500]]:
        x = s.rand(*shape, lo=-2, hi=2)
        for least in [False, True]:
            f = torch.argmin if least else torch.argmax
            g = torch.min if least else torch.max
            for keep in [False, True]:
                for axis in range(-len(shape), len(shape) + 1):
                    a = {"Axis": axis, "KeepDims": keep, "Min": least}
                    s.add("argmax", a, [x], lambda x: f(x, axis, keep))
                    s.add("argmax", dict(a, Values=True), [x], lambda x: g(x, axis, keep))
                s.add("argmax", {"Flat": True, "KeepDims": keep, "Min": least}, [x], lambda x: f(x, None, keep))
    for d in [0, 1]:
        s.add("argmax", {"Axis": d}, [special], lambda x: torch.argmax(x, d))
        s.add("argmax", {"Axis": d, "Values": True}, [special], lambda x: torch.max(x, d))
        s.add("argmax", {"Axis": d, "Min": True, "Values": True}, [special], lambda x: torch.min(x, d))
        for dt in DTYPES:
            x = s.rand(3, 4, dtype=dt)
            s.add("argmax", {"Axis": d}, [x], lambda x: torch.argmax(x, d))
            s.add("argmax", {"Axis": d, "Values": True}, [x], lambda x: torch.max(x, d))
