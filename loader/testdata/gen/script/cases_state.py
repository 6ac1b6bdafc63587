"""Models that keep something between runs."""

from typing import Dict, List, Optional, Tuple

import torch
from torch import Tensor, nn


class Recurrent(nn.Module):
    """Keeps the hidden state of its cell."""

    h: Optional[Tensor]

    def __init__(self):
        super().__init__()
        self.cell = nn.GRUCell(3, 4)
        self.h = None

    def forward(self, x: Tensor):
        h = self.h
        if h is None:
            h = torch.zeros(x.size(0), 4)
        h = self.cell(x, h)
        self.h = h
        return h


class Buffers(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("sum", torch.zeros(3))
        self.register_buffer("count", torch.tensor(0))
        self.register_buffer("last", torch.zeros(2, 3))

    def forward(self, x: Tensor):
        self.sum.add_(x.sum(0))
        self.count += x.size(0)
        self.last[0] = x[-1]
        return self.sum / self.count, self.last


class Numbers(nn.Module):
    n: int
    f: float
    on: bool

    def __init__(self):
        super().__init__()
        self.n, self.f, self.on = 1, 0.5, False

    def forward(self, x: Tensor):
        y = x * self.n + self.f
        self.n = self.n * 2
        self.f += 0.25
        self.on = not self.on
        return y


class Branching(nn.Module):
    """What it does depends on how often it ran."""

    def __init__(self):
        super().__init__()
        self.n = 0

    def forward(self, x: Tensor):
        self.n += 1
        if self.n % 2 == 0:
            return x * self.n
        return -x


class Cache(nn.Module):
    """Keys and values of all steps so far, as in decoders."""

    k: Optional[Tensor]
    v: Optional[Tensor]

    def __init__(self):
        super().__init__()
        self.k, self.v = None, None
        self.q, self.kv = nn.Linear(4, 4), nn.Linear(4, 8)

    def forward(self, x: Tensor):
        k, v = self.kv(x).chunk(2, -1)
        if self.k is not None:
            k0 = self.k
            v0 = self.v
            assert k0 is not None and v0 is not None
            k, v = torch.cat([k0, k], 1), torch.cat([v0, v], 1)
        self.k, self.v = k, v
        return torch.softmax(self.q(x) @ k.transpose(1, 2), -1) @ v


class Containers(nn.Module):
    names: List[str]
    history: List[Tensor]
    table: Dict[str, Tensor]
    pair: Tuple[Tensor, int]

    def __init__(self):
        super().__init__()
        self.history = []
        self.table = {"a": torch.zeros(2)}
        self.pair = (torch.zeros(2), 0)
        self.names = ["first"]

    def forward(self, x: Tensor):
        self.history.append(x)
        if len(self.history) > 3:
            self.history.pop(0)
        self.table["a"] = self.table["a"] + x
        self.table["n" + str(len(self.table))] = x
        self.pair = (self.pair[0] + x, self.pair[1] + 1)
        self.names.append("more")
        total = torch.zeros(2)
        for h in self.history:
            total = total + h
        return total, self.table["a"], self.pair[0] * self.pair[1], len(self.names), len(self.table)


class Inside(nn.Module):
    """The state is that of modules inside, one of them in two places."""

    def __init__(self):
        super().__init__()
        self.a = Numbers()
        self.b = self.a
        self.layers = nn.ModuleList([Recurrent(), Recurrent()])

    def forward(self, x: Tensor):
        y = self.a(x) + self.b(x)
        for m in self.layers:
            y = y.sum() + m(x)
        return y


class Aliases(nn.Module):
    items: List[Tensor]

    def __init__(self):
        super().__init__()
        self.register_buffer("x", torch.zeros(3))
        self.y = self.x
        self.items = [self.x]

    def forward(self, v: Tensor):
        self.x.add_(v)
        self.items[0].mul_(2)
        self.items.append(self.items[0])
        return self.y, self.items[-1] + 1


class Streaming(nn.Module):
    """A convolution over time that keeps what the next window needs."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(2, 3, 3)
        self.register_buffer("past", torch.zeros(1, 2, 2))

    def forward(self, x: Tensor):
        x = torch.cat([self.past, x], 2)
        self.past = x[:, :, -2:]
        return self.conv(x)


def cases(s):
    r = s.rand

    def add(m, *runs, **k):
        for p in m.parameters():
            p.data = r(*p.shape, lo=-1, hi=1)
        s.module(m.eval(), *runs, tol=1e-5, **k)

    add(Recurrent(), r(2, 3), r(2, 3), r(2, 3), r(1, 3), r(1, 3), reset=[3])
    add(Buffers(), r(2, 3), r(4, 3), r(1, 3), r(2, 3), r(2, 3), reset=[3])
    add(Numbers(), *[r(2) for _ in range(6)], reset=[4])
    add(Branching(), *[r(2) for _ in range(6)], reset=[5])
    add(Cache(), r(1, 1, 4), r(1, 1, 4), r(1, 1, 4), r(1, 2, 4), r(2, 3, 4), r(2, 1, 4), reset=[4])
    add(Containers(), *[r(2) for _ in range(6)], reset=[5])
    add(Inside(), *[r(2, 3) for _ in range(4)], reset=[3])
    add(Aliases(), *[r(3) for _ in range(4)], reset=[3])
    add(Streaming(), r(1, 2, 5), r(1, 2, 4), r(1, 2, 5), r(1, 2, 5), reset=[3])
    buffers = Buffers()
    s.module(buffers, r(2, 3), r(2, 3), r(2, 3), what="Buffers traced", tol=1e-5, scripted=torch.jit.trace(buffers, r(2, 3), check_trace=False))
