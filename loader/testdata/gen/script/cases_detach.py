"""What stops gradients: detach, no_grad, numbers, rounding; and what passes them on past it."""

import torch


class Quantizer(torch.nn.Module):
    """The nearest of a table's rows, with a gradient that passes as if nothing was chosen (VQ-VAE)."""

    def __init__(self, weight):
        super().__init__()
        self.weight = torch.nn.Parameter(weight)

    def forward(self, a):
        d = (a.unsqueeze(1) - self.weight).square().sum(-1)
        q = torch.nn.functional.embedding(d.argmin(1), self.weight)
        loss = (q.detach() - a).square().mean() + 0.25 * (q - a.detach()).square().mean()
        return a + (q - a).detach(), loss


class Siamese(torch.nn.Module):
    """Two branches, of which one gives targets (SimSiam, BYOL)."""

    def __init__(self, r):
        super().__init__()
        self.net = torch.nn.Linear(3, 4)
        for p in self.net.parameters():
            p.data = r(*p.shape, lo=-1, hi=1)

    def forward(self, a, b):
        x = self.net(a)
        with torch.no_grad():
            y = torch.relu(self.net(b)) * a.sum()
        return -torch.nn.functional.cosine_similarity(x, y), y


def cases(s):
    r = s.rand
    a, b = r(3, 4) + 0.03125, r(3, 4)
    for e in ["a.detach() * a", "a * b.detach() + b", "(a * b).detach() + a", "a.data * a + b", "a + (a.round() - a).detach()", "a.round() + a", "a.floor() * a", "a.sign() * a", "a * a.max().item() + b",
              "a * float(b.mean()) + b", "a.detach()[1:] * a[:2]", "a.t().detach() @ b", "a[1].detach() + a", "(a * 2).detach_() * a", "torch.where(a > 0, a, a.detach() * b)", "torch.tensor(3.0).detach() * a",
              "a - a.detach() + a.detach().clamp(-1, 1)", "a.softmax(1).detach() * a", "a * a.detach().mean(1, keepdim=True)", "torch.cat([a, b.detach()]) * 2", "a.long().float() + a", "a / a.norm().detach()",
              "torch.fake_quantize_per_tensor_affine(a, 0.5, 3, 0, 10) * b", "a.trunc() * b", "a.ceil() * b", "a.detach().requires_grad_(False) + a",
              "a + torch.digamma(torch.lgamma(a.detach()))"]:
        s.op(e, (a, b))
    for body in ["    with torch.no_grad():\n        c = a * b\n    return c * a, c",
                 "    with torch.no_grad():\n        c = a[1:].exp()\n        d = a * c.sum()\n        e = d * b\n    return c[0] * a, d, e * b",
                 "    c = a.clone()\n    with torch.no_grad():\n        d = c.sum()\n        if d > 0:\n            e = b * d\n        else:\n            e = b - d\n    return e + c * b",
                 "    with torch.no_grad():\n        c = [a.exp(), b]\n    return c[0] * c[1] + a",
                 "    c = a * 2\n    c.detach_()\n    return c * b + a",
                 "    c = a.detach().clone()\n    c[0] = 1.0\n    return c * a",
                 "    n = 0.0\n    for x in [a, b]:\n        n += float(x.max())\n    return a * n + b"]:
        s.module(s.define(f"(self, a, b):\n{body}"), (a, b), what=body.strip())
    s.module(Quantizer(r(5, 4)), (a,), what="vector quantization")
    s.module(Siamese(r), (r(2, 3), r(2, 3)), what="a branch without gradients")
    traced = torch.jit.trace(Quantizer(r(5, 4)), (a,))
    s.module(traced, (a,), what="traced vector quantization", scripted=traced)
