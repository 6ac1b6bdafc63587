"""Writes the fixtures of this package: code files of small torch.jit.save archives.

Run with a Python that has torch 1.13 or later, in any directory. Each case is
saved, and the code of its archive lands in testdata/CASE.py, one file after the
other, each under a comment with its path. legacy.py is written by hand: the
first archive format, which no current PyTorch produces.
"""

import io
import os
import zipfile
from enum import Enum
from typing import Any, Dict, List, NamedTuple, Optional, Tuple, Union

import torch
from torch import Tensor, nn
from torch.ao.quantization import get_default_qconfig_mapping, quantize_dynamic
from torch.ao.quantization.quantize_fx import convert_fx, prepare_fx

HERE = os.path.dirname(os.path.abspath(__file__))


class Color(Enum):
    RED = 1
    GREEN = 2


class Label(Enum):
    A = "a"
    B = "b"


class Point(NamedTuple):
    x: Tensor
    n: int = 3


@torch.jit.interface
class Layer(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        pass


@torch.jit.interface
class Adder:
    def one(self, x: int, y: Tensor) -> Tensor:
        pass


@torch.jit.script
class Counter(object):
    def __init__(self, a: int):
        self.a = a
        self.items: List[Optional[int]] = []

    def __enter__(self):
        self.a += 1
        return self

    def __exit__(self, t: Any, v: Any, tb: Any):
        self.a -= 1

    def inc(self, by: int = 1) -> int:
        self.a += by
        return self.a

    def one(self, x: int, y: Tensor) -> Tensor:
        return y + x


class Scale(nn.Module):
    def __init__(self, k):
        super().__init__()
        self.k = k
        self.register_buffer("buf", torch.ones(2))
        self.w = nn.Parameter(torch.ones(2))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.k + self.buf * self.w


def free(x: Tensor, s: float = 1e-5, o: Optional[List[int]] = None,
         name: str = "a\"b\\\n\t\x01") -> Tuple[Tensor, Dict[str, int]]:
    d = {"k": 1, name: 2}
    if o is not None:
        d["l"] = len(o)
    return x * s, d


def plus_one(x: int) -> int:
    return x + 1


def use_adder(a: Adder, x: Tensor) -> Tensor:
    return a.one(1, x)


class Constructs(nn.Module):
    t2: Optional[Tensor]
    layer: Layer

    def __init__(self):
        super().__init__()
        self.l = nn.ModuleList([Scale(1), Scale(2)])
        self.d = nn.ModuleDict({"a-b": Scale(3), "c": Scale(4)})
        self.seq = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
        self.kk = 3
        self.fl = 0.1
        self.lst = [1, 2]
        self.dct = {"a": 1}
        self.st = "hi"
        self.t2 = None
        self.dev = torch.device("cpu")
        self.layer = Scale(9)
        self.plain = torch.ones(2, 2)
        self.register_buffer("bb", None)

    @torch.jit.export
    def other(self, x: Tensor, i: int = -1, fl: float = float("inf"), b: bool = False) -> int:
        if b:
            raise ValueError("bad {}".format(i))
        assert i < 3, "assert msg"
        return int(x.sum())

    def forward(self, x: Tensor, n: int, s: str, q: Union[int, str], lst: List[Tensor], anyv: Any):
        for m in self.l:
            x = m(x)
        for k, m in self.d.items():
            x = m(x)
        x = self.layer.forward(self.seq(x))
        y, dd = free(x, o=[1, 2], name="é")
        for i in range(n):
            if i == 3:
                break
            if i > 5:
                continue
            x = x + i
        while n > 0:
            n -= 2
        t = self.t2
        if t is not None:
            x = x + t
        c = Counter(3)
        x = use_adder(c, x)
        with c as cc:
            x = x + cc.inc()
        with torch.no_grad():
            x = x * 2
        col = Color.RED
        if n > 0:
            col = Color.GREEN
        if isinstance(q, int):
            x = x + q
        a = [i * 2 for i in range(n)]
        dc = {i: i for i in range(n)}
        px, pn = Point(x, 2)
        z = x[0, 1:2, ..., None, ::2]
        z2 = x[:, x > 0]
        lst[0] = px
        lst2 = lst[1:3]
        lst2[-1] += 1
        values: List[float] = x.tolist()
        fut = torch.jit.fork(plus_one, 3)
        r = torch.jit.wait(fut)
        f = "{} and {}".format(n, s)
        b = n > 1 and n < 5 or not (n == 3)
        f2 = 1e-7 + n // 2 + n % 3 + 3.0 * n
        f3 = (n & 1) | (n ^ 2) << 1
        d3 = torch.zeros([2, 3], dtype=torch.int64, device=torch.device("cpu"))
        moved = x.to(self.dev, torch.float16)
        print(x, n)
        del lst[0]
        emptyd: Dict[str, Tensor] = {}
        isn = isinstance(anyv, (list, tuple))
        word = s.split(",")[0].upper()
        const = torch.tensor([1., 2.])
        rr: Optional[Tuple[int, Tuple[()]]] = None
        pick = Label.A
        if n > 1:
            pick = Label.B
        more = (values[0] > 2.0, -9223372036854775807 - 1, 2.5 + 1j, float("nan"), float("-inf"), rr, const, dc, a)
        return x, y, z, z2, pn, (1, 2.0, "s", None), (x,), f, b, col.name, col.value, pick, d3, moved, word, isn, emptyd, f2, f3, r, more


class Traced(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4), nn.ReLU(inplace=True),
                                  nn.MaxPool2d(2))
        self.depthwise = nn.Conv2d(4, 4, 3, groups=4)
        self.fc = nn.Linear(4, 2)

    def forward(self, x):
        a, b = self.body(x).chunk(2, 1)
        x = self.depthwise(torch.cat([a, b], 1))[:, :, ::2, ::2]
        x = nn.functional.adaptive_avg_pool2d(x, 1)
        return self.fc(torch.flatten(x, 1)).softmax(-1) * torch.tensor([1.5, 2.5])


