"""Small programs of kinds that users bring, and the rows of the table that they need: complex functions, int16, batch norm in training mode, strings, histograms."""

from typing import List

import torch
from torch import Tensor, nn


class Trained(nn.Module):
    """Batch norm that keeps its running statistics: with momentum, and as the average of all batches."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 1)
        self.norm = nn.BatchNorm2d(4)
        self.average = nn.BatchNorm1d(4, momentum=None, affine=False)

    def forward(self, x: Tensor):
        y = self.norm(self.conv(x))
        return y, self.average(y.mean((2, 3))), self.norm.running_mean, self.average.running_var


class Instances(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.InstanceNorm1d(3, affine=True, track_running_stats=True)

    def forward(self, x: Tensor):
        return self.norm(x), self.norm.running_mean + 0, self.norm.running_var + 0


@torch.jit.interface
class Layer(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        pass


class Twice(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x * 2


class Weighted(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.tensor([0.5, -1.0, 2.0]))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.w


class Chosen(nn.Module):
    """Takes one of its layers by number."""

    layer: Layer

    def __init__(self):
        super().__init__()
        self.layer = Weighted()
        self.layers = nn.ModuleList([Twice(), Weighted(), Twice()])

    def forward(self, x: Tensor, i: int) -> Tensor:
        m: Layer = self.layers[i]
        return m.forward(self.layer.forward(x))


class Samples(nn.Module):
    """Sounds in int16, in which sums wrap around."""

    def __init__(self):
        super().__init__()
        self.register_buffer("sound", torch.tensor([32767, -32768, 100, 3], dtype=torch.int16))
        self.register_buffer("table", torch.arange(-5, 5, dtype=torch.int16))

    def forward(self, x: Tensor):
        a = (x * 32767).clamp(-32768, 32767).short()
        b = a + self.sound
        c = torch.cat([b.flatten(), self.sound])
        twice = self.sound.clone()
        twice.mul_(2)
        return (b.int(), (self.sound * 3).int(), twice.int(), self.sound.float() / 32768.0, a.sum(), c.max().int(), self.table[a.long().abs() % 10].int(), b > 0,
                (-self.sound).int(), self.sound.abs().int(), (self.sound + torch.ones(4, dtype=torch.int32)), torch.zeros(2, dtype=torch.int16).add(7).int(),
                (b // 7).int(), b.dtype == torch.int16, (a.to(torch.uint8) - a.to(torch.int8)).int())


class Fourier(nn.Module):
    """A layer of a Fourier neural operator, written into zeros of complex numbers."""

    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.complex(torch.arange(18.0).view(3, 3, 2) / 16, torch.arange(18.0).view(3, 3, 2) / -8))

    def forward(self, x: Tensor):
        z = torch.fft.rfft(x)
        out = torch.zeros(x.size(0), 3, x.size(-1) // 2 + 1, dtype=torch.cfloat)
        out[:, :, :2] = torch.einsum("bix,iox->box", z[:, :, :2], self.w)
        return torch.fft.irfft(out, n=x.size(-1))


class Methods(nn.Module):
    """Its methods can run by themselves: forward gives what each does."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 2)

    def forward(self, x: Tensor):
        return self.encode(x, True), self.decode(self.encode(x, True))

    @torch.jit.export
    def encode(self, x: Tensor, bound: bool = True):
        y = self.linear(x)
        return y.relu() if bound else y

    @torch.jit.export
    def decode(self, z: Tensor):
        return nn.functional.linear(z, self.linear.weight.t())


class Words(nn.Module):
    def forward(self, x: Tensor, k: int):
        s = "  abc-{} ".format(k)
        n = len(s.lstrip()) * 100 + len(s.rstrip()) * 10 + len(s.lstrip(" a"))
        flags = [str(k).isdigit(), "a1".isalnum(), "a1".isalpha(), " ".isspace(), "".isdigit(), "x y".isalpha()]
        for f in flags:
            n = n * 2 + int(f)
        return x * n, "%s=%d" % (s, k) == str(k)


