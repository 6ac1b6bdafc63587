"""The functions of torch.fft, and arithmetic with complex numbers."""

import torch
from torch import Tensor, nn


class ComplexWrites(nn.Module):
    """Writes to complex numbers and to views of them."""

    def forward(self, a: Tensor, b: Tensor):
        z = torch.complex(a, b)
        row, parts, wide = z[0], z.unbind(1), z.expand(2, z.size(0), z.size(1))
        z.mul_(3)
        z[1].copy_(row)
        z[:, 1:].mul_(2)
        return torch.view_as_real(z), torch.view_as_real(row), torch.view_as_real(parts[1]), torch.view_as_real(wide[1])


def cases(s):
    r = s.rand
    pair = lambda *shape: (r(*shape), r(*shape))
    z = "torch.complex(a, b)"
    real = lambda e: f"torch.view_as_real(({e}).resolve_conj())"
    for n in ["", ", 6", ", 3"]:
        for norm in ["", ", norm='ortho'", ", norm='forward'"]:
            for f in ["fft", "ifft", "hfft"]:
                e = f"torch.fft.{f}({z}{n}{norm})"
                s.op(e if f == "hfft" else real(e), pair(2, 5), pair(3, 4), tol=5e-6)
            for f in ["fft", "ifft", "rfft", "ihfft"]:
                s.op(real(f"torch.fft.{f}(a{n}{norm})"), r(2, 5), r(3, 4), tol=5e-6)
            s.op(f"torch.fft.irfft({z}{n}{norm})", pair(2, 5), pair(3, 4), tol=5e-6)
    for dim in ["dim=0", "dim=1", "dim=-2"]:
        for f in ["fft", "ifft"]:
            s.op(real(f"torch.fft.{f}({z}, {dim})"), pair(2, 5, 3), tol=5e-6)
        s.op(real(f"torch.fft.rfft(a, {dim})"), r(4, 5, 3), tol=5e-6)
        s.op(f"torch.fft.irfft({z}, {dim})", pair(4, 5, 3), tol=5e-6)
    for more in ["", ", norm='ortho'", ", norm='forward'", ", s=[4, 6]", ", dim=[0, 1]", ", dim=[2, 0]", ", s=[3, -1], dim=[1, 2]"]:
        for f in ["fft2", "ifft2"]:
            s.op(real(f"torch.fft.{f}({z}{more})"), pair(2, 5, 4), pair(1, 3, 3), tol=5e-6)
        s.op(real(f"torch.fft.rfft2(a{more})"), r(2, 5, 4), r(1, 3, 3), tol=5e-6)
        s.op(f"torch.fft.irfft2({z}{more})", pair(2, 5, 4), pair(3, 3, 3), tol=5e-6)
    for more in ["", ", norm='ortho'", ", norm='forward'", ", s=[4]", ", dim=[1]", ", dim=[1, 0]", ", s=[2, 7]", ", s=[3, 5, 2], dim=[2, 0, 1]"]:
        for f in ["fftn", "ifftn"]:
            s.op(real(f"torch.fft.{f}({z}{more})"), pair(2, 5, 4), pair(1, 3, 3), tol=5e-6)
            s.op(real(f"torch.fft.{f}(a{more})"), r(2, 5, 4), r(1, 3, 3), tol=5e-6)
        s.op(real(f"torch.fft.rfftn(a{more})"), r(2, 5, 4), r(1, 3, 3), tol=5e-6)
        s.op(f"torch.fft.irfftn({z}{more})", pair(2, 5, 4), pair(3, 3, 3), tol=5e-6)
    s.op("torch.fft.fftn(a, dim=[-2, -1]).real", r(2, 67, 12), r(1, 9, 12), tol=1e-5)
    s.op(real("torch.fft.fft(torch.fft.fft(a, dim=-1), dim=-2)"), r(3, 4), r(5, 4), tol=5e-6)
    s.op(real("torch.fft.rfft(a)"), r(1, 5000), tol=1e-3)
    s.op("torch.fft.irfft(torch.complex(a, b), 5000)", pair(1, 2501), tol=1e-3)
    for d in [torch.float64, torch.int64]:
        s.op(real("torch.fft.fft2(a)"), r(3, 4, dtype=d), r(2, 5, dtype=d), tol=5e-6)
        s.op(real("torch.fft.rfftn(a, norm='ortho')"), r(3, 4, dtype=d), tol=5e-6)
    s.op("torch.fft.irfft2(torch.fft.rfft2(a, norm='ortho'), s=a.shape[-2:], norm='ortho')", r(2, 4, 5), r(2, 3, 4), tol=5e-6)
    for e in ["torch.fft.fftshift(a)", "torch.fft.ifftshift(a)", "torch.fft.fftshift(a, dim=[1])", "torch.fft.ifftshift(a, dim=[0])"]:
        s.op(e, r(3, 4), r(2, 5))
    s.op(real("torch.fft.fftshift(torch.fft.fft2(a), dim=[0])"), r(3, 4), r(2, 5), tol=5e-6)
    for e in ["torch.fft.rfft(torch.complex(a, b)).real", "torch.fft.fft(a, 0).real", "torch.fft.fft(a, norm='backwards').real", "torch.fft.fft2(a, dim=[0, 0]).real", "torch.fft.fftn(a, s=[2, 2, 2]).real", "torch.fft.fft(a, dim=2).real"]:
        s.op(e, pair(3, 4) if "b)" in e else r(3, 4))
    # Arithmetic.
    y = "torch.view_as_complex(c)"
    for e in [f"{z} + {y}", f"{z} - {y}", f"{z} * {y}", f"{z} / {y}", f"{z} + a", f"a - {z}", f"{z} * a", f"a * {z}", f"{z} / (a + 9)", f"a / {y}", f"{z} * 2.5", f"{z} / 2", f"-{z}", f"{z} + 1", f"({z} * {y}).sum().real.unsqueeze(0)", f"({z} * {y}).mean(1)", f"torch.exp({z} * 0.25)", f"{z}.square()", f"torch.einsum('ij,kj->ik', {z}, {y})", f"{z} @ {y}.transpose(0, 1)", "torch.polar(a.abs() + 1, b)"]:
        s.op(e if ".real" in e else real(e), (r(3, 4), r(3, 4), r(3, 4, 2) + 5), tol=5e-6)
    s.op(real(f"({z} * {y}).mul_(a)"), (r(3, 4), r(3, 4), r(3, 4, 2) + 5), tol=5e-6)
    s.op("torch.fft.irfft2(torch.fft.rfft2(a, norm='ortho') * torch.view_as_complex(b), s=[4, 6], norm='ortho')", (r(2, 4, 6), r(4, 4, 2)), tol=5e-6)
    s.op(real("a.to(torch.complex64)"), r(3, 4), r(2, dtype=torch.int64))
    s.op(real(f"{z}.to(torch.complex128)"), pair(3, 4))
    s.op(f"{z}.real.to(torch.float64), {z}.to('cpu').imag", pair(3, 4))
    s.op(real(f"a.type_as({z})"), pair(3, 4))
    s.op(f"{z}.to(torch.float32)", pair(3, 4))
    # What moves complex numbers moves both parts, and a view of some is a view of both.
    for e in ["{z}[:, 1]", "{z}[-1]", "{z}.unbind(1)[1]", "{z}.index_select(0, torch.tensor([1, 0]))", "{z}[torch.tensor([1, 0])]", "{z}[:, torch.tensor([2, 0])]", "{z}.gather(1, torch.tensor([[1], [0]]))",
              "{z}.flip(0)", "{z}.roll(1, 1)", "{z}.roll(2)", "torch.cat([{z}, {y}], 1)", "torch.cat([{z}, a], 0)", "torch.stack([{z}, {y}], -1)", "torch.hstack([{z}, {y}])", "torch.where(a > 0, {z}, {y})",
              "torch.where(a > 0, {z}, 2.0)", "{z}.unsqueeze(0).expand(2, -1, -1)", "{z}.repeat(2, 1)", "{z}.repeat_interleave(2, 0)", "{z}.tril()", "{z}.cumsum(1)", "torch.nn.functional.pad({z}, [1, 2])", "{z}.conj()", "{z}.t()[1]"]:
        s.op(real(e.format(z=z, y=y)), (r(2, 3), r(2, 3), r(2, 3, 2)), (r(4, 5), r(4, 5), r(4, 5, 2)), tol=5e-6)
    s.module(ComplexWrites().eval(), pair(3, 4), pair(2, 2), tol=5e-6)
