"""Sorting and the greatest elements."""

import math

import torch

DTYPES = [torch.float32, torch.int64, torch.int32, torch.uint8, torch.bool, torch.float64]


def cases(s):
    special = torch.tensor([3.0, math.nan, -math.inf, 2, math.inf, math.nan, -0.0, 0.0, 2])
    for descending in [False, True]:
        for shape in [[6], [2, 3, 4], [2, 0, 3], [], [1], [3, 40]]:
            x = s.rand(*shape, lo=-1, hi=1)
            for axis in range(-len(shape), len(shape) + 1):
                s.add("sort", {"Axis": axis, "Descending": descending}, [x], lambda x: torch.sort(x, dim=axis, descending=descending, stable=True))
        s.add("sort", {"Axis": 0, "Descending": descending}, [special], lambda x: torch.sort(x, dim=0, descending=descending, stable=True))
        for d in DTYPES:
            x = s.rand(4, 3, dtype=d)
            s.add("sort", {"Axis": 0, "Descending": descending}, [x], lambda x: torch.sort(x, dim=0, descending=descending, stable=True))
    # Distinct elements: which of equal ones topk takes is not defined.
    for least in [False, True]:
        for shape in [[6], [2, 3, 4], [3, 100], [1], []]:
            n = math.prod(shape)
            x = torch.randperm(n, generator=s.generator).float().view(shape) / 4
            for axis in range(-len(shape), max(len(shape), 1)):
                extent = shape[axis] if shape else 1
                for k in sorted({0 if shape else 1, 1, 2, extent, extent + 1, 9}):
                    s.add("topk", {"Axis": axis, "K": k, "Least": least}, [x], lambda x: torch.topk(x, k, axis, not least))
        x = special[[0, 1, 2, 4, 6, 8]]
        s.add("topk", {"Axis": 0, "K": 4, "Least": least}, [x], lambda x: torch.topk(x, 4, 0, not least))
        for d in DTYPES:
            x = torch.randperm(5, generator=s.generator).to(d)
            s.add("topk", {"Axis": 0, "K": 2, "Least": least}, [x], lambda x: torch.topk(x, 2, 0, not least))
