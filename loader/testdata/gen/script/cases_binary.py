"""Functions of two tensors or a tensor and a number: broadcasting, promotion, in place."""

import torch

F32, F64, F16, I64, I32, U8, BOOL = torch.float32, torch.float64, torch.float16, torch.int64, torch.int32, torch.uint8, torch.bool


def cases(s):
    def pairs(dtypes):
        shapes = [((2, 3), (2, 3)), ((2, 3), (3,)), ((2, 1), (1, 3)), ((), (3,)), ((3,), ()), ((0, 3), (1, 3)), ((2, 3), (4,))]
        runs = [(s.rand(*a), s.rand(*b)) for a, b in shapes]
        for x, y in dtypes:
            runs.append((s.rand(2, 3, dtype=x), s.rand(3, dtype=y)))
            runs.append((s.rand(2, 3, dtype=x), s.rand(dtype=y)))
        return runs

    numeric = [(F32, I64), (I64, F32), (I64, I64), (I32, I64), (I32, I32), (U8, I32), (U8, U8), (F64, F32), (F32, F64), (BOOL, F32), (I64, BOOL), (F16, F32), (F16, I64)]
    for e in ["a + b", "a - b", "a * b", "torch.add(a, b, alpha=2)", "torch.maximum(a, b)", "torch.minimum(a, b)"]:
        s.op(e, *pairs(numeric))
    s.op("torch.sub(a, b, alpha=2.5)", *pairs([(F32, I64), (I64, I64), (F64, F32)]))
    for e in ["a / b", "torch.floor_divide(a, b)", "torch.remainder(a, b)", "torch.fmod(a, b)", "torch.div(a, b, rounding_mode='floor')", "torch.div(a, b, rounding_mode='trunc')"]:
        runs = [(a, b) for a, b in pairs([(F32, I64), (I64, I64), (I32, U8), (F64, F32)]) if a.is_floating_point() or b.is_floating_point() or (b != 0).all()]
        s.op(e, *runs)
    s.op("torch.pow(a, b)", *[(a, b.abs()) for a, b in pairs([(F32, I64), (I64, I64), (F64, F32)])], tol=1e-5)
    for e in ["a == b", "a != b", "a < b", "a <= b", "a > b", "a >= b"]:
        s.op(e, *pairs([(F32, I64), (I64, F32), (I64, I32), (BOOL, I64), (BOOL, BOOL), (U8, I64), (F64, F32)]))
    for e in ["a & b", "a | b", "a ^ b", "torch.bitwise_and(a, b)"]:
        s.op(e, *[(s.rand(2, 3, dtype=x), s.rand(*shape, dtype=y)) for x, y in [(I64, I64), (I32, I64), (BOOL, BOOL), (U8, I32), (BOOL, I64)] for shape in [(2, 3), (3,), ()]])
    for e in ["torch.logical_and(a, b)", "torch.logical_or(a, b)", "torch.logical_xor(a, b)"]:
        s.op(e, *pairs([(BOOL, BOOL), (I64, BOOL), (F32, I64)]))
    for e in ["torch.atan2(a, b)", "torch.fmax(a, b)", "torch.fmin(a, b)", "torch.hypot(a, b)", "torch.logaddexp(a, b)"]:
        s.op(e, *pairs([(F64, F32)]), tol=3e-6)
    s.op("torch.xlogy(a, b)", *[(a, b.abs()) for a, b in pairs([(F64, F32)])], tol=3e-6)
    s.op("torch.where(a, b, c)", *[(s.rand(*x, dtype=BOOL), s.rand(*y, dtype=d), s.rand(*z, dtype=d)) for x, y, z in [((2, 3), (2, 3), (2, 3)), ((3,), (2, 3), ()), ((2, 1), (3,), (1, 3)), ((0, 3), (1, 3), (1,))] for d in [F32, I64, U8]])
    s.op("torch.where(a > 0, a, 0.0)", s.rand(2, 3), s.rand(0))
    s.op("torch.where(a, 1.5, 2.5)", s.rand(2, 3, dtype=BOOL))
    s.op("a.masked_fill(b, -1e9)", *[(s.rand(*x), s.rand(*y, dtype=BOOL)) for x, y in [((2, 3), (2, 3)), ((2, 3), (3,)), ((2, 3), (2, 1)), ((3,), (2, 3)), ((2, 0), (1, 1))]])
    s.op("a.masked_fill(b, 2)", (s.rand(2, 3, dtype=I64), s.rand(3, dtype=BOOL)), (s.rand(2, 3, dtype=U8), s.rand(3, dtype=BOOL)))
    s.op("a.masked_fill_(b == 0, float('-inf'))", (s.rand(2, 3), s.rand(3, dtype=I64, lo=0, hi=1)))
    s.op("a.masked_fill(b, c)", (s.rand(2, 3), s.rand(3, dtype=BOOL), s.rand()))
    s.op("torch.lerp(a, b, 0.3)", *pairs([]), tol=2e-6)
    s.op("torch.lerp(a, b, c)", (s.rand(2, 3), s.rand(3), s.rand(2, 3)), (s.rand(2, 3), s.rand(2, 3), s.rand(1)), tol=2e-6)
    s.op("torch.addcmul(a, b, c, value=0.5)", (s.rand(2, 3), s.rand(3), s.rand(2, 1)), (s.rand(3), s.rand(2, 3), s.rand(3)), (s.rand(3), s.rand(1), s.rand(3)))
    s.op("torch.addcdiv(a, b, c, value=2.0)", (s.rand(2, 3), s.rand(3), s.rand(2, 1) + 9), (s.rand(3), s.rand(1), s.rand(3) + 9))
    # A number on one side does not widen a tensor of the same kind.
    tensors = [(s.rand(2, 3, dtype=d),) for d in [F32, I64, I32, U8, BOOL, F64, F16]] + [(s.rand(),), (s.rand(dtype=I64),), (s.rand(0, 2),)]
    for e in ["a + 2", "a + 2.5", "2 + a", "2.5 - a", "3 - a", "a * 2", "a * 0.5", "0.5 * a", "a > 1", "a >= 0.5", "a == 2", "a != 0", "2 < a", "torch.add(a, 1, alpha=3)"]:
        s.op(e, *[r for r in tensors if not ("-" in e and r[0].dtype == BOOL)])
    for e in ["a / 2", "2 / a", "a / 0.3", "a // 2", "a % 3", "a % 2.5", "torch.fmod(a, 3)", "torch.div(a, 2, rounding_mode='floor')", "torch.div(a, 0.7, rounding_mode='trunc')", "torch.floor_divide(a, 3)", "torch.true_divide(a, 3)"]:
        s.op(e, *[(t + (t == 0).to(t.dtype) if e == "2 / a" else t,) for (t,) in tensors if t.dtype != BOOL])
    for e in ["a ** 2", "a ** 3", "a ** 0.5", "torch.pow(a, -1)", "a ** 2.0", "2 ** a", "torch.pow(1.5, a)", "torch.float_power(a, 2)", "a ** 1", "a ** -2", "a ** -0.5"]:
        s.op(e, *[(t.abs(),) if t.dtype != U8 else (t,) for (t,) in tensors if t.dtype != BOOL], tol=1e-5)
    for e in ["a & 3", "a | 4", "a ^ 1", "torch.bitwise_and(a, 5)"]:
        s.op(e, *[r for r in tensors if not r[0].is_floating_point()])
    s.op("a << 2", (s.rand(3, dtype=I64),), (s.rand(3, dtype=I32),))
    s.op("a >> 1", (s.rand(3, dtype=I64),), (s.rand(3, dtype=I32),))
    # In place: the type stays that of the left side.
    for e in ["a.add_(b)", "a.sub_(b, alpha=2)", "a.mul_(b)", "a.div_(b)", "a.copy_(b)", "a.add_(b).mul_(b)"]:
        s.op(e, (s.rand(2, 3), s.rand(3)), (s.rand(2, 3), s.rand(2, 3, dtype=I64) + 9), (s.rand(2, 3, dtype=I64), s.rand(3)), (s.rand(3), s.rand(2, 3)), (s.rand(2, 3, dtype=F64), s.rand(3)), (s.rand(2, 3), s.rand()))
    for e in ["a.add_(1)", "a.mul_(2.5)", "a.sub_(0.5)", "a.pow_(2)", "a.clamp_(-1, 1)", "a.fill_(3)", "a.zero_()"]:
        s.op(e, s.rand(2, 3), s.rand(2, 3, dtype=I64), s.rand(0, 3))
    s.op("torch.isclose(a, b)", (s.rand(3), s.rand(3)), (torch.tensor([1.0, 1.0]), torch.tensor([1.00001, 1.0001])))
    s.op("torch.rsub(a, b)", (s.rand(2, 3), s.rand(3)))
    s.op("torch.dist(a, b)", (s.rand(2, 3), s.rand(2, 3)), tol=1e-5)
    s.op("torch.clamp(a, b, c)", (s.rand(2, 3), s.rand(3), s.rand(2, 1)), (s.rand(3), s.rand(1), s.rand(3)))
    s.op("torch.clamp(a, min=b)", (s.rand(2, 3), s.rand(3)))
    s.op("torch.isin(a, b)", (s.rand(2, 3, dtype=I64), s.rand(4, dtype=I64)))
    same = [(s.rand(2, 3), s.rand(2, 3)), (s.rand(4, 1), s.rand(3)), (s.rand(2, 3, dtype=torch.int64), s.rand(3))]
    for e in ["torch.less(a, b)", "torch.less_equal(a, b)", "torch.greater(a, b)", "torch.greater_equal(a, b)", "torch.not_equal(a, b)", "torch.arctan2(a, b)", "torch.special.xlogy(a, b)"]:
        s.op(e, *same, tol=2e-6)
    for e in ["F.mse_loss(a, b)", "F.mse_loss(a, b, reduction='none')", "F.l1_loss(a, b, reduction='sum')", "F.smooth_l1_loss(a, b)", "F.smooth_l1_loss(a, b, beta=0.5)", "F.smooth_l1_loss(a, b, beta=0.)", "F.huber_loss(a, b, delta=2.)"]:
        s.op(e, same[0], (s.rand(7), s.rand(7)), tol=2e-6)
