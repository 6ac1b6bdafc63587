"""Softmax and running sums along a dimension."""

import math

import torch


def cases(s):
    shapes = [[5], [2, 3, 4], [1, 7], [3, 1], [2, 0, 3], [0], [2, 3, 4, 5], [3, 1100], []]
    for shape in shapes:
        x = s.rand(*shape)
        for axis in range(-max(len(shape), 1), max(len(shape), 1)):
            s.add("softmax", {"Axis": axis}, [x], lambda x: torch.softmax(x, axis), 1e-6)
            s.add("softmax", {"Axis": axis, "Log": True}, [x], lambda x: torch.log_softmax(x, axis), 2e-6)
            s.add("cumulative", {"Axis": axis}, [x], lambda x: torch.cumsum(x, axis), 1e-6)
            if len(shape) > 1 and shape[-1] < 10:
                s.add("cumulative", {"Axis": axis, "Product": True}, [x / 4], lambda x: torch.cumprod(x, axis), 1e-6)
    for axis in [-1, 0]:
        x = torch.tensor([[math.inf, 1.0, 2.0], [-math.inf, 0, 3], [-math.inf] * 3, [math.nan, 1, 2], [1000.0, -1000, 999]])
        s.add("softmax", {"Axis": axis}, [x], lambda x: torch.softmax(x, axis), 1e-6)
        s.add("softmax", {"Axis": axis, "Log": True}, [x], lambda x: torch.log_softmax(x, axis), 1e-6)
        s.add("softmax", {"Axis": axis}, [s.rand(3, 4).double()], lambda x: torch.softmax(x, axis), 1e-12)
    s.add("softmax", {"Axis": 2}, [s.rand(3, 4)], lambda x: torch.softmax(x, 2))
    s.add("softmax", {"Axis": -3}, [s.rand(3, 4)], lambda x: torch.softmax(x, -3))
    s.add("softmax", {"Axis": 0}, [s.rand(3, dtype=torch.int64)], lambda x: torch.softmax(x, 0))
    for d in [torch.int64, torch.int32, torch.uint8, torch.bool]:
        for axis in [0, 1]:
            s.add("cumulative", {"Axis": axis}, [s.rand(4, 5, dtype=d)], lambda x: torch.cumsum(x, axis))
            s.add("cumulative", {"Axis": axis, "Product": True}, [s.rand(4, 5, dtype=d)], lambda x: torch.cumprod(x, axis))
