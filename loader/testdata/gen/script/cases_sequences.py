"""Sequences as deployed models have them: nested tensors of TransformerEncoder, and recurrent networks and embeddings that were quantized dynamically. PyTorch 2.14 writes them."""

import torch
from torch import Tensor, nn
from torch.ao.quantization import float_qparams_weight_only_qconfig, convert, prepare, quantize_dynamic
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

NEEDS = (2, 14)


class Encoder(nn.Module):
    def __init__(self, layers=1, **options):
        super().__init__()
        layer = nn.TransformerEncoderLayer(8, 2, 12, batch_first=True, **options)
        self.net = nn.TransformerEncoder(layer, layers)

    def forward(self, x: Tensor, padding: Tensor):
        return self.net(x, src_key_padding_mask=padding)


class Unpadded(nn.Module):
    """Pads to the longest sequence, as PyTorch 1.12 does."""

    def __init__(self):
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(8, 2, 12, batch_first=True)

    def forward(self, x: Tensor, keep: Tensor):
        y = torch._nested_tensor_from_mask(x, keep)
        return torch._nested_tensor_from_mask_left_aligned(x, keep), self.layer(y).to_padded_tensor(2.0)


class Net(nn.Module):
    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x: Tensor):
        return self.net(x)


class Packed(nn.Module):
    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x: Tensor, lengths: Tensor):
        y, h = self.net(pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False))
        y, n = pad_packed_sequence(y, batch_first=True)
        return y, h


class Cells(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.LSTMCell(3, 4), nn.GRUCell(4, 4)
        self.c, self.d = nn.RNNCell(4, 4), nn.RNNCell(4, 4, nonlinearity="relu")

    def forward(self, x: Tensor):
        h, c = self.a(x)
        h, c = self.a(x, (h, c))
        g = self.b(h)
        return h, c, g, self.c(c, g), self.d(g, h)


class Bag(nn.Module):
    def __init__(self, **options):
        super().__init__()
        self.net = nn.EmbeddingBag(10, 8, mode="sum", **options)

    def forward(self, i: Tensor, offsets: Tensor):
        return self.net(i, offsets)


def weights(m, s):
    for p in m.parameters():
        p.data = s.rand(*p.shape, lo=-1, hi=1)
    return m.eval().requires_grad_(False)


def padding(*lengths, steps=5):
    return torch.arange(steps) >= torch.tensor(lengths)[:, None]


def cases(s):
    with torch.no_grad():
        nested(s)
        recurrent(s)
        embeddings(s)


def nested(s):
    runs = [(s.rand(2, 5, 8, lo=-1, hi=1), padding(3, 5)), (s.rand(3, 5, 8, lo=-1, hi=1), padding(1, 4, 2)), (s.rand(2, 5, 8, lo=-1, hi=1), torch.tensor([[True, False, False, True, False], [False] * 5]))]
    for options in ({}, {"norm_first": True}, {"activation": "gelu", "layers": 2}):
        m = weights(Encoder(**options), s)
        if not options:
            s.module(m, *runs, what="encoder", tol=1e-5)
        s.module(m, *runs[:2], what=f"encoder {options}, traced", tol=1e-5, scripted=torch.jit.trace(m, runs[0], check_trace=False))
    s.module(weights(Unpadded(), s), *((x, ~p) for x, p in runs), what="nested, to the longest", tol=1e-5)


def recurrent(s):
    runs = [(s.rand(2, 5, 3, lo=-1, hi=1),), (s.rand(3, 2, 3, lo=-1, hi=1),)]
    nets = {"lstm": nn.LSTM, "gru": nn.GRU}
    for name, net in nets.items():
        for options in ({}, {"num_layers": 2, "bidirectional": True, "batch_first": True}):
            q = quantize_dynamic(Net(weights(net(3, 4, **options), s)), {net}, dtype=torch.qint8)
            s.module(q, *runs, what=f"dynamic {name} {options}", tol=1e-5)
        q = quantize_dynamic(Packed(weights(net(3, 4, batch_first=True), s)), {net}, dtype=torch.qint8)
        s.module(q, (runs[0][0], torch.tensor([5, 3])), (runs[1][0], torch.tensor([1, 2, 1])), what=f"dynamic {name}, packed", tol=0.03)
    q = quantize_dynamic(weights(Cells(), s), {nn.LSTMCell, nn.GRUCell, nn.RNNCell}, dtype=torch.qint8)
    s.module(q, *((s.rand(n, 3, lo=-1, hi=1),) for n in (2, 3)), what="dynamic cells", tol=1e-5)


def quantized(m):
    return convert(prepare(m, inplace=False), inplace=False)


def embeddings(s):
    i, offsets = torch.tensor([1, 9, 3, 0, 7, 7]), torch.tensor([0, 2, 5])
    config = float_qparams_weight_only_qconfig  # files with tables of 4 bits are ones that PyTorch 2.14 does not load itself
    m = nn.Sequential(weights(nn.Embedding(10, 8), s))
    m[0].qconfig = config
    s.module(quantized(m), i, i[:3].reshape(3, 1), what="embedding of bytes", tol=1e-6)
    b = weights(Bag(), s)
    b.net.qconfig = config
    s.module(quantized(b), (i, offsets), (i[:4], offsets[:1]), what="embedding bag of bytes", tol=1e-6)
