"""Constructs of the language."""

import math
from enum import Enum
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

import torch
from torch import Tensor, nn


class Branches(nn.Module):
    def forward(self, x: Tensor, n: int):
        if n > 2:
            y = x + 1
        elif n == 2:
            y = x * 2
        else:
            y = x
        if x.size(0) > 3 and not (n == 0):
            y = y - 1
        return y if n != 1 else -y


class Loops(nn.Module):
    def forward(self, x: Tensor, n: int):
        y = x
        for i in range(n):
            y = y + i
            if i == 3:
                break
        for i in range(1, 8, 3):
            if i == 4:
                continue
            y = y * i
        k = 0
        while k < x.size(1):
            y = y + k
            k += 2
        for row in x.unbind(0):
            y = y + row
        for i, (a, b) in enumerate(zip([1, 2], [3.0, 4.0])):
            y = y + a * b + i
        return y, k


class EarlyReturn(nn.Module):
    def forward(self, x: Tensor, stop: bool):
        if stop:
            return x
        for i in range(5):
            if i == x.size(0):
                return x * i
        return x + 1


class Lists(nn.Module):
    def forward(self, x: Tensor):
        a = [1, 2, 3]
        a.append(4)
        a.extend([5, 6])
        a.insert(0, 7)
        b = a[1:3] + [8]
        a[0] = 9
        last = a.pop()
        first = a.pop(0)
        a.reverse()
        c = [i * 2 for i in b]
        a.sort()
        t: List[Tensor] = []
        for i in range(x.size(0)):
            t.append(x[i] * i)
        t[0] = x[0] + 100
        s = torch.jit.annotate(List[float], [])
        for v in [0.5, 1.5]:
            s.append(v)
        d = sorted([3, 1, 2])
        return torch.stack(t), sum(a), len(b), last, first, max(c), min(c), c[-1], s[1], 2 in a, a == b, a.index(3), a.count(3), torch.tensor(d), a.copy()[0], torch.zeros(2) + torch.tensor([b[0], c[1]])


class Dicts(nn.Module):
    def forward(self, x: Tensor):
        d: Dict[str, Tensor] = {"a": x, "b": x + 1}
        d["c"] = d["a"] * 2
        total = torch.zeros_like(x)
        for k in d:
            total = total + d[k]
        for k, v in d.items():
            if k != "b":
                total = total + v
        n = {1: 2, 3: 4}
        n.update({5: 6})
        m = n.get(7, 0) + n.get(3, 0)
        popped = n.pop(1)
        del n[3]
        return total, len(d), m, "a" in d, popped, len(n), list(n.keys())[0], list(d.values())[1], d


class Point(NamedTuple):
    x: Tensor
    y: Tensor
    scale: float


class Tuples(nn.Module):
    def swap(self, p: Tuple[Tensor, int]) -> Tuple[int, Tensor]:
        return p[1], p[0]

    def forward(self, x: Tensor):
        n, y = self.swap((x, 3))
        p = Point(x, y + n, 2.0)
        a, (b, c) = x, (y, n)
        q = (x, x * 2, x * 3)
        return p.x + p.y * p.scale, a + b + c, q[0:2], q[-1]


class Takes(nn.Module):
    def forward(self, pair: Tuple[Tensor, Tensor], scale: float = 2.0, bias: Optional[Tensor] = None):
        y = pair[0] * scale + pair[1]
        if bias is not None:
            y = y + bias
        return y


class TakesList(nn.Module):
    def forward(self, xs: List[Tensor]):
        y = xs[0]
        for x in xs[1:]:
            y = y + x
        return y, len(xs)


class Optionals(nn.Module):
    flag: Optional[int]

    def __init__(self, flag: Optional[int]):
        super().__init__()
        self.flag = flag

    def forward(self, x: Tensor, y: Optional[Tensor] = None, n: Optional[int] = None):
        if y is None:
            y = torch.ones_like(x)
        assert y is not None
        flag = self.flag
        if flag is not None:
            y = y + flag
        return x + y if n is None else x * n


class Texts(nn.Module):
    def forward(self, x: Tensor):
        s = "a{}c".format(1) + "%d" % 2 + f"x{x.size(0)}"
        t = s.upper()
        parts = "1,2,3".split(",")
        n = 0
        for p in parts:
            n += int(p)
        ok = s.startswith("a1c") and "c2" in s and s.endswith("x" + str(x.size(0)))
        ok2 = "-".join(parts) == "1-2-3" and s.replace("a", "b")[0] == "b" and s.find("c") == 2 and " q ".strip() == "q" and t.lower() == s
        return x + n, ok, ok2, len(s), float("2.5"), ord("a") if False else 97


