"""Operators that move or make elements."""

import torch

CODES = {d: str(d).replace("torch.", "") for d in [torch.float32, torch.float16, torch.bfloat16, torch.float64, torch.int8, torch.uint8, torch.int32, torch.int64, torch.bool]}


def cases(s):
    for shape, to in [([3, 1], [3, 4]), ([1], [2, 3]), ([], [2, 2]), ([2, 1, 3], [-1, 4, -1]), ([3], [3]), ([3], [2, -1]), ([1, 0], [4, 0]), ([3, 1], [0, 3, 1]), ([2], [3]), ([2, 3], [3]), ([3], [-1, 3]), ([1, 3, 1, 1], [2, 3, 4, 5]), ([1], [-2]), ([64, 1], [64, 300])]:
        for d in [torch.bool] if 300 in to else [torch.float32, torch.bool, torch.int64, torch.float16]:
            s.add("expand", {"Shape": to}, [s.rand(*shape, dtype=d)], lambda x: x.expand(to))
        if 300 not in to:
            s.add("expand", {}, [s.rand(*shape), torch.tensor(to)], lambda x, n: x.expand(n.tolist()), known=[1])
    for shape, n in [([3], [2]), ([2, 3], [2, 1]), ([2, 3], [3, 2, 2]), ([], [3]), ([2], [0]), ([1, 4], [3, 1]), ([2, 3], [2]), ([2, 2, 2], [1, 2, 3]), ([0, 2], [2, 2]), ([2], [-1]), ([3, 70], [5, 10])]:
        if 70 not in shape:
            s.add("tile", {"Repeats": n}, [s.rand(*shape)], lambda x: x.repeat(n))
        s.add("tile", {"Repeats": n}, [s.rand(*shape, dtype=torch.bool)], lambda x: x.repeat(n))
    for shape, axes in [([4], [0]), ([2, 3], [0]), ([2, 3], [-1]), ([2, 3, 4], [0, 2]), ([2, 3, 4], [1, 0, -1]), ([], []), ([0, 2], [1]), ([2, 3], [0, 0]), ([2, 3], [2]), ([2, 3, 4, 5], [1, 3]), ([3, 1], [1]), ([2, 3], []), ([20, 900], [1])]:
        s.add("flip", {"Axes": axes}, [s.rand(*shape, dtype=torch.bool if 900 in shape else torch.float32)], lambda x: torch.flip(x, axes))
    for shape, shifts, axes in [([5], [2], [0]), ([5], [-7], [0]), ([2, 3], [1], []), ([2, 3, 4], [1, -1], [1, 2]), ([2, 3, 4], [1, 1], [0, 0]), ([2, 4, 4, 3], [-2, -2], [1, 2]), ([0, 3], [1], [0]), ([2, 3], [1, 2], [0]), ([2], [1], [1]), ([3, 1], [1], [1]), ([], [1], []), ([2, 3], [1], [-1]), ([40, 500], [3], [0])]:
        s.add("roll", {"Shifts": shifts, "Axes": axes}, [s.rand(*shape, dtype=torch.bool if 500 in shape else torch.float32)], lambda x: torch.roll(x, shifts, axes) if axes else torch.roll(x, shifts))
    for shape in [[3, 3], [2, 4], [4, 2], [2, 3, 3], [0, 3], [3, 0], [1, 1], [3], [60, 300]]:
        for diagonal in [0, 1, -1, 9, -9]:
            for d in ([torch.bool] if diagonal == 1 else []) if 300 in shape else [torch.float32, torch.bool]:
                s.add("triangle", {"Diagonal": diagonal}, [s.rand(*shape, dtype=d)], lambda x: torch.tril(x, diagonal))
                s.add("triangle", {"Upper": True, "Diagonal": diagonal}, [s.rand(*shape, dtype=d)], lambda x: torch.triu(x, diagonal))
    for shapes, axis in [([[2, 3]] * 3, 0), ([[2, 3]] * 2, 1), ([[2, 3]] * 2, 2), ([[2, 3]] * 2, -1), ([[2, 3]] * 2, -3), ([[]] * 4, 0), ([[2]], 0), ([[0, 2]] * 2, 1), ([[2], [3]], 0), ([[2]] * 2, 2)]:
        for d in [torch.float32, torch.int64]:
            s.add("stack", {"Axis": axis}, [s.rand(*x, dtype=d) for x in shapes], lambda *x: torch.stack(x, axis))
    for shape, axis, size, step in [([7], 0, 3, 2), ([2, 6], 1, 2, 2), ([2, 6], -1, 6, 1), ([5, 3], 0, 2, 1), ([], 0, 1, 1), ([4], 0, 5, 1), ([4], 0, 2, 0), ([4], 0, 0, 1), ([3, 200], 1, 20, 10)]:
        s.add("windows", {"Axis": axis, "Size": size, "Step": step}, [s.rand(*shape)], lambda x: x.unfold(axis, size, step))
    make(s)


def make(s):
    for d, name in CODES.items():
        for shape in [[2, 3], [], [0, 2], [70, 3]]:
            for v in [0, 1, 2.5] if d.is_floating_point else [0, 1]:
                s.add("full", {"Shape": shape, "Value": v, "DType": name}, [], lambda: torch.full(shape, v, dtype=d))
                s.add("full", {"Like": True, "Value": v, "DType": name}, [s.rand(*shape)], lambda x: torch.full_like(x, v, dtype=d))
        if d != torch.bool:
            for a, b, step in [(0, 5, 1), (2, 11, 3), (5, 0, -2), (0, 0, 1), (0, 1, -1), (0, 100, 1), (0, 4, 0)] + ([(0, 1, 0.25), (0.5, 3, 0.75)] if d.is_floating_point else []):
                s.add("arange", {"Start": a, "End": b, "Step": step, "DType": name}, [], lambda: torch.arange(a, b, step, dtype=d), 1e-6)
    s.add("full", {"Value": 3, "DType": "float32"}, [torch.tensor([2, 1])], lambda n: torch.full(n.tolist(), 3.0), known=[0])
    s.add("arange", {"DType": "int64"}, [torch.tensor(1), torch.tensor(7), torch.tensor(2)], lambda a, b, c: torch.arange(a.item(), b.item(), c.item()), known=[0, 1, 2])
    for shape in [[2, 3], [], [0], [4, 1, 5]]:
        for axis in range(-len(shape), len(shape) + 1):
            s.add("size", {"Axis": axis}, [s.rand(*shape)], lambda x: torch.tensor(x.size(axis)))
        s.add("shape", {}, [s.rand(*shape)], lambda x: torch.tensor(x.shape, dtype=torch.int64))
        s.add("numel", {}, [s.rand(*shape)], lambda x: torch.tensor(x.numel()))
    for shape, to in [([2, 3], [3, 2]), ([2, 3], [-1]), ([2, 3], [6, -1, 1]), ([2, 3], [4]), ([0, 3], [3, 0]), ([0, 3], [-1, 0])]:
        s.add("reshape_to", {}, [s.rand(*shape), torch.tensor(to)], lambda x, n: x.reshape(n.tolist()), known=[1])
    for a, b in [(0, 2), (1, 100), (-2, -1), (3, 1)]:
        for axis in [0, 1, -1, 2]:
            s.add("slice_to", {"Axis": axis, "Step": 1}, [s.rand(3, 4), torch.tensor(a), torch.tensor(b)],
                  lambda x, a, b: x.narrow(axis, 0, x.size(axis))[(slice(None),) * (axis % 2) + (slice(a.item(), b.item()),)], known=[1, 2])
