#!/usr/bin/python3
"""Writes small models of forms that quantization has to cope with: weights that are computed, masks of infinities, modules
of colliding names, layers that see the batch, half weights; and, named whole_*, ones of which every operator has an int8 form.

    forms.py OUT [PREFIX]      with PyTorch 1.13; OUT is quantize/testdata/forms, PREFIX is of the names to write

NAME.pt is a traced module, NAME.npz has its inputs to calibrate with (calib.NAME) and to test on (test.NAME), and
PyTorch's outputs on the latter (output0). Weights are random.
"""
import os
import sys

import numpy as np
import torch
import torch.nn.functional as F
import torch.nn.utils.parametrize as parametrize
from torch import nn
from torch.nn.utils import spectral_norm, weight_norm

INF = float("inf")


class Symmetric(nn.Module):
    def forward(self, w):
        return w.triu() + w.triu(1).transpose(-1, -2)


class Functional(nn.Module):
    """Convolutions and products of weights that the module computes."""

    def __init__(self):
        super().__init__()
        self.w, self.g = nn.Parameter(torch.randn(8, 3, 3, 3)), nn.Parameter(torch.rand(8, 1, 1, 1) + 0.5)
        self.a, self.v = nn.Parameter(torch.randn(6, 8) * 0.3), nn.Parameter(torch.randn(8, 12) * 0.3)

    def forward(self, x):
        w = self.w * self.g / self.w.flatten(1).norm(dim=1)[:, None, None, None]
        y = F.relu(F.conv2d(x, w, padding=1))
        y = F.relu(F.conv2d(y, (w[:, :1].repeat(1, 8, 1, 1) + w.mean(1, keepdim=True)) * 0.5, stride=2))
        return F.linear(y.mean((2, 3)), self.a) @ (self.v.t() @ self.a.t()).t()


class Attention(nn.Module):
    def __init__(self, mask):
        super().__init__()
        self.qkv, self.out, self.mask = nn.Linear(16, 48), nn.Linear(16, 16), mask

    def forward(self, x, m):
        q, k, v = self.qkv(x).chunk(3, -1)
        return self.out(self.mask(q @ k.transpose(1, 2) / 4, (m > 0)[:, None, :]).softmax(-1) @ v)


def causal(a, keep):
    return a + torch.triu(torch.full((a.size(1), a.size(1)), -INF), 1)


class MaskedPool(nn.Module):
    """The greatest, and a weighted mean, of steps that a mask leaves."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(16, 16), nn.Linear(16, 16), nn.Linear(32, 5)

    def forward(self, x, m):
        h, off = F.relu(self.a(x)), m[:, :, None] == 0
        weights = self.b(h).masked_fill(off, -INF).softmax(1)
        return self.c(torch.cat([h.masked_fill(off, -INF).max(1)[0], (weights * h).sum(1)], 1))


class PaddedPool(nn.Module):
    """A pooling behind a border of infinities."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 4, 3)

    def forward(self, x):
        y = F.max_pool2d(F.pad(F.relu(self.a(x)), (1, 1, 1, 1), value=-INF), 3, 2)
        return self.b(y).mean((2, 3))


class SharedNames(nn.Module):
    """conv three times, beside conv_1 and conv_1_1, whose outputs are of other sizes."""

    def __init__(self):
        super().__init__()
        self.stem, self.conv, self.conv_1 = nn.Conv2d(3, 8, 3), nn.Conv2d(8, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1)
        self.conv_1_1, self.fc, self.relu = nn.Conv2d(8, 8, 1), nn.Linear(8, 4), nn.ReLU()
        with torch.no_grad():
            self.conv_1.weight.mul_(0.01), self.conv_1.bias.mul_(0.01), self.conv_1_1.weight.mul_(30)

    def forward(self, x):
        y = x = self.relu(self.stem(x))
        for _ in range(3):
            x = self.relu(self.conv(x))
        z, w = self.relu(self.conv_1(y)), self.relu(self.conv_1_1(y))
        return self.fc((x + z * 100).mean((2, 3))) + self.fc(w.mean((2, 3)) * 0.1)


class WeightedBag(nn.Module):
    def __init__(self):
        super().__init__()
        self.bag, self.fc = nn.EmbeddingBag(30, 12, mode="sum"), nn.Linear(12, 3)

    def forward(self, x, w):
        return self.fc(self.bag(x, per_sample_weights=w))


