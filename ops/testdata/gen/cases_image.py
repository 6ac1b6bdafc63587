"""Borders, columns of images, shuffles, one-hot vectors."""

import torch
import torch.nn.functional as F


def flat(before, after):
    """The pad argument of torch: from the last dimension on."""
    out = []
    for b, a in reversed(list(zip(before, after))):
        out += [b, a]
    return out


def cases(s):
    for shape, before, after in [([2, 3, 5], [0, 0, 2], [0, 0, 1]), ([2, 3, 5], [0, 0, 4], [0, 0, 4]), ([2, 3, 5], [0, 0, 5], [0, 0, 0]), ([2, 3, 5], [0, 0, 6], [0, 0, 0]), ([1, 2, 3, 4], [0, 0, 1, 2], [0, 0, 2, 1]),
                                 ([1, 2, 3, 4], [0, 0, 0, 1], [0, 0, 2, 0]), ([1, 2, 3, 4], [0, 0, 1, 0], [0, 0, 0, 0]), ([1, 2, 4, 4], [0, 0, -1, 2], [0, 0, 2, -1]), ([1, 1, 2, 3, 4], [0, 0, 1, 1, 1], [0, 0, 1, 2, 3]),
                                 ([1, 2, 1], [0, 0, 1], [0, 0, 1]), ([2, 3, 300], [0, 0, 7], [0, 0, 9]), ([1, 2, 3], [0, 0, -2], [0, 0, -1])]:
        for mode in ["reflect", "replicate", "circular"]:
            if mode == "circular" and min(before + after) < 0:
                continue
            p = flat(before[2:], after[2:])
            s.add("pad_mode", {"Fn": mode, "Before": before, "After": after}, [s.rand(*shape)], lambda x: F.pad(x, p, mode))
    settings = [([2, 3, 4, 5], 3, 1, 1, 1), ([1, 2, 5, 5], 2, 2, 0, 1), ([1, 1, 6, 7], [3, 2], [2, 1], [1, 2], [2, 1]), ([0, 2, 4, 4], 2, 1, 0, 1), ([1, 2, 3, 3], 4, 1, 0, 1), ([2, 1, 4, 4], 1, 3, 4, 1), ([3, 3, 12, 12], 3, 1, 1, 1)]
    for shape, *window in settings:
        kernel, stride, padding, dilation = [[v, v] if isinstance(v, int) else v for v in window]
        a = {"Kernel": kernel, "Stride": stride, "Padding": padding, "Dilation": dilation}
        x = s.rand(*shape)
        s.add("unfold", a, [x], lambda x: F.unfold(x, kernel, dilation, padding, stride))
        try:
            columns = F.unfold(x, kernel, dilation, padding, stride)
        except RuntimeError:
            columns = torch.zeros(1, 4, 4)
        if shape[0] < 3:
            s.add("fold", dict(a, Size=shape[2:]), [columns], lambda x: F.fold(x, shape[2:], kernel, dilation, padding, stride), 1e-6)
            s.add("fold", dict(a, Size=[d + 7 for d in shape[2:]]), [columns], lambda x: F.fold(x, [d + 7 for d in shape[2:]], kernel, dilation, padding, stride), 1e-6)
    for shape in [[2, 8, 3, 4], [4, 2, 2], [2, 3, 18, 6, 6], [1, 3, 2, 2], [0, 4, 2, 2], [3, 4]]:
        for r in [1, 2, 3]:
            s.add("pixel_shuffle", {"Factor": r}, [s.rand(*shape)], lambda x: F.pixel_shuffle(x, r))
            if 0 not in shape:  # which it leaves unchanged
                s.add("pixel_shuffle", {"Factor": r, "Reverse": True}, [s.rand(*shape)], lambda x: F.pixel_unshuffle(x, r))
            if len(shape) == 4 and shape[0]:
                s.add("channel_shuffle", {"Groups": r}, [s.rand(*shape)], lambda x: F.channel_shuffle(x, r))
    for index in [torch.tensor([0, 2, 1]), torch.tensor([[1, 0], [3, 2]]), torch.tensor(2), torch.zeros(0, dtype=torch.int64), torch.tensor([-1, 0]), torch.tensor([0, 1], dtype=torch.int32)]:
        for n in [3, 4, 9]:
            s.add("one_hot", {"Classes": n}, [index], lambda i: F.one_hot(i, n))
        s.add("one_hot", {"Classes": -1}, [index], lambda i: F.one_hot(i, -1), known=[0])
