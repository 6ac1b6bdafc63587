"""Loops whose iterations look at values: each case runs with 6, 12 and 24 steps, then ends early. The work is to grow as the steps do
(TestLoopsAreLinear)."""

from typing import Dict, List, Optional, Tuple

import torch
from torch import Tensor, nn

STEPS = (6, 12, 24)


class KeyValues(nn.Module):
    """Greedy decoding of two layers of attention, whose keys and values are lists that grow along their sequence."""

    def __init__(self):
        super().__init__()
        self.e, self.o = nn.Embedding(9, 4), nn.Linear(4, 9)
        self.q, self.k, self.v = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, start: Tensor, n: int, end: int):
        keys: List[Tensor] = [torch.zeros(1, 0, 4), torch.zeros(1, 0, 4)]
        values: List[Tensor] = [torch.zeros(1, 0, 4), torch.zeros(1, 0, 4)]
        token = start
        out: List[int] = []
        for i in range(n):
            h = self.e(token).unsqueeze(1)
            for layer in range(2):
                keys[layer] = torch.cat([keys[layer], self.k(h)], 1)
                values[layer] = torch.cat([values[layer], self.v(h)], 1)
                w = torch.softmax(torch.matmul(self.q(h), keys[layer].transpose(1, 2)), -1)
                h = h + torch.matmul(w, values[layer])
            token = self.o(h[:, 0]).argmax(-1) + i % 2
            if int(token.item()) == end:
                break
            out.append(int(token.item()))
            token = token.clamp(max=8)
        return torch.tensor(out), keys[1]


class Beams(nn.Module):
    """Beam search that collects what ended, and stops when it has three."""

    def __init__(self):
        super().__init__()
        self.e, self.o = nn.Embedding(6, 6), nn.Linear(6, 6)

    def forward(self, start: Tensor, n: int, end: int):
        beams = start.view(1, 1)
        score = torch.zeros(1)
        done: List[Tuple[Tensor, float]] = []
        for i in range(n):
            logp = torch.log_softmax(self.o(torch.tanh(self.e(beams[:, -1]))) + 0.1 * beams.float().sum(1, keepdim=True), -1)
            total = score.unsqueeze(1) + logp
            score, at = total.flatten().topk(2)
            beams = torch.cat([beams[torch.div(at, 6, rounding_mode="floor")], (at % 6).unsqueeze(1)], 1)
            if int(beams[0, -1].item()) == end:
                done.append((beams[0], float(score[0])))
                if len(done) == 3:
                    break
        best = beams[0]
        for ids, s in done:
            if s > -3.0:
                best = ids
        return best, score, len(done)


class Until(nn.Module):
    """An endless loop that a value ends."""

    def forward(self, x: Tensor, n: int):
        steps = 0
        while True:
            x = x + 1
            steps += 1
            if x.sum().item() >= n:
                break
        return x, steps


class Rows(nn.Module):
    """Nested loops of which the inner one breaks and the outer one goes on."""

    def forward(self, x: Tensor, n: int):
        found: List[Tensor] = []
        counts: List[int] = []
        for i in range(n):
            k = 0
            for j in range(x.size(1)):
                if float(x[i % x.size(0), j]) < 0:
                    break
                found.append(x[i % x.size(0), j] * i)
                k += 1
            if k == 0:
                continue
            counts.append(k)
        if len(found) == 0:
            return torch.zeros(0), torch.tensor(counts)
        return torch.stack(found), torch.tensor(counts)


class Returns(nn.Module):
    """Returns from within a loop, other values on each way."""

    def forward(self, x: Tensor, n: int) -> Tuple[Tensor, int, int]:
        for i in range(n):
            x = x * 0.9 + 0.1
            if bool(x.max() > 9):
                return x[:1], 1, i
            if bool((x < 0).all()):
                return -x, 2, i
        return x, 3, n