class OffsetBag(nn.Module):
    """Bags of five whose last offset is the end."""

    def __init__(self):
        super().__init__()
        self.bag, self.fc = nn.EmbeddingBag(30, 12, mode="sum", include_last_offset=True), nn.Linear(12, 3)

    def forward(self, x):
        return self.fc(self.bag(x.reshape(-1), torch.arange(0, x.size(0) * 5 + 1, 5)))


class Pooled(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.pool, self.fc = nn.Conv2d(3, 8, 3, padding=1), nn.AdaptiveMaxPool2d((2, 5)), nn.Linear(80, 4)

    def forward(self, x):
        return self.fc(self.pool(F.relu(self.conv(x))).flatten(1))


class HalfLayer(nn.Module):
    """One layer of bfloat16 between others."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(16, 32), nn.Linear(32, 32).to(torch.bfloat16), nn.Linear(32, 4)

    def forward(self, x):
        return self.c(F.relu(self.b(F.relu(self.a(x)).bfloat16())).float())


class HalfAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.e, self.qkv, self.out = nn.Embedding(30, 16), nn.Linear(16, 48), nn.Linear(16, 7)
        self.to(torch.bfloat16)

    def forward(self, i, m):
        x = self.e(i)
        q, k, v = self.qkv(x).chunk(3, -1)
        a = (q @ k.transpose(1, 2) / 4).masked_fill(m[:, None] == 0, torch.finfo(torch.bfloat16).min)
        return self.out(a.softmax(-1) @ v + x).float()


class StoredHalf(nn.Module):
    """Weights stored as float16, and used as float32."""

    def __init__(self):
        super().__init__()
        self.w, self.v = nn.Parameter(torch.randn(32, 16).half()), nn.Parameter(torch.randn(4, 32).half())

    def forward(self, x):
        return F.linear(F.relu(F.linear(x, self.w.float())), self.v.float())


class Transposed1d(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Conv1d(3, 8, 3, padding=1), nn.ConvTranspose1d(8, 8, 5, 2, 2, 1), nn.Conv1d(8, 4, 3)

    def forward(self, x):
        return self.c(F.leaky_relu(self.b(F.relu(self.a(x.flatten(2))))))


def transposed():
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.ConvTranspose2d(16, 12, 4, 2, 1), nn.ReLU(),
        nn.ConvTranspose2d(12, 12, 3, 2, 1, 1, groups=3, bias=False), nn.LeakyReLU(0.1), nn.ConvTranspose2d(12, 8, 2, 2),
        nn.ReLU6(), nn.Conv2d(8, 4, 3))


class Resized(nn.Module):
    """Bilinear resizes, by a scale and to the size of another image."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.c, self.d = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 3, 2), nn.Conv2d(16, 8, 1), nn.Conv2d(8, 4, 3)

    def forward(self, x):
        x = F.relu(self.a(x))
        y = F.interpolate(self.b(x), x.shape[2:], mode="bilinear")
        y = F.interpolate(self.c(torch.cat([x, y], 1)), scale_factor=2.0, mode="bilinear", align_corners=True)
        return self.d(y)


class Slopes(nn.Module):
    """PReLU with a slope for each channel."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.c, self.p, self.q = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 3), nn.Conv2d(8, 4, 3), nn.PReLU(8), nn.PReLU(8)
        with torch.no_grad():
            self.p.weight.uniform_(-0.3, 1), self.q.weight.uniform_(0, 0.5)

    def forward(self, x):
        x = self.p(self.a(x))
        return self.c(self.q(self.b(x)) + x[:, :, 1:-1, 1:-1])


class Norms(nn.Module):
    """Batch norms behind sums, transposed convolutions and concatenations."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.t = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1), nn.ConvTranspose2d(8, 6, 2, 2)
        self.n, self.m, self.o, self.c = nn.BatchNorm2d(8), nn.BatchNorm2d(6), nn.BatchNorm2d(14), nn.Conv2d(14, 4, 3)
        for n in self.n, self.m, self.o:
            nn.init.normal_(n.weight), nn.init.normal_(n.bias), nn.init.normal_(n.running_mean, 0, 0.1), nn.init.uniform_(n.running_var, 0.2, 2)

    def forward(self, x):
        x = F.relu(self.a(x))
        x = F.relu(self.n(x + self.b(x)))
        y = F.leaky_relu(self.m(self.t(x)), 0.1)
        return self.c(F.relu6(self.o(torch.cat([F.interpolate(x, scale_factor=2.0), y], 1))))


class Recurrent(nn.Module):
    """A tagger of two layers in both directions."""

    def __init__(self, cell):
        super().__init__()
        self.e, self.cell, self.out = nn.Embedding(30, 16), cell(16, 12, 2, bidirectional=True, batch_first=True), nn.Linear(24, 5)

    def forward(self, x):
        return self.out(self.cell(self.e(x))[0])


class Cells(nn.Module):
    """Cells that a loop calls."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.out = nn.LSTMCell(16, 12), nn.GRUCell(12, 8), nn.Linear(8, 5)

    def forward(self, x):
        h, c, g = x.new_zeros(x.size(0), 12), x.new_zeros(x.size(0), 12), x.new_zeros(x.size(0), 8)
        for step in range(5):
            h, c = self.a(x * (1 - 0.1 * step), (h, c))
            g = self.b(h, g)
        return self.out(g)


def images(n):
    return {"x": torch.randn(n, 3, 8, 8)}


def vectors(n):
    return {"x": torch.randn(n, 16)}


def bags(n):
    return {"x": torch.randint(0, 30, (n, 5))}


def weighted(n):
    return {**bags(n), "w": torch.rand(n, 5)}


def masks(n):
    return (torch.arange(8)[None] < 4 + torch.arange(n)[:, None] % 5).long()


def sequences(n):
    return {"x": torch.randn(n, 8, 16), "m": masks(n)}


def tokens(n):
    return {"i": torch.randint(0, 30, (n, 8)), "m": masks(n)}


def convolutions(norm):
    return nn.Sequential(
        norm(nn.Conv2d(3, 8, 3, padding=1)), nn.ReLU(), norm(nn.Conv2d(8, 8, 3, groups=4)), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), norm(nn.Linear(8, 5)))


def symmetric():
    m = nn.Sequential(nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 6))
    for layer in m[0], m[2]:
        parametrize.register_parametrization(layer, "weight", Symmetric())
    return m


FORMS = {
    "weight_norm": (lambda: convolutions(weight_norm), images),
    "spectral_norm": (lambda: convolutions(spectral_norm), images),
    "parametrization": (symmetric, vectors),
    "functional": (Functional, images),
    "mask_where": (lambda: Attention(lambda a, keep: torch.where(keep, a, torch.tensor(-INF))), sequences),
    "mask_add": (lambda: Attention(lambda a, keep: a + torch.zeros_like(a).masked_fill(~keep, -INF)), sequences),
    "mask_causal": (lambda: Attention(causal), sequences),
    "mask_pool": (MaskedPool, sequences),
    "mask_border": (PaddedPool, images),
    "shared_names": (SharedNames, images),
    "bag_weights": (WeightedBag, weighted),
    "bag_offsets": (OffsetBag, bags),
    "adaptive_max": (Pooled, images),
    "half_layer": (HalfLayer, vectors),
    "half_attention": (HalfAttention, tokens),
    "half_stored": (StoredHalf, vectors),
    "recurrent_lstm": (lambda: Recurrent(nn.LSTM), bags),
    "recurrent_gru": (lambda: Recurrent(nn.GRU), bags),
    "recurrent_cells": (Cells, vectors),
    "whole_resized": (Resized, images),
    "whole_slopes": (Slopes, images),
    "whole_norms": (Norms, images),
    "whole_transposed": (transposed, images),
    "whole_transposed1d": (Transposed1d, images),
}


def main(out, only=""):
    os.makedirs(out, exist_ok=True)
    for name, (build, data) in FORMS.items():
        if not name.startswith(only):
            continue
        torch.manual_seed(0)
        m = build().eval()
        calib, test = data(32), data(8)
        with torch.no_grad():
            traced = torch.jit.trace(m, tuple(v[:4] for v in calib.values()), check_trace=False)
            y = traced(*test.values())
        traced.save(os.path.join(out, name + ".pt"))
        names = [v.debugName().split(".")[0] for v in list(traced.graph.inputs())[1:]]
        arrays = {"calib." + k: v for k, v in zip(names, calib.values())}
        arrays |= {"test." + k: v for k, v in zip(names, test.values())} | {"output0": y}
        np.savez_compressed(os.path.join(out, name + ".npz"), **{k: v.numpy() for k, v in arrays.items()})


main(*sys.argv[1:])
