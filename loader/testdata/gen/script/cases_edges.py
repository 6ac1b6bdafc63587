"""What is at the edges: masks of numbers, integers that wrap around, infinities, results in tensors of other types."""

import torch


def cases(s):
    # Masks of numbers: their lowest byte must be 0 or 1.
    x = torch.arange(4.0)
    for values in [[0.0, 1.0, 0.0, 1.0], [0.0, -10000.0, -float("inf"), float("nan")], [0.0, 0.5, 0.1, 1.0]]:
        for d in [torch.float32, torch.float64]:
            s.op("(a.masked_fill(b, -1.5), a.clone().masked_fill_(b, torch.tensor(3.0)))", (x, torch.tensor(values, dtype=d)))
    for d in [torch.int64, torch.int32, torch.int8]:
        s.op("a.masked_fill(b, -1.5)", (x, torch.tensor([0, 1, 1, 0], dtype=d)), (x, torch.tensor([0, 1, 2, 0], dtype=d)))
    s.op("a.masked_fill(b, -1.5)", (x, torch.tensor([0, 256, 257, 1])))
    # Products of integers have their type.
    for d in [torch.int64, torch.int32, torch.int8, torch.uint8]:
        s.op("(torch.mm(a, b), a @ b[:, 0], torch.dot(a[0], b[:, 0]), torch.bmm(a.unsqueeze(0), b.unsqueeze(0)))", (s.rand(3, 4, dtype=d, lo=-90, hi=90), s.rand(4, 2, dtype=d, lo=-90, hi=90)))
    # Lengths whose squares are too large, and infinities beside NaN.
    v = [float("nan"), float("inf"), -float("inf"), 0.0, 3.0, 1e30]
    for d in [torch.float32, torch.float64]:
        a = torch.tensor(v, dtype=d)
        s.op("torch.hypot(a, b)", (s.rand(5, dtype=d, lo=1), s.rand(5, dtype=d, lo=1)), (a.repeat(6), a.repeat_interleave(6)))
    # Numbers that float32 does not hold, as a border.
    s.op("F.pad(a, [1, 1], value=0.1)", s.rand(2, 3, dtype=torch.float64), tol=1e-12)
    s.op("(F.pad(a, [1, 0], value=2147483647.0), F.pad(a, [1, 0], value=-16777217.0))", s.rand(2, 3, dtype=torch.int64))
    # Results that are written to a tensor.
    s.module(
        s.define("(self, a: Tensor, b: Tensor):\n    x = torch.empty(2, 3)\n    torch.add(a, b, out=x)\n    y = torch.empty(2, 3, dtype=torch.float64)\n    torch.mul(a, b, out=y)\n    z = torch.empty(0)\n    torch.cat([a, x], out=z)\n    p = torch.zeros(2, 3)\n    torch.exp(a, out=p)\n    return x, y, z, p"),
        (s.rand(2, 3), s.rand(2, 3)),
        what="out",
    )
    s.module(
        s.define("(self, a: Tensor, b: Tensor):\n    x = a.clone()\n    x |= b\n    y = a.clone()\n    y &= b\n    z = a.clone()\n    z ^= b\n    return x, y, z"),
        (s.rand(4, dtype=torch.bool), s.rand(4, dtype=torch.bool)),
        (s.rand(4, dtype=torch.int32), s.rand(4, dtype=torch.int32)),
        what="in-place bits",
    )
    # Nearest pixels follow the scale, but for the same and twice the extent of images of two dimensions. (PyTorch's gradients of
    # one dimension do not fit its values.)
    s.op("(F.interpolate(a, scale_factor=2.3), F.interpolate(a, scale_factor=1.4))", s.rand(1, 2, 3, dtype=torch.float64), s.rand(1, 1, 4, dtype=torch.float64))
    s.op("(F.interpolate(a, scale_factor=[2.3, 1.4]), F.interpolate(a, scale_factor=[1.2, 2.4]))", s.rand(1, 1, 3, 4))
    # One value for each channel has a variance of 0; TorchScript calls the operator without the check that Python makes. (PyTorch's result is the difference of two
    # products with the inverse of the deviation, 316.)
    s.op("torch.instance_norm(a, b, c, None, None, True, 0.1, 1e-5, False)", *[(s.rand(*n), s.rand(3), s.rand(3)) for n in [(2, 3, 1, 1), (1, 3, 1), (2, 3, 4, 2)]], tol=2e-4)
    s.op("torch.instance_norm(a, None, None, None, None, True, 0.1, 1e-5, False)", s.rand(2, 3, 1, 1), s.rand(4, 2, 1), tol=2e-4)
    for e in ["torch.add(z, z * 2, alpha=1j)", "torch.sub(z, z * 3, alpha=complex(1, 2))", "torch.add(a, z, alpha=2j)", "torch.rsub(z, z * z, alpha=complex(0.5, -1))", "torch.nan_to_num(z / a.relu(), 0.5, 9., -9.)"]:
        s.op("torch.view_as_real(" + e.replace("z", "torch.complex(a, b)").replace("complex(1, 2)", "complex(1., 2.)") + ")", *[(s.rand(*n), s.rand(*n)) for n in [(2, 3), (4, 2)]])
    # Pixels of nothing keep their shape on the way to channels, unlike on the way back; a histogram of nothing has no extremes.
    for shapes in [[(2, 4, 4, 6), (1, 4, 2, 2)], [(0, 4, 4, 2), (1, 4, 0, 2), (0, 4, 3, 3), (1, 4, 2, 2)]]:
        s.op("(F.pixel_unshuffle(a, 2), F.pixel_shuffle(a, 2))", *[s.rand(*n) for n in shapes])
    s.op("(torch.histc(a, 4), torch.histc(a, 4, 1, 2))", s.rand(5), s.rand(0), s.rand(2, 3))
    # The kernel of an average over whatever image comes is far larger than it, and cut off.
    s.op("F.avg_pool2d(a, 1500, ceil_mode=True)", s.rand(2, 3, 5, 4), s.rand(1, 3, 8, 8), tol=2e-6)
    s.op("F.avg_pool2d(a, [1500, 1400], [2000, 1400], [3, 0], ceil_mode=True)", s.rand(2, 3, 5, 4), s.rand(1, 2, 3, 6), tol=2e-6)
    s.op("F.max_pool2d(a, 1500, 1500, ceil_mode=True)", s.rand(2, 3, 5, 4), s.rand(1, 3, 8, 8))
