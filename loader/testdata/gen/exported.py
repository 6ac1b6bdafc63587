"""Exports small modules with torch.export and records their outputs, for TestExportedOwn.

    python3 loader/testdata/gen/exported.py loader/testdata/exported

PyTorch 2.14 wrote the files that are there, 2.6 those named after it. Each NAME.pt2 has the runs NAME.0.npz, NAME.1.npz and
so on, which follow each other: inputs by name, and output0, output1 and so on.
"""
import math
import os
import sys

import numpy as np
import torch
from torch import nn
from torch.export import Dim, export
from torch.nn import functional as F
from torch._higher_order_ops.map import map as map_over
from torch._higher_order_ops.scan import scan
from torch._higher_order_ops.while_loop import while_loop

out = sys.argv[1]
os.makedirs(out, exist_ok=True)
torch.manual_seed(0)
r = torch.randn
BATCH = Dim("b", min=1, max=64)


def array(x):
    """An array of a type that octet reads: it keeps short and unsigned integers in int32 and int64."""
    x = np.asarray(x.detach().clone().numpy() if isinstance(x, torch.Tensor) else x)
    return x.astype({"int16": np.int32, "uint16": np.int32, "uint32": np.int64, "uint64": np.int64}.get(str(x.dtype), x.dtype))


def save(name, module, *runs, dynamic=None, decompose=False, train=False, strict=False):
    """Exports module for the first of the runs, which are tuples of arguments and dicts of keyword arguments."""
    runs = [run if isinstance(run[-1], dict) else (*run, {}) for run in runs]
    program = export(module.train(train), runs[0][:-1], runs[0][-1], dynamic_shapes=dynamic, strict=strict)
    if decompose:
        program = program.run_decompositions()
    torch.export.save(program, f"{out}/{name}.pt2")
    names = [s.arg.name for s in program.graph_signature.input_specs if s.kind.name == "USER_INPUT"]
    call = program.module()
    for i, run in enumerate(runs):
        arrays = {n: array(x) for n, x in zip(names, torch.utils._pytree.tree_leaves(run)) if x is not None}
        with torch.no_grad():
            y = call(*run[:-1], **run[-1])
        for j, v in enumerate(torch.utils._pytree.tree_leaves(y)):
            arrays[f"output{j}"] = array(v)
        np.savez(f"{out}/{name}.{i}.npz", **arrays)


class Scan(nn.Module):
    def __init__(self):
        super().__init__()
        self.l = nn.Linear(4, 4)

    def forward(self, x):
        def step(carried, element):
            h = torch.tanh(self.l(carried) + element)
            return h, h * 2
        return scan(step, x[0] * 0, x, dim=0), scan(lambda c, e: (c + e, c * e), x[0] * 0, x, dim=0, reverse=True)


class Map(nn.Module):
    def forward(self, x):
        return map_over(lambda e, y: e.sin() * y, x, x[0] * 0 + 2)


class CondShape(nn.Module):
    def forward(self, x):
        return torch.cond(x.shape[0] > 4, lambda x: x + 1, lambda x: x * 2, (x,))


class CondNested(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x):
        def inner(x):
            return torch.cond(x.sum() > 3, self.a, lambda x: self.b(x).relu(), (x,))
        return torch.cond(x.mean() > 0, inner, lambda x: x.sin(), (x,))


class WhileCond(nn.Module):
    def __init__(self):
        super().__init__()
        self.l = nn.Linear(3, 3)

    def forward(self, i, x):
        def body(i, x):
            return i + 1, torch.cond(x.sum() > 0, lambda x: x - 1, lambda x: self.l(x) + 1, (x,))
        return while_loop(lambda i, x: (i < 6) & (x.abs().sum() < 100), body, (i, x))


