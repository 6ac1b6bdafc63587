"""Gather, scatter and indexing by tensors."""

import torch

INT = torch.int64


def randint(s, hi, *shape, lo=0):
    return torch.randint(lo, hi, shape, generator=s.generator)


def cases(s):
    gather(s)
    scatter(s)
    index(s)


def gather(s):
    for x, i in [([4], [6]), ([3, 4], [3, 4]), ([3, 4], [2, 2]), ([3, 4, 5], [2, 4, 3]), ([3, 1, 5], [3, 1, 5]), ([3], [0]), ([3, 4], [0, 2]), ([3, 4], [4, 4]), ([3, 4], [3]), ([], []), ([], [1]), ([1], []), ([2, 200], [2, 100])]:
        for axis in range(-max(len(x), 1), max(len(x), 1)):
            extent = x[axis] if x else 1
            idx = randint(s, extent, *i)
            s.add("gather", {"Axis": axis}, [s.rand(*x), idx], lambda x, i: torch.gather(x, axis, i))
    for d in [torch.float16, torch.int64, torch.bool, torch.int32, torch.float64]:
        s.add("gather", {"Axis": 1}, [s.rand(2, 3, dtype=d), randint(s, 3, 2, 5)[:, :3]], lambda x, i: torch.gather(x, 1, i))
    for bad in [3, -1]:
        s.add("gather", {"Axis": 1}, [s.rand(2, 3), torch.tensor([[0, bad]])], lambda x, i: torch.gather(x, 1, i))
    s.add("gather", {"Axis": 2}, [s.rand(2, 3), torch.tensor([[0]])], lambda x, i: torch.gather(x, 2, i))
    s.add("gather", {"Axis": 1}, [s.rand(2, 3), torch.tensor([[0]], dtype=torch.int32)], lambda x, i: torch.gather(x, 1, i))


def scatter(s):
    functions = {
        "set": lambda x, a, i, v: torch.scatter(x, a, i, v),
        "add": lambda x, a, i, v: torch.scatter_add(x, a, i, v),
        "multiply": lambda x, a, i, v: torch.scatter(x, a, i, v, reduce="multiply"),
        "amax": lambda x, a, i, v: torch.scatter_reduce(x, a, i, v, "amax"),
        "amin": lambda x, a, i, v: torch.scatter_reduce(x, a, i, v, "amin"),
    }
    for fn, f in functions.items():
        for x, i, v in [([4], [3], [3]), ([3, 4], [3, 2], [3, 4]), ([3, 4, 2], [2, 4, 1], [3, 5, 2]), ([3, 4], [0, 2], [3, 3]), ([], [], []), ([4], [3], [2]), ([3, 4], [2, 5], [2, 5]), ([2, 5], [2, 3], [3])]:
            for axis in range(len(x) or 1):
                extent = x[axis] if x else 1
                idx = places(s, i, axis, extent, fn == "set")
                s.add("scatter", {"Axis": axis, "Fn": fn}, [s.rand(*x), idx, s.rand(*v)], lambda x, i, v: f(x, axis, i, v), 1e-6)
        for d in [torch.int64, torch.int32, torch.float64]:
            idx = places(s, [2, 3], 1, 3, fn == "set")
            s.add("scatter", {"Axis": 1, "Fn": fn}, [s.rand(2, 3, dtype=d), idx, s.rand(2, 3, dtype=d)], lambda x, i, v: f(x, 1, i, v))
        s.add("scatter", {"Axis": 1, "Fn": fn}, [s.rand(2, 3), torch.tensor([[3]]), s.rand(1, 1)], lambda x, i, v: f(x, 1, i, v))
        s.add("scatter", {"Axis": 1, "Fn": fn}, [s.rand(2, 3), torch.tensor([[0]]), s.rand(1, 1, dtype=torch.float64)], lambda x, i, v: f(x, 1, i, v))
    for v in [2, 0.5]:
        t = torch.tensor(v, dtype=INT if isinstance(v, int) else torch.float64)
        s.add("scatter", {"Axis": 1, "Number": True}, [s.rand(2, 3), torch.tensor([[0, 2], [1, 1]]), t], lambda x, i, v: torch.scatter(x, 1, i, v.item()))
        s.add("scatter", {"Axis": 0, "Number": True}, [s.rand(4, 3), torch.tensor([[0, 2, 3]]), t], lambda x, i, v: torch.scatter(x, 0, i, v.item()))
    s.add("scatter", {"Axis": 0, "Fn": "add"}, [s.rand(3, 200), randint(s, 3, 5, 200), s.rand(5, 200)], lambda x, i, v: torch.scatter_add(x, 0, i, v), 1e-6)


