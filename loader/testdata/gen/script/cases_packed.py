"""Packed sequences and projections of recurrent networks."""

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence


class Packed(nn.Module):
    def __init__(self, net, first: bool, ordered: bool):
        super().__init__()
        self.net, self.first, self.ordered = net, first, ordered

    def forward(self, x: Tensor, lengths: Tensor):
        p = pack_padded_sequence(x, lengths, batch_first=self.first, enforce_sorted=self.ordered)
        y, h = self.net(p)
        y, n = pad_packed_sequence(y, batch_first=self.first)
        return y, n, h


class PackedTwo(Packed):
    """With initial states, elements that are changed in packed form, and a length to pad to."""

    def forward(self, x: Tensor, lengths: Tensor, h: Tensor, c: Tensor):
        p = pack_padded_sequence(x, lengths, batch_first=self.first, enforce_sorted=self.ordered)
        p = PackedSequence(torch.relu(p.data) - 0.5, p.batch_sizes, p.sorted_indices, p.unsorted_indices)
        y, (h, c) = self.net(p, (h, c))
        y, n = pad_packed_sequence(y, batch_first=self.first, padding_value=-1.0, total_length=x.size(1) if self.first else x.size(0))
        return y.max(1)[0], n, h, c


class Mean(nn.Module):
    """Packs and unpacks alone."""

    def forward(self, x: Tensor, lengths: Tensor):
        p = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        y, n = pad_packed_sequence(p, batch_first=True, padding_value=9.0)
        return y, n, p.data.sum(0), p.batch_sizes


def weights(m, s):
    for p in m.parameters():
        p.data = s.rand(*p.shape, lo=-1, hi=1)
    return m.eval()


def cases(s):
    lengths = [torch.tensor(v) for v in ([5, 3, 1], [4, 4, 4], [5, 5, 2], [1, 1, 1], [2])]
    mixed = [torch.tensor(v) for v in ([1, 5, 3], [3, 1, 2], [4, 4, 4], [2, 1, 2], [2])]
    nets = {
        "gru": lambda **o: nn.GRU(3, 4, **o), "lstm": lambda **o: nn.LSTM(3, 4, **o), "tanh": lambda **o: nn.RNN(3, 4, **o), "relu": lambda **o: nn.RNN(3, 4, nonlinearity="relu", **o),
    }
    for name, net in nets.items():
        for first, both, layers, ordered in [(True, False, 1, True), (False, True, 2, False), (True, True, 1, False)]:
            if name in ("tanh", "relu") and layers == 1 and not both:
                continue
            m = Packed(weights(net(batch_first=first, bidirectional=both, num_layers=layers, bias=name != "relu"), s), first, ordered)
            runs = [(s.rand(*((len(n), 5) if first else (5, len(n))), 3), n) for n in (lengths if ordered else mixed)]
            s.module(m, *runs, what=f"packed {name}", tol=1e-5)
            s.module(m, *runs[:4], what=f"packed {name}, traced", tol=1e-5, scripted=torch.jit.trace(m, runs[0], check_trace=False))
    m = PackedTwo(weights(nn.LSTM(3, 4, num_layers=2, bidirectional=True, batch_first=True), s), True, False)
    runs = [(s.rand(len(n), 6, 3), n, s.rand(4, len(n), 4), s.rand(4, len(n), 4)) for n in mixed]
    s.module(m, *runs, what="packed, with states", tol=1e-5)
    runs = [(s.rand(len(n), 5, 3), n) for n in mixed]
    s.module(Mean(), *runs, (s.rand(2, 5, 3), torch.tensor([2, 0])), what="packed and unpacked")
    # Projections.
    for both, layers, first, bias in [(False, 1, True, True), (True, 2, False, True), (False, 2, True, False)]:
        m = weights(nn.LSTM(3, 5, proj_size=2, num_layers=layers, bidirectional=both, batch_first=first, bias=bias), s)
        d = layers * (1 + both)
        with_states = s.define("(self, x: Tensor, h: Tensor, c: Tensor):\n    return self.net(x, (h, c))")
        with_states.net = m
        s.module(with_states, *[(s.rand(2, 4, 3), s.rand(d, *([2, 2] if first else [4, 2])), s.rand(d, *([2, 5] if first else [4, 5])))], what="projection with states", tol=1e-5)
        alone = s.define("(self, x: Tensor):\n    return self.net(x)")
        alone.net = m
        s.module(alone, s.rand(2, 4, 3), s.rand(3, 1, 3), s.rand(4, 3), what="projection", tol=1e-5)
        runs = [(s.rand(*((len(n), 5) if first else (5, len(n))), 3), n) for n in mixed]
        s.module(Packed(m, first, False), *runs, what="packed, with a projection", tol=1e-5)
