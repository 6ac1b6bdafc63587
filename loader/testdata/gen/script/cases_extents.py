"""Extents that only the run knows: masks read and written, places of elements, unique ones, repetitions, ranges and slices up to a
number that is computed. The runs of a case have other numbers, 0, 1 and the most among them."""

import torch

F32, F64, I64, I32, U8, BOOL = torch.float32, torch.float64, torch.int64, torch.int32, torch.uint8, torch.bool


def cases(s):
    x = [s.rand(3, 4), s.rand(5, 4), torch.full((3, 4), -1.0), torch.full((2, 4), 1.0), torch.eye(4), s.rand(0, 4)]
    # Masks.
    for e in [
        "a[a > 0]", "a[a > 0] * 2 + 1", "a[a > 0].sum()", "a[a > 0].mean()", "a[a > 0].size(0)", "a[a[:, 0] > 0].sum(0)", "a[a[:, 0] > 0] @ a.t()", "a[:, a.sum(0) > 0]",
        "torch.masked_select(a, a.sum(1, keepdim=True) > 0)", "torch.cat([a[a > 0], a[a < 0]])", "a[a > 0].view(-1, 1).expand(-1, 3)", "a[a > 0][a[a > 0] > 1]",
        "torch.zeros(a[a > 0].shape[0], 2)", "a[a > 0].unsqueeze(0) * torch.ones(2, 1)", "F.softmax(a[a > 0], 0)", "torch.sort(a[a > 0])[0]", "a[a.sum(1) > 0].reshape(-1, 2).relu()",
        "a[(a > 0).any(1).nonzero()[:, 0]]", "a.masked_fill(a > 0, 0.5)[a > 0].sum()",
    ]:
        s.op(e, *x, tol=2e-6)
    for body in [
        "z = a.clone(); z[a > 0] = b[a > 0]; return z",
        "z = a.clone(); z[a > 0] += 1; return z",
        "z = a.clone(); z[a > 0] *= b[a > 0]; return z",
        "z = a.clone(); z[a[:, 0] > 0] = 0.0; return z",
        "z = a.clone(); z[a[:, 0] > 0] = b[a[:, 0] > 0].relu(); return z",
        "return a.masked_scatter(a > 0, b)",
        "return torch.where(a > 0, a, b)",
        "i, j = torch.where(a > b); return a[i] * b[i, j].unsqueeze(1)",
        "i = torch.nonzero(a > b); return a[i[:, 0], i[:, 1]] + i[:, 0]",
        "m = a > b; y = a[m]; return y, y.numel(), m",
        "y = a[a > b]; return y if y.numel() > 0 else b.flatten()",
        "y = a[a.sum(1) > b.sum(1)]; return y.view(y.shape[0], 2, 2).sum(2)",
        "y = a[a > b]; n = y.size(0); return b.flatten()[:n] + y",
        "y = a[a > b]; return torch.cat([y, y.new_zeros(20 - y.size(0))])",
        "y = a[a > b]; return y[:, None] - y[None]",
        "y = a[(a > b).sum(1) > 0]; return F.linear(y, b[:2]).t()",
        "z = torch.zeros(8, 4); i = torch.nonzero(a.sum(1) > b.sum(1)).squeeze(1); return z.index_add(0, i, a[i])",
        "m = (a > b).any(0); return a[:, m] + b[:, m]",
    ]:
        pair = [(v, s.rand(*v.shape)) for v in x[:5]] + [(x[0], x[0] + 5), (x[0], x[0] - 5)]
        s.module(s.define(f"(self, a: Tensor, b: Tensor):\n    " + "\n    ".join(body.split("; "))), *pair, what=body, tol=2e-6)
    bits = [s.rand(6, dtype=BOOL), torch.zeros(6, dtype=BOOL), torch.ones(3, dtype=BOOL)]
    s.op("a.nonzero()", *bits, s.rand(3, 4, dtype=I64, lo=-1, hi=1), s.rand(7), s.rand(2, 2, 3, dtype=U8, hi=1), s.rand(5000, dtype=BOOL))
    s.op("torch.where(a)", s.rand(3, 4, dtype=I64, lo=-1, hi=1), s.rand(2, 3))
    s.op("torch.arange(6)[a]", *bits[:2])
    s.op("torch._shape_as_tensor(a[a > 0].view(-1, 1))", *x)
    # Numbers.
    n = [torch.tensor(v) for v in (3, 0, 1, 5, 4)]
    for e in [
        "torch.arange(a.item())", "torch.arange(int(a) + 1) * 2", "torch.arange(1, int(a))", "torch.zeros(2, int(a))", "torch.ones(int(a), 2) * a", "torch.full((int(a),), 1.5)",
        "torch.arange(30).view(5, 6)[:int(a)]", "torch.arange(30).view(5, 6)[int(a):]", "torch.arange(30).view(5, 6)[:, :int(a)].sum(1)", "torch.arange(12)[-int(a):]", "torch.arange(6).expand(int(a), 6)",
        "torch.arange(6).repeat(int(a))", "torch.eye(int(a))", "torch.arange(12).view(2, 6).narrow(1, 0, int(a))", "torch.split(torch.arange(5), [int(a), 5 - int(a)])[0]", "torch.arange(8).topk(int(a))[0]", "torch.zeros(3).new_ones(int(a), int(a))",
    ]:
        s.op(e, *n)
    lengths = [torch.tensor([3, 1, 2]), torch.tensor([1, 1, 1]), torch.tensor([4, 4, 0]), torch.tensor([2])]
    for e in ["torch.arange(a.max())[None] < a[:, None]", "torch.arange(int(a.max())).expand(a.size(0), -1)", "F.one_hot(a)", "F.one_hot(a).float().sum(0)"]:
        s.op(e, *lengths)
    m = s.define("(self, a: Tensor, b: Tensor):\n    n = int(b.max())\n    m = torch.arange(n)[None, :] < b[:, None]\n    y = a[:, :n] * m\n    return y.sum(1) / b, m")
    s.module(m, *[(s.rand(len(v), 4), v) for v in lengths], what="mask of lengths")
    # Unique elements.
    sets = [s.rand(3, 4, dtype=I64, lo=-1, hi=1), s.rand(9, lo=-1, hi=1), torch.zeros(5, dtype=I64), s.rand(1, dtype=I64), s.rand(0, dtype=I64), s.rand(300, dtype=I32, lo=-20, hi=20)]
    for e in ["torch.unique(a)", "torch.unique(a, return_inverse=True)", "torch.unique(a, return_counts=True)", "torch.unique(a, return_inverse=True, return_counts=True)", "torch.unique_consecutive(a)",
              "torch.unique_consecutive(a, return_inverse=True, return_counts=True)", "torch.unique(a).numel()"]:
        s.op(e, *sets)
    # Repetitions.
    rep = [(s.rand(3, 2), torch.tensor([2, 0, 1])), (s.rand(3, 2), torch.tensor([0, 0, 0])), (s.rand(3, 2), torch.tensor([1, 1, 1])), (s.rand(4, 2), torch.tensor([0, 5, 0, 1])), (s.rand(2, 3), torch.tensor([3]))]
    s.op("torch.repeat_interleave(a, b, 0)", *rep, (s.rand(3, 2), torch.tensor([1, -1, 1])), (s.rand(3, 2), torch.tensor([1, 1])))
    s.op("torch.repeat_interleave(a.t(), b, 1) * 2", *rep)
    s.op("torch.repeat_interleave(a, b)", (s.rand(3), torch.tensor([2, 0, 1])), (s.rand(2), torch.tensor([0, 4])))
    s.op("torch.repeat_interleave(b)", *rep[:4])
    # Experts.
    m = s.define("(self, a: Tensor):\n    i = (a * 3).long() % 3\n    y = torch.zeros_like(a)\n" + "".join(f"    t{k}, e{k} = torch.where(i == {k})\n    y = y.index_add(0, t{k}, (a[t{k}] * {k + 1}.0).relu() * a[t{k}, e{k}].unsqueeze(1))\n" for k in range(3)) + "    return y")
    s.module(m, *x[:5], what="experts", tol=2e-6)
    m = s.define("(self, a: Tensor):\n    y = a\n    for k in range(3):\n        y = y[y[:, k] > 0]\n    return y, y.size(0)")
    s.module(m, *x[:5], what="one after the other")
    # Loops over rows that only the run counts, and writes to parts whose sizes only the run knows.
    rows = [(v - 0.4, w) for v, w in zip([s.rand(6, 4) for _ in range(4)], [s.rand(6, 4) for _ in range(4)])] + [(s.rand(6, 4) + 3, s.rand(6, 4)), (s.rand(6, 4) - 3, s.rand(6, 4))]
    for body in [
        "k = a[a.sum(1) > 0]; y = torch.zeros(0, 4); [for i in range(k.size(0)):; y = torch.cat([y, (k[i] * i)[None]]); ]; return y",
        "k = a[a.sum(1) > 0]; y = torch.zeros(0, 9); [for i in range(k.size(0)):; n = int(k[i, 0].abs() * 4); z = torch.zeros(9); z[n:] = b.view(-1)[: 9 - n]; y = torch.cat([y, z[None]]); ]; return y",
        "k = a[a.sum(1) > 0]; y: List[Tensor] = []; [for i in range(k.size(0)):; n = max(int(k[i, 1] * 4), 1); y.append(F.interpolate(k[i][None, None], size=n)[0, 0].sum()); ]; return torch.stack(y) if len(y) > 0 else b",
        "k = a[a.sum(1) > 0]; y = b; [for i in range(k.size(0)):; if i == 2:;     break; y = y + k[i]; ]; return y",
        "k = a[a.sum(1) > 0]; y = b[:0]; [for i in range(k.size(0)):; if i % 2 == 0:;     y = torch.cat([y, k[i : i + 1]]); ]; return y, len(y)",
        "n = int((a > 0).sum()) // 4; z = b.clone(); z[:, :n] = a[:, :n]; z[n:, ::2] += 1; z[n:6:2] = 5.0; return z",
        "n = int((a > 0).sum()) // 5; z = torch.zeros(6, 4); z[n:, n:] = a[n:, n:] * b[n:, n:]; return z",
    ]:
        text, inside = "", False
        for line in body.split("; "):
            inside = inside or line.startswith("[")
            text += "\n    " + ("    " if inside and not line.startswith("[") else "") + line.strip("[") if line != "]" else ""
            inside = inside and line != "]"
        s.module(s.define("(self, a: Tensor, b: Tensor):" + text), *rows, what=body, tol=2e-6)
