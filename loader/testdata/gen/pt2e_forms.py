"""Exports small quantized modules in the forms that PyTorch's PT2E flow and what builds on it
write, and records their outputs, for TestQuantizedForms.

    chroot PYTORCH_2.6 python3 pt2e_forms.py loader/testdata/quantized _26
    chroot PYTORCH_2.14 python3 pt2e_forms.py loader/testdata/quantized _214

The quantizers are in PyTorch 2.6 only; 2.14 writes the modules that call the operators themselves.
The embeddings of packed integers are operators of ExecuTorch, which are defined here as it does.
"""
import os
import sys

import numpy as np
import torch
import torch.ao.quantization.fx._decomposed  # defines the operators
from torch import nn
from torch.nn import functional as F

try:
    from torch.ao.quantization.quantize_pt2e import convert_pt2e, prepare_pt2e
    from torch.ao.quantization.quantizer.embedding_quantizer import EmbeddingQuantizer
    from torch.ao.quantization.quantizer.xnnpack_quantizer import XNNPACKQuantizer, get_symmetric_quantization_config
except ImportError:  # moved to torchao
    prepare_pt2e = None

out, suffix = sys.argv[1:]
os.makedirs(out, exist_ok=True)
torch.manual_seed(0)
r = torch.randn
q = torch.ops.quantized_decomposed
INT8 = (-128, 127, torch.int8)

library = torch.library.Library("quantized_decomposed", "FRAGMENT")
TABLE = "(Tensor weight, Tensor weight_scales, Tensor? weight_zero_points, int weight_quant_min, int weight_quant_max, Tensor indices) -> Tensor"


def real_rows(weight, scales, zeros):
    groups = scales.size(1) if scales.dim() == 2 else 1
    x = weight.float().view(weight.size(0), groups, -1)
    if zeros is not None:
        x = x - zeros.view(weight.size(0), groups, 1)
    return (x * scales.view(weight.size(0), groups, 1)).view(weight.size(0), -1)


def embedding_byte(weight, scales, zeros, lo, hi, indices):
    return F.embedding(indices, real_rows(weight, scales, zeros))