class Counter(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("n", torch.zeros(()))
        self.register_buffer("h", torch.zeros(2, 3), persistent=False)

    def forward(self, x):
        self.n.add_(1)
        self.h.copy_(self.h * 0.5 + x)
        return self.h + self.n, self.n.clone()


class Keywords(nn.Module):
    def forward(self, x, *, scale, opts):
        return {"y": x * scale, "z": (opts["a"] + 1, opts["b"][0])}


class Star(nn.Module):
    def forward(self, *xs):
        return sum(xs)


class Flat(nn.Module):
    def forward(self, x):
        b, c, h, w = x.shape
        y = x.view(b, c, h * w).transpose(1, 2)
        return y.reshape(b * h * w, c), b * 2, y.flatten(1)


class Twice(nn.Module):
    def forward(self, x):
        return x.view(-1, 2, 3).sum(1)


class Attention(nn.Module):
    def forward(self, q, k, v, m):
        a = F.scaled_dot_product_attention
        return a(q, k, v), a(q, k, v, is_causal=True), a(q, k, v, attn_mask=m), a(q, k, v, scale=0.3), a(q[:, :, :3], k, v, attn_mask=m[:3] > 0)


class Number(nn.Module):
    def forward(self, x, n):
        return x[:n] * n


class Bags(nn.Module):
    def __init__(self):
        super().__init__()
        self.e, self.f = nn.EmbeddingBag(10, 4, mode="mean"), nn.Embedding(10, 4, padding_idx=0)

    def forward(self, i, o):
        return self.e(i, o), self.f(i)


class Functions(nn.Module):
    def forward(self, x):
        y = x.view(2, 3, 4)
        return (y.var(1, correction=0), y.std(dim=(1, 2)), torch.var_mean(y, 1), F.group_norm(x.view(2, 6, 2), 3), y.diff(dim=2),
                y.diff(dim=1, prepend=y[:, :1] * 2), torch.fft.rfft(y).abs(), torch.fft.irfft(torch.fft.rfft(y)), 1 - y, 2 / y,
                torch.histc(y, 4, -1, 1), torch.histc(y, 3, -2, 2), y.any(1), F.instance_norm(y))


class Same(nn.Module):
    """Is exported and traced, for graphs and plans that are the same."""

    def __init__(self):
        super().__init__()
        self.c1, self.b1 = nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8)
        self.c2, self.fc = nn.Conv2d(8, 8, 3, padding=1), nn.Linear(8, 4)

    def forward(self, x):
        y = F.relu(self.b1(self.c1(x)))
        y = F.relu(self.c2(y) + y)
        return self.fc(F.adaptive_avg_pool2d(y, 1).flatten(1))


class Related(nn.Module):
    """Has inputs whose extents are multiples of one and another number, which no operator compares."""

    def forward(self, x, y):
        return x.sum(0).mean(), y.amax(1).sum()


