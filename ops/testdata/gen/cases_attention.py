"""Scaled dot-product attention, from its definition: PyTorch 1.13 has no public function of it."""

import math

import torch


def cases(s):
    for q, k, v in [([3, 4], [5, 4], [5, 4]), ([2, 3, 4], [2, 5, 4], [2, 5, 6]), ([2, 2, 7, 8], [2, 2, 7, 8], [2, 2, 7, 8]), ([1, 1, 1, 1], [1, 1, 1, 1], [1, 1, 1, 1]), ([1, 1, 130, 3], [1, 1, 20, 3], [1, 1, 20, 2]), ([2, 9, 16, 4], [2, 9, 17, 4], [2, 9, 17, 3]), ([0, 3, 4], [0, 5, 4], [0, 5, 4])]:
        masks = [None, "causal", []]
        scores = q[:-1] + [k[-2]]
        masks += [] if q[-2] > 100 else [scores, scores[-1:], scores[-2:], [1] * (len(q) - 1) + scores[-1:]]
        for mask in masks:
            for boolean in [False, True] if isinstance(mask, list) else [False]:
                for scale in [0, 0.3] if mask is None else [0]:
                    tensors = [s.rand(*q), s.rand(*k), s.rand(*v)]
                    has = isinstance(mask, list)
                    if has:
                        m = s.rand(*mask, dtype=torch.bool) if boolean else s.rand(*mask)
                        if boolean and m.dim():
                            m[..., 0] = True  # a row with nothing left has no value
                        tensors.append(m if m.dim() else torch.ones_like(m))

                    def f(q, k, v, m=None):
                        a = q @ k.transpose(-1, -2) * (scale or 1 / math.sqrt(q.shape[-1]))
                        if m is not None:
                            a = a.masked_fill(~m, -math.inf) if m.dtype == torch.bool else a + m
                        if mask == "causal":
                            a = a.masked_fill(~torch.ones(a.shape[-2:], dtype=torch.bool).tril(), -math.inf)
                        return torch.softmax(a, -1) @ v

                    s.add("attention", {"Scale": scale, "Causal": mask == "causal", "HasMask": has}, tensors, f, 4e-6)
    s.add("attention", {}, [s.rand(3, 4), s.rand(5, 3), s.rand(5, 4)], lambda q, k, v: q @ k.t())
    s.add("attention", {"HasMask": True}, [s.rand(3, 4), s.rand(5, 4), s.rand(5, 4), s.rand(4, 5)], lambda q, k, v, m: q @ k.t() + m)
