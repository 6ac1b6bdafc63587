"""Operators at NaN, infinities, zeros of both signs, denormal, tiny and huge numbers, and integers at the ends of their types."""

import torch

# What PyTorch 1.13 and 2.14 differ in, as softshrink of NaN, is left out, and so are sums that depend on their order.
# The first run of each case has ordinary numbers, for its gradients; the second has these.
VALUES = [
    float("nan"), float("inf"), -float("inf"), 0.0, -0.0, 1e-40, -1e-40, 2.0**-126, -(2.0**-126), 1e38, -1e38,
    1e30, -1e30, 1.0, -1.0, 0.5, -0.5, 2.5, -2.5, 104.0, -104.0, 16777217.0, -3.0, 7.0, 1e-10, -1e-10, 20.5, -20.5, 1e10, -1e10, 0.99999994, -0.99999994,
]
FEWER = [float("nan"), float("inf"), -float("inf"), 0.0, -0.0, 1e-40, 1e38, -1e38, 1.0, -1.0, -0.5, 2.5, -3.0, 1e10, -1e-10]
ROWS = [
    [float("nan"), 1.0, 2.0, 3.0], [1.0, 2.0, 3.0, float("nan")], [float("inf"), 1.0, -2.0, 3.0], [1.0, 2.0, -float("inf"), 3.0],
    [float("inf"), -float("inf"), 0.0, 1.0], [float("inf")] * 4, [-float("inf")] * 4, [float("nan")] * 4, [-0.0, 0.0, -0.0, 0.0], [1e-40, 2e-40, 3e-40, -1e-40],
    [float("nan"), float("inf"), -float("inf"), 0.0],
]
UNARY = (
    "relu neg abs sign square floor ceil round trunc frac exp exp2 expm1 log log2 log10 log1p sqrt rsqrt reciprocal sin cos tan asin acos atan sinh cosh tanh "
    "asinh acosh atanh erf erfc sigmoid isnan isinf isfinite isposinf isneginf logical_not signbit lgamma digamma nan_to_num sinc deg2rad logit"
).split()
ACTIVATIONS = "relu6 logsigmoid gelu silu mish softplus softsign hardswish hardsigmoid hardshrink leaky_relu elu selu celu tanhshrink hardtanh".split()
MORE = [
    "F.gelu({}, approximate='tanh')", "F.threshold({}, 0.1, 20.0)", "torch.clamp({}, -1.0, 2.0)", "torch.clamp({}, min=0.0)", "torch.clamp({}, max=0.0)", "torch.clamp({}, 2.0, -1.0)",
    "{} ** 2", "{} ** 3", "{} ** 0.5", "{} ** -0.5", "{} ** -1", "{} ** -2", "{} ** 0", "{} ** 1.7", "2.0 ** {}", "0.0 ** {}", "1.0 / {}", "{} / 0.0", "{} * 0.0", "1.0 - {}", "F.softplus({}, 3.0, 5.0)",
    "F.elu({}, 0.3)", "F.leaky_relu({}, -0.5)", "{} == 0.0", "{}.to(torch.bool)", "torch.nan_to_num({}, 1.0, 2.0, 3.0)", "{}.to(torch.half).to(torch.float)", "{}.to(torch.bfloat16).to(torch.float)", "{}.to(torch.double)",
    "torch.softmax({}.reshape(-1, 4), -1)", "torch.log_softmax({}.reshape(-1, 4), -1)", "torch.cumsum({}.reshape(-1, 4), -1)", "torch.cummax({}.reshape(-1, 4), -1)[0]", "torch.sort({})[0]",
]
BINARY = (
    "add sub mul div pow maximum minimum fmax fmin atan2 eq ne lt le gt ge logical_and logical_or logical_xor logaddexp hypot xlogy"
).split()
PAIRS = [
    "torch.where(a > 0, a, b * a)", "torch.lerp(a, b, 0.3)", "torch.addcmul(a, a, b, value=0.5)", "torch.addcdiv(a, a, b, value=0.5)", "torch.where(a < b, a, b)", "torch.clamp(a, min=b)",
    "torch.isclose(a, b)", "torch.isclose(a, b, equal_nan=True)", "F.mse_loss(a, b, reduction='none')", "F.smooth_l1_loss(a, b, reduction='none')", "F.huber_loss(a, b, reduction='none')",
]
REDUCE = [
    "a.sum(-1)", "a.mean(-1)", "a.prod(-1)", "a.amax(-1)", "a.amin(-1)", "a.max(-1)", "a.min(-1)", "a.argmax(-1)", "a.argmin(-1)", "a.std(-1)", "a.var(-1)", "torch.logsumexp(a, -1)", "a.norm(2, -1)", "a.norm(1, -1)",
    "torch.linalg.vector_norm(a, float('inf'), -1)", "torch.linalg.vector_norm(a, 0.0, -1)", "a.nansum(-1)", "a.nanmean(-1)", "a.to(torch.bool).any(-1)", "a.to(torch.bool).all(-1)", "a.median(-1)[0]", "a.nanmedian(-1)[0]",
    "torch.count_nonzero(a, -1)", "F.max_pool1d(a.unsqueeze(0), 3)", "F.avg_pool1d(a.unsqueeze(0), 3)", "F.adaptive_max_pool1d(a.unsqueeze(0), 2)", "F.layer_norm(a, [4])", "torch.cumprod(a, -1)", "torch.cummin(a, -1)[0]",
    "torch.logcumsumexp(a, -1)", "torch.diff(a)", "torch.kthvalue(a, 2, -1)[0]", "torch.topk(a, 3, -1)[0]", "torch.topk(a, 3, -1, largest=False)[0]", "torch.quantile(a, 0.3, -1)", "F.cross_entropy(a, torch.zeros(a.size(0), dtype=torch.long), reduction='none')",
]
INTEGERS = [
    "-a", "a.abs()", "a.sign()", "a * a", "a + 1", "a * 3", "a / 3", "a // 3", "a // -3", "a % 3", "a % -3", "torch.fmod(a, -3)", "torch.div(a, -3, rounding_mode='trunc')", "a ** 2", "a ** 3", "a << 3", "a >> 3", "a & 255", "~a",
    "a.to(torch.float)", "a.to(torch.int)", "a.to(torch.uint8)", "a.to(torch.int8)", "a.to(torch.bool)", "a.sum()", "a.prod()", "a.max()", "a.min()", "a.cumsum(0)", "a.sort()[0]", "a * 0.5", "torch.clamp(a, -5, 100)", "a.relu()", "a.sqrt()", "a.sigmoid()", "a > 100", "a == 100.5",
]


