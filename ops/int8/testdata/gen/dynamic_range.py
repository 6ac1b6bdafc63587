"""Records what PyTorch chooses for whole tensors that are quantized while a model runs, and the layers that do so.

usage: python3 dynamic_range.py > ../dynamic_range.json     (PyTorch 2.6 and 2.14 choose the same)
"""
import json
import torch
import torch.ao.quantization.fx._decomposed  # registers quantized_decomposed

torch.backends.quantized.engine = "onednn"
torch.manual_seed(0)


def inputs():
    yield "normal", torch.randn(5, 24)
    yield "rows of other sizes", torch.randn(6, 24) * torch.tensor([[0.01], [1.0], [30.0], [0.2], [5.0], [1e-4]])
    yield "positive", torch.rand(4, 24) + 0.5
    yield "negative", -torch.rand(4, 24) * 3
    yield "zeros", torch.zeros(2, 24)
    yield "small", torch.randn(3, 24) * 1e-6
    yield "small and positive", torch.rand(3, 24) * 1e-3
    yield "small and negative", -torch.rand(3, 24) * 1e-3
    yield "tiny", torch.randn(3, 24) * 1e-38
    yield "large", torch.randn(3, 24) * 1e30
    yield "ties", (torch.arange(3 * 24).reshape(3, 24) % 511 - 255) / 2.0
    yield "odd ties", torch.cat([torch.tensor([-101.0, 154.0]), torch.arange(70) / 2.0 - 17]).reshape(3, 24)
    yield "one row", torch.randn(1, 24)


def record():
    w = torch.quantize_per_channel(torch.randn(7, 24), torch.rand(7) * 0.02 + 0.005, torch.zeros(7, dtype=torch.int64), 0, torch.qint8)
    b = torch.randn(7)
    packed = torch.ops.quantized.linear_prepack(w, b)
    doc = {"weight": w.int_repr().flatten().tolist(), "scales": w.q_per_channel_scales().float().tolist(), "bias": b.tolist(), "cases": []}
    for name, x in inputs():
        case = {"name": name, "rows": x.shape[0], "x": x.flatten().tolist(), "layers": [], "decomposed": []}
        for reduce_range in (False, True):
            scale, zero = torch._choose_qparams_per_tensor(x, reduce_range)
            y = torch.ops.quantized.linear_dynamic(x, packed, reduce_range)
            case["layers"].append({"reduce": reduce_range, "scale": scale, "zero": int(zero), "y": y.flatten().tolist()})
        for lo, hi, dtype in ((-128, 127, torch.int8), (0, 255, torch.uint8), (-127, 127, torch.int8), (0, 127, torch.uint8)):
            for eps in (1.1920928955078125e-07, 2.0**-12):
                scale, zero = torch.ops.quantized_decomposed.choose_qparams.tensor(x, lo, hi, eps, dtype)
                q = torch.ops.quantized_decomposed.quantize_per_tensor.tensor(x, scale, zero, lo, hi, dtype)
                shift = 128 if dtype == torch.int8 else 0
                case["decomposed"].append({"lo": lo + shift, "hi": hi + shift, "eps": eps, "scale": scale.item(), "zero": zero.item() + shift,
                                           "q": (q.to(torch.int32) + shift).flatten().tolist()})
        doc["cases"].append(case)
    return doc


print(json.dumps(record(), separators=(",", ":")))
