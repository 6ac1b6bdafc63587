#!/usr/bin/env python3
"""Writes float_bias.npz: quantized layers with a float32 bias as PyTorch's oneDNN engine computes them.

Usage: float_bias.py OUT.npz

For each layer l: l.x, l.y uint8; l.w int8; l.w_scale, l.bias float32; l.q = [input scale, zero point, output scale, zero point].
"""
import sys

import numpy as np
import torch
import torch.nn.quantized as nnq

torch.manual_seed(0)
torch.backends.quantized.engine = "onednn"
arrays = {}
for name, (sx, zx, so, zo) in {
    "conv": (0.0245, 0, 0.0297, 165),
    "conv_signed": (0.02, 128, 0.0113, 3),
    "linear": (0.0337, 137, 0.05, 120),
}.items():
    if name == "linear":
        module, w, x = nnq.Linear(96, 40), torch.randn(40, 96), torch.randint(0, 256, (200, 96))
    else:
        module, w, x = nnq.Conv2d(16, 24, 3, 1, 1), torch.randn(24, 16, 3, 3), torch.randint(0, 256, (2, 16, 12, 12))
    w, x, bias = w * 0.1, x.to(torch.uint8), torch.randn(w.shape[0])
    scale = w.flatten(1).abs().amax(1) / 127.5
    qw = torch.quantize_per_channel(w, scale.double(), torch.zeros(len(scale), dtype=torch.int64), 0, torch.qint8)
    module.set_weight_bias(qw, bias)
    module.scale, module.zero_point = so, zo
    y = module(torch._make_per_tensor_quantized_tensor(x, sx, zx)).int_repr()
    for key, v in {"x": x, "w": qw.int_repr(), "w_scale": scale, "bias": bias, "y": y}.items():
        arrays[f"{name}.{key}"] = v.numpy()
    arrays[f"{name}.q"] = np.array([sx, zx, so, zo], dtype=np.float32)
np.savez_compressed(sys.argv[1], **arrays)
