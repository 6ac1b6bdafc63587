"""Writes testdata/convert.npz: values and what torch.Tensor.to makes of them.

For each source type S the array S holds the values, and S_to_D those converted
to D. float16 and bfloat16 arrays hold bit patterns as int32.
"""
import os
import numpy as np
import torch

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "convert.npz")
TYPES = {
    "float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16,
    "float64": torch.float64, "int8": torch.int8, "uint8": torch.uint8,
    "int32": torch.int32, "int64": torch.int64, "bool": torch.bool,
}


def values(name):
    g = torch.Generator().manual_seed(7)
    special = torch.tensor([0.0, -0.0, 0.5, -0.5, 1.5, -1.5, 2.5, 127.9, -128.9, 128.0, 255.9, 256.0, -1.0, -200.7, 300.3,
                            65504.0, 65519.9, 65520.0, 1e-8, 6e-8, -3e-5, 1.00048828125, 1.0009765625, 1.00390625,
                            1.01171875, 32767.0, 70000.0, -70000.0, 2147483520.0], dtype=torch.float64)
    spread = torch.randn(200, generator=g, dtype=torch.float64) * torch.logspace(-9, 8, 200, dtype=torch.float64)
    wide = torch.randint(-2**62, 2**62, (100,), generator=g)
    small = torch.randint(-40000, 40000, (100,), generator=g)
    if name in ("float32", "float64"):
        return torch.cat([special, spread]).to(TYPES[name])
    if name in ("float16", "bfloat16"):
        v = torch.cat([special, spread]).to(TYPES[name])
        return v[torch.isfinite(v.float())]
    if name == "bool":
        return torch.tensor([True, False, True, True])
    if name == "int64":
        return torch.cat([small, wide, torch.tensor([2**24 + 1, 2**53 + 1, 2**63 - 1, -2**63])])
    if name == "int32":
        return torch.cat([small, torch.tensor([2**31 - 1, -2**31, 2**24 + 1])]).to(torch.int32)
    return torch.arange(256, dtype=torch.int64).to(TYPES[name])


def stored(t):
    if t.dtype in (torch.float16, torch.bfloat16):
        return t.view(torch.int16).numpy().astype(np.int32) & 0xFFFF
    return t.numpy()


arrays = {}
for s in TYPES:
    # A tensor of one element is converted by the scalar path, which is the definition.
    v = values(s)
    arrays[s] = stored(v)
    for d in TYPES:
        if d != s:
            arrays["%s_to_%s" % (s, d)] = np.concatenate([stored(v[i:i + 1].to(TYPES[d])) for i in range(len(v))])
np.savez_compressed(OUT, **arrays)