class Small(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 2, 1)
        self.fc = nn.Linear(2, 2)

    def forward(self, x):
        y = torch.relu(self.conv(x))
        y = torch.cat([y + x, y], 1)[:, :2]
        return self.fc(y.mean([2, 3]))


def quantized():
    x = torch.randn(1, 2, 4, 4)
    prepared = prepare_fx(Small().eval(), get_default_qconfig_mapping(torch.backends.quantized.engine), (x,))
    prepared(x)
    return torch.jit.trace(convert_fx(prepared), x, check_trace=False)


def main():
    torch.manual_seed(0)
    torch.backends.quantized.engine = "onednn"
    constructs = torch.jit.script(Constructs())
    cases = {
        "constructs": constructs,
        "traced": torch.jit.trace(Traced().eval(), torch.randn(1, 3, 16, 16), check_trace=False),
        "quantized": quantized(),
        "dynamic": torch.jit.script(quantize_dynamic(nn.Sequential(nn.Linear(2, 2), nn.ReLU()), dtype=torch.qint8)),
        "lstm": torch.jit.script(nn.LSTM(2, 3, bidirectional=True)),
        "encoder": torch.jit.trace(nn.TransformerEncoderLayer(4, 2, 8, activation="gelu").eval(),
                                   torch.randn(2, 1, 4), check_trace=False),
    }
    for name, module in cases.items():
        buffer = io.BytesIO()
        torch.jit.save(module, buffer)
        with zipfile.ZipFile(buffer) as archive, open(os.path.join(HERE, "..", name + ".py"), "wb") as f:
            for member in archive.namelist():
                if member.endswith(".py"):
                    path = member.split("/code/", 1)[1]
                    f.write(b"# " + path.encode() + b"\n" + archive.read(member))


if __name__ == "__main__":
    main()
