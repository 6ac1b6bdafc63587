"""Lists and bounds of slices that only the run knows, numbers that fill complex tensors, and attention whose batches broadcast. PyTorch 2.14 writes them."""

import torch

NEEDS = (2, 14)


def cases(s):
    r = s.rand
    ints = lambda *shape, hi=4: r(*shape, dtype=torch.int64, lo=0, hi=hi)

    def listed(body, *runs):
        s.module(s.define("(self, a: Tensor):\n" + "\n".join("    " + line for line in body.splitlines())), *runs, what=body)

    listed("l: List[float] = a.tolist()\nreturn sum(l), max(l), min(l), torch.tensor(l) * 2", r(4), r(3))
    listed("l: List[float] = a.tolist()\nl.sort()\nreturn torch.tensor(l), sorted([int(v) for v in l])", r(5), r(2))
    listed("l: List[int] = a.tolist()\nl.sort(reverse=True)\nreturn torch.tensor(l)", ints(5), ints(3))
    listed("t = 0.0\nrows: List[List[float]] = a.tolist()\nfor row in rows:\n    for v in row:\n        if v > 0:\n            t += v\nreturn t", r(2, 3), r(3, 2))
    listed("l: List[int] = a.argmax(1).tolist()\nreturn torch.stack([a[:, k] for k in l]), a[:, l]", r(3, 3), r(2, 4))
    listed("l: List[int] = (a > 0).sum(1).tolist()\nreturn [a[i, :k] * 2 for i, k in enumerate(l)]", r(3, 4), r(2, 4) + 4)
    listed("n: int = a.sum().tolist()\nb: List[bool] = (a > 1).tolist()\nk = 0\nfor v in b:\n    if v:\n        k += n\nreturn a * k", ints(4), ints(3))
    listed("d: Dict[int, int] = {}\nl: List[int] = a.tolist()\nfor v in l:\n    d[v] = d.get(v, 0) + 1\nreturn torch.tensor(list(d.values())), torch.tensor(sorted(d.keys()))", ints(6), ints(4))
    listed("l: List[int] = a.tolist()\nreturn torch.tensor(l, dtype=torch.float32)", ints(0), ints(2))

    # Bounds of slices that the run finds inside, beyond and in front of the dimension.
    bounded = "(self, a: Tensor, b: Tensor):\n    n = int(b.item())\n    x = a[:n]\n    y = x[:n]\n    return x, x.shape[0] + torch.zeros(1), y, torch.full([2], x.numel()), len(y) * 2, x * torch.ones(x.size(0), 1), x.size(0) == n"
    s.module(s.define(bounded), *[(r(3, 2), torch.tensor(n)) for n in (2, 4, 1, -1, 3, 0, 7, -7)], what=bounded)

    pair = (r(3, 4) + 0.03125, r(3, 4) + 0.0625)
    z = "torch.complex(a, b)"
    for e in ["torch.full([2], 1 + 2j)", "torch.full_like({z}, 1j)", "{z}.new_full([2], 2j)", "{z}.masked_fill(a > 0, 1j)", "{z}.masked_fill(a > 0, 3)", "torch.where(a > 0, {z}, 1j)",
              "torch.where(a > 0, 2, {z})", "{z}.index_fill(0, torch.tensor([0, 2]), 2j)", "{z}.index_fill(1, torch.tensor([1]), 3)", "torch.tensor(1j) * a", "torch.scalar_tensor(1j, dtype=torch.complex64) * a",
              "{z}.clone().fill_(1 + 2j)", "{z}.clone().fill_(2)", "torch.outer({z}[0], {z}[1])", "F.linear({z}, {z})", "torch.dot({z}[0], {z}[1])", "torch.vdot({z}[0], {z}[1])", "torch.lerp({z}, {z} * 2, 0.5)", "{z}.diagonal(1)"]:
        s.op(f"torch.view_as_real({e.replace('{z}', z)})", pair, (pair[0][:, :3].clone(), pair[1][:, :3].clone()), tol=2e-5)
    written = "(self, a: Tensor, b: Tensor):\n    z = torch.complex(a, b)\n    z[0] = 1 + 2j\n    z[a > 0] = 2j\n    z.diagonal().fill_(3)\n    z.imag[:, 0] = 5.0\n    return torch.view_as_real(z)"
    s.module(s.define(written), pair, what=written)

    attend = "F.scaled_dot_product_attention(a, b, b)"
    s.op(attend, (r(2, 4, 5, 8), r(1, 1, 6, 8)), (r(1, 4, 5, 8), r(3, 1, 6, 8)), (r(2, 4, 5, 8), r(2, 4, 3, 8)), tol=1e-5)
    s.op(attend, (r(5, 8), r(2, 6, 8)), (r(4, 8), r(1, 2, 8)), tol=1e-5)
    s.op(attend, (r(2, 4, 5, 8), r(4, 6, 8)), tol=1e-5)
    s.op(attend, (r(2, 3, 8), r(2, 4, 8)), (r(2, 3, 8), r(2, 0, 8)), (r(2, 0, 8), r(2, 4, 8)), tol=1e-5)
    s.op(attend, (r(2, 3, 8), r(2, 0, 8)), (r(2, 3, 8), r(2, 4, 8)), tol=1e-5)
    s.op("F.scaled_dot_product_attention(a, b, b, is_causal=True)", (r(1, 4, 5, 8), r(2, 4, 5, 8)), (r(1, 4, 3, 8), r(1, 4, 3, 8)), tol=1e-5)
    s.op("F.scaled_dot_product_attention(a, b, b, attn_mask=c)", (r(1, 4, 5, 8), r(2, 4, 6, 8), r(5, 6) > 0), (r(2, 4, 5, 8), r(2, 1, 6, 8), r(5, 6) > 0), tol=1e-5)
    s.op("torch.result_type(a, 1.5) + 0 * a, torch.result_type(a > 0, 1) + 0 * a", r(2), ints(2))
