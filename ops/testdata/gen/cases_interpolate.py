"""Resizing of images."""

import torch
import torch.nn.functional as F

MODES = {1: ["nearest", "nearest-exact", "linear"], 2: ["nearest", "nearest-exact", "bilinear", "bicubic"], 3: ["nearest", "nearest-exact", "trilinear"]}


def name(mode):
    return "linear" if mode.endswith("linear") else mode


def cases(s):
    shapes = [([2, 3, 7], [[10], [3], [1], [7], [14]]), ([1, 2, 5, 6], [[10, 12], [3, 4], [5, 6], [1, 1], [7, 3], [2, 11]]),
              ([2, 2, 1, 4], [[3, 3]]), ([1, 2, 3, 4, 5], [[6, 8, 10], [2, 5, 3]]), ([1, 1, 40, 40], [[60, 50]]), ([0, 2, 3, 3], [[2, 2]]), ([1, 1, 3, 3], [[0, 2]]), ([2, 3], [[2]])]
    for shape, sizes in shapes:
        x = s.rand(*shape)
        dims = len(shape) - 2
        for mode in MODES.get(dims, ["nearest"]):
            for align in [None] if "nearest" in mode else [False, True]:
                a = {"Mode": name(mode), "AlignCorners": bool(align)}
                for size in sizes:
                    if 40 in shape and "nearest" not in mode and mode != "bilinear":
                        continue
                    s.add("interpolate", dict(a, Size=size), [x], lambda x: F.interpolate(x, size=size, mode=mode, align_corners=align), 1e-5)
                    s.add("interpolate", a, [x, torch.tensor(size)], lambda x, n: F.interpolate(x, size=n.tolist(), mode=mode, align_corners=align), 1e-5, known=[1])
                if 0 in shape or dims < 1 or 40 in shape:
                    continue
                for scale in [2.0, 0.5, 1.7, 1.0, 0.3]:
                    scales = [scale] * dims
                    s.add("interpolate", dict(a, Scales=scales), [x], lambda x: F.interpolate(x, scale_factor=scale, mode=mode, align_corners=align), 1e-5)
                    s.add("interpolate", dict(a, Size=[int(d * scale) for d in shape[2:]]), [x],
                          lambda x: F.interpolate(x, scale_factor=scale, mode=mode, align_corners=align, recompute_scale_factor=True), 1e-5)
    s.add("interpolate", {"Mode": "nearest", "Scales": [2, 3]}, [s.rand(1, 2, 3, 3)], lambda x: F.interpolate(x, scale_factor=(2.0, 3.0)))
    s.add("interpolate", {"Mode": "bicubic", "Size": [3]}, [s.rand(1, 2, 3)], lambda x: F.interpolate(x, size=3, mode="bicubic"))
    s.add("interpolate", {"Mode": "nearest", "Size": [3]}, [s.rand(1, 2, 3, 3)], lambda x: F.interpolate(x, size=[3]))
    s.add("interpolate", {"Mode": "nearest", "Scales": [-1]}, [s.rand(1, 2, 3)], lambda x: F.interpolate(x, scale_factor=-1.0))
