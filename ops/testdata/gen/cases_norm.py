"""Layer, group and instance normalization."""

import torch
import torch.nn.functional as F


def cases(s):
    for shape, dims in [([4, 10], 1), ([2, 3, 4], 1), ([2, 3, 4], 2), ([2, 3, 4], 3), ([1], 1), ([3, 1], 1), ([0, 4], 1), ([2, 300], 1), ([2, 3, 5, 7], 1), ([4], 2)]:
        x = s.rand(*shape)
        normal = shape[len(shape) - dims:] if dims <= len(shape) else [1] * dims
        for weight, bias in [(True, True), (True, False), (False, False)]:
            inputs = [x] + [s.rand(*normal) for has in (weight, bias) if has]
            for eps in [1e-5, 1e-2]:
                s.add("layer_norm", {"Dims": dims, "Eps": eps, "HasWeight": weight, "HasBias": bias}, inputs,
                      lambda x, w=None, b=None: F.layer_norm(x, normal, w, b, eps), 4e-6 if x.shape[-1] > 1 else 1e-3)
    x = s.rand(4, 10) / 16 + 1000
    s.add("layer_norm", {"Dims": 1, "Eps": 1e-5}, [x], lambda x: F.layer_norm(x.double(), [10]).float(), 2e-4)
    for shape, groups in [([2, 6, 4, 5], 3), ([2, 6, 4, 5], 1), ([2, 6, 4, 5], 6), ([1, 4, 7], 2), ([3, 4], 2), ([2, 4, 2, 3, 2], 2), ([0, 4, 3], 2), ([2, 6, 4], 4), ([6], 2)]:
        for weight, bias in [(True, True), (False, False)]:
            inputs = [s.rand(*shape)] + [s.rand(shape[1] if len(shape) > 1 else 1) for has in (weight, bias) if has]
            s.add("group_norm", {"Groups": groups, "Eps": 1e-5, "HasWeight": weight, "HasBias": bias}, inputs,
                  lambda x, w=None, b=None: F.group_norm(x, groups, w, b), 4e-6)
    for shape in [[2, 3, 8], [2, 3, 4, 5], [1, 2, 3, 2, 2], [2, 3, 1], [2, 3, 1, 1]]:
        for affine in [True, False]:
            inputs = [s.rand(*shape)] + ([s.rand(shape[1]), s.rand(shape[1])] if affine else [])
            s.add("instance_norm", {"Eps": 1e-5, "HasWeight": affine, "HasBias": affine}, inputs,
                  lambda x, w=None, b=None: torch.instance_norm(x, w, b, None, None, True, 0.1, 1e-5, False),  # as traced models call it
                  4e-6 if shape[-1] > 1 else 1e-4)