def cases(s):
    r = s.rand
    z = "torch.complex(a, b)"
    pair = (r(3, 2) + 0.03125, r(3, 2) + 0.0625)
    for e in ["{z}.log()", "{z}.log2()", "{z}.log10()", "{z}.sqrt()", "{z}.rsqrt()", "{z}.reciprocal()", "{z}.sgn()", "{z}.sin()", "{z}.cos()", "{z}.tan()", "{z}.sinh()", "{z}.cosh()", "{z}.tanh()",
              "{z}.asin()", "{z}.acos()", "{z}.atan()", "{z}.asinh()", "{z}.acosh()", "{z}.atanh()", "{z}.exp2()", "{z}.expm1()", "{z}.sigmoid()", "{z}.pow(2)", "{z}.pow(3)", "{z}.pow(-1.5)", "{z} ** torch.complex(b, a)",
              "{z}.cumsum(0)", "{z}.cumprod(0)", "{z}.prod()", "{z}.prod(0)", "{z}.prod(1, True)", "{z}.mean(0)", "{z} - 2j * {z}", "{z} * (1 - 2j)", "{z} / (0.5 + 1j)", "{z}.index_add(0, torch.tensor([0, 2]), {z}[:2])",
              "torch.zeros(3, 2, dtype=torch.complex64) + {z}", "torch.ones_like({z}) * {z}", "torch.full([2], 1.5, dtype=torch.complex64) + {z}", "F.silu({z})"]:
        s.op(f"torch.view_as_real({e.replace('{z}', z)})", pair, tol=2e-5)
    s.op(f"{z}.std(0), {z}.var(), {z}.norm(), torch.linalg.vector_norm({z}, 1., [0]), {z} == {z}.conj(), {z} != {z}, torch.isfinite({z}), torch.isnan({z}), torch.isinf({z})", pair, (pair[0], r(3, 2) * float("inf")), tol=3e-6)
    x = r(3, 4) + 0.03125
    inf, nan = float("inf"), float("nan")
    edges = torch.tensor([0.0, -0.0, 1.0, -1.0, inf, -inf, nan, 1e-45, 3e38, 1.17549435e-38])
    s.op("torch.nextafter(a, b)", (edges, edges.flip(0)), (edges, -edges), (edges.double(), edges.double().flip(0)), (x, x[:1]))
    s.op("torch.logspace(0, 1, 4, 2.0) + a, torch.logspace(-1, 1, 5, dtype=torch.float64)", x)
    bins = torch.tensor([-1.0, -0.5, 0.0, 2.0])
    for e in ["torch.histogram(a, 4, range=[-2.0, 2.0])", "torch.histogram(a, 3)", "torch.histogram(a, 4, range=[-2.0, 2.0], density=True)", "torch.histogram(a, 4, range=[-2.0, 2.0], weight=a * 2)"]:
        s.op(e, x, r(5, 2) / 4)
    s.op("torch.histogram(a, b)", (x, bins), (r(7), bins * 3))
    ints = torch.tensor([[1, 2, 1], [0, 2, 1], [1, 2, 1], [0, 1, 5]])
    for e in ["torch.ops.aten.unique_dim(a, 0, True, True, True)", "torch.ops.aten.unique_dim(a, 1, True, True, True)", "torch.ops.aten.unique_dim(a, 0)", "torch.ops.aten.unique_consecutive(a, True, True, 0)", "torch.ops.aten.unique_consecutive(a, True, True, 1)"]:
        s.op(e, ints, ints[[0, 0, 1]], ints.float())
    s.op("torch.tensor_split(a, b)", (x, torch.tensor([1, 2])), (x, torch.tensor([2, 3])))
    s.op("torch.tensor_split(a, b, 1)", (x, torch.tensor(3)), (x, torch.tensor(2)))
    s.op("torch.gradient(a, dim=[0, 1], edge_order=2)", x, r(4, 3))
    s.op("torch.linalg.vander(a, N=3)", x[0], x[0, 0])
    s.op("torch.tanh(a), torch.signbit(torch.tanh(a))", torch.tensor([0.0, -0.0] * 10 + [0.5, -0.5]))
    s.module(Trained().train(), r(2, 3, 4, 4), r(3, 3, 2, 2), r(2, 3, 4, 4), tol=1e-5, reset=(2,))
    s.module(Instances().train(), r(2, 3, 5), r(3, 3, 4), tol=1e-5)
    s.module(Chosen(), (r(2, 3), 0), (r(2, 3), 1), (r(2, 3), -1))
    s.module(Samples(), (r(2, 4),), (r(3, 4),))
    s.module(Fourier(), r(2, 3, 8), r(1, 3, 5), tol=1e-5)
    s.module(Methods(), r(4, 3))
    s.module(Words(), (r(2), 3), (r(2), 12))
