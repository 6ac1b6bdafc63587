"""Random numbers of PyTorch's generator. Runs begin with its default seed, and each goes on where the one before ended."""

import torch

NEEDS = (2, 1)
SEEDED = True


def cases(s):
    x = lambda *shape, dtype=torch.float32: s.rand(*shape, dtype=dtype)
    for e in ["torch.rand([5, a.size(0)])", "torch.rand([3], dtype=torch.float64)", "torch.rand_like(a)", "a.clone().uniform_(-1., 2.5)", "torch.bernoulli(torch.sigmoid(a))", "a.clone().bernoulli_(0.3)", "a.clone().bernoulli_()", "torch.bernoulli(a, 0.7)",
              "a.clone().bernoulli_(torch.sigmoid(a[:1]))", "torch.zeros([3, 2], dtype=torch.int64).bernoulli_(0.4) + a.size(0)", "torch.randint(7, [4, 5])", "torch.randint(-3, 1 << 40, [a.size(0), 2])", "torch.randint(0, 1 << 30, [5])", "torch.randint(3, 9, [5], dtype=torch.float32)",
              "torch.randint_like(a, 10)", "torch.randint_like(a, -5, 10, dtype=torch.int32)", "torch.randperm(17)", "torch.randperm(a.size(0), dtype=torch.int32)", "a.clone().random_()", "a.clone().random_(9)", "a.clone().random_(-4, 9)", "a.to(torch.int64).random_()", "a.to(torch.int32).random_()", "a.to(torch.uint8).random_()",
              "a.to(torch.bool).random_()", "a.to(torch.float64).random_()", "torch.multinomial(a.abs() + 0.1, 1)", "torch.multinomial(a.abs() + 0.1, 2)", "torch.multinomial(a.abs() + 0.1, 9, True)", "torch.multinomial(a.flatten().abs() + 0.1, 5, True)"]:
        s.op(e, x(2, 3), x(4, 3), tol=0 if "multi" not in e else 1e-6)
    for e in ["torch.randn([5, a.size(0)])", "torch.randn([3, 37], dtype=torch.float64)", "torch.randn([7], dtype=torch.float64)", "torch.randn_like(a)", "a.clone().normal_()", "a.clone().normal_(3., 0.5)", "torch.normal(a, 0.5)", "torch.normal(1.5, a.abs())", "torch.normal(a, a.abs())", "torch.normal(2., 3., [a.size(0), 11])",
              "a.clone().exponential_()", "a.clone().exponential_(2.5)", "a.clone().geometric_(0.3)", "a.clone().cauchy_(1., 0.5)", "a.clone().log_normal_(0.5, 0.3)", "(torch.randn([3]), torch.rand([2]), torch.randn([2]), torch.randn([16]), torch.randn([3]))"]:
        s.op(e, x(2, 3), x(5, 4), x(3, 6), x(1, 1), tol=1e-6)
    for e in ["F.dropout(a, 0.3, True)", "F.dropout(a, 1.0, True)", "F.dropout(a, 0.0, True)", "torch.feature_dropout(a, 0.4, True)", "F.alpha_dropout(a, 0.3, True)", "F.feature_alpha_dropout(a, 0.5, True)", "F.rrelu(a, 0.1, 0.4, True)", "torch.ops.aten.native_dropout(a, 0.3, True)", "a + F.dropout(a, 0.5, True) + F.dropout(a, 0.5, True)"]:
        s.op(e, x(2, 3, 4, 1), x(3, 2, 2, 2), tol=1e-6)
    # What lies in memory in another order is drawn in that order, normal numbers one by one.
    for e in ["torch.rand_like(a.transpose(0, 1))", "torch.randn_like(a.permute(2, 0, 1))", "F.dropout(a.transpose(1, 2), 0.3, True)", "torch.bernoulli(torch.sigmoid(a).transpose(0, 2))",
              "torch.randint_like(a.transpose(0, 1), 10)", "torch.normal(a.transpose(0, 1), 0.5)", "a.clone().transpose(1, 2).exponential_()", "a.clone()[:, :3].normal_()", "torch.randn_like(a[:, :3])"]:
        s.op(e, x(3, 5, 7), x(2, 4, 6), x(4, 3, 2), tol=1e-6)
    for e in ["torch.randn_like(a.transpose(0, 1) * 2)", "torch.rand_like(a.permute(2, 0, 1).clone())", "torch.randn_like(torch.zeros_like(a.transpose(1, 2)))", "F.dropout(torch.relu(a.transpose(0, 2)), 0.5, True)", "torch.bernoulli(a.transpose(0, 2), 0.3)",
              "torch.randn_like(a[:, ::2].transpose(0, 1) + 1)", "torch.randn_like(a.transpose(0, 1) + torch.ones([a.size(2)]))", "torch.randint_like(a.transpose(1, 2).double(), 10)", "F.rrelu(a.transpose(1, 2), 0.1, 0.4, True)", "torch.randn_like(a.transpose(1, 2).contiguous() * 2)"]:
        s.op(e, x(3, 5, 7), x(2, 4, 6), x(4, 3, 2), tol=1e-6)
    s.op("torch.randn_like(a.transpose(0, 2))", x(5, 1, 7), x(4, 1, 6), tol=1e-6)
    s.op("torch.randn_like(a.transpose(0, 1))", x(1, 5, 7), x(1, 4, 6), tol=1e-6)
    s.module(s.define("(self, a: Tensor):\n    torch.manual_seed(7)\n    b = torch.rand_like(a)\n    torch.manual_seed(int(a.size(0)))\n    return b, torch.rand([2])"), x(2, 3), x(3, 3))
    s.module(s.define("(self, a: Tensor):\n    if bool(a.sum() > 0):\n        a = a + torch.rand_like(a)\n    else:\n        a = a - torch.randint(9, [2, 2]).sum()\n    return a, torch.rand([2])"), x(2, 3).abs(), -x(2, 3).abs() - 1, x(2, 3).abs() + 1)
    s.module(s.define("(self, a: Tensor):\n    b = torch.rand([2])\n    while bool(b.sum() < 4):\n        b = b + torch.rand([2]) * a.abs()\n    return b, torch.rand([2])"), x(1).abs() + 1, x(1).abs() + 0.5)
    s.module(s.define("(self, a: Tensor):\n    b = torch.rand([4])\n    c = a[torch.rand([6]) > 0.5]\n    return b, c, torch.rand([2])"), x(6), x(6), tol=1e-6)
