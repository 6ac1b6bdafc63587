"""What optimize_for_mobile packs, dicts and numbers of scripted code. PyTorch 2.14 writes them."""

import torch
from torch import nn
from torch.utils.mobile_optimizer import optimize_for_mobile

NEEDS = (2, 14)


def cases(s):
    nets = {
        "conv": nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 4, 3, groups=2, stride=2), nn.Hardtanh(-2.0, 6.0), nn.Flatten(), nn.Linear(16, 3), nn.ReLU()),
        "transposed": nn.Sequential(nn.ConvTranspose2d(3, 4, 3, stride=2, output_padding=1), nn.ReLU(), nn.Conv2d(4, 2, 1, bias=False)),
        "linear": nn.Sequential(nn.Flatten(), nn.Linear(108, 4, bias=False), nn.ReLU6(), nn.Linear(4, 2)),
    }
    for name, net in nets.items():
        for p in net.parameters():
            p.data = s.rand(*p.shape, lo=-1, hi=1)
        runs = [s.rand(n, 3, 6, 6, lo=-1, hi=1) for n in (2, 1)]
        s.module(net, *runs, what=f"mobile {name}", tol=1e-5, scripted=optimize_for_mobile(torch.jit.trace(net.eval(), runs[0])))
    x = s.rand(2, 3)
    s.module(s.define("(self, x: Tensor):\n    q, r = divmod(x.size(0) * 7, 3)\n    f, g = divmod(-7.5, 2.0)\n    h, i = divmod(-7, x.size(1))\n    return x * q + r, x * f + g, h, i"), x, s.rand(4, 3))
    s.module(s.define("(self, x: Tensor):\n    d = {'a': 1, 'b': 2}\n    n = d.setdefault('a', 5) + d.setdefault('c', 7)\n    return x * n + len(d), d"), x)