class Color(Enum):
    RED = 1
    GREEN = 2


class Enums(nn.Module):
    color: Color

    def __init__(self):
        super().__init__()
        self.color = Color.GREEN

    def forward(self, x: Tensor):
        if self.color == Color.RED:
            return x
        return x * self.color.value


@torch.jit.script
class Counter:
    def __init__(self, start: int):
        self.n = start

    def add(self, k: int) -> int:
        self.n += k
        return self.n


class Objects(nn.Module):
    def forward(self, x: Tensor):
        c = Counter(2)
        c.add(3)
        return x * c.add(1), c.n


def helper(x: Tensor, n: int = 2) -> Tensor:
    return x * n


def fib(n: int) -> int:
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return a


class Functions(nn.Module):
    def forward(self, x: Tensor):
        return helper(x) + helper(x, n=5), fib(x.size(0))


class Inner(nn.Module):
    __constants__ = ["k"]

    def __init__(self, k):
        super().__init__()
        self.k = k
        self.weight = nn.Parameter(torch.full((3,), float(k)))

    def forward(self, x: Tensor):
        return x * self.weight + self.k

    @torch.jit.export
    def other(self, x: Tensor):
        return x - self.weight


class Modules(nn.Module):
    def __init__(self):
        super().__init__()
        self.list = nn.ModuleList([Inner(1), Inner(2)])
        self.dict = nn.ModuleDict({"a": Inner(3), "b": nn.ReLU()})
        self.seq = nn.Sequential(Inner(4), nn.Identity(), nn.Tanh())
        self.shared = self.list[0]
        self.register_buffer("buffer", torch.arange(3.0))
        self.register_buffer("none", None)
        self.numbers = [1, 2]
        self.table = {"x": 1.5}
        self.pair = (2, "y")

    def forward(self, x: Tensor):
        for m in self.list:
            x = m(x)
        for i, m in enumerate(self.list):
            x = x + m.other(x) * i
        for k, m in self.dict.items():
            x = m(x)
        if self.none is None:
            x = x + self.buffer
        return self.seq(x), self.shared(x), x * self.numbers[1] + self.table["x"] * self.pair[0]


class Raises(nn.Module):
    def forward(self, x: Tensor):
        if x.size(0) > 3:
            raise ValueError("too many: {}".format(x.size(0)))
        assert x.dim() == 2, "two dimensions"
        return x


class Numbers(nn.Module):
    def forward(self, x: Tensor, a: int, b: float, c: bool):
        n = a // 2 + a % 3 - (a << 1) + (a & 6) + (a ^ 3) + abs(-a) + int(round(b)) + int(b)
        f = a / 2 + b**2 + float(a) + math_like(b)
        return x * n + f, n, f, not c, c and a > 1, a if c else n, max(a, 3), min(b, 2.0), bool(a), a != 3, 1e-3, 1_000


def math_like(x: float) -> float:
    return math.sqrt(x * x) + math.floor(x) + math.ceil(x) + math.exp(0.0) + math.log(1.0) + math.pi + math.sin(0.0)


class Augmented(nn.Module):
    def forward(self, x: Tensor):
        y = x.clone()
        z = y
        y += 1
        y *= 2
        n = 3
        n -= 1
        n *= 4
        y[0] += n
        return y, z, n


class Isinstance(nn.Module):
    def forward(self, x: Tensor, n: int):
        ok = torch.jit.isinstance(x, Tensor) if False else True
        if isinstance(n, int):
            return x + n
        return x


class Comprehension(nn.Module):
    def forward(self, x: Tensor):
        return [x[i] for i in range(x.size(0))], {i: i * i for i in range(3)}[2], [a + b for a, b in zip([1, 2], [3, 4])][1]


class Globals(nn.Module):
    def forward(self, x: Tensor):
        return x.to(torch.float64) if x.dtype == torch.float32 else x, torch.finfo(torch.float32).eps if False else 0.5, x.device.type == "cpu", x.layout == torch.strided if False else True


