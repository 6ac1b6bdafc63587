"""Products added to something."""

import torch


def cases(s):
    for fn, x, a, b in [(torch.addmm, [2, 4], [2, 3], [3, 4]), (torch.addmm, [4], [2, 3], [3, 4]), (torch.addmm, [2, 1], [2, 3], [3, 4]), (torch.addmm, [], [2, 3], [3, 4]), (torch.addmm, [3, 4], [2, 3], [3, 4]),
                        (torch.addmm, [1, 2, 4], [2, 3], [3, 4]), (torch.baddbmm, [2, 3, 5], [2, 3, 4], [2, 4, 5]), (torch.baddbmm, [3, 1], [2, 3, 4], [2, 4, 5]), (torch.addmv, [2], [2, 3], [3]), (torch.addmm, [2, 4], [2, 0], [0, 4]), (torch.addmm, [4], [0, 3], [3, 4])]:
        for beta, alpha in [(1, 1), (0.5, 1), (1, 2.5), (0, 1), (-1, 0.3), (0, 2)]:
            x_ = s.rand(*x)
            if beta == 0 and x_.numel() and fn != torch.baddbmm:  # documented, but small baddbmm scale it
                x_.view(-1)[0] = float("nan")
            s.add("addmm", {"Beta": beta, "Alpha": alpha}, [x_, s.rand(*a), s.rand(*b)], lambda x, a, b: fn(x, a, b, beta=beta, alpha=alpha), 1e-6)
