"""Products, and the layers made of them."""

import torch

F32, F64, I64, BOOL = torch.float32, torch.float64, torch.int64, torch.bool


def cases(s):
    r = s.rand
    s.op("torch.matmul(a, b)", *[(r(*x), r(*y)) for x, y in [((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 4)), ((2, 3), (3, 4)), ((5, 3), (3, 4)), ((2, 2, 3), (3, 4)), ((2, 2, 3), (2, 3, 4)), ((2, 1, 2, 3), (3, 3, 4)), ((2, 3), (5, 3, 4)), ((2, 2, 3), (3,)), ((3,), (2, 3, 4)), ((2, 3), (4, 2)), ((0, 3), (3, 4)), ((2, 0), (0, 4))]], (r(2, 3, dtype=I64), r(3, 2, dtype=I64)), (r(2, 3, dtype=F64), r(3, 2, dtype=F64)), tol=1e-5)
    s.op("a @ b", (r(2, 3), r(3, 4)), (r(7, 3), r(3, 4)), tol=1e-5)
    s.op("torch.mm(a, b)", (r(2, 3), r(3, 4)), (r(5, 3), r(3, 4)), (r(2, 3), r(2, 3)), (r(2, 2, 3), r(3, 4)), tol=1e-5)
    s.op("torch.bmm(a, b)", (r(2, 2, 3), r(2, 3, 4)), (r(4, 2, 3), r(4, 3, 4)), (r(2, 3), r(3, 4)), tol=1e-5)
    s.op("torch.mv(a, b)", (r(2, 3), r(3)), (r(5, 3), r(3)), tol=1e-5)
    s.op("torch.dot(a, b)", (r(3), r(3)), (r(5), r(5)), tol=1e-5)
    s.op("torch.outer(a, b)", (r(3), r(2)), (r(5), r(2)), tol=1e-5)
    s.op("torch.inner(a, b)", (r(3), r(3)), (r(2, 3), r(4, 3)), tol=1e-5)
    for e in ["torch.addmm(a, b, c)", "torch.addmm(a, b, c, beta=0.5, alpha=2.0)", "torch.addmm(a, b, c, beta=0)"]:
        s.op(e, (r(4), r(2, 3), r(3, 4)), (r(4), r(5, 3), r(3, 4)), (r(2, 4), r(2, 3), r(3, 4)), (r(2, 1), r(2, 3), r(3, 4)), tol=1e-5)
    s.op("torch.addmm(a, b, c)", (r(3), r(2, 3), r(3, 4)))
    s.op("torch.addmv(a, b, c)", (r(2), r(2, 3), r(3)), tol=1e-5)
    s.op("torch.baddbmm(a, b, c, beta=0.5)", (r(2, 2, 4), r(2, 2, 3), r(2, 3, 4)), (r(3, 2, 4), r(3, 2, 3), r(3, 3, 4)), (r(2, 1, 4), r(2, 2, 3), r(2, 3, 4)), tol=1e-5)
    s.op("torch.addbmm(a, b, c)", (r(2, 4), r(2, 2, 3), r(2, 3, 4)), tol=1e-5)
    for eq, shapes in [("ij,jk->ik", [((2, 3), (3, 4)), ((5, 3), (3, 4))]), ("bij,bjk->bik", [((2, 2, 3), (2, 3, 4)), ((3, 2, 3), (3, 3, 4))]), ("bhid,bhjd->bhij", [((2, 2, 3, 4), (2, 2, 5, 4)), ((3, 2, 3, 4), (3, 2, 5, 4)), ((1, 2, 6, 4), (1, 2, 6, 4))]), ("i,j->ij", [((2,), (3,))]), ("bd,bd->b", [((2, 3), (2, 3)), ((4, 3), (4, 3))]), ("nc,ckd->nkd", [((2, 3), (3, 2, 2)), ((4, 3), (3, 2, 2))]), ("...ij,jk->...ik", [((2, 2, 3), (3, 4))]), ("ij,ij", [((2, 3), (2, 3))]), ("bthc,bshc->bhts", [((2, 3, 2, 4), (2, 5, 2, 4)), ((1, 3, 2, 4), (1, 5, 2, 4))])]:
        s.op(f"torch.einsum('{eq}', [a, b])", *[(r(*x), r(*y)) for x, y in shapes], tol=1e-5)
    s.op("torch.einsum('ii->i', [a])", r(3, 3))
    s.op("torch.einsum('ij->ji', [a])", r(3, 2), r(4, 2))
    s.op("torch.einsum('ij->', [a])", r(3, 2), tol=1e-5)
    s.op("torch.tensordot(a, b, [[1], [0]])", (r(2, 3), r(3, 4)), tol=1e-5)
    s.op("F.linear(a, b)", (r(2, 3), r(4, 3)), (r(7, 3), r(4, 3)), (r(3), r(4, 3)), (r(2, 2, 3), r(4, 3)), (r(2, 4), r(4, 3)), tol=1e-5)
    s.op("F.linear(a, b, c)", (r(2, 3), r(4, 3), r(4)), (r(3), r(4, 3), r(4)), (r(0, 3), r(4, 3), r(4)), (r(2, 3), r(4, 3), r(3)), tol=1e-5)
    s.op("F.bilinear(a, b, c)", (r(2, 3), r(2, 4), r(5, 3, 4)), tol=1e-5)
    for e in ["F.cosine_similarity(a, b)", "F.cosine_similarity(a, b, dim=-1)", "F.pairwise_distance(a, b)", "torch.cdist(a, b)"]:
        s.op(e, (r(2, 3), r(2, 3)), (r(5, 3), r(5, 3)), tol=1e-5)
    s.op("torch.cross(a, b, dim=1)", (r(2, 3), r(2, 3)), tol=1e-5)
    # Attention, as modules write it and as the functions of PyTorch do.
    for e in ["F._scaled_dot_product_attention(a, b, c)[0]", "F._scaled_dot_product_attention(a, b, c, is_causal=True)[0]"]:
        s.op(e, (r(2, 2, 3, 4), r(2, 2, 5, 4), r(2, 2, 5, 4)), (r(1, 2, 6, 4), r(1, 2, 6, 4), r(1, 2, 6, 4)), (r(2, 3, 4), r(2, 3, 4), r(2, 3, 4)), tol=1e-5)
    s.op("F._scaled_dot_product_attention(a, b, b, c)[0]", (r(2, 3, 4), r(2, 5, 4), r(2, 3, 5)), (r(2, 3, 4), r(2, 5, 4), r(2, 3, 5, dtype=BOOL) | torch.tensor([True, False, False, False, False])), tol=1e-5)
    s.op("F._scaled_dot_product_attention(a, b, b, need_attn_weights=True)", (r(2, 3, 4), r(2, 5, 4)), tol=1e-5)
    s.op("torch.softmax(a @ b.transpose(-2, -1) / 2.0, -1) @ b", (r(2, 2, 3, 4), r(2, 2, 5, 4)), (r(1, 2, 3, 4), r(1, 2, 5, 4)), tol=1e-5)
    s.op("torch.softmax(torch.matmul(a, b.transpose(-1, -2)) / math.sqrt(4) + c, -1) @ b" .replace("math.sqrt(4)", "2.0"), (r(2, 2, 3, 4), r(2, 2, 5, 4), r(2, 1, 1, 5)), (r(3, 2, 3, 4), r(3, 2, 5, 4), r(3, 1, 1, 5)), tol=1e-5)
    s.op("torch.softmax((a @ b.transpose(-1, -2)).masked_fill(c == 0, float('-inf')), -1) @ b", (r(2, 2, 3, 4), r(2, 2, 5, 4), torch.ones(3, 5).tril()), tol=1e-5)
    eye = torch.eye(4)
    heads = (r(12, 4), r(12), r(4, 4), r(4))
    for need in ["need_weights=False", "need_weights=True", "need_weights=True, average_attn_weights=False"]:
        s.op(f"torch._native_multi_head_attention(a, a, a, 4, 2, b, c, d, e, None, {need})" + ("[0]" if "False" == need[-5:] and "average" not in need else ""), (r(2, 3, 4) / 4, heads[0] / 4, heads[1] / 4, heads[2] / 4, heads[3] / 4), (r(1, 5, 4) / 4, heads[0] / 4, heads[1] / 4, heads[2] / 4, heads[3] / 4), tol=1e-5)
