"""Branches and loops in which extents follow from values: branches of different shapes, lists that some iterations append to, loops that end
early, experts that get the tokens chosen for them. The runs of a case take other ways."""

from collections import OrderedDict
from typing import Dict, List, Optional, Tuple

import torch
from torch import Tensor, nn


class Greedy(nn.Module):
    """Decodes until the token 3, at most n times."""

    def __init__(self):
        super().__init__()
        self.e, self.c, self.o = nn.Embedding(6, 5), nn.GRUCell(5, 5), nn.Linear(5, 6)

    def forward(self, h: Tensor, n: int):
        token = torch.zeros(1, dtype=torch.long)
        out: List[int] = []
        for i in range(n):
            h = self.c(self.e(token), h)
            token = self.o(h).argmax(-1)
            if int(token.item()) == 3:
                break
            out.append(int(token.item()))
        return torch.tensor(out), h


class GreedyIds(Greedy):
    """Grows a tensor of tokens, and returns early."""

    def forward(self, h: Tensor, n: int):
        ids = torch.zeros(1, 1, dtype=torch.long)
        while ids.size(1) < n:
            h = self.c(self.e(ids[:, -1]), h)
            token = self.o(h).argmax(-1, keepdim=True)
            ids = torch.cat([ids, token], 1)
            if bool((token == 3).all()):
                return ids, h * 2
        return ids, h


class GreedyStates(Greedy):
    """Keeps the states, and looks at the last one."""

    def forward(self, h: Tensor, n: int):
        token = torch.zeros(1, dtype=torch.long)
        states: List[Tensor] = []
        scores: List[float] = []
        i = 0
        while i < n:
            h = self.c(self.e(token), h)
            p = self.o(h)
            token = p.argmax(-1)
            states.append(h)
            scores.append(float(p.max()))
            if len(states) > 1 and float((states[-1] - states[-2]).abs().max()) < 0.05:
                break
            i += 1
        return torch.stack(states), torch.cat(states, 1), torch.tensor(scores), len(states)


class GreedyCache(Greedy):
    """Attends to all states so far, which grow."""

    def forward(self, h: Tensor, n: int):
        cache = h.unsqueeze(1)
        token = torch.zeros(1, dtype=torch.long)
        done = False
        steps = 0
        while not done and steps < n:
            q = self.e(token) + cache[:, -1]
            w = torch.softmax(torch.matmul(cache, q.unsqueeze(-1)).squeeze(-1), -1)
            h = torch.tanh((w.unsqueeze(-1) * cache).sum(1) + q)
            cache = torch.cat((cache, h.unsqueeze(1)), dim=1)
            token = self.o(h).argmax(-1)
            done = bool(token[0] == 3)
            steps += 1
        return cache, steps


class Ctc(nn.Module):
    def forward(self, logits: Tensor) -> Tuple[List[int], Tensor]:
        best = logits.argmax(-1)
        out: List[int] = []
        last = -1
        for i in range(best.size(0)):
            k = int(best[i].item())
            if k != 0 and k != last:
                out.append(k)
            last = k
        return out, best


class CtcScores(nn.Module):
    """Of which the number of frames is a value, and pairs are kept."""

    def forward(self, logits: Tensor, frames: Tensor):
        ids: List[int] = []
        rows: List[Tensor] = []
        last = 0
        for i in range(int(frames)):
            k = int(logits[i].argmax())
            if k != 0:
                if k != last:
                    ids.append(k)
                    rows.append(logits[i])
            last = k
        if len(rows) > 0:
            return torch.tensor(ids), torch.stack(rows, 1)
        return torch.zeros(0, dtype=torch.long), torch.zeros(logits.size(1), 0)


class CtcPairs(nn.Module):
    def forward(self, logits: Tensor):
        out: List[Tuple[int, float]] = []
        last = -1
        for i in range(logits.size(0)):
            p, k = torch.softmax(logits[i], -1).max(-1)
            if int(k) != 0 and int(k) != last:
                out.append((int(k), float(p)))
            last = int(k)
        return out


