"""Sorted places, counts, comparisons of whole tensors, running extremes, medians and quantiles, splits and stacks."""

import torch
import torch.nn.functional as F

F32, F64, I64, I32, U8, BOOL = torch.float32, torch.float64, torch.int64, torch.int32, torch.uint8, torch.bool
NAN, INF = float("nan"), float("inf")


def cases(s):
    gaps = torch.tensor([[1.0, NAN, 2.0, -INF], [3.0, INF, -1.0, 3.0], [NAN, NAN, NAN, NAN], [0.0, -0.0, 0.0, 2.0]])
    runs = [s.rand(3, 4), s.rand(5), s.rand(7, 3), s.rand(3, 1), s.rand(2, 3, dtype=F64), s.rand(3, 9, dtype=I64, lo=-2, hi=2), gaps, s.rand(3, 0), s.rand(0, 3)]
    floats = [r for r in runs if r.is_floating_point()]
    for e in ["torch.cummax(a, 0)", "torch.cummin(a, -1)", "a.cummax(-1)[0]"]:
        s.op(e, *runs, s.rand(), s.rand(4, dtype=U8))
    for e in ["torch.logcumsumexp(a, 0)", "torch.logcumsumexp(a, -1)"]:
        s.op(e, *floats, s.rand(), s.rand(3, dtype=I64), tol=3e-6)
    for e in ["torch.trapz(a)", "torch.trapezoid(a, dx=0.5, dim=0)", "torch.cumulative_trapezoid(a, dim=0)", "torch.cumulative_trapezoid(a, dx=2, dim=-1)"]:
        s.op(e, *runs[:6], gaps, tol=2e-6)
    for e in ["torch.gradient(a)", "torch.gradient(a, spacing=0.5, dim=0)", "torch.gradient(a, dim=-1)"]:
        s.op(e, *[r for r in floats if r.numel()], tol=2e-6)
    # Places.
    for d in [F32, F64, I64, I32]:
        b = s.rand(6, dtype=d).sort()[0]
        for e in ["torch.searchsorted(a, b)", "torch.searchsorted(a, b, right=True)", "torch.searchsorted(a, b, side='right', out_int32=True)", "torch.bucketize(b, a)", "torch.bucketize(b, a, right=True, out_int32=True)"]:
            s.op(e, (b, s.rand(2, 3, dtype=d)), (b, s.rand(dtype=d)), (b, b), (b[:0], s.rand(2, dtype=d)), (b, s.rand(0, dtype=d)), (b, s.rand(3, dtype=F64 if d == F32 else F32)))
    rows = s.rand(2, 5).sort()[0]
    nan = torch.tensor([-INF, -1.0, 0.0, INF, NAN])
    for e in ["torch.searchsorted(a, b)", "torch.searchsorted(a, b, right=True)"]:
        s.op(e, (rows, s.rand(2, 3)), (rows, s.rand(3, 3)), (rows, s.rand(3)), (nan, torch.tensor([NAN, INF, -INF, 0.5, 0.0])), (nan[:4], nan), (rows, s.rand(1, 3)))
    s.op("torch.searchsorted(a, 0.5)", rows[0], s.rand(4, dtype=I64).sort()[0])
    s.op("torch.bucketize(0.5, a)", rows[0])
    s.op("torch.searchsorted(a, b)", (torch.tensor([0.1, 0.2]), torch.tensor(0.1, dtype=F64)), (torch.tensor([1, 2]), torch.tensor(1.5)))
    s.op("torch.searchsorted(a, b, sorter=c)", (rows[0].flip(0), s.rand(3), torch.arange(4, -1, -1)))
    s.op("torch.searchsorted(a, b, right=True, side='left')", (rows[0], s.rand(3)))
    s.op("torch.bincount(a, minlength=9)", s.rand(7, dtype=I64, lo=0, hi=8), s.rand(0, dtype=I64), s.rand(5, dtype=I32, lo=0), torch.tensor([1, -1]))
    s.op("torch.bincount(a, b, minlength=5)", (s.rand(7, dtype=I64, lo=0), s.rand(7)), (s.rand(3, dtype=I64, lo=0), s.rand(3, dtype=F64)), (s.rand(3, dtype=I64, lo=0), s.rand(3, dtype=I64)), (s.rand(3, dtype=I64, lo=0), s.rand(2)))
    # Whole tensors.
    x = s.rand(2, 3)
    pairs = [(x, x + 0.0), (x, x + 1e-6), (x, s.rand(2, 3)), (gaps, gaps.clone()), (s.rand(0), s.rand(0)), (s.rand(3, dtype=I64), s.rand(3, dtype=I64)), (x.double(), x.double())]
    s.op("torch.equal(a, b)", *pairs, (x, x[0]), (x, x[:1]), (torch.tensor([True, False]), torch.tensor([True, False])))
    for e in ["torch.allclose(a, b)", "torch.allclose(a, b, rtol=0.0, atol=1e-7)", "torch.allclose(a, b, equal_nan=True)"]:
        s.op(e, *pairs, (x, x[:1] + 0.0), (x, x.double()))
    s.op("(a if torch.equal(a, b) else b * 2)", *pairs[:3])
    s.op("a.is_same_size(b)", *pairs[:2], (x, x[0]))
    for e in ["torch.isclose(a, b)", "torch.isclose(a, b, equal_nan=True)"]:
        s.op(e, *pairs, (x, x[:1]))
    # Without NaN.
    for e in ["torch.nanmean(a, 1)", "torch.nanmean(a)", "torch.nanmean(a, 0, keepdim=True)", "torch.nanmedian(a)", "torch.nansum(a, 1)", "torch.nansum(a)"]:
        s.op(e, *[r for r in floats if r.dim() > 1 or "1)" not in e], tol=2e-6)
    s.op("torch.nansum(a, -1)", s.rand(3, dtype=I64), s.rand(3, dtype=BOOL))
    s.op("torch.nanmedian(a, -1)[0]", *[r for r in floats if r.size(-1)], s.rand(4, dtype=I64))
    s.op("torch.nanmedian(a, 0, keepdim=True)", s.rand(3, 4), s.rand(2, 3, dtype=F64), torch.tensor([[NAN, 2.0], [1.0, 3.0], [5.0, NAN]]))
    for e in ["torch.quantile(a, 0.25, -1)", "torch.quantile(a, 0.6, 0, keepdim=True)", "torch.quantile(a, 0.5)", "torch.quantile(a, 1.0, -1)", "torch.quantile(a, 0.3, -1, interpolation='lower')", "torch.quantile(a, 0.3, -1, interpolation='higher')", "torch.quantile(a, 0.3, -1, interpolation='nearest')", "torch.quantile(a, 0.3, -1, interpolation='midpoint')", "torch.quantile(a, 1.5)"]:
        s.op(e, *[r for r in floats if r.numel()], tol=2e-6)
    for e in ["torch.quantile(a, b, -1)", "torch.quantile(a, b, 0, keepdim=True)", "torch.quantile(a, b)"]:
        s.op(e, (s.rand(3, 4), torch.tensor([0.1, 0.5, 0.9])), (s.rand(2, 3, 2), torch.tensor([0.0, 1.0])), (s.rand(5), torch.tensor(0.7)), (s.rand(5), torch.tensor([0.7, 1.7])), (gaps, torch.tensor([0.5])), tol=2e-6)
    s.op("torch.special.xlog1py(a, b)", (s.rand(2, 3), s.rand(3).abs()), (s.rand(3, dtype=I64), s.rand(3).abs()), (torch.tensor([0.0, 0.0, 1.0]), torch.tensor([NAN, -1.0, INF])), tol=2e-6)
    # Parts and stacks.
    boxes = [s.rand(4, 6), s.rand(6), s.rand(4, 4, 2), s.rand(2, 3, dtype=I64), s.rand()]
    for e in ["torch.hsplit(a, 2)", "torch.hsplit(a, [1, 3])", "torch.vsplit(a, 2)", "torch.vsplit(a, [1])", "torch.dsplit(a, 2)"]:
        s.op(e, *boxes)
    for e in ["torch.dstack([a, a])", "torch.column_stack([a, a])", "torch.atleast_3d(a)", "torch.hstack([a, a])", "torch.vstack([a, a])"]:
        s.op(e, *boxes)
    s.op("torch.column_stack([a, b])", (s.rand(3), s.rand(3, 2)), (s.rand(2), s.rand(3)))
    for e in ["amax", "amin", "prod", "mean"]:
        for i in [True, False]:
            # Without include_self PyTorch still shares the gradient with an element of a that equals the result: none does.
            a, c = ("a.detach()", "c.detach()") if e == "prod" else ("a" if i else "(a + 10)", "c")
            s.op(f"{a}.index_reduce(0, b, {c}, '{e}', include_self={i})", (s.rand(4, 3), torch.tensor([0, 2, 0]), s.rand(3, 3)), (s.rand(4), torch.tensor([1]), s.rand(1)), (s.rand(4, 3), torch.tensor([0, 2]), s.rand(3, 3)), tol=2e-6)
            if e != "prod":
                s.op(f"{a}.scatter_reduce(0, b, c, '{e}', include_self={i})", (s.rand(4, 3), torch.tensor([[0, 2, 0], [0, 2, 1], [0, 0, 0]]), s.rand(3, 3)), tol=2e-6)
    wide = torch.tensor([0.0, -0.0, 0.5, 1.0, 2.0, -0.5, -1.0, -2.5, 1e-3, 100.0, 1e30, INF, -INF, NAN, 3.75, -10.25, 12.0])
    for e in ["torch.lgamma(a.detach())", "torch.digamma(a.detach())", "torch.signbit(a)", "torch.special.gammaln(a.detach())"]:
        s.op(e, wide, wide.double(), s.rand(4, dtype=I64, lo=1, hi=9), s.rand(3, dtype=BOOL), s.rand(0), s.rand(3, dtype=I64), tol=5e-6)
    for e in ["a.fill_diagonal_(2.5)", "a.clone().fill_diagonal_(1)"]:
        s.op(e, s.rand(3, 3), s.rand(2, 4), s.rand(4, 2), s.rand(0, 2), s.rand(3, 3, dtype=I64), s.rand(3))
    for p in [2.0, 1.0]:
        m = torch.nn.Embedding(6, 3, max_norm=1.0, norm_type=p)
        s.module(m, torch.tensor([[0, 2], [2, 5]]), torch.tensor([1]), torch.tensor([0, 1, 2, 3, 4, 5]), tol=3e-6)
    for e in ["torch.lgamma(a)", "torch.digamma(a)"]:
        s.op(e, torch.tensor([0.3, 1.0, 2.5, -0.4, -1.7, 7.25, 30.0]), tol=5e-6)
    holes = torch.tensor([[1.0, NAN, 3.0, -2.0, 0.5], [NAN, NAN, NAN, 4.0, 1.0], [NAN, NAN, NAN, NAN, NAN], [2.0, 5.0, 1.0, 4.0, 3.0]])
    for e in ["torch.nanquantile(a, 0.3)", "torch.nanquantile(a, 0.75, dim=1)", "torch.nanquantile(a, 0.5, dim=0, keepdim=True)", "torch.nanquantile(a, b, dim=1)", "torch.nanquantile(a, b, dim=-1, interpolation='midpoint')"]:
        s.op(e, (holes[:2], torch.tensor(0.9)), (holes, torch.tensor(0.4)), tol=2e-6)
    for e in ["lower", "higher", "nearest"]:
        s.op(f"torch.nanquantile(a, 0.6, dim=1, interpolation='{e}')", holes)
    for e in ["torch.vander(a)", "torch.vander(a, 4)", "torch.vander(a, 3, increasing=True)", "torch.vander(a, 1)"]:
        s.op(e, torch.tensor([0.5, -2.0, 3.0]), torch.tensor([2, -1, 3]), tol=2e-6)
    # Places of the greatest elements, and what is put there.
    distinct = torch.randperm(2 * 3 * 7 * 6, generator=s.generator).reshape(2, 3, 7, 6) / 8.0 - 10
    images = [distinct, s.rand(2, 7, 5), s.rand(1, 1, 4, 4, dtype=F64)]
    for e in ["F.max_pool2d(a, 2, return_indices=True)", "F.max_pool2d(a, [3, 2], 2, 1, return_indices=True)", "F.max_pool2d(a, 3, 1, 1, [1, 2], ceil_mode=True, return_indices=True)", "F.adaptive_max_pool2d(a, [3, 2], return_indices=True)", "F.adaptive_max_pool2d(a, 1, return_indices=True)", "torch.ops.aten.max_pool2d_with_indices(a, [2], [3])[1]"]:
        s.op(e, *images)
    s.op("F.max_pool1d(a, 3, 2, return_indices=True)", s.rand(2, 3, 9), s.rand(3, 8))
    s.op("F.max_pool3d(a, 2, 2, return_indices=True)", distinct, s.rand(1, 2, 4, 5, 4))
    s.op("F.adaptive_max_pool1d(a, 4, return_indices=True)", s.rand(2, 3, 9))
    s.op("F.adaptive_max_pool3d(a, [2, 1, 3], return_indices=True)", distinct)
    b, at = F.max_pool2d(distinct, 2, return_indices=True)
    s.op("torch.ops.aten.max_unpool2d(a, b, [7, 6])", (b, at), (b[0], at[0]), (b.double(), at), (b, at[:1]))
    b, at = F.max_pool3d(distinct, 2, return_indices=True)
    s.op("torch.ops.aten.max_unpool3d(a, b, [3, 7, 6], [2, 2, 2], [0, 0, 0])", (b, at))
    s.op("F.max_unpool2d(F.max_pool2d(a, 2)[:, :, :2], b[:, :, :2], 2)", (distinct, F.max_pool2d(distinct[:, :, :4], 2, return_indices=True)[1]))
    s.op("F.max_unpool1d(a, b, 2)", (torch.tensor([[[2.0, -1.0, 3.0]]]), torch.tensor([[[1, 2, 5]]])))
    for e in ["torch.trapz(a, b)", "torch.trapezoid(a, b, dim=0)", "torch.cumulative_trapezoid(a, b, dim=-1)"]:
        s.op(e, (s.rand(3, 3), torch.tensor([0.0, 0.5, 2.0])), (s.rand(3, 3), s.rand(3, 3)), (s.rand(3, 3), s.rand(2)), (s.rand(3, 3, dtype=I64), s.rand(3, dtype=I64)), tol=2e-6)
    s.op("torch.gradient(a, dim=[0, 1])", s.rand(3, 5, dtype=I64), tol=2e-6)
    # Of tensors without dimensions.
    one = torch.tensor([0])
    for e in ["a.index_fill(0, b, 2.5)", "a.index_copy(0, b, a * 2)", "a.index_add(0, b, a * 3, alpha=2)", "a.index_reduce(0, b, a * 3, 'amax')"]:
        s.op(e, (torch.tensor(1.5), one), (torch.tensor([1.5, 2.5]), one[:0]) if "fill" in e else (torch.tensor(2.0), one))
    s.op("torch.nonzero(a)", torch.tensor(1.5), torch.tensor(0.0), torch.tensor(3))
    s.op("torch.quantile(a, 0.3, 0)", torch.tensor(1.5))
    s.op("torch.nanquantile(a, b, dim=1)", (s.rand(2, 5), torch.tensor([0.2, 0.7])), tol=2e-6)
    s.op("torch.bincount(a)", torch.tensor([1, 4, 1, 0]), torch.tensor([2]), torch.tensor([], dtype=I64), torch.tensor([3, -1]))
    s.op("torch.bincount(a, b)", (torch.tensor([1, 4, 1]), torch.tensor([0.5, 2.0, 1.0])), (torch.tensor([0]), torch.tensor([2])))
    s.op("torch.histc(a, 4)", torch.tensor([1.0, 2.0, 1.5, 4.0]), torch.tensor([2.0, 2.0]))
    s.op("torch.angle(a)", torch.tensor([1.0, -2.0, 0.0, -0.0, NAN]), s.rand(4, dtype=I64))
    s.op("torch.logit(a, 0.6)", torch.tensor([0.1, 0.5, 0.9, NAN, 0.6]), tol=2e-6)
    s.op("F.cosine_similarity(a, b, 0)", (s.rand(3, 2), s.rand(1, 2)), (s.rand(3), s.rand(3)), tol=2e-6)
    s.op("a.masked_scatter(b, c)", (s.rand(3), s.rand(2, 3, dtype=BOOL), s.rand(6)))
    s.op("torch.view_as_real(torch.complex(a, b))", (s.rand(2, 3), s.rand(3)), (s.rand(3), s.rand(1)))
    s.op("torch.ops.aten.native_layer_norm(a, [3], b, None, 1e-5)", (s.rand(2, 3), s.rand(3)), tol=3e-6)
    s.op("torch.ops.aten.native_group_norm(a, None, None, 2, 4, 3, 2, 1e-5)", s.rand(2, 4, 3), tol=3e-6)
    s.op("torch.addmm(a, b, c, beta=2, alpha=3)", (s.rand(2, 2, dtype=I64), s.rand(2, 3, dtype=I64), s.rand(3, 2, dtype=I64)))
    for e in ["torch.linalg.vander(a)", "torch.linalg.vander(a, N=4)"]:
        s.op(e, torch.tensor([[0.5, -2.0, 3.0], [1.0, 0.0, 1.5]]), tol=2e-6)
