"""Conversion, selection by condition and by index of rows."""

import math

import torch
import torch.nn.functional as F

DTYPES = [torch.float32, torch.float16, torch.bfloat16, torch.float64, torch.int8, torch.uint8, torch.int32, torch.int64, torch.bool]


def number(v):
    return torch.tensor(v, dtype=torch.int64 if isinstance(v, int) else torch.float64)


def cases(s):
    for a in DTYPES:
        for b in DTYPES:
            name = str(b).replace("torch.", "")
            for x in [s.rand(2, 5, dtype=a), s.rand(dtype=a), s.rand(0, 2, dtype=a)]:
                s.add("cast", {"DType": name}, [x], lambda x: x.to(b))
        s.add("cast", {"DType": "float32"}, [s.rand(1500, dtype=a)], lambda x: x.float())
    x = torch.tensor([math.inf, -math.inf, math.nan, 0.5, -0.5, 1.5, 3e9, 300.0, 65519, 65520, 1e-7])
    for b, name in [(torch.float16, "float16"), (torch.bfloat16, "bfloat16"), (torch.float64, "float64"), (torch.bool, "bool")]:
        s.add("cast", {"DType": name}, [x], lambda x: x.to(b))
    where(s)
    rows(s)


def where(s):
    for c, a, b in [([2, 3], [2, 3], [2, 3]), ([3], [2, 1], [2, 3]), ([2, 3, 4], [], [4]), ([], [2, 3], [3]), ([1, 3, 1, 1], [2, 3, 4, 5], [5]), ([0, 3], [3], []), ([4], [3], [1]), ([3, 900], [3, 1], [900])]:
        s.add("where", {}, [s.rand(*c, dtype=torch.bool), s.rand(*a), s.rand(*b)], torch.where)
        s.add("where", {}, [s.rand(*c, dtype=torch.bool), s.rand(*a), s.rand(*b, dtype=torch.int64)], torch.where)
    for da in [torch.float32, torch.int64, torch.int32, torch.bool, torch.float16]:
        cond = s.rand(4, dtype=torch.bool)
        for db in [torch.float32, torch.int64, torch.int32, torch.bool, torch.float16]:
            s.add("where", {}, [cond, s.rand(4, dtype=da), s.rand(4, dtype=db)], torch.where)
            s.add("where", {}, [cond, s.rand(4, dtype=da), s.rand(dtype=db)], torch.where)
        for v in [2, 0.3, 1.7, -math.inf]:
            if v == -math.inf and not da.is_floating_point:
                continue
            x = s.rand(4, dtype=da)
            s.add("where", {"KeepB": True, "ANumber": True}, [cond, number(v), x], lambda c, v, x: x.masked_fill(c, v.item()))
            s.add("where", {"BNumber": True}, [cond, x, number(v)], lambda c, x, v: torch.where(c, x, v.item()))
    s.add("where", {"KeepB": True}, [s.rand(3, 1, dtype=torch.bool), s.rand(), s.rand(2, 3, 4)], lambda c, v, x: x.masked_fill(c, v))


def rows(s):
    table = s.rand(5, 3)
    for index in [torch.tensor([0, 4, 2, 2]), torch.tensor([[1, 2], [3, 0]]), torch.tensor(3), torch.zeros(0, dtype=torch.int64), torch.tensor([1, 2], dtype=torch.int32), torch.tensor([5]), torch.tensor([-1]), torch.tensor([0.5])]:
        s.add("embedding", {}, [table, index], lambda t, i: F.embedding(i, t))
    for d in [torch.float16, torch.int64, torch.bool]:
        s.add("embedding", {}, [s.rand(4, 2, dtype=d), torch.tensor([3, 0])], lambda t, i: F.embedding(i, t))
    s.add("embedding", {}, [s.rand(4, 0), torch.tensor([3, 0])], lambda t, i: F.embedding(i, t))
    s.add("embedding", {}, [s.rand(100, 64), torch.randint(0, 100, (8, 60), generator=s.generator)], lambda t, i: F.embedding(i, t))
    for shape in [[4], [2, 3, 4], []]:
        for axis in range(-len(shape), len(shape) + 1):
            for index in [torch.tensor([0, 1, 0, 2]), torch.tensor([0]), torch.tensor(0), torch.zeros(0, dtype=torch.int64), torch.tensor([1, 0], dtype=torch.int32), torch.tensor([9]), torch.tensor([-1]), torch.zeros(1, 1, dtype=torch.int64)]:
                if not shape and index.numel() != 1:
                    continue
                s.add("index_select", {"Axis": axis}, [s.rand(*shape), index], lambda x, i: torch.index_select(x, axis, i))