class Beam(nn.Module):
    """Two beams that end when both are at token 3."""

    def __init__(self):
        super().__init__()
        self.e, self.o = nn.Embedding(6, 6), nn.Linear(6, 6)

    def forward(self, start: Tensor, n: int):
        beams = start.view(1, 1)
        score = torch.zeros(1)
        for i in range(n):
            logp = torch.log_softmax(self.o(torch.tanh(self.e(beams[:, -1]))) + 0.1 * beams.float().sum(1, keepdim=True), -1)
            total = score.unsqueeze(1) + logp
            score, at = total.flatten().topk(2)
            beams = torch.cat([beams[torch.div(at, 6, rounding_mode="floor")], (at % 6).unsqueeze(1)], 1)
            if bool((beams[:, -1] == 3).all()):
                break
        return beams[0], beams, score


class Experts(nn.Module):
    """Each expert runs on the tokens that chose it, if there are any."""

    def __init__(self):
        super().__init__()
        self.gate = nn.Linear(4, 3)
        self.experts = nn.ModuleList([nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 4)) for _ in range(3)])

    def forward(self, x: Tensor):
        w, e = torch.softmax(self.gate(x), -1).topk(2)
        y = torch.zeros_like(x)
        for k, expert in enumerate(self.experts):
            rows, place = torch.where(e == k)
            if rows.numel() > 0:
                y[rows] += expert(x[rows]) * w[rows, place].unsqueeze(1)
        return y


class Peaks(nn.Module):
    """Takes the greatest element until it is small: the picture shrinks."""

    def forward(self, x: Tensor):
        found: List[Tensor] = []
        while x.numel() > 0 and bool(x.max() > 1):
            i = x.argmax()
            found.append(x[i])
            x = x[x < x[i] - 0.5]
        if len(found) == 0:
            return torch.zeros(0), x
        return torch.stack(found), x


class Suppress(nn.Module):
    """Non-maximum suppression as one writes it by hand."""

    def forward(self, boxes: Tensor, scores: Tensor):
        order = scores.argsort(descending=True)
        keep: List[int] = []
        while order.numel() > 0:
            i = int(order[0])
            keep.append(i)
            if order.numel() == 1:
                break
            rest = order[1:]
            left = torch.maximum(boxes[i, 0], boxes[rest, 0])
            right = torch.minimum(boxes[i, 1], boxes[rest, 1])
            order = rest[(right - left).clamp(min=0) < 1]
        return torch.tensor(keep), boxes[torch.tensor(keep)]


class Lists(nn.Module):
    """What else there is of lists."""

    def forward(self, x: Tensor):
        out: List[float] = [0.5]
        more: List[float] = []
        if bool(x[0] > 0):
            out.append(float(x[0]))
            out += [1.0, 2.0]
        for i in range(x.size(0)):
            if bool(x[i] > 1):
                more.append(float(x[i]))
        n = len(out)
        first, last = out[0], out[-1]
        out.extend(more)
        if len(more) > 0:
            last = more.pop()
        total = 0.0
        for v in out:
            total += v
        return torch.tensor(out), n, len(more), first, last, total, more


class Stack(nn.Module):
    """A stack that grows and shrinks."""

    def forward(self, x: Tensor):
        stack: List[Tensor] = [x[0]]
        for i in range(1, x.size(0)):
            if bool(x[i].sum() > 0):
                stack.append(x[i])
            elif len(stack) > 1:
                top = stack.pop()
                stack[-1] = stack[-1] + top
        return torch.stack(stack), stack[len(stack) - 1]


