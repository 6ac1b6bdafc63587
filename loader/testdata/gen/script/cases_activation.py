"""Activations."""

import torch


def cases(s):
    x = lambda *shape, dtype=torch.float32: s.rand(*shape, dtype=dtype, lo=-8, hi=8)
    shapes = [x(2, 3), x(4, 3, 2), x(), x(0, 3), x(2, 3, dtype=torch.float64)]
    for e in [
        "F.relu(a)", "F.relu6(a)", "torch.sigmoid(a)", "torch.tanh(a)", "F.silu(a)", "F.mish(a)", "F.selu(a)", "F.hardswish(a)", "F.hardsigmoid(a)",
        "F.logsigmoid(a)", "F.gelu(a)", "F.gelu(a, approximate='tanh')", "F.hardtanh(a)", "F.hardtanh(a, -0.5, 2.0)", "F.leaky_relu(a)", "F.leaky_relu(a, 0.3)",
        "F.elu(a)", "F.elu(a, 0.5)", "F.celu(a, 0.7)", "F.softplus(a)", "F.softplus(a, 2.0, 5.0)", "F.hardshrink(a)", "F.softshrink(a, 0.3)", "F.threshold(a, 0.5, -2.0)",
        "F.tanhshrink(a)", "F.softsign(a)", "F.rrelu(a)", "F.dropout(a, 0.5, False)", "F.alpha_dropout(a, 0.5, False)", "F.dropout2d(a, 0.3, False)",
        "torch.relu(a)", "a.relu_()", "a.sigmoid()", "F.relu(a, inplace=True) + a", "F.leaky_relu_(a, 0.1) + a", "F.hardtanh_(a, 0., 1.)", "F.elu_(a)",
    ]:
        s.op(e, *shapes, tol=2e-6)
    s.op("F.relu(a)", x(3, dtype=torch.int64), x(2, 2, dtype=torch.int32), x(3, dtype=torch.uint8))
    for d in ["0", "1", "-1", "2"]:
        s.op(f"F.softmax(a, {d})", x(2, 3), x(4, 3, 2), x(0, 3), x(5, 1), tol=2e-6)
        s.op(f"F.log_softmax(a, {d})", x(2, 3), x(4, 3, 2), x(0, 3), x(5, 1), tol=2e-6)
    s.op("F.softmin(a, -1)", x(2, 3), x(4, 3), tol=2e-6)
    s.op("torch.softmax(a, 0, dtype=torch.float64)", x(2, 3), x(3, 4), tol=2e-6)
    s.op("torch.softmax(a, 0, dtype=torch.float32)", x(2, 3, dtype=torch.int64), x(3, 4))
    s.op("torch.softmax(a, 0)", x(), x(2))
    s.op("F.prelu(a, b)", (x(2, 3), s.rand(1)), (x(2, 3), s.rand(3)), (x(2, 3, 4), s.rand(3)), (x(4), s.rand(1)), (x(2, 3), s.rand(2)))
    for d in [0, 1, -1]:
        s.op(f"F.glu(a, {d})", x(4, 6), x(2, 2, 2), x(3, 4), tol=2e-6)