class ShapeLogic(nn.Module):
    def forward(self, x: Tensor):
        b, c, h = x.shape
        if h % 2 == 1:
            x = torch.nn.functional.pad(x, [0, 1])
        y = x.view(b, c, x.size(2) // 2, 2)
        out: List[Tensor] = []
        for i in range(y.size(2)):
            out.append(y[:, :, i].sum(-1))
        return torch.stack(out, 2) if len(out) > 1 else out[0]


class Windows(nn.Module):
    """Parts of an image in windows, the size of which follows from the image."""

    def forward(self, x: Tensor):
        n, c, h, w = x.shape
        p = (4 - h % 4) % 4
        q = (4 - w % 4) % 4
        x = torch.nn.functional.pad(x, [0, q, 0, p])
        n, c, h, w = x.shape
        y = x.view(n, c, h // 4, 4, w // 4, 4).permute(0, 2, 4, 3, 5, 1).reshape(-1, 16, c)
        y = y - y.mean(1, keepdim=True)
        z = y.view(n, h // 4, w // 4, 4, 4, c).permute(0, 5, 1, 3, 2, 4).reshape(n, c, h, w)
        return z[:, :, : h - p, : w - q]


class Checkpointed(nn.Module):
    @torch.jit.unused
    def unused(self, x: Tensor) -> Tensor:
        raise RuntimeError("not here")

    def forward(self, x: Tensor):
        if not torch.jit.is_scripting():
            return self.unused(x)
        if self.training:
            return x * 100
        return x + 1


class Scope:
    """What "with" enters and leaves."""

    def __init__(self, n: int):
        self.n = n

    def __enter__(self):
        self.n += 1
        return self.n

    def __exit__(self, type: Any, value: Any, tb: Any):
        self.n += 10


class With(nn.Module):
    def forward(self, x: Tensor):
        s = Scope(1)
        with s as n:
            y = x * n
        return y, s.n


class MultiOutput(nn.Module):
    def forward(self, x: Tensor):
        return {"out": x, "aux": [x + 1, x + 2]} if False else {"out": x, "aux": x + 1}


class Divmod(nn.Module):
    def forward(self, x: Tensor, n: int):
        q, m = divmod(x.size(0) - 5, n)
        f, g = divmod(float(n), -1.5)
        return x[: abs(q)] * m, divmod(-7, n), f, g, torch.full((2, x.size(0)), int(x.sum().item()) + n), torch.full_like(x, float(x[0])), x.new_full([3], x.max().item())


def cases(s):
    r = s.rand
    add = lambda m, *runs, **k: s.module(m.eval(), *runs, **k)
    add(Branches(), (r(2, 3), 3), (r(2, 3), 2), (r(5, 3), 1), (r(5, 3), 0))
    add(Loops(), (r(3, 3), 2), (r(3, 3), 6), (r(3, 3), 0))
    add(EarlyReturn(), (r(2, 3), True), (r(2, 3), False), (r(7, 3), False))
    add(Lists(), r(2, 2), r(3, 2))
    add(Dicts(), r(2, 2), r(3, 2))
    add(Tuples(), r(2, 2), r(3, 2))
    add(Takes(), ((r(2), r(2)),), ((r(3), r(3)), 0.5), ((r(3), r(3)), 1.5, r(3)))
    add(TakesList(), ([r(2), r(2)],), ([r(2), r(2), r(2)],))
    add(Optionals(3), r(2), (r(2), r(2)), (r(2), r(2), 4))
    add(Optionals(None), r(2), (r(3), r(3)))
    add(Texts(), r(2), r(3))
    add(Enums(), r(2))
    add(Objects(), r(2))
    add(Functions(), r(2), r(7))
    add(Modules(), r(2, 3), r(4, 3), tol=1e-5)
    add(Raises(), r(2, 3), r(5, 3), r(3))
    add(Numbers(), (r(2), 5, 1.5, True), (r(2), -4, 2.25, False), (r(3), 0, 0.5, True), tol=1e-6)
    add(Augmented(), r(2, 3), r(3, 3))
    add(Isinstance(), (r(2), 3))
    add(Comprehension(), r(2, 3), r(3, 3))
    add(Globals(), r(2))
    add(ShapeLogic(), r(2, 3, 4), r(2, 3, 7), r(1, 3, 2))
    add(Windows(), r(1, 2, 8, 8), r(2, 2, 8, 8), r(1, 2, 7, 10), tol=1e-5)
    add(Checkpointed(), r(2))
    torch.jit.script(Scope)
    add(With(), r(2))
    add(MultiOutput(), r(2))
    frozen = torch.jit.freeze(torch.jit.script(Modules().eval()))
    s.module(None, r(2, 3), r(4, 3), what="frozen", scripted=frozen, tol=1e-5)
    s.module(None, r(2, 3), r(4, 3), what="traced", scripted=torch.jit.trace(Modules().eval(), r(2, 3)), tol=1e-5)
    s.module(None, r(1, 2, 8, 8), r(3, 2, 8, 8), what="Windows traced", scripted=torch.jit.trace(Windows(), r(1, 2, 8, 8), check_trace=False), tol=1e-5)
    add(Divmod(), (torch.arange(9.0), 4), (torch.arange(9.0) + 1, 4), (torch.arange(4.0) * 2, -3))
