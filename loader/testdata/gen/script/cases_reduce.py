"""Reductions, sorting, and running sums."""

import torch

F32, F64, F16, I64, I32, U8, BOOL = torch.float32, torch.float64, torch.float16, torch.int64, torch.int32, torch.uint8, torch.bool


def cases(s):
    runs = [s.rand(2, 3), s.rand(4, 1, 3), s.rand(5), s.rand(), s.rand(2, 0), s.rand(0, 3), s.rand(2, 3, dtype=I64), s.rand(3, 2, dtype=F64), s.rand(2, 3, dtype=BOOL), s.rand(2, 3, dtype=U8), s.rand(2, 3, dtype=I32), s.rand(7, 3)]
    floats = [r for r in runs if r.is_floating_point()]
    numbers = [r for r in runs if r.dtype != BOOL]
    for e in ["a.sum()", "a.sum(0)", "a.sum(-1, keepdim=True)", "a.sum([0, 1])", "a.sum(dim=(0, -1), keepdim=True)", "a.sum(1)", "a.sum(0, dtype=torch.float64)", "torch.sum(a, dtype=torch.int64)", "a.prod()", "a.prod(0)", "a.prod(-1, keepdim=True)"]:
        s.op(e, *runs, tol=2e-6)
    s.op("a.sum(dim=[])", s.rand(2, 3))
    for e in ["a.mean()", "a.mean(0)", "a.mean(-1, keepdim=True)", "a.mean([0, 1])", "a.mean((-2, -1), keepdim=True)", "a.mean(0, dtype=torch.float64)", "torch.logsumexp(a, 0)", "torch.logsumexp(a, [0, 1], keepdim=True)"]:
        s.op(e, *floats, s.rand(2, 3, dtype=I64), tol=3e-6)
    for e in ["a.max()", "a.min()", "a.max(0)", "a.min(-1)", "a.max(0, keepdim=True)", "a.max(1)[0]", "a.min(0)[1]", "torch.amax(a, 0)", "torch.amin(a, (0, 1))", "torch.amax(a, -1, keepdim=True)", "torch.amax(a)", "a.argmax()", "a.argmin(0)", "a.argmax(-1, keepdim=True)", "torch.argmax(a, dim=1)", "torch.aminmax(a)", "torch.aminmax(a, dim=0, keepdim=True)"]:
        s.op(e, *numbers)
    for e in ["a.any()", "a.all()", "a.any(0)", "a.all(-1, keepdim=True)", "torch.any(a > 0)", "torch.all(a > -9, 0)", "torch.count_nonzero(a)", "torch.count_nonzero(a, 0)"]:
        s.op(e, *runs)
    for f in ["var", "std"]:
        for e in ["a.{}()", "a.{}(0)", "a.{}(-1, unbiased=False, keepdim=True)", "a.{}(unbiased=False)", "a.{}([0, 1])", "torch.{}_mean(a, 0)", "torch.{}_mean(a, unbiased=False)", "torch.{}(a, dim=0, correction=0)"]:
            s.op(e.format(f), *[r for r in floats if r.numel() > 1], tol=5e-6)
    for e in ["torch.norm(a)", "a.norm(2, -1)", "a.norm(1, 0, True)", "torch.norm(a, p=float('inf'))", "torch.norm(a, 2, 0)", "torch.norm(a, 3.0)", "torch.linalg.vector_norm(a)", "torch.linalg.vector_norm(a, 1, 0)", "torch.linalg.norm(a)", "F.normalize(a, dim=0)", "F.normalize(a, p=1.0, dim=-1)", "torch.norm(a, 0)", "torch.linalg.vector_norm(a, float('-inf'))"]:
        s.op(e, *[r for r in floats if r.numel()], tol=5e-6)
    s.op("torch.nansum(a)", torch.tensor([1.0, float("nan"), 2.0]), s.rand(2, 3))
    s.op("torch.nansum(a, 0)", torch.tensor([[1.0, float("nan")], [2.0, 4.0]]))
    nan = torch.tensor([[1.0, float("nan"), 2.0], [3.0, -1.0, 5.0]])
    for e in ["a.max()", "a.max(1)", "a.argmax(1)", "torch.amin(a, 1)", "a.sort(1)", "a.topk(2, 1)"]:
        s.op(e, nan)
    for e in ["torch.cumsum(a, 0)", "torch.cumsum(a, -1)", "torch.cumsum(a, 1)", "torch.cumsum(a, 0, dtype=torch.float64)", "torch.cumprod(a, 0)", "a.cumsum_(0)"]:
        s.op(e, *runs, tol=3e-6)
    ordered = [torch.randperm(12, generator=s.generator).reshape(3, 4).float(), torch.randperm(5, generator=s.generator).float(), torch.randperm(6, generator=s.generator).reshape(1, 6), s.rand(0, 4), torch.randperm(8, generator=s.generator).reshape(2, 4).int(), s.rand()]
    for e in ["torch.sort(a)", "torch.sort(a, 0)", "torch.sort(a, descending=True)", "a.sort(-1, descending=True)[0]", "torch.argsort(a)", "torch.argsort(a, dim=0, descending=True)", "torch.sort(a, stable=True, dim=0)", "a.topk(2)", "a.topk(1, dim=0)", "a.topk(2, largest=False)", "torch.topk(a, 3, -1, True, True)", "a.kthvalue(1)", "a.kthvalue(2, keepdim=True)", "a.median()", "a.median(-1)", "torch.topk(a, min(2, a.size(-1)))"]:
        s.op(e, *ordered)
    ties = torch.tensor([[2.0, 1.0, 2.0, 1.0, 2.0], [0.0, 0.0, 1.0, 1.0, 0.0]])
    for e in ["torch.sort(a, stable=True)", "torch.sort(a, stable=True, descending=True)", "a.argmax(1)", "a.max(1)", "a.argmin(1)"]:
        s.op(e, ties)
    for e in ["torch.diag(a)", "torch.diag(a, 1)", "torch.trace(a)", "torch.diag_embed(a)"]:
        s.op(e, s.rand(3, 3), s.rand(2, 3), s.rand(4))
    # The same names on lists and numbers.
    s.op("(sum([1, 2, 3]), max([4, 2]), min([1.5, 0.5]), any([True, False]), all([True, True]))", s.rand(1))
    s.op("torch.msort(a)", *ordered[:4])
    s.op("torch.special.logsumexp(a, 1)", s.rand(2, 3), tol=3e-6)
    gaps = torch.tensor([[float("nan"), 1.0, float("nan")], [3.0, float("inf"), -1.0], [float("-inf"), 2.0, 0.0]])
    for e in ["a.min()", "a.min(1)", "a.min(0)", "a.argmin(1)", "a.argmax()", "torch.amax(a, 0)", "torch.aminmax(a, dim=1)", "a.sort(1, descending=True)", "a.topk(2, 1, largest=False)", "a.sum(1)", "a.mean(1)", "torch.logsumexp(a, 1)", "a.cumsum(1)", "a.cumprod(0)", "a.var(1)", "a.median(1)", "a.kthvalue(2, 1)", "torch.maximum(a, a.flip(1))", "torch.fmin(a, a.flip(1))"]:
        s.op(e, gaps)
    s.op("torch.std(a, [0, 2], correction=2, keepdim=True)", s.rand(3, 2, 4), s.rand(2, 1, 2), tol=5e-6)
