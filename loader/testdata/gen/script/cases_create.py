"""Making tensors, and joining and repeating them."""

import torch

F32, F64, I64, I32, BOOL = torch.float32, torch.float64, torch.int64, torch.int32, torch.bool


def cases(s):
    a = [s.rand(2, 3), s.rand(4, 3), s.rand(2, 3, dtype=I64), s.rand(0, 3)]
    for e in [
        "torch.zeros(2, 3)", "torch.ones([2, 3], dtype=torch.int64)", "torch.zeros(a.size(0), 2, dtype=a.dtype)", "torch.full([2], 3)", "torch.full([2], 3.5)", "torch.full([a.size(0)], 2, dtype=torch.float64)",
        "torch.zeros_like(a)", "torch.ones_like(a, dtype=torch.float64)", "torch.full_like(a, 2)", "a.new_zeros(2, 3)", "a.new_ones([a.size(0)])", "a.new_full([2], 7)", "a.new_zeros([2], dtype=torch.bool)",
        "torch.arange(5)", "torch.arange(1, 7, 2)", "torch.arange(0., 1., 0.25)", "torch.arange(a.size(0), dtype=torch.float32)", "torch.arange(5, 1, -1)", "torch.arange(a.size(0) - 1, -1, -1)", "torch.arange(2.5)", "torch.arange(0, a.size(0), 2)",
        "torch.linspace(0, 1, 5)", "torch.linspace(-1, 1, a.size(0))", "torch.linspace(2., 3., 1)", "torch.eye(3)", "torch.eye(2, 4)", "torch.eye(a.size(0))", "torch.tensor([1, 2, 3])", "torch.tensor([[1.5, 2.], [3., 4.]])", "torch.tensor(2.5)", "torch.tensor([True, False])", "torch.tensor([1, 2], dtype=torch.float32)",
        "torch.tensor(a.size(0))", "torch.tensor([a.size(0), 3])", "torch.as_tensor(3)", "torch.empty(2, 3).fill_(1.)", "torch.empty_like(a).zero_()", "torch.tril(a)", "torch.triu(a, 1)", "torch.tril(torch.ones(a.size(0), a.size(0)), -1)", "torch.triu(torch.full([a.size(0), a.size(0)], float('-inf')), diagonal=1)",
        "torch.tril_indices(3, 4)", "torch.triu_indices(3, 3, 1)", "torch.hann_window(5)", "torch.hann_window(8, periodic=False)", "torch.hamming_window(6)", "torch.scalar_tensor(3)", "torch.meshgrid([torch.arange(2), torch.arange(a.size(0))])", "torch.meshgrid([torch.arange(2), torch.arange(3)], indexing='xy')",
        "torch.range(1, 4)",
    ]:
        s.op(e, *a, tol=1e-6)
    pairs = [(s.rand(2, 3), s.rand(2, 3)), (s.rand(4, 3), s.rand(4, 3)), (s.rand(0, 3), s.rand(0, 3)), (s.rand(2, 3, dtype=I64), s.rand(2, 3)), (s.rand(2, 3), s.rand(5, 3)), (s.rand(2, 3), s.rand(2, 1)), (s.rand(2, 3, dtype=BOOL), s.rand(2, 3, dtype=I64))]
    for e in ["torch.cat([a, b])", "torch.cat([a, b], 1)", "torch.cat((a, b), dim=-1)", "torch.stack([a, b])", "torch.stack([a, b], 1)", "torch.stack((a, b), dim=-1)", "torch.cat([a, b, a], 0)", "torch.hstack([a, b])", "torch.vstack([a, b])", "torch.concat([a, b])"]:
        s.op(e, *pairs)
    s.op("torch.cat([torch.zeros(0), a])", s.rand(3))
    s.op("torch.cat([a, b], 0)", (torch.zeros(0), s.rand(2, 3)), (s.rand(1, 3), s.rand(2, 3)))
    for e in ["a.repeat(2, 1)", "a.repeat(2, 2, 1)", "a.repeat([a.size(0), 1])", "torch.tile(a, [2])", "torch.tile(a, (2, 2, 2))", "a.repeat_interleave(2)", "a.repeat_interleave(2, dim=0)", "a.repeat_interleave(3, 1)", "a.flip(0)", "a.flip([0, 1])", "a.flip(-1)", "torch.fliplr(a)", "torch.flipud(a)", "torch.roll(a, 1)", "torch.roll(a, [1, -1], [0, 1])", "torch.roll(a, 2, -1)", "torch.rot90(a, 1, [0, 1])", "torch.rot90(a, 2, [0, 1])", "torch.rot90(a, -1, [0, 1])", "a.repeat(0, 1)", "a.repeat(1)"]:
        s.op(e, *a)