class Branches(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(4, 3), nn.Linear(4, 3)

    def forward(self, x: Tensor):
        if bool(x.sum() > 0):
            y = x[1:]
            z = torch.cat([x, x], 1)
        elif bool(x.max() > 1):
            y = x.repeat(2, 1)
            z = x[:, :1]
        else:
            y = x
            z = x[:, 1:]
        return self.a(y).relu() + 1, z.mean(1), y.size(0), torch.softmax(z, -1), self.b(y).sum(0)


class Ranks(nn.Module):
    """Branches that give other numbers of dimensions, types and values of another kind."""

    def forward(self, x: Tensor):
        y: Optional[Tensor] = None
        d: Dict[str, Tensor] = {}
        if bool(x.sum() > 0):
            z = x.unsqueeze(0)
            y = x * 2
            d["sum"] = x.sum()
        else:
            z = x.long()
            d["max"] = x.max()
            d["min"] = x.min()
        if y is not None:
            z = z + y
        return z, d


class InBranch(nn.Module):
    """Extents that follow from values inside of a branch, whose result has fixed ones."""

    def forward(self, x: Tensor):
        if bool(x[0].sum() > 0):
            y = x[x > 0].sum() + x[x[:, 0] > 0].sum(0)
        else:
            y = torch.unique(x).sum() + torch.zeros(x.size(1))
        return y


class InLoop(nn.Module):
    def forward(self, x: Tensor, n: Tensor):
        y = torch.zeros(x.size(1))
        k = 0
        for i in range(int(n)):
            rows = x[x[:, i % 2] > k]
            y = y + rows.sum(0) + rows.size(0)
            k = k + int(rows.size(0) > 2)
        return y, k


class Halves(nn.Module):
    """Splits until little is left, and pads what is found."""

    def forward(self, x: Tensor):
        n = 0
        while x.size(0) > 1 and bool(x.sum() > 0):
            x = x[: x.size(0) // 2] + x[x.size(0) - x.size(0) // 2 :]
            n += 1
        return x, n, nn.functional.pad(x, [0, 1])


class Windows(nn.Module):
    def forward(self, x: Tensor, lengths: Tensor):
        parts: List[Tensor] = []
        at = 0
        for i in range(lengths.size(0)):
            n = int(lengths[i])
            parts.append(x[at : at + n].sum(0))
            at += n
        return torch.stack(parts), at


class Ordered(nn.Module):
    """Dicts without elements, and of a list of pairs, whose values only one way through the model has."""

    def forward(self, x: Tensor):
        out: Dict[str, Tensor] = {}
        d = OrderedDict([("a", x), ("b", x + 1)])
        e = OrderedDict([("0", x[0])])
        if bool(x.sum() > 0):
            out["first"] = d["a"] * 2
        for k, v in d.items():
            out[k] = v.relu()
        return out, list(d.values()), len(e)


def cases(s):
    torch.manual_seed(7)
    h = [s.rand(1, 5), s.rand(1, 5), s.rand(1, 5), s.rand(1, 5), torch.zeros(1, 5)]
    for m in [Greedy(), GreedyIds(), GreedyStates(), GreedyCache()]:
        with torch.no_grad():
            m.o.weight *= 3
        s.module(m, *[(v, 7) for v in h], (h[0], 1), (h[1], 0), tol=1e-5)
    logits = [s.rand(9, 4), s.rand(9, 4), s.rand(5, 4), torch.eye(4)[torch.tensor([0, 0, 0])], s.rand(9, 4), torch.eye(4)[torch.tensor([1, 1, 1])]]
    s.module(Ctc(), *logits)
    s.module(CtcPairs(), *logits, tol=1e-5)
    s.module(CtcScores(), *[(v, torch.tensor(n)) for v, n in zip(logits, (9, 4, 5, 3, 0, 2))])
    s.module(Beam(), *[(torch.tensor(i), 6) for i in range(5)], (torch.tensor(0), 1), tol=1e-5)
    tokens = [s.rand(6, 4), s.rand(3, 4), torch.ones(5, 4), s.rand(1, 4)]
    s.module(Experts(), *tokens, tol=1e-5)
    s.module(Peaks(), s.rand(9), s.rand(9), torch.zeros(9), torch.full((9,), 3.0), s.rand(3))
    ends = [s.rand(8, 2), s.rand(8, 2), torch.zeros(8, 2), s.rand(1, 2)]
    s.module(Suppress(), *[(v.sort(1)[0], s.rand(len(v)) + torch.arange(len(v)) / 100) for v in ends])
    s.module(Lists(), s.rand(6), s.rand(6), torch.zeros(6), torch.full((6,), 2.0), torch.full((6,), 0.5))
    s.module(Stack(), s.rand(7, 2), s.rand(7, 2), torch.ones(4, 2), -torch.ones(4, 2))
    for m in [Branches(), Ranks(), InBranch()]:
        s.module(m, s.rand(4, 4), -torch.ones(4, 4), torch.ones(4, 4), s.rand(4, 4) - 2, s.rand(4, 4), s.rand(2, 4), tol=1e-5)
    s.module(InLoop(), *[(s.rand(5, 3), torch.tensor(n)) for n in (3, 0, 1, 5, 2)], tol=1e-5)
    s.module(Halves(), torch.ones(9, 2), -torch.ones(9, 2), s.rand(8, 2), s.rand(1, 2))
    s.module(Windows(), *[(s.rand(9, 2), torch.tensor(n)) for n in ([2, 3, 4], [0, 9, 0], [1, 1, 1], [3, 3])], tol=1e-5)
    s.module(Ordered(), s.rand(3), -torch.ones(3), torch.ones(2))
