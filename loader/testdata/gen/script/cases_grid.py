"""Sampling of images at places."""

import torch


def cases(s):
    images = [(s.rand(2, 3, 4, 5), s.rand(2, 3, 2, 2) / 3), (s.rand(1, 1, 2, 2), s.rand(1, 4, 4, 2) / 2), (s.rand(2, 2, 1, 3), s.rand(2, 2, 3, 2))]
    # Between two voxels PyTorch 1.13 and 2.14 round to different ones.
    volumes = [(s.rand(1, 2, 3, 4, 5), s.rand(1, 2, 2, 3, 3) / 3 + 0.01), (s.rand(2, 1, 2, 1, 3), s.rand(2, 1, 2, 2, 3) + 0.01)]
    lost = torch.tensor([float("nan"), float("inf"), -float("inf"), 1e30, -1e30, 0.25])
    lost = (s.rand(1, 2, 3, 4), torch.stack(torch.meshgrid([lost, lost], indexing="ij"), -1)[None])
    for padding in ["zeros", "border", "reflection"]:
        for align in [True, False]:
            form = f"padding_mode='{padding}', align_corners={align}"
            for mode in ["bilinear", "nearest", "bicubic"]:
                e = f"F.grid_sample(a, b, mode='{mode}', {form})"
                s.op(e, *images, lost, tol=1e-5)
                if mode != "bicubic":
                    s.op(e, *volumes, tol=1e-5)
            s.op(f"(F.grid_sample(a, b, mode='bicubic', {form}), F.grid_sample(a, b, {form}))", [t.double() for t in images[0]], tol=1e-12)
            s.op(f"F.grid_sample(a, b, {form})", [t.double() for t in volumes[0]], tol=1e-12)
    s.op("F.grid_sample(a, b, mode='bicubic', align_corners=False)", (s.rand(1, 2, 2, 3, 3), s.rand(1, 1, 1, 1, 3)), (s.rand(2, 3, 4, 5), s.rand(1, 3, 2, 2)))
    for align in [True, False]:
        s.op(f"F.affine_grid(a, [2, 3, 4, 1, 5], align_corners={align})", s.rand(2, 3, 4), tol=1e-5)
