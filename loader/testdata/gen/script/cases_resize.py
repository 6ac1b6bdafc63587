"""Images of bytes, and antialiasing, which PyTorch 1.13 has not or computes otherwise."""

import torch

NEEDS = (2, 1)


def cases(s):
    def image(*shape):
        return s.rand(*shape, dtype=torch.uint8, hi=255)

    for form in ["mode='bilinear'", "mode='bicubic'", "mode='bilinear', align_corners=True", "mode='bicubic', align_corners=True", "mode='bilinear', antialias=True", "mode='bicubic', antialias=True"]:
        e = f"(F.interpolate(a, size=[4, 5], {form}), F.interpolate(a, size=[13, 9], {form}))"
        s.op(e, image(1, 3, 7, 9), image(2, 1, 12, 5), image(1, 2, 4, 9))
        s.op(f"F.interpolate(a, scale_factor=0.37, {form})", image(1, 1, 9, 16))
        s.op(f"F.interpolate(a, scale_factor=1.7, {form})", image(1, 1, 6, 5))
    s.op("(F.interpolate(a, size=[5, 6]), F.interpolate(a, size=[5, 6], mode='nearest-exact'))", image(1, 2, 7, 4))
    for form in ["mode='bilinear'", "mode='bicubic'", "mode='bilinear', align_corners=True"]:
        for d, tol in [(torch.float32, 1e-5), (torch.float64, 1e-12)]:
            s.op(f"F.interpolate(a, size=[4, 13], antialias=True, {form})", s.rand(1, 2, 9, 8, dtype=d) / 3, s.rand(2, 1, 11, 3, dtype=d) / 3, tol=tol)
    s.op("F.interpolate(a, scale_factor=0.4, antialias=True, mode='bilinear')", s.rand(1, 2, 9, 8))