def batches(list, size=12):
    return [list[i : i + size] for i in range(0, len(list), size)]


def cases(s):
    expressions = [f"torch.{n}({{}})" for n in UNARY] + [f"F.{n}({{}})" for n in ACTIVATIONS] + MORE
    # Twice, and one more: in vectors of every width and what is left behind them.
    special = torch.tensor(VALUES * 2 + VALUES[:4])
    for batch in batches(expressions):
        s.op("(" + ", ".join(e.format("a") for e in batch) + ")", torch.arange(1.0, 5.0) / 8, special, tol=2e-5)
    x = torch.tensor(FEWER)
    a, b = x.repeat_interleave(len(FEWER)), x.repeat(len(FEWER))
    for batch in batches([f"torch.{n}(a, b)" for n in BINARY] + PAIRS):
        s.op("(" + ", ".join(batch) + ")", (torch.arange(1.0, 5.0) / 8, torch.arange(2.0, 6.0) / 8), (a, b), tol=2e-5)
    for batch in batches(REDUCE):
        s.op("(" + ", ".join(batch) + ")", torch.tensor([[1.0, 3.0, 2.0, 5.0]]), torch.tensor(ROWS), tol=2e-5)
    ends = {
        torch.int64: [0, 1, -1, 2, -2, 7, -7, 127, 128, 255, 2**31, -(2**31), 2**53 + 1, 2**62, 2**63 - 1, -(2**63), -(2**63) + 1],
        torch.int32: [0, 1, -1, 2, -2, 7, -7, 127, 128, 2**24 + 1, 2**31 - 1, -(2**31), -(2**31) + 1],
        torch.uint8: [0, 1, 2, 3, 7, 127, 128, 200, 254, 255],
        torch.int8: [0, 1, -1, 2, -7, 100, 127, -128, -127],
    }
    pairs = "(a + b, a - b, a * b, a / b, torch.maximum(a, b), a == b, a < b, a >= b, a & b, a | b, a ^ b, torch.logical_and(a, b))"
    for d, values in ends.items():
        v = torch.tensor(values, dtype=d)
        for batch in batches(INTEGERS):
            if d == torch.uint8:
                batch = [e for e in batch if "-3" not in e and "-5" not in e]
            s.op("(" + ", ".join(batch) + ")", v, tol=2e-5)
        s.op(pairs, (v.repeat_interleave(len(v)), v.repeat(len(v))), tol=2e-5)
        w = torch.tensor([n for n in values if n not in (0, -1)], dtype=d)  # PyTorch dies of the least integer over -1
        s.op("(a // b, a % b, torch.fmod(a, b), torch.div(a, b, rounding_mode='trunc'))", (v.repeat_interleave(len(w)), w.repeat(len(v))), tol=2e-5)
