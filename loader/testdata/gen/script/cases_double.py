"""Operators on float64 values, which are computed in float64: a result that went through float32 is off by 1e-8 and more."""

import torch
from cases_numbers import reloaded

TOL = 1e-12


def thirds(s, *shape):
    """Values that float32 does not hold."""
    return s.rand(*shape, dtype=torch.float64) / 3


def double(s, expression, *shapes, module=None, once=False):
    """A case with two runs where there is one input, which has one more along its first dimension in the second."""
    larger = [(shapes[0][0] + 1, *shapes[0][1:])]
    runs = [tuple(thirds(s, *x) for x in r) for r in ([shapes, larger] if len(shapes) == 1 and not once else [shapes])]
    if module:
        module = module.double().eval()
        s.module(module, *runs, what=expression, tol=TOL, scripted=reloaded(torch.jit.trace(module, runs[0], check_trace=False)))
    else:
        s.op(expression, *runs, tol=TOL)


class Heads(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.m = torch.nn.MultiheadAttention(4, 2)

    def forward(self, a, b):
        return self.m(a, b, b)


def products(s):
    for e, shapes in [
        ("torch.matmul(a, b)", [(3, 4), (4, 2)]),
        ("torch.matmul(a, b)", [(2, 1, 3, 4), (3, 4, 2)]),
        ("torch.matmul(a, b.transpose(1, 2))", [(2, 3, 4), (2, 5, 4)]),
        ("torch.matmul(a, b)", [(4,), (2, 4, 3)]),
        ("torch.matmul(a, b)", [(2, 3, 4), (4,)]),
        ("(torch.mm(a, b), torch.mv(a, b[:, 0]), torch.dot(a[0], b[:, 1]), torch.outer(a[0], b[0]), torch.inner(a, b.t()))", [(3, 4), (4, 2)]),
        ("(torch.addmm(c, a, b, beta=0.3, alpha=0.7), torch.addmv(c[:, 0], a, b[:, 0]), torch.addmm(c[0], a, b))", [(3, 4), (4, 2), (3, 2)]),
        ("(torch.bmm(a, b), torch.baddbmm(c, a, b, beta=0.3, alpha=0.7), torch.addbmm(c[0], a, b))", [(2, 3, 4), (2, 4, 2), (2, 3, 2)]),
        ("(torch.einsum('bij,bjk->bik', a, b), torch.einsum('bij->i', a), torch.tensordot(a, b, dims=([2], [1])))", [(2, 3, 4), (2, 4, 2)]),
        ("F.linear(a, b, c)", [(2, 3, 4), (5, 4), (5,)]),
        ("F.linear(a, b)", [(4,), (5, 4)]),
        ("F.bilinear(a, b, c, d)", [(3, 4), (3, 5), (2, 4, 5), (2,)]),
        ("(torch.cdist(a, b), F.cosine_similarity(a, b), F.pairwise_distance(a, b))", [(3, 4), (3, 4)]),
    ]:
        double(s, e, *shapes)


def layers(s):
    for n, k in [((7,), (3,)), ((6, 5), (3, 2)), ((4, 5, 3), (2, 3, 1))]:
        d = len(n)
        double(s, f"(F.conv{d}d(a, b, c, stride=2, padding=1, groups=2), F.conv{d}d(a, b, None, padding=2, dilation=2, groups=2))", (2, 4, *n), (6, 2, *k), (6,))
        double(s, f"(F.conv_transpose{d}d(a, b, c, stride=2, padding=1, output_padding=1, groups=2), F.conv_transpose{d}d(a, b, None, stride=3, dilation=2))", (2, 4, *n), (4, 3, *k), (6,))
        double(s, f"(F.max_pool{d}d(a, 3, 2, 1), F.max_pool{d}d(a, 2, ceil_mode=True), F.max_pool{d}d(a, 2, 1, 0, 2))", (1, 2, *n))
        double(s, f"(F.avg_pool{d}d(a, 3, 2, 1), F.avg_pool{d}d(a, 2, ceil_mode=True), F.avg_pool{d}d(a, 3, 2, 1, False, False))", (1, 2, *n))
        double(s, f"(F.adaptive_avg_pool{d}d(a, 1), F.adaptive_avg_pool{d}d(a, 2), F.adaptive_max_pool{d}d(a, 2))", (1, 2, *n))
        double(s, f"(F.group_norm(a, 2, b, c), F.instance_norm(a, None, None, b, c), F.batch_norm(a, None, None, b, c, True))", (2, 4, *n), (4,), (4,))
        double(s, "F.batch_norm(a, b, c.abs() + 0.1, d, None)", (2, 4, *n), (4,), (4,), (4,))
        mode = ["linear", "bilinear", "trilinear"][d - 1]
        double(s, f"(F.interpolate(a, scale_factor=1.7, mode='{mode}'), F.interpolate(a, size={[4, 9, 3][:d]}, mode='{mode}', align_corners=True), F.interpolate(a, scale_factor=1.3))", (1, 2, *n))
    double(s, "F.avg_pool2d(a, 3, 2, 1, False, True, 5)", (1, 2, 6, 5))
    double(s, "F.conv2d(a, b, padding='same')", (1, 2, 4, 5), (3, 2, 2, 3))
    double(s, "(F.interpolate(a, scale_factor=1.7, mode='bicubic'), F.interpolate(a, size=[4, 9], mode='bicubic', align_corners=True))", (1, 2, 7, 6))
    double(s, "(F.layer_norm(a, [4], b, c), F.layer_norm(a, [3, 4]))", (2, 3, 4), (4,), (4,))
    double(s, "(F.unfold(a, [2, 3], padding=1, stride=2), F.fold(F.unfold(a, [2, 2]), [5, 6], [2, 2]))", (2, 3, 5, 6))
    double(s, "F.pad(a, [1, 2, 0, 1], value=0.1)", (2, 3))
    double(s, "(F.grid_sample(a, b, align_corners=False), F.grid_sample(a, b, mode='nearest', padding_mode='border', align_corners=True))", (1, 2, 5, 6), (1, 3, 4, 2))
    double(s, "F.affine_grid(a, [1, 1, 3, 4], align_corners=False)", (1, 2, 3), once=True)


def networks(s):
    torch.manual_seed(1)
    nn = torch.nn
    double(s, "LSTM", (3, 2, 4), module=nn.LSTM(4, 3, 2, bidirectional=True, batch_first=True))
    double(s, "GRU", (3, 2, 4), module=nn.GRU(4, 3, 3, bias=False))
    double(s, "RNN with tanh", (3, 2, 4), module=nn.RNN(4, 3, bidirectional=True))
    double(s, "RNN with relu", (3, 4), module=nn.RNN(4, 3, nonlinearity="relu"))
    double(s, "LSTMCell", (3, 4), module=nn.LSTMCell(4, 3))
    double(s, "GRUCell", (3, 4), module=nn.GRUCell(4, 3))
    double(s, "attention", (3, 2, 4), (5, 2, 4), module=Heads())
    double(s, "encoder", (2, 3, 4), module=nn.TransformerEncoderLayer(4, 2, 8, batch_first=True))


def signals(s):
    double(s, "torch.view_as_real(torch.stft(a, 8, 3, 6, window=b.abs(), return_complex=True, normalized=True))", (2, 20), (6,))
    double(s, "torch.view_as_real(torch.stft(a, 8, onesided=False, center=False, return_complex=True))", (20,))
    double(s, "torch.istft(torch.stft(a, 8, 2, window=b.abs() + 0.5, return_complex=True), 8, 2, window=b.abs() + 0.5)", (2, 20), (8,))
    double(s, "(torch.view_as_real(torch.fft.rfft(a, norm='ortho')), torch.fft.irfft(torch.fft.rfft(a, 12)))", (2, 9))


def cases(s):
    products(s)
    layers(s)
    networks(s)
    signals(s)
    double(s, "torch.fake_quantize_per_tensor_affine(a, 0.1, 3, 0, 255)", (3, 4))
    # TorchScript rounds floats to float32 on their way to a tensor.
    double(s, "(a + torch.tensor(0.1, dtype=torch.float64), a + torch.tensor([0.1, 0.2, 0.3, 0.4], dtype=torch.float64))", (3, 4))
