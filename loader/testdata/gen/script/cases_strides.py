"""What an elementwise operator makes of a tensor that lies in memory in another order lies in that order, too. So reshape and contiguous copy it, and what is written
to the copy does not reach it."""

import torch

RESULTS = [
    "x.transpose(1, 2) * 2",
    "torch.relu(x.permute(2, 0, 1))",
    "x.transpose(1, 2) + torch.ones([1, x.size(2), 1])",
    "torch.ones([x.size(2), 1]) + x.transpose(1, 2)",
    "x.transpose(1, 2) + x.reshape(x.size(0), x.size(2), x.size(1))",
    "x.reshape(x.size(0), x.size(2), x.size(1)) + x.transpose(1, 2)",
    "x[:, :, ::2].transpose(1, 2) * 1.5",
    "x.transpose(1, 2)[:, ::2].clone()",
    "x.transpose(1, 2).double()",
    "x.transpose(0, 2).flip([0])",
    "torch.zeros_like(x.transpose(1, 2))",
    "torch.full_like(x.transpose(1, 2) + 1, 3., memory_format=torch.contiguous_format)",
    "torch.where(x.transpose(1, 2) > 0, x.transpose(1, 2), torch.zeros([]))",
    "x.transpose(1, 2).masked_fill(x.transpose(1, 2) > 0, 0.)",
    "x.transpose(1, 2).softmax(-1)",
    "x.mean([1, 2], keepdim=True).expand(x.size(0), x.size(1), x.size(2)) + 1",
    "x.transpose(1, 2).sum(1, keepdim=True) * 2",
]


def cases(s):
    for result in RESULTS:
        body = f"y = {result}\n    flat = y.reshape(-1)\n    flat.add_(1)\n    whole = y.contiguous()\n    whole.mul_(3)\n    return y, flat, whole, torch.tensor(y.is_contiguous())"
        module = s.define(f"(self, x: Tensor):\n    {body}")
        s.module(module, *[(s.rand(*shape),) for shape in ((2, 5, 4), (3, 4, 6), (1, 4, 4))], what=result)
