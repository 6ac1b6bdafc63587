"""Numbers in traced programs, which are constants of float64 and int64 without
dimensions, and in frozen ones, where buffers become constants."""

import io

import torch


def reloaded(module):
    """A module as its archive has it: before, its constants still know that they were numbers."""
    b = io.BytesIO()
    torch.jit.save(module, b)
    b.seek(0)
    return torch.jit.load(b)


def traced(s, expression, *runs, **options):
    runs = [r if isinstance(r, tuple) else (r,) for r in runs]
    params = "".join(f", {chr(97 + i)}: Tensor" for i in range(len(runs[0])))
    m = s.define(f"(self{params}):\n    return {expression}")
    s.module(m, *runs, what="traced " + expression, scripted=reloaded(torch.jit.trace(m, runs[0], check_trace=False)), **options)


def frozen(s, expression, constant, *runs):
    m = s.define(f"(self, a: Tensor):\n    return {expression}", methods="def hold(self, c):\n    self.register_buffer('c', c)\n    return self")
    m = m.hold(constant).eval()
    s.module(m, *runs, what=f"frozen {expression} with {constant}", scripted=reloaded(torch.jit.freeze(torch.jit.script(m))))


def values(s):
    """Tensors of every type, with and without dimensions."""
    dtypes = [torch.int64, torch.int32, torch.uint8, torch.bool, torch.float32, torch.float16, torch.bfloat16, torch.float64]
    return [s.rand(*shape, dtype=d, lo=1, hi=9) for d in dtypes for shape in [(3,), ()]]


def cases(s):
    # What a trace keeps as constants, and what it keeps as numbers.
    traced_forms = [
        "a + 1.5", "1.5 + a", "a - 1.5", "1.5 - a", "a * 0.3", "a / 3", "a / 0.7", "2 / a", "a + 2", "a * 3", "a // 2", "a // 1.5", "a % 1.5", "a ** 1.5", "a ** 2", "a < 1.5",
        "torch.add(a, 1.5, alpha=2)", "torch.sub(a, 2, alpha=3)", "torch.rsub(a, 1.5)", "torch.multiply(a, 1.5)", "torch.subtract(a, 1.5)", "torch.divide(a, 2)", "torch.true_divide(a, 2)",
        "torch.div(a, 1.5, rounding_mode='trunc')", "torch.div(a, 2, rounding_mode='floor')", "a + torch.tensor(1.5, dtype=torch.float64)", "a * torch.tensor(3)",
        "a.sum() * 0.5", "(a.sum() + 1.5) * 2.5 - 1", "a * a.numel() * 0.5", "(a + 1) * 0.1 - 0.05", "a.clone().add_(2)", "a.clone().mul_(2)", "a.to(torch.float16) * 0.1", "a * a.sum() / 3",
    ]
    for e in traced_forms:
        runs = values(s)
        if "-" in e or "sub" in e:
            runs = [r for r in runs if r.dtype != torch.bool]
        for r in runs:
            try:
                traced(s, e, r)
            except (RuntimeError, ValueError):
                pass  # PyTorch does not trace it
    for e in ["torch.arange(a.size(0)) * 0.5", "torch.arange(a.shape[0]) / a.shape[0]", "a * (a.size(0) ** -0.5)", "a / a.size(1)", "a[0, 0] * a.size(0)", "a + a.size(0) * 0.5", "a * (a.size(1) / 3)"]:
        for d in [torch.float32, torch.int32, torch.int64]:
            traced(s, e, s.rand(2, 3, dtype=d, lo=1), s.rand(2, 3, dtype=d, lo=1))
    # Buffers that freezing makes constants.
    constants = [torch.tensor(1.5, dtype=d) for d in [torch.float64, torch.float32, torch.float16, torch.bfloat16]] + [torch.tensor(3, dtype=d) for d in [torch.int64, torch.int32, torch.uint8]]
    for e in ["a + self.c", "self.c + a", "a - self.c", "a * self.c", "a / self.c", "self.c / a", "torch.add(a, self.c, alpha=2)"]:
        for c in constants:
            frozen(s, e, c, *[v for v in values(s) if v.dtype != torch.bool or "-" not in e])
    for e in ["a * [self.c, self.c][1]", "a * (self.c * 2)", "a * self.c.view(1)", "torch.maximum(a, self.c)", "torch.floor_divide(a, self.c)", "a.clone().mul_(self.c)", "a.clone().add_(self.c)", "torch.pow(a, self.c)", "torch.where(a > 1, a, self.c)"]:
        for c in [constants[0], constants[4], torch.tensor([1.5], dtype=torch.float64)]:
            frozen(s, e, c, *values(s))