def embedding_4bit(weight, scales, zeros, lo, hi, indices):
    both = torch.stack([weight // 16, weight % 16], -1).view(weight.size(0), -1).to(torch.int8) - 8
    return F.embedding(indices, real_rows(both, scales, zeros))


for name, f in (("embedding_byte", embedding_byte), ("embedding_4bit", embedding_4bit)):
    library.define(name + TABLE)
    library.impl(name, f, "CompositeExplicitAutograd")


def save(name, program, *runs):
    """Saves a program without what it does not need, and its outputs for tuples of inputs."""
    path = f"{out}/{name}{suffix}"
    used = {s.target for s in program.graph_signature.input_specs}
    for key in [k for k in program.state_dict if k not in used]:
        del program._state_dict[key]
    program._example_inputs = None
    torch.export.save(program, path + ".pt2")
    names = [s.arg.name for s in program.graph_signature.input_specs if s.kind.name == "USER_INPUT"]
    for i, run in enumerate(runs):
        with torch.no_grad():
            y = program.module()(*run)
        y = y if isinstance(y, tuple) else (y,)
        arrays = {n: x.numpy() for n, x in zip(names, run)} | {f"output{j}": t.numpy() for j, t in enumerate(y)}
        np.savez_compressed(f"{path}.{i}.npz", **arrays)


def export(module, *args, dynamic=None):
    return torch.export.export(module.eval(), args, dynamic_shapes=dynamic)


def channels(weight):
    """A weight as int8 and its scales, one a row."""
    scales = weight.flatten(1).abs().amax(1) / 127
    return torch.clamp(torch.round(weight / scales.view(-1, *[1] * (weight.dim() - 1))), -127, 127).to(torch.int8), scales


class Weighted(nn.Module):
    def __init__(self, rows, columns):
        super().__init__()
        w, s = channels(r(rows, columns))
        self.register_buffer("w", w)
        self.register_buffer("s", s)
        self.register_buffer("z", torch.zeros(rows, dtype=torch.int64))
        self.bias = nn.Parameter(r(rows))

    def linear(self, x):
        return F.linear(x, q.dequantize_per_channel(self.w, self.s, self.z, 0, -127, 127, torch.int8), self.bias)


class PerToken(Weighted):
    """A linear layer whose input is quantized by rows."""

    def __init__(self, symmetric):
        super().__init__(8, 16)
        self.choose = q.choose_qparams_per_token if symmetric else q.choose_qparams_per_token_asymmetric

    def forward(self, x):
        s, z = self.choose(x, torch.int8)
        y = q.quantize_per_token(x, s, z, *INT8)
        return self.linear(q.dequantize_per_token(y, s, z, *INT8, torch.float32))


class PerTensor(Weighted):
    """A linear layer whose input is quantized by its largest value."""

    def __init__(self):
        super().__init__(8, 16)

    def forward(self, x):
        s, z = q.choose_qparams_symmetric.tensor(x, -127, 127, 1e-5, torch.int8)
        y = q.quantize_per_tensor.tensor(x, s, z, -127, 127, torch.int8)
        return self.linear(q.dequantize_per_tensor.tensor(y, s, z, -127, 127, torch.int8))


class Groups(nn.Module):
    """Linear layers with a scale for each of some groups of a weight's columns: four of 8 and one of 32."""

    def __init__(self):
        super().__init__()
        for name, group in (("a", 8), ("b", 32)):
            w, s = channels(r(6 * 32 // group, group))
            self.register_buffer(f"{name}_w", w.view(6, 32))
            self.register_buffer(f"{name}_s", s.view(6, -1))
            self.register_buffer(f"{name}_z", torch.zeros(6, 32 // group, dtype=torch.int32))

    def forward(self, x):
        a = q.dequantize_per_channel_group(self.a_w, self.a_s, self.a_z, *INT8, 8, torch.float32)
        b = q.dequantize_per_channel_group(self.b_w, self.b_s, self.b_z, *INT8, 32, torch.float32)
        y = q.quantize_per_channel_group(x, self.a_s[:, :1].abs(), self.a_z[:, :1] + 3, *INT8, 32)
        x = q.quantize_per_tensor(x, 0.03, 5, *INT8)
        x = q.dequantize_per_tensor(x, 0.03, 5, *INT8)
        return F.linear(x, a), F.linear(x, b), y


class Tables(nn.Module):
    """Embeddings of integers: bytes with a scale a row, and by groups; four bits by groups."""

    def __init__(self):
        super().__init__()
        self.register_buffer("w", torch.randint(-128, 128, (10, 8), dtype=torch.int8))
        self.register_buffer("s", torch.rand(10) + 0.01)
        self.register_buffer("g", torch.rand(10, 2) + 0.01)
        self.register_buffer("z", torch.randint(-8, 8, (10, 2), dtype=torch.int8))
        self.register_buffer("p", torch.randint(0, 256, (10, 8), dtype=torch.uint8))

    def forward(self, i):
        return (
            q.embedding_byte(self.w, self.s, None, -128, 127, i), q.embedding_byte(self.w, self.g, self.z, -128, 127, i),
            q.embedding_4bit(self.p, self.g, None, -8, 7, i), q.embedding_4bit(self.p, self.s, None, -8, 7, i),
            F.embedding(i, q.dequantize_per_channel(self.w, self.s, self.z[:, 0].to(torch.int64), 0, *INT8)),
        )


class Branches(nn.Module):
    """A convolution that is quantized inside of branches, and inside of a loop."""

    def __init__(self):
        super().__init__()
        w, s = channels(r(4, 4, 3, 3))
        self.register_buffer("w", w)
        self.register_buffer("s", s)
        self.register_buffer("z", torch.zeros(4, dtype=torch.int64))

    def forward(self, x):
        def layer(x, w, s, z):
            x = q.dequantize_per_tensor(q.quantize_per_tensor(x, 0.05, 3, *INT8), 0.05, 3, *INT8)
            y = F.conv2d(x, q.dequantize_per_channel(w, s, z, 0, -127, 127, torch.int8), padding=1).relu()
            return q.dequantize_per_tensor(q.quantize_per_tensor(y, 0.1, -128, *INT8), 0.1, -128, *INT8)

        def other(x, w, s, z):
            return q.dequantize_per_tensor(q.quantize_per_tensor(x, 0.02, 0, *INT8), 0.02, 0, *INT8) * 2.0

        return torch.cond(x.sum() > 0, layer, other, (x, self.w, self.s, self.z))


class Bounds(nn.Module):
    """Parameters and bounds of integers that are tensors."""

    def __init__(self):
        super().__init__()
        self.register_buffer("s", torch.tensor([0.1], dtype=torch.float64))
        self.register_buffer("z", torch.tensor([3]))
        self.register_buffer("lo", torch.tensor([-100]))
        self.register_buffer("hi", torch.tensor([90]))

    def forward(self, x):
        y = q.quantize_per_tensor.tensor2(x, self.s, self.z, self.lo, self.hi, torch.int8)
        return q.dequantize_per_tensor.tensor2(y, self.s, self.z, self.lo, self.hi, torch.int8), y.to(torch.int32)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1, self.c2, self.fc = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1), nn.Linear(8, 4)

    def forward(self, x):
        x = self.c1(x).relu()
        x = (self.c2(x) + x).relu()
        return self.fc(F.adaptive_avg_pool2d(F.max_pool2d(x, 2), 1).flatten(1))


class Words(nn.Module):
    def __init__(self):
        super().__init__()
        self.e, self.fc = nn.Embedding(12, 8), nn.Linear(8, 4)

    def forward(self, i):
        return self.fc(self.e(i))


def quantized(module, quantizer, *args, dynamic=None, **options):
    program = torch.export.export_for_training(module.eval(), args, dynamic_shapes=dynamic).module()
    prepared = prepare_pt2e(program, quantizer)
    with torch.no_grad():
        prepared(*args)
    return torch.export.export(convert_pt2e(prepared, **options), args, dynamic_shapes=dynamic)


x = r(3, 16)
save("per_token", export(PerToken(False), x), (x,), (r(3, 16) * 5,))
save("per_token_symmetric", export(PerToken(True), x), (x,))
save("symmetric", export(PerTensor(), x), (x,), (r(3, 16) * 5,))
save("groups", export(Groups(), r(6, 32)), (r(6, 32),))
save("tables", export(Tables(), torch.tensor([[1, 2, 3], [9, 0, 1]])), (torch.tensor([[1, 2, 3], [9, 0, 1]]),))
save("branches", export(Branches(), r(2, 4, 5, 5)), (r(2, 4, 5, 5).abs(),), (-r(2, 4, 5, 5).abs(),))
save("bounds", export(Bounds(), r(4)), (torch.tensor([-100.0, -3.0, 0.26, 100.0]),))
if prepare_pt2e:
    xnnpack = lambda **o: XNNPACKQuantizer().set_global(get_symmetric_quantization_config(is_per_channel=True, **o))
    image, batch = r(2, 3, 8, 8), {"x": {0: torch.export.Dim("batch", min=1, max=64)}}
    static = quantized(Net(), xnnpack(), image, dynamic=batch)
    save("static_core", static.run_decompositions(), (image,), (r(5, 3, 8, 8),))
    save("reference", quantized(Net(), xnnpack(), image, use_reference_representation=True), (image,))
    save("dynamic_core", quantized(nn.Sequential(nn.Linear(16, 8), nn.ReLU()), xnnpack(is_dynamic=True), x).run_decompositions(), (x,))
    save("words", quantized(Words(), EmbeddingQuantizer(), torch.tensor([[1, 2, 11]])), (torch.tensor([[1, 2, 11]]),))
