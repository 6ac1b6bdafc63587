"""Indexing by tensors, gather and scatter, embeddings."""

import torch

F32, I64, I32, U8, BOOL = torch.float32, torch.int64, torch.int32, torch.uint8, torch.bool


def cases(s):
    ix = lambda n, *shape: torch.randint(-n, n, shape, generator=s.generator)
    pos = lambda n, *shape, dtype=I64: torch.randint(0, n, shape, generator=s.generator).to(dtype)
    for e in ["a[b]", "a[b, b]", "a[:, b]", "a[b, :, b]", "a[b, 1]", "a[None, b]", "a[b, None]", "a[1:, b]", "a[b][:, 0]"]:
        s.op(e, (s.rand(3, 3, 3), ix(3, 4)), (s.rand(3, 3, 3), ix(3, 2, 2)), (s.rand(3, 3, 3), ix(3)), (s.rand(3, 3, 3), ix(3, 0)), (s.rand(3, 3, 3, dtype=I64), ix(3, 2)), (s.rand(3, 3, 3), ix(3, 5)))
    s.op("a[b]", (s.rand(3), torch.tensor([3])), (s.rand(3), torch.tensor([-3])), (s.rand(4, 2), torch.tensor([0, 3])))
    s.op("a[b, c]", (s.rand(4, 5), ix(4, 3), ix(5, 3)), (s.rand(4, 5), ix(4, 3, 1), ix(5, 2)), (s.rand(4, 5), ix(4, 3), ix(5, 2)))
    s.op("a[:, b, c]", (s.rand(2, 4, 5), ix(4, 3), ix(5, 3)), (s.rand(6, 4, 5), ix(4, 3), ix(5, 3)))
    s.op("a[b]", (s.rand(3, 2), s.rand(3, dtype=BOOL)), (s.rand(5, 2), s.rand(5, dtype=BOOL)), (s.rand(3, 2), s.rand(3, 2, dtype=BOOL)), (s.rand(3, 2), s.rand(2, dtype=BOOL)))
    s.op("a[a > 0]", s.rand(3, 2), s.rand(7), s.rand(0))
    s.op("a[:, a[0] > 0]", s.rand(3, 4), s.rand(2, 7))
    s.op("torch.masked_select(a, a < 1)", s.rand(3, 4), s.rand(7))
    s.op("torch.nonzero(a > 0)", s.rand(3, 4), s.rand(7), s.rand(2, 2, dtype=I64))
    s.op("torch.where(a > 0)", s.rand(3, 4), s.rand(7))
    s.op("torch.nonzero(a > 9).size(0)", s.rand(3, 4))
    for d in [0, 1, -1]:
        s.op(f"torch.index_select(a, {d}, b)", (s.rand(3, 4), pos(3, 5)), (s.rand(5, 3), pos(3, 2)), (s.rand(3, 4), pos(3, 2, dtype=I32)), (s.rand(3, 4), torch.tensor([7])))
        s.op(f"torch.gather(a, {d}, b)", (s.rand(3, 4), pos(3, 3, 4)), (s.rand(3, 4), pos(3, 2, 2)), (s.rand(3, 4, 2), pos(2, 2, 4, 2)), (s.rand(3, 4), pos(3, 0, 2)), (s.rand(3, 4), torch.tensor([[9]])))
        s.op(f"a.scatter({d}, b, c)", (s.rand(3, 4), torch.tensor([[0, 1], [2, 0]]), s.rand(2, 2)), (s.rand(3, 4), torch.tensor([[2, 1, 0]]), s.rand(3, 4)), (s.rand(3, 4, dtype=I64), torch.tensor([[2, 1, 0]]), s.rand(3, 4, dtype=I64)))
        s.op(f"a.scatter({d}, b, 1.5)", (s.rand(3, 4), pos(3, 2, 2)), (s.rand(5, 4), pos(3, 2, 2)))
        s.op(f"a.scatter_add({d}, b, c)", (s.rand(3, 4), pos(3, 2, 2), s.rand(2, 2)), (s.rand(5, 4), pos(3, 2, 3), s.rand(2, 3)), tol=1e-6)
        s.op(f"a.scatter_add_({d}, b, c)", (s.rand(3, 4), pos(3, 2, 2), s.rand(2, 2)))
        s.op(f"a.index_add({d}, b, c)", (s.rand(3, 3), torch.tensor([0, 2, 0]), s.rand(3, 3)))
        s.op(f"a.index_fill({d}, b, 7.0)", (s.rand(3, 4), torch.tensor([0, 2])))
        s.op(f"a.index_copy({d}, b, c)", (s.rand(3, 3), torch.tensor([1, 0, 2]), s.rand(3, 3)))
    for r in ["sum", "prod", "amax", "amin"]:
        s.op(f"a.scatter_reduce(0, b, c, '{r}')", (s.rand(3, 4), pos(3, 2, 4), s.rand(2, 4)), tol=1e-5)
    s.op("torch.take_along_dim(a, b, 1)", (s.rand(3, 4), pos(4, 3, 2)))
    s.op("torch.take(a, b)", (s.rand(3, 4), pos(12, 2, 2)))
    s.op("a.index_put([b], c)", (s.rand(4, 2), torch.tensor([0, 2]), s.rand(2, 2)), (s.rand(4, 2), torch.tensor([0, 2]), s.rand(2)))
    s.op("a.index_put_([b], c, accumulate=True)", (s.rand(4, 2), torch.tensor([0, 0]), s.rand(2, 2)), tol=1e-6)

    def write(body, *runs):
        params = "".join(f", {chr(97 + i)}: Tensor" for i in range(len(runs[0])))
        s.module(s.define(f"(self{params}):\n    " + "\n    ".join(body.split("; "))), *runs, what=body)

    write("a[b] = c; return a", (s.rand(4, 2), torch.tensor([0, 2]), s.rand(2, 2)), (s.rand(5, 2), torch.tensor([3, -1]), s.rand(2)))
    write("a[:, b] = c; return a", (s.rand(4, 3), torch.tensor([0, 2]), s.rand(4, 2)), (s.rand(2, 3), torch.tensor([1]), s.rand(1)))
    write("a[b, b] = 0.0; return a", (s.rand(4, 4), torch.tensor([0, 2])))
    write("a[b] += 1.0; return a", (s.rand(4, 2), torch.tensor([0, 2])))
    write("a[a < 0] = 0.0; return a", (s.rand(4, 2),), (s.rand(3),))
    write("a[b] = 5.0; return a", (s.rand(4), s.rand(4, dtype=BOOL)))
    write("a.masked_fill_(b, 0.5); return a", (s.rand(4), s.rand(4, dtype=BOOL)))
    write("a[b] = c; return a", (s.rand(4, 2), torch.tensor([True, False, True, False]), s.rand(2, 2)), (s.rand(3, 2), torch.tensor([True, False, True]), s.rand(2)), (s.rand(3, 2), s.rand(3, 2, dtype=BOOL), s.rand()))
    write("a[b] = c; return a", (s.rand(4), torch.tensor([True, False, True, False]), s.rand(2)), (s.rand(3), torch.tensor([True, True, True]), s.rand(3)))
    write("a[:, b] = 0.5; return a", (s.rand(4, 3), torch.tensor([True, False, True])), (s.rand(2, 3), torch.tensor([False, False, True])))
    write("a[b] += c; return a", (s.rand(4, 3), torch.tensor([0, 2]), s.rand(3)))
    write("a[1:, b] = 2.0; return a", (s.rand(4, 3), torch.tensor([0, 2])))
    s.op("a.masked_scatter(b, c)", (s.rand(3, 2), torch.tensor([[True, False], [True, True], [False, False]]), s.rand(6)))
    s.op("F.embedding(b, a)", (s.rand(7, 3), pos(7, 4)), (s.rand(7, 3), pos(7, 2, 5)), (s.rand(7, 3), pos(7, 2, dtype=I32)), (s.rand(7, 3), torch.tensor([9])), (s.rand(7, 3), pos(7, 0)))
    s.op("F.embedding(b, a, padding_idx=0)", (s.rand(7, 3), pos(7, 4)))
    for m in ["sum", "mean", "max"]:
        s.op(f"F.embedding_bag(b, a, c, mode='{m}')", (s.rand(7, 3), pos(7, 6), torch.tensor([0, 2])), tol=1e-6)
        s.op(f"F.embedding_bag(b, a, c, mode='{m}', include_last_offset=True, padding_idx=2)", (s.rand(7, 3), pos(7, 6), torch.tensor([0, 2, 2, 6])), tol=1e-6)
        s.op(f"F.embedding_bag(b, a, mode='{m}')", (s.rand(7, 3), pos(7, 2, 3)), (s.rand(7, 3), pos(7, 4, 3)), tol=1e-6)
    s.op("F.embedding_bag(b, a, c, mode='sum', per_sample_weights=d)", (s.rand(7, 3), pos(7, 6), torch.tensor([0, 2]), s.rand(6)), tol=1e-6)
    s.op("F.one_hot(a, 5)", pos(5, 3), pos(5, 2, 2), pos(5), torch.tensor([6]))
    s.op("F.one_hot(a)", pos(5, 3))
    s.op("torch.bucketize(a, b)", (s.rand(6), torch.tensor([-2.0, 0.0, 2.0])))
    s.op("torch.bucketize(a, b, right=True, out_int32=True)", (s.rand(2, 3), torch.tensor([-2.0, 0.0, 2.0])))
    for m in ["add", "multiply"]:
        s.op(f"a.scatter(0, b, c, reduce='{m}')", (s.rand(3, 4), pos(3, 2, 4), s.rand(2, 4)), tol=1e-5)
    s.op("torch.tensor_split(a, [1, 3])", s.rand(5, 2), s.rand(2, 2))
    s.op("torch.tensor_split(a, (1, 3), 1)", s.rand(2, 5))
    write("a.index_put_([b], c, accumulate=True); return a", (s.rand(4, 2), torch.tensor([0, 0, 3, 0]), s.rand(4, 2)), (s.rand(4, 2), torch.tensor([1, 1]), s.rand(2)), (s.rand(4, 2, dtype=I64), torch.tensor([1, 1]), s.rand(2, 2, dtype=I64)))
    s.op("a.scatter_reduce(1, b, c, 'mean')", (s.rand(3, 4), pos(4, 3, 2), s.rand(3, 2)), tol=1e-5)
    s.op("a.scatter_reduce(1, b, c, 'mean', include_self=False)", (s.rand(3, 4), pos(4, 3, 2), s.rand(3, 2)), tol=1e-5)
    s.op("a.scatter_reduce(1, b, c, 'sum', include_self=False)", (s.rand(3, 4), pos(4, 3, 2), s.rand(3, 2)), tol=1e-5)
    for m in ["prod", "amax", "amin"]:
        s.op(f"a.scatter_reduce(1, b, c, '{m}', include_self=False)", (s.rand(3, 4), pos(4, 3, 2), s.rand(3, 2)), (s.rand(3, 4, dtype=I64), pos(4, 3, 2), s.rand(3, 2, dtype=I64)), tol=1e-5)
    s.op("a.scatter_reduce(0, b, c, 'mean')", (s.rand(3, 4, dtype=I64), pos(3, 2, 4), s.rand(2, 4, dtype=I64)))
    s.op("F.one_hot(torch.tensor([0, 2, 1]))", s.rand(1))
