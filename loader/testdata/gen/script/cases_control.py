"""Branches and loops that the values of inputs decide."""

from typing import List, Optional

import torch
from torch import Tensor, nn


class Branch(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(3, 4), nn.Linear(3, 4)

    def forward(self, x: Tensor):
        if bool(x.sum() > 0):
            y = torch.relu(self.a(x))
        else:
            y = self.b(x) - 1
        return y * 2


class Numbers(nn.Module):
    def forward(self, x: Tensor):
        n = 1
        f = 0.5
        ok = False
        if x[0].item() > 0:
            n = n + 1
            f = float(x[1])
            ok = True
        elif x[0] < -2:
            n = 5
        return x * n + f, n, f, ok


class Nested(nn.Module):
    def forward(self, x: Tensor, y: Tensor):
        m = x.mean()
        if m > 0:
            if m > 1:
                y = y + x
            else:
                y = y * 2
            z = y - 1
        else:
            z = -x
        return z, y


class EarlyReturn(nn.Module):
    def forward(self, x: Tensor):
        if x.max() > 3:
            return x / 2
        y = x + 1
        if y.min() < -3:
            return -y
        return y * y


class Writes(nn.Module):
    """Branches that write in place, to lists and to attributes."""

    def __init__(self):
        super().__init__()
        self.scale = 1.0
        self.register_buffer("seen", torch.zeros(3))

    def forward(self, x: Tensor):
        y = x.clone()
        parts = [x, x]
        if x.sum() > 0:
            y[0] = 9.0
            parts[1] = x * 3
            self.scale = self.scale + 1
            self.seen.add_(x)
        else:
            y.mul_(2)
        return y, parts[1], self.seen, y * self.scale


class Raises(nn.Module):
    def forward(self, x: Tensor):
        if x.min() < 0:
            raise ValueError("negative")
        return torch.sqrt(x)


class While(nn.Module):
    def forward(self, x: Tensor, limit: float):
        n = 0
        while float(x.abs().max()) < limit:
            x = x * 2 + 0.5
            n += 1
        return x, n


class For(nn.Module):
    def forward(self, x: Tensor, steps: Tensor):
        total = torch.zeros_like(x)
        for i in range(int(steps)):
            total = total + x * i
            if total.sum() > 20:
                total = total / 2
        return total


class Break(nn.Module):
    def forward(self, x: Tensor):
        n = 0
        for i in range(10):
            x = x * 1.5
            if x.max() > 20:
                break
            n = n + i
        return x, n


class Newton(nn.Module):
    """A fixed point, with what is inside a method."""

    def step(self, y: Tensor, x: Tensor) -> Tensor:
        return 0.5 * (y + x / y)

    def forward(self, x: Tensor):
        y = torch.ones_like(x)
        error = 1.0
        n = 0
        while error > 1e-4 and n < 50:
            z = self.step(y, x)
            error = float((z - y).abs().max())
            y = z
            n += 1
        return y, n


class Decode(nn.Module):
    """Greedy decoding into a sequence of fixed length, until a token ends it."""

    def __init__(self):
        super().__init__()
        self.embed, self.cell, self.out = nn.Embedding(6, 4), nn.GRUCell(4, 4), nn.Linear(4, 6)

    def forward(self, h: Tensor):
        tokens = torch.zeros(8, dtype=torch.long)
        token = torch.zeros(1, dtype=torch.long)
        n = 0
        going = True
        while going and n < 8:
            h = self.cell(self.embed(token), h)
            token = self.out(h).argmax(1)
            tokens[n] = token[0]
            n += 1
            going = int(token) != 5
        return tokens, n, h


class State(nn.Module):
    """A loop that changes an attribute and a list."""

    def __init__(self):
        super().__init__()
        self.count = 0
        self.register_buffer("sum", torch.zeros(2))

    def forward(self, x: Tensor):
        pair = [x, x]
        k = 0
        while k < int(x[0]):
            self.count += 1
            self.sum.add_(x)
            pair[0] = pair[0] + pair[1]
            k += 1
        return pair[0], self.sum, self.count


class Grows(nn.Module):
    def forward(self, x: Tensor):
        out: List[Tensor] = []
        for i in range(int(x[0])):
            out.append(x)
        return torch.stack(out)


class Shapes(nn.Module):
    def forward(self, x: Tensor):
        if x.sum() > 0:
            y = x[:1]
        else:
            y = x
        return y


class MaybeNone(nn.Module):
    def forward(self, x: Tensor):
        y: Optional[Tensor] = None
        if x.sum() > 0:
            y = x
        if y is None:
            return x
        return y


class Sized(nn.Module):
    def forward(self, x: Tensor):
        return torch.zeros(int(x.sum()))


def cases(s):
    r = s.rand

    def add(m, *runs, **k):
        for p in m.parameters():
            p.data = r(*p.shape, lo=-1, hi=1)
        k.setdefault("tol", 1e-5)
        s.module(m.eval(), *runs, **k)

    add(Branch(), r(2, 3).abs(), -r(2, 3).abs(), r(4, 3).abs(), -r(5, 3).abs())
    add(Numbers(), torch.tensor([1.0, 2.0]), torch.tensor([-1.0, 2.0]), torch.tensor([-3.0, 2.0]))
    add(Nested(), (r(3) + 9, r(3)), (r(3) / 99 + 0.1, r(3)), (r(3) - 9, r(3)))
    add(EarlyReturn(), torch.tensor([4.0, 1.0]), torch.tensor([-5.0, 1.0]), torch.tensor([0.5, 1.0]))
    add(Writes(), torch.tensor([1.0, 2.0, 3.0]), torch.tensor([-1.0, -2.0, -3.0]), torch.tensor([1.0, 2.0, 3.0]), reset=[2])
    add(Raises(), torch.tensor([1.0, 4.0]), torch.tensor([-1.0, 4.0]), torch.tensor([9.0, 4.0, 1.0]))
    add(While(), (torch.tensor([1.0, -2.0]), 30.0), (torch.tensor([100.0, 1.0]), 30.0), (torch.tensor([0.1]), 1000.0))
    add(For(), (r(3).abs(), torch.tensor(5)), (r(3), torch.tensor(0)), (r(2).abs(), torch.tensor(9)))
    add(Break(), torch.tensor([1.0, 2.0]), torch.tensor([15.0, 2.0]), torch.tensor([0.01]))
    add(Newton(), torch.tensor([4.0, 9.0]), torch.tensor([2.0, 100.0, 1.0]))
    add(Decode(), r(1, 4), r(1, 4), r(1, 4))
    add(State(), torch.tensor([3.0, 1.0]), torch.tensor([0.0, 1.0]), torch.tensor([2.0, 5.0]), torch.tensor([1.0, 1.0]), reset=[3])
    add(Sized(), torch.tensor([2.0, 1.0]), torch.tensor([0.0, 0.0]), torch.tensor([3.0, 4.0]))
    for m in [Grows(), Shapes(), MaybeNone()]:
        add(m, torch.tensor([2.0, 1.0]), torch.tensor([-2.0, 1.0]), torch.tensor([9.0, 1.0]))
