"""Functions of one element, and conversions of type."""

import torch

F32, F64, F16, BF16, I64, I32, U8, BOOL = torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.uint8, torch.bool


def cases(s):
    special = torch.tensor([0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.5, -2.5, float("inf"), float("-inf"), float("nan"), 1e-30, 3e38])
    floats = [special, s.rand(2, 3), s.rand(), s.rand(0, 3), s.rand(2, 3, dtype=F64)]
    ints = [s.rand(2, 3, dtype=I64), s.rand(4, dtype=I32), s.rand(3, dtype=U8)]
    for f in ["abs", "neg", "sign", "square", "floor", "ceil", "trunc", "round", "sgn"]:
        s.op(f"torch.{f}(a)", *floats, *ints)
    for f in ["frac", "exp2", "sinh", "cosh", "tan", "asinh"]:
        s.op(f"torch.{f}(a)", s.rand(2, 3), s.rand(), s.rand(0, 3), s.rand(2, 3, dtype=F64), tol=1e-5)
    for f in ["exp", "expm1", "log", "log2", "log10", "log1p", "sqrt", "rsqrt", "reciprocal", "sin", "cos", "atan", "tanh", "sigmoid", "erf", "erfc"]:
        s.op(f"torch.{f}(a)", *([x.abs() for x in floats[1:]] if f in ("log", "log2", "log10", "log1p", "sqrt", "rsqrt") else floats[1:]), *[i for i in ints if f not in ("reciprocal",)], tol=3e-6)
    for f in ["asin", "acos", "atanh"]:
        s.op(f"torch.{f}(a)", s.rand(5) / 5, s.rand(2, 3, dtype=F64) / 5, tol=3e-6)
    s.op("torch.acosh(a)", s.rand(5).abs() + 1, tol=3e-6)
    s.op("torch.logit(a)", (s.rand(5) + 5) / 10, tol=3e-6)
    s.op("torch.logit(a, eps=0.1)", s.rand(5), (s.rand(5) + 5) / 10, tol=3e-6)
    s.op("torch.deg2rad(a) + torch.rad2deg(a)", s.rand(5), tol=3e-6)
    for f in ["isnan", "isinf", "isfinite", "logical_not"]:
        s.op(f"torch.{f}(a)", *floats, *ints, s.rand(3, dtype=BOOL))
    s.op("~a", *ints, s.rand(3, dtype=BOOL))
    s.op("torch.nan_to_num(a)", special, s.rand(3, dtype=I64))
    s.op("torch.nan_to_num(a, nan=1.0, posinf=5.0, neginf=-5.0)", special)
    s.op("torch.round(a, decimals=1)", torch.tensor([0.26, 1.24, -3.33]), tol=1e-6)
    for e in ["torch.clamp(a, -1, 1)", "torch.clamp(a, min=0)", "torch.clamp(a, max=0.5)", "torch.clamp(a, 1, -1)", "torch.clamp(a, -0.5, 2.5)", "a.clamp_min(0)", "a.clamp_max(1.5)", "torch.clip(a, 0., 1.)"]:
        s.op(e, *floats, *ints)
    s.op("-a", *floats, *ints)
    s.op("abs(a)", s.rand(3))
    # Conversions.
    sources = [torch.tensor([0.0, -1.7, 2.5, 3.4, 100.0]), s.rand(2, 3, dtype=I64), s.rand(3, dtype=BOOL), s.rand(3, dtype=U8), s.rand(3, dtype=F64), s.rand(3, dtype=I32), s.rand(0)]
    for e in ["a.float()", "a.double()", "a.half()", "a.long()", "a.int()", "a.to(torch.float32)", "a.to(torch.int64)", "a.to(dtype=torch.float64)", "a.to(torch.bool)", "a.to(torch.bfloat16)", "a.type_as(torch.zeros(1, dtype=torch.int32))",
              "a.to(torch.device('cpu'))", "a.to('cpu', torch.float32)", "a.to(torch.zeros(1))", "a.cpu()", "a.detach()", "a.clone()", "a.contiguous()", "a.to(torch.float16).to(torch.float32)", "a.to(torch.float32, copy=True).add_(1)", "a.requires_grad_(False)"]:
        s.op(e, *sources)
    s.op("a.to(torch.uint8)", s.rand(3, lo=0, hi=9), s.rand(3, dtype=I64))
    s.op("(a.dtype == torch.float32, a.is_floating_point(), a.dim(), a.numel())", *sources)
    s.op("(a.is_cuda, a.is_quantized, a.requires_grad, a.device == torch.device('cpu'))", s.rand(3))
    for dtype in [F16, BF16]:
        for e in ["a + a", "a * 2", "torch.relu(a)", "a.abs()", "a > 0", "a.float() * 3", "torch.cat([a, a])", "a.reshape(-1)", "a.sum()"]:
            s.op(e, s.rand(2, 3, dtype=dtype))
    # Numbers.
    for e in ["a + b", "a - b", "a * b", "a / b", "a // b", "a % b", "a == b", "a < b", "max(a, b)", "min(a, b)", "abs(a)", "-a", "float(a)", "int(b)", "a ** 2", "bool(a)"]:
        s.op(e, (7, 3), (-7, 3), (7, -3), (-8, 2))
        s.op(e, (7.5, 2.0), (-7.5, 2.0), (6.25, -2.5))
        s.op(e, (7, 2.5), (-7, 2.5))
    s.op("a / b", (1, 0), (1, 2))
    s.op("a // b", (1, 0), (1, 2))
    s.op("(a and b, a or b, not a)", (True, False), (True, True), (False, False))
    s.op("torch.ones(2) * a + b", (3, 1.5), (4, 2.5))
    s.op("torch.zeros(a, b)", (2, 3), (0, 4))
    s.op("(a * b, a.size(0) * b)", (s.rand(2, 3), 2), (s.rand(2, 3), 5), (s.rand(4, 3), 5), tol=1e-6)
    s.op("a[b]", (s.rand(4, 3), 2), (s.rand(4, 3), -1), (s.rand(4, 3), 4))
    s.op("a if b else a * 2", (s.rand(3), True), (s.rand(3), False))
    s.op("(a.item() + 1, float(a), int(a))", s.rand(), s.rand(1), s.rand(1, 1), tol=1e-6)
    s.op("torch.tensor(int(a.sum())) * 2", s.rand(3, dtype=I64))
    s.op("a / a.max().item()", s.rand(3), s.rand(5), tol=1e-6)
    s.op("a * float(a.mean())", s.rand(3), s.rand(5), tol=1e-6)
    more = [s.rand(2, 3), s.rand(7), s.rand(), s.rand(0, 2), torch.tensor([0.0, float("inf"), float("-inf"), float("nan")])]
    for e in ["torch.arcsinh(a)", "torch.arccosh(a)", "torch.arctanh(a / 8)", "torch.sinc(a)", "torch.special.expit(a)", "torch.special.erf(a)", "torch.special.exp2(a)", "torch.special.logit(a / 8 + 0.5)", "torch.isposinf(a)", "torch.isneginf(a)", "torch.conj_physical(a)", "torch.special.softmax(a, -1)", "a.is_conj()", "a.element_size()"]:
        s.op(e, *more, tol=2e-6)
    s.op("torch.sinc(a)", torch.tensor([0, 1, 2]), tol=2e-6)