class Memo(nn.Module):
    """A dict whose keys follow from values, and a loop that ends where one comes again."""

    def forward(self, x: Tensor, n: int) -> Tuple[Tensor, List[int], Dict[int, Tensor]]:
        seen: Dict[int, Tensor] = {}
        order: List[int] = []
        v = x
        for i in range(n):
            v = v * 5 + 1
            k = int((v % 37).sum().item())
            if k in seen:
                break
            seen[k] = v.float() / (i + 1)
            order.append(k)
        total = torch.zeros(x.size(0))
        for k in order:
            total = total + seen[k]
        return total, order, seen


def unless(drop: bool, h: Tensor) -> Optional[Tensor]:
    if drop:
        return None
    return h


class Maybe(nn.Module):
    """State that there is none of at first, and again when it is dropped."""

    def __init__(self):
        super().__init__()
        self.c = nn.GRUCell(3, 3)

    def forward(self, x: Tensor, n: int):
        state: Optional[Tensor] = None
        out: List[Tensor] = []
        for i in range(n):
            if state is None:
                h = torch.tanh(x[:1])
            else:
                h = self.c(x[i % x.size(0)].unsqueeze(0), state)
            out.append(h)
            state = unless(float(h.sum()) > 1.5, h)
        return torch.cat(out), 0 if state is None else 1


class Groups(nn.Module):
    """Lists of lists: a group ends where a value is small."""

    def forward(self, x: Tensor, n: int) -> Tuple[List[List[float]], int]:
        groups: List[List[float]] = [[0.0]]
        for i in range(n):
            v = x[i % x.size(0)] * (i + 1)
            if float(v) < 0.5:
                if len(groups[-1]) > 4:
                    break
                groups.append([float(v)])
            else:
                groups[-1].append(float(v))
        return groups, len(groups)


class Search(nn.Module):
    """Descent whose steps are halved until they descend: loops on values within a loop on values."""

    def forward(self, x: Tensor, n: int):
        path: List[float] = []
        i = 0
        while i < n and float((x * x).sum()) > 1e-8:
            step = 1.5
            y = x - step * x
            while float((y * y).sum()) > float((x * x).sum()) * 0.9 and step > 1e-3:
                step *= 0.5
                y = x - step * x * 0.5
            x = y
            path.append(float((x * x).sum()))
            i += 1
        return x, torch.tensor(path)


class Ranks(nn.Module):
    """Values that change their number of dimensions and their type while a loop goes on."""

    def forward(self, x: Tensor, n: int):
        y = x
        kept: List[Tensor] = []
        for i in range(n):
            if bool(y.float().sum() > 3):
                y = (y * 2).long().flatten() - i
            elif bool(y.float().sum() > 0):
                y = y.float().unsqueeze(0)[:, : y.numel()] - 0.5
            else:
                kept.append(y.float().flatten())
                y = x + i
            if y.dim() > 4:
                break
        return y, torch.cat(kept) if len(kept) > 0 else torch.zeros(0)


def cases(s):
    torch.manual_seed(11)
    start = torch.tensor([1])
    s.module(KeyValues(), *[(start, n, 99) for n in STEPS], (start, 24, 3), tol=1e-5)
    s.module(Beams(), *[(start, n, 99) for n in STEPS], (start, 24, 3), (start, 24, 2), tol=1e-5)
    s.module(Until(), *[(torch.zeros(2), 2 * n) for n in STEPS], (torch.ones(2), 3))
    x = s.rand(3, 4, lo=1)
    s.module(Rows(), *[(x, n) for n in STEPS], (s.rand(3, 4), 24), (-x, 6))
    s.module(Returns(), *[(x, n) for n in STEPS], (x + 20, 24), (-x - 20, 24), tol=1e-5)
    v = torch.tensor([3, 8, 1])
    s.module(Memo(), *[(v, n) for n in (3, 6, 12)], (torch.zeros(3, dtype=torch.long), 24))
    s.module(Maybe(), *[(x[:, :3], n) for n in STEPS], (x[:, :3] * 4, 24), tol=1e-5)
    s.module(Groups(), *[(torch.tensor([0.6, 0.7, 0.01]), n) for n in STEPS], (torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0, 0.01]), 24))
    s.module(Search(), *[(x, n) for n in STEPS], (torch.zeros(2), 24), tol=1e-4)
    s.module(Ranks(), *[(x[0], n) for n in STEPS], (-x[0], 24), tol=1e-5)