class Strict(nn.Module):
    """Has guards that call the inputs by their leaves, as strict export does, and powers of extents."""

    def forward(self, x, mask, others, none):
        return torch.cat([x, others["y"], others["z"][0]], 1).view(x.shape[0] // 2, -1), x.shape[0] ** 2, x.shape[0] ** 0.5


class Guarded(nn.Module):
    """Has conditions on extents that are not linear in them, which no operator checks."""

    def forward(self, x, y):
        if x.shape[0] * y.shape[1] == 12:
            x = x + 1
        if x.shape[1] ** 2 <= 100:
            x = x * 2
        if (x.shape[0] * x.shape[1]) % 3 == 0:
            x = x * 3
        if x.shape[1] > 4 or x.shape[1] * y.shape[0] > 300:
            x = x + 4
        if torch.sym_max(x.shape[0], y.shape[0]) - y.shape[0] // 2 > 2:
            x = x + 5
        return x.sum(0).mean(), y.amax(1).sum()


class Split(nn.Module):
    """PyTorch 2.6 says of the last part, which nothing uses, that it is as long as the example's."""

    def forward(self, x):
        return x.split(2, 1)[0] + 1


class ScanAlong(nn.Module):
    """Goes over another dimension than the first, which PyTorch 2.6 leaves to the operator."""

    def forward(self, x):
        return scan(lambda c, e: (c + e, c * e), x[:, 0] * 0, x, dim=1)


class Divided(nn.Module):
    """Has conditions on extents that are computed in floats, which no operator checks."""

    def forward(self, x, y):
        if x.shape[0] / 2 < 3.5:
            x = x + 1
        if x.shape[0] / y.shape[1] > 0.5:
            x = x * 2
        if math.floor(x.shape[1] * 0.3) == 1 and math.ceil(y.shape[0] / 3) * 1.5 <= 4.5:
            x = x * 3
        return x.sum(0).mean(), y.amax(1).sum()


class Integers(nn.Module):
    """Has weights of short and unsigned integers, and computes with int16, which wraps around."""

    def __init__(self):
        super().__init__()
        unsigned = torch.tensor([[3, 40000], [65535, 0]])
        for name, t in (("a", torch.tensor([1, -2, 32767, -32768]).short()), ("b", unsigned.to(torch.uint16)), ("c", (unsigned * 65537).to(torch.uint32)), ("d", (unsigned << 46).to(torch.uint64))):
            self.register_buffer(name, t)
        self.register_buffer("part", self.a[1:3])
        self.register_buffer("turned", self.b.t())
        self.register_buffer("n", torch.tensor([32760, 5, 7, 9]).short())

    def forward(self, x, y, w):
        self.n.add_(5)
        self.n[1:].mul_(100)
        z = w.to(torch.int16)
        whole = z.add(1).to(torch.int32).add_(5)
        return (x + y, x * y, -x, x.abs(), x << 3, x >> 2, ~x, x // 3, x % 7, x / y, x.sum(), torch.sum(x, dtype=torch.int16), x ** 3, x.max(), x.float(), x.to(torch.int8), x < y,
                torch.cat([x, y]), x.clone().add_(y), x.view(2, 2).t(), z, whole, (x.float() * 1.5).clamp(-9, 9).short(), self.n.clone(), y + self.a, self.part, self.turned.int(), self.b[1:].long(),
                self.c.double(), self.d.float(), w.to(torch.uint16), w.to(torch.uint32).long(), torch.cond(y.sum() > 0, lambda x: x * 200, lambda x: x - 1, (x,)))


class Mixed(nn.Module):
    """Computes with uint8 and int8 together, which PyTorch does in int16."""

    def forward(self, x, y, s, t):
        return (x + y, y - x, (x * y) * (x * y), x < y, torch.maximum(x, y), torch.where(x > 100, x, y), torch.cat([x, y]), torch.stack([x, y]), x / y, x // y, x % 7 + y, x + s, y + t, s + t, x & y,
                torch.add(x, y, alpha=3), x.clone().add_(y), y.clone().mul_(x), x.clone().copy_(y), (x + y).sum())


class Spectrum(nn.Module):
    """Moves complex numbers, which decomposed is index_select, cat and select."""

    def forward(self, x):
        z = torch.fft.fft(x)
        y = torch.cat([torch.fft.fftshift(z), z.flip(1)], 1)
        return torch.view_as_real(y), z.unbind(0)[1].abs(), torch.view_as_real(z.roll(1, 0)[:, 2])


class Filled(nn.Module):
    """Fills with a number that only the run knows."""

    def forward(self, x, n):
        k = n.item()
        torch._check(k >= 0)
        return torch.full((2,), k), x * k, torch.full_like(x, k)


class Frozen(nn.Module):
    """Computes in part without gradients, which exported is a graph of its own."""

    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.tensor([[0.5, -1.0], [2.0, 0.25]]))

    def forward(self, x):
        with torch.no_grad():
            y = (x @ self.w).relu()
        z = y * 2 + x
        with torch.no_grad():
            z = z + self.w.sum()
        return y, z


