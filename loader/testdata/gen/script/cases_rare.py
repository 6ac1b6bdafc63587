"""Rare operators: special functions, margin losses, combinations, covariances, copies of views."""

import torch


def cases(s):
    r = s.rand
    inf, nan = float("inf"), float("nan")
    edges = torch.tensor([0.0, -0.0, 1.0, -1.0, 0.5, 30.0, -30.5, 100.0, inf, -inf, nan, 1e-6, 2.25, 0.999, -7.5])
    unit = torch.tensor([0.0, 1.0, 0.5, 0.25, 0.75, 1e-8, 0.9999, 1e-4, 2.0, -1.0, nan, 1e-30])
    x = r(3, 4) + 0.03125
    for e in ["torch.special.erfcx(a)", "torch.special.ndtr(a)", "torch.special.log_ndtr(a)", "torch.special.entr(a)", "torch.i0(a)", "torch.special.i0e(a)", "torch.special.i1(a)", "torch.special.i1e(a)",
              "torch.special.bessel_j0(a)", "torch.special.bessel_j1(a)", "torch.special.bessel_y0(a)", "torch.special.bessel_y1(a)", "torch.special.spherical_bessel_j0(a)", "torch.special.modified_bessel_i0(a)",
              "torch.special.polygamma(0, a)", "torch.special.polygamma(1, a)", "torch.polygamma(2, a)", "torch.polygamma(3, a)", "torch.special.erfinv(a)", "torch.special.ndtri(a)"]:
        lo = "erfinv" in e or "ndtri" in e
        wide = "i0(" in e or "i1(" in e or "bessel_i" in e
        values = x.abs() / 5 if lo else x.abs() + 0.5 if "polygamma" in e or "entr" in e or "_y" in e else x
        flat = unit if lo else edges.clamp(-80, 80) if wide or "erfcx" in e else edges[edges != 0] if "polygamma" in e else edges
        if "polygamma" in e:
            flat = torch.tensor([0.5, 1.0, 3.25, 10.0, 50.0, 0.03125, -0.5, -2.25])
        if "erfcx" in e:
            flat = flat[flat > -9]
        s.op(e, values, flat, values.double(), tol=3e-6)
    for e in ["torch.mvlgamma(a, 3)", "torch.special.multigammaln(a, 1)"]:
        s.op(e, x.abs() + 2, (x.abs() + 3).double(), tol=3e-6)
    b = r(3, 4) + 0.0625
    b[0, 0] = -0.0
    for e in ["torch.copysign(a, b)", "torch.copysign(a, -2.0)", "torch.logaddexp2(a, b)", "torch.ldexp(a, b)", "torch.addr(a, a[:, 0], b[0], beta=0.5, alpha=2)", "torch.addr(a[0], a[:, 0], b[0], beta=0)",
              "torch.block_diag(a, b[0], b[:2, :1])", "torch.cartesian_prod(a[0], b[1])", "torch.cartesian_prod(a[0])", "torch.combinations(a[0], 3)", "torch.combinations(a[0], 2, with_replacement=True)",
              "torch.combinations(a[0], 5)", "torch.cov(a)", "torch.cov(a[0])", "torch.cov(a, correction=0)", "torch.corrcoef(a)", "torch.corrcoef(a[1])", "torch.diagflat(a)", "torch.diagflat(a[0], -1)",
              "torch.pdist(a)", "torch.pdist(a, 1.0)", "torch.pdist(a, 3.0)", "torch.renorm(a, 2, 0, 5.0)", "torch.renorm(a, 1, 1, 2.0)", "torch.isreal(a)", "torch.argwhere(a > 0)",
              "a.put(torch.tensor([0, 5, 11]), b[0, 1:])", "a.put(torch.tensor([[0], [0]]), b[:2, :1], True)"]:
        s.op(e, (x, b), (x[:2] * 3, b[1:] - 1) if "b[:2" not in e else (x, b * 2), tol=3e-6)
    s.op("torch.heaviside(a, b)", (torch.tensor([-1.5, 0.0, 2.0, nan]), torch.tensor([0.5, 0.25, 3.0, 4.0])), (torch.tensor([[0.0], [1.0]]), r(3)))
    s.op("torch.cov(a, fweights=b, aweights=c)", (x, torch.tensor([1, 3, 2, 1]), torch.tensor([0.5, 1.0, 2.0, 0.25])))
    s.op("torch.cov(a, aweights=b)", (x, torch.tensor([0.5, 1.0, 2.0, 0.25])))
    s.op("torch.frexp(a)", torch.tensor([0.0, 1.0, -3.5, 1e-40, 1e30, inf, nan, 0.75, -0.0]), r(4), torch.tensor([1e300, 1e-300, 2.0], dtype=torch.float64))
    for d in (torch.int64, torch.int32):
        i, j = r(3, 4, dtype=d, lo=-40, hi=40), r(3, 4, dtype=d, lo=-40, hi=40)
        i[0, 0] = j[0, 0] = j[1, 1] = 0
        for e in ["torch.gcd(a, b)", "torch.lcm(a, b)", "torch.copysign(a, b)", "torch.ldexp(a.abs(), b)"]:
            s.op(e, (i, j), (i * 6, j[0]))
    t = torch.tensor([1, 3, 0])
    w = torch.tensor([0.5, 1.0, 2.0, 0.25])
    for red in ("'mean'", "'sum'", "'none'"):
        s.op(f"F.multi_margin_loss(a, b, reduction={red})", (x, t))
        s.op(f"F.multi_margin_loss(a, b, p=2, margin=0.5, weight=c, reduction={red})", (x, t, w))
        s.op(f"F.multilabel_margin_loss(a, b, reduction={red})", (x, torch.tensor([[3, 0, -1, 1], [-1, 0, 1, 2], [0, 1, 2, 3]])))
    s.op("F.multi_margin_loss(a, b)", (x[0], t[1]))
    s.op("F.multilabel_margin_loss(a, b)", (x[0], torch.tensor([2, 1, -1, 0])))
    for e in ["torch.blackman_window(6)", "torch.blackman_window(5, False)", "torch.bartlett_window(6)", "torch.bartlett_window(7, False)", "torch.kaiser_window(6)", "torch.kaiser_window(8, False, 9.0)",
              "torch.kaiser_window(1)", "torch.hann_window(5, dtype=torch.float64)"]:
        s.op(f"{e} * a", x[0, :1])
    for e in ["torch.permute_copy(a, [1, 0])", "torch.transpose_copy(a, 0, 1)", "torch.unsqueeze_copy(a, 1)", "torch.select_copy(a, 0, 1)", "torch.slice_copy(a, 1, 1, 3)", "torch.split_copy(a, 2, 0)",
              "torch.unbind_copy(a, 1)", "torch.expand_copy(a[0], [2, 4])", "torch.diagonal_copy(a)", "torch.view_copy(a, [4, 3])", "torch.alias_copy(a)", "torch.detach_copy(a) + a", "torch.squeeze_copy(a[:1])"]:
        s.op(e, x)
    s.op("torch.conv_tbc(a, b, c, 1)", (r(5, 2, 3), r(3, 3, 4), r(4)))
    s.op("torch._weight_norm_interface(a, b)[0]", (x, r(3, 1)))
    gammas = torch.tensor([0.0, 0.25, 1.0, 2.5, 30.0, 900.0, 2e5, inf, nan, -1.0])
    for e in ["torch.igamma(a.detach(), b)", "torch.special.gammaincc(a.detach(), b)"]:
        s.op(e, (x.abs() + 0.25, b.abs() + 0.5), (gammas[:, None], gammas), (gammas[:, None].double(), torch.tensor([0.5, 29.0, 31.0, 905.0, 2.001e5], dtype=torch.float64)), tol=1e-5)
    zetas = torch.tensor([1.0, 0.5, 2.25, 30.0, 1000.0, 0.0, -1.0, -0.5, 1e-3, nan])
    s.op("torch.special.zeta(a.detach(), b)", (x.abs() + 1.5, b.abs() + 0.5), (torch.tensor([1.5, 2.0, 3.0, 10.5, 1.0, 0.5, 40.0, 300.0])[:, None], zetas), (x.abs().double() + 2, zetas[:4].double()), tol=3e-6)
    s.op("(torch.special.zeta(a, 2.5), torch.special.zeta(3, a), torch.special.zeta(a.long().abs() + 2, a.long().abs() + 1))", x.abs() + 1.25, tol=3e-6)
    distinct = torch.randperm(96, generator=s.generator).float().reshape(1, 2, 6, 8) / 8
    spread = torch.rand(1, 2, 3, generator=s.generator)
    s.op("torch.ops.aten.fractional_max_pool2d(a, [2, 3], [3, 4], b)", (distinct, spread[..., :2]), (distinct[0], spread[..., 1:]), (torch.where(distinct == 3, nan, distinct), spread[..., :2]), (distinct.double(), spread[..., :2].double()),
         (distinct[:, :, :4, :5], spread[..., :2]), (distinct[:, :, :3, :5], spread[..., :2]), (distinct[:0], spread[:0, :, :2]))
    s.op("torch.ops.aten.fractional_max_pool2d(a, [6, 1], [1, 8], b)", (distinct, spread[..., :2]))
    s.op("F.fractional_max_pool3d(a, [1, 2, 2], [1, 2, 2], _random_samples=b)", (distinct.reshape(1, 2, 2, 6, 4), spread), (distinct.reshape(2, 2, 6, 4), spread), (distinct.reshape(2, 1, 6, 8), spread))
    infinite = torch.tensor([[1.0, inf, 2.0], [-inf, 0.5, 1.0], [inf, -inf, 3.0], [nan, 1.0, 2.0], [1e38, -1e38, 1e38]])
    s.op("torch.std_mean(a, 1)[0], torch.var_mean(a, 0, unbiased=False)[0], torch.std(a), torch.var(a, 1)", infinite)
    s.op("torch.lu_solve(a, b, c), torch.linalg.lu_solve(b, c, a), torch.lu_unpack(b, c)", (r(0, 2), r(0, 0), torch.zeros(0, dtype=torch.int32)), (r(2, 1), torch.tensor([[2.0, 1.0], [0.5, 4.0]]), torch.tensor([2, 2], dtype=torch.int32)))
