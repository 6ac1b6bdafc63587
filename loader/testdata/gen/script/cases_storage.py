"""Integers of types that PyTorch stores and converts only, from PyTorch 2.14."""

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
