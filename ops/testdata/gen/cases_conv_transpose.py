"""Transposed convolution."""

import torch
import torch.nn.functional as F

FUNCTIONS = [F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d]


def cases(s):
    settings = [
        # x, weight, stride, padding, output padding, groups, dilation
        ([2, 3, 5], [3, 4, 3], 1, 0, 0, 1, 1), ([2, 3, 5], [3, 4, 3], 2, 1, 1, 1, 1), ([1, 4, 6], [4, 3, 4], 3, 2, 0, 2, 2), ([1, 1, 1], [1, 1, 1], 1, 0, 0, 1, 1),
        ([1, 2, 4], [2, 3, 1], 3, 0, 2, 1, 1), ([0, 2, 4], [2, 3, 2], 2, 0, 0, 1, 1),
        ([2, 3, 4, 5], [3, 5, 3, 3], 1, 1, 0, 1, 1), ([1, 8, 4, 4], [8, 6, 2, 2], 2, 0, 0, 1, 1), ([1, 4, 3, 4], [4, 2, 4, 4], 2, 1, 0, 1, 1),
        ([1, 4, 3, 4], [4, 2, 3, 3], 2, 1, 1, 2, 1), ([1, 4, 3, 4], [4, 1, 3, 3], 2, 1, 1, 4, 1), ([1, 3, 4, 4], [3, 2, 3, 2], [2, 3], [1, 0], [1, 2], 1, [2, 1]),
        ([1, 3, 4, 4], [3, 2, 3, 3], 1, 3, 0, 1, 3), ([1, 20, 4, 7], [20, 18, 4, 4], 2, 1, 0, 1, 1), ([1, 5, 3, 20], [5, 40, 3, 3], 2, 1, 1, 1, 1),
        ([1, 2, 2, 3, 2], [2, 3, 2, 2, 2], 2, 0, 0, 1, 1), ([1, 2, 2, 3, 2], [2, 3, 3, 2, 3], [2, 1, 2], [1, 0, 1], [1, 0, 0], 1, [1, 2, 1]),
        ([1, 3, 4], [2, 4, 3], 1, 0, 0, 1, 1), ([1, 3, 4], [3, 4, 3], 2, 1, 2, 1, 1), ([1, 3, 1], [3, 4, 1], 1, 1, 0, 1, 1),
        ([1, 3, 4], [3, 2, 3], 1, 0, 0, 2, 1),
    ]
    for x, w, stride, padding, output_padding, groups, dilation in settings:
        dims = len(w) - 2
        tuples = [[v] * dims if isinstance(v, int) else v for v in (stride, padding, output_padding, dilation)]
        attr = dict(zip(["Stride", "Padding", "OutputPadding", "Dilation"], tuples), Groups=groups)
        for bias in [True, False]:
            if not bias and x[1] > 4:
                continue
            for act in ["", "relu"] if bias and x[1] < 5 else [""]:
                inputs = [s.rand(*x), s.rand(*w)] + ([s.rand(w[1] * groups)] if bias else [])

                def f(x, w, b=None):
                    y = FUNCTIONS[dims - 1](x, w, b, tuples[0], tuples[1], tuples[2], groups, tuples[3])
                    return torch.relu(y) if act else y

                s.add("conv_transpose", dict(attr, HasBias=bias, Act=act), inputs, f, 2e-6)