same, image = Same().eval(), r(2, 3, 8, 8)
save("same", same, (image,), (r(5, 3, 8, 8),), dynamic=({0: BATCH},))
save("same_fixed", same, (image[:1],))
torch.jit.trace(same, image).save(f"{out}/same.ts.pt")
save("scan", Scan(), (r(5, 4),))
save("scan_core", Scan(), (r(5, 4),), decompose=True)
save("map", Map(), (r(5, 4),))
save("cond_shape", CondShape(), (r(6, 4),), (r(3, 4),), (r(8, 4),), dynamic=({0: BATCH},))
save("cond_nested", CondNested(), (r(2, 4),), (r(2, 4) - 2,), (r(2, 4) + 2,), (r(2, 4) + 0.1,))
save("while_cond", WhileCond(), (torch.tensor(0), r(3)), (torch.tensor(4), r(3)), (torch.tensor(9), r(3)))
save("counter", Counter(), (r(2, 3),), (r(2, 3),), (r(2, 3),))
save("keywords", Keywords(), (r(3), {"scale": r(3), "opts": {"a": r(2), "b": [r(2), r(1)]}}))
save("star", Star(), (r(3, 2), r(3, 2), r(3, 2)), (r(5, 2), r(5, 2), r(5, 2)), dynamic=(({0: BATCH},) * 3,))
save("flat", Flat(), (r(2, 3, 4, 4),), (r(1, 3, 4, 4),), (r(5, 3, 7, 4),), dynamic=({0: BATCH, 2: Dim("h", min=2, max=40)},))
save("twice", Twice(), (r(4, 3),), (r(8, 3),), dynamic=({0: 2 * Dim("h", min=1, max=9)},))
save("attention", Attention(), (r(2, 2, 6, 4), r(2, 2, 6, 4), r(2, 2, 6, 4), r(6, 6)))
save("number", Number(), (r(6, 2), 3), (r(6, 2), 5), dynamic=(None, Dim.DYNAMIC))
save("bags_core", Bags(), (torch.tensor([1, 2, 4, 5]), torch.tensor([0, 2])), decompose=True)
save("functions", Functions(), (r(24),))
save("functions_core", Functions(), (r(24),), decompose=True)
save("norm_train", nn.BatchNorm2d(3, momentum=0.3), (r(2, 3, 4, 4),), (r(2, 3, 4, 4) * 2,), (r(2, 3, 4, 4),), train=True)
save("norm_train_core", nn.BatchNorm2d(3, momentum=0.3), (r(2, 3, 4, 4),), (r(2, 3, 4, 4) * 2,), (r(2, 3, 4, 4),), train=True, decompose=True)
H, W = Dim("h", min=1, max=99), Dim("w", min=1, max=99)
save("related", Related(), (r(3, 6), r(6, 6)), (r(2, 9), r(4, 9)), dynamic=({0: H, 1: 3 * W}, {0: 2 * H, 1: 3 * W}))
ALL = {0: Dim.DYNAMIC, 1: Dim.DYNAMIC}
save("guarded", Guarded(), (r(3, 6), r(6, 4)), (r(6, 5), r(7, 2)), dynamic=(ALL, ALL))
save("strict", Strict(), (r(4, 3), None, {"y": r(4, 2), "z": [r(4, 1)]}, None), (r(6, 3), None, {"y": r(6, 2), "z": [r(6, 1)]}, None), dynamic=({0: Dim.AUTO}, None, {"y": {0: Dim.AUTO}, "z": [{0: Dim.AUTO}]}, None), strict=True)
save("divided", Divided(), (r(3, 6), r(6, 4)), (r(6, 4), r(7, 2)), dynamic=(ALL, ALL))
save("lstm_projected", nn.LSTM(4, 6, 2, proj_size=3, bidirectional=True, batch_first=True), (r(3, 5, 4),), (r(2, 5, 4),), dynamic=({0: BATCH},))
if torch.__version__.startswith("2.6"):  # which wrote these two files
    save("split_26", Split(), (r(2, 6),), (r(2, 9),), dynamic=({1: Dim.DYNAMIC},))
    save("scan_26", ScanAlong(), (r(3, 5),))
for core in (False, True):
    s16 = lambda *v: torch.tensor(v).short()
    save("integers" + "_core" * core, Integers(), (s16(32767, -32768, 100, 5), s16(2, -1, 400, 9), torch.tensor([1, 70000, -70000, 32767])),
         (s16(300, 5, -7, 200), s16(-2, -100, 4, 9), torch.tensor([2**40 + 5, -1, 65535, 40000])), decompose=core)
    save("mixed" + "_core" * core, Mixed(), (torch.tensor([200, 5, 255, 100]).byte(), torch.tensor([-100, 7, -128, 127]).char(), torch.tensor(-3).char(), torch.tensor(200).byte()), decompose=core)
    save("spectrum" + "_core" * core, Spectrum(), (r(3, 8),), decompose=core)
    save("filled" + "_core" * core, Filled(), (r(4), torch.tensor(2)), (r(4), torch.tensor(7)), decompose=core)
save("frozen", Frozen(), (torch.tensor([[1.0, -2.0], [0.5, 3.0]]),), (torch.tensor([[-1.0, 2.0]]),), dynamic=({0: BATCH},))
