"""What only recent versions make: integers of types that PyTorch stores and converts only, and parts of decomposed operators. From PyTorch 2.14."""

import torch
from torch import Tensor, nn

NEEDS = (2, 14)


class Stored(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("a", torch.arange(60000, 60006).to(torch.uint16))
        self.register_buffer("b", (torch.arange(6) * 500000000).to(torch.uint32))
        self.register_buffer("c", torch.arange(6).to(torch.uint64))

    def forward(self, x: Tensor, i: Tensor):
        return (self.a.to(torch.int32) + 1, self.a.float(), self.b.to(torch.int64), self.c.to(torch.float32) + x, self.a[2:4].to(torch.int64), self.b.view(2, 3).to(torch.float64),
                x.to(torch.uint16).to(torch.int32), self.a == 60001, self.a.to(torch.uint32).long(), (self.b.long() + 4294967296).to(torch.uint32).long(), self.a.index_select(0, i).int(), self.a[i].float(),
                torch.cat([self.a, self.a[:1]]).int(), torch.zeros(2, dtype=torch.uint16).int())


def cases(s):
    s.module(Stored(), (s.rand(6).abs() * 100, torch.tensor([3, 0])))
    s.op("torch.linspace(a, b, 5)", (torch.tensor(0.5), torch.tensor(2.0)), (torch.tensor(-1.0), torch.tensor(3.0)))
    x = s.rand(3, 4) + 0.03125
    inf = float("inf")
    hidden = torch.where(x > 1, torch.tensor(-inf), x)
    hidden[1] = -inf
    s.op("torch.ops.aten._safe_softmax(a, -1), torch.ops.aten._safe_softmax(a, 0)", hidden)
    s.op("torch.ops.aten._prelu_kernel(a, b)", (x, torch.tensor([[0.25, -0.5, 2.0, 0.0]])))
    s.op("torch.ops.aten._fused_rms_norm(a, [4], b, 1e-5)[0]", (x, s.rand(4)), tol=2e-6)
    s.op("torch.ops.aten.log_sigmoid_forward(a)[0]", (x * 8,), tol=2e-6)
    s.op("torch.ops.aten._aminmax(a)", x)
    s.op("torch.ops.aten._is_all_true(a > -9), torch.ops.aten._is_any_true(a > 9), torch.ops.aten._is_all_true(a > 0)", x)
    s.op("torch.ops.aten._euclidean_dist(a, b)", (x, s.rand(2, 4)), tol=1e-5)
    s.op("torch.ops.aten._native_batch_norm_legit(a, b, c, d, e, True, 0.25, 1e-5)[0]", (x, s.rand(4), s.rand(4), s.rand(4), s.rand(4).abs()), tol=1e-5)
    s.op("torch.ops.aten.native_batch_norm(a, b, c, None, None, True, 0.25, 1e-5)[0]", (x, s.rand(4), s.rand(4)), tol=1e-5)
    s.op("torch.ops.aten._grouped_mm(a, b, c)", (s.rand(6, 16), s.rand(3, 16, 8), torch.tensor([2, 2, 6], dtype=torch.int32)), tol=1e-5)
    q, k, v = s.rand(2, 3, 4), s.rand(3, 2, 5, 4), s.rand(3, 2, 5, 2)
    s.op("F.scaled_dot_product_attention(a, b, c, enable_gqa=True)", (q, k, v), (s.rand(1, 4, 3, 4), k, v), tol=2e-6)
    s.op("F.scaled_dot_product_attention(a, b, c)", (q[:1], k[0], v), (k, q[1:], q), tol=2e-6)
    s.op("torch.linalg.matrix_norm(a, 2)", s.rand(0, 3), s.rand(2, 3))
    s.op("F.batch_norm(a, b, b + 1)", (s.rand(0), s.rand(0)))
    s.op("a.sum_to_size([1, 4]), a.sum_to_size([3, 1]), a.sum_to_size(1), a.sum_to_size(3, 4), a.expand(2, 3, 4).sum_to_size(1, 4), a.to(torch.int64).sum_to_size(4)", x)
    s.op("a.sum_to_size(b.size())", (x, s.rand(1, 4)), (s.rand(2, 5), s.rand(5)), (s.rand(2, 5), s.rand(2, 5)), (s.rand(0, 5), s.rand(1, 5)), (s.rand(2, 5), s.rand(2, 4)))
    s.op("torch.empty_strided([2, 3], [1, 2]).fill_(2) * a[:2, :3], a.new_empty_strided([3, 4], [1, 3], dtype=torch.float64).copy_(a)", x)
    # PyTorch's gradient of self is that of what is replaced.
    s.op("torch.as_strided_scatter(a.detach(), b, [2, 2], [4, 1], 1), torch.as_strided_scatter(a.detach(), b, [2, 2], [1, 2])", (x, s.rand(2, 2)))
    s.op("torch.as_strided_scatter(a, b, [2, 2], [4, 9], 1)", (x, s.rand(2, 2)))
    s.op("torch._int_mm(a, b)", (s.rand(3, 8, dtype=torch.int8, lo=-128, hi=127), s.rand(8, 4, dtype=torch.int8, lo=-128, hi=127)))