def places(s, shape, axis, extent, distinct):
    """Indices along one dimension, distinct where the order would count."""
    if not shape:
        return torch.zeros([], dtype=INT)
    if not distinct or shape[axis] > extent:
        return randint(s, extent, *shape)
    flat = [d for k, d in enumerate(shape) if k != axis % len(shape)]
    n = 1
    for d in flat:
        n *= d
    lines = [torch.randperm(extent, generator=s.generator)[: shape[axis]] for _ in range(n)]
    lines = torch.stack(lines) if lines else torch.zeros(0, shape[axis], dtype=INT)
    return lines.view(*flat, shape[axis]).movedim(-1, axis).contiguous()


def take(x, axes, indices):
    key = [slice(None)] * x.dim()
    for a, i in zip(axes, indices):
        key[a] = i
    return tuple(key)


def index(s):
    settings = [
        ([5], [0], [[4]]), ([5], [0], [[2, 3]]), ([5], [0], [[]]), ([5], [0], [[0]]), ([4, 5], [0], [[3]]), ([4, 5], [1], [[3]]), ([4, 5], [0, 1], [[3], [3]]),
        ([4, 5], [0, 1], [[3, 1], [2]]), ([4, 5, 6], [1], [[2, 2]]), ([4, 5, 6], [0, 2], [[3], [3]]), ([4, 5, 6], [0, 2], [[2, 1], [3]]), ([4, 5, 6], [1, 2], [[3], []]),
        ([4, 5, 6], [0, 1], [[2, 1], [1, 3]]), ([4, 5, 6], [0, 1, 2], [[2], [2], [2]]), ([2, 3, 4, 5], [1, 3], [[2], [2]]), ([2, 3, 4, 5], [1, 2], [[2], [2]]), ([2, 0, 3], [0], [[2]]),
        ([4, 5], [0, 1], [[3], [2]]), ([4, 5, 6], [0], [[]]), ([3, 100], [0], [[4]]),
    ]
    for shape, axes, indices in settings:
        idx = [randint(s, shape[a], *i, lo=-shape[a]) for a, i in zip(axes, indices)]
        for dtype in [torch.float32, torch.bool, torch.float16]:
            if dtype != torch.float32 and len(shape) != 3:
                continue
            s.add("index", {"Axes": axes}, [s.rand(*shape, dtype=dtype)] + idx, lambda x, *i: x[take(x, axes, i)])
        try:
            result = torch.zeros(*shape)[take(torch.zeros(*shape), axes, idx)].shape
        except (IndexError, RuntimeError):
            result = torch.Size([2])
        for values in [s.rand(), s.rand(*result), s.rand(*result[-1:])]:
            s.add("index_put", {"Axes": axes, "Accumulate": True}, [s.rand(*shape), values] + idx, lambda x, v, *i: torch.index_put(x, full(x, axes, i), v, accumulate=True), 1e-6)
        distinct = [torch.arange(min(shape[a] for a in axes)) for a in axes]
        s.add("index_put", {"Axes": axes}, [s.rand(*shape), s.rand()] + distinct, lambda x, v, *i: torch.index_put(x, full(x, axes, i), v))
    s.add("index", {"Axes": [0]}, [s.rand(3), torch.tensor([3])], lambda x, i: x[i])
    s.add("index", {"Axes": [0]}, [s.rand(3), torch.tensor([-4])], lambda x, i: x[i])
    s.add("index", {"Axes": [1]}, [s.rand(3), torch.tensor([0])], lambda x, i: x[:, i])
    s.add("index_put", {"Axes": [0]}, [s.rand(3), s.rand(2), torch.tensor([0, 1, 2])], lambda x, v, i: torch.index_put(x, (i,), v))
    s.add("index_put", {"Axes": [0]}, [s.rand(3), s.rand(1, dtype=INT), torch.tensor([0, 1])], lambda x, v, i: torch.index_put(x, (i,), v))


def full(x, axes, indices):
    """The indices index_put takes: it has no slices, so it gets every index of the other dimensions."""
    if list(axes) == list(range(len(axes))):
        return tuple(indices)
    probe = torch.arange(x.numel()).view(x.shape)[take(x, axes, indices)]
    out = []
    for d in reversed(range(x.dim())):
        out.insert(0, probe % x.shape[d])
        probe = torch.div(probe, x.shape[d], rounding_mode="floor")
    return tuple(out)
