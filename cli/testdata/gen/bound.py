"""Makes ../bound.pt, a small scripted model whose inputs are an optional tensor, a dict and a named tuple, of which arrays
of data are the parts by name. PyTorch 1.13 wrote it."""

import os
from typing import Dict, NamedTuple, Optional

import torch


class Pair(NamedTuple):
    left: torch.Tensor
    right: torch.Tensor


class Bound(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.a = torch.nn.Linear(4, 8)
        self.b = torch.nn.Linear(8, 3)

    def forward(self, x: torch.Tensor, mask: Optional[torch.Tensor], parts: Dict[str, torch.Tensor], pair: Pair):
        if mask is not None:
            x = x * mask
        return self.b(torch.relu(self.a(x + parts["u"]))) + pair.left - pair.right


torch.manual_seed(0)
torch.jit.script(Bound().eval()).save(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "bound.pt"))
