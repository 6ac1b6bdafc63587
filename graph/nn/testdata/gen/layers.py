#!/usr/bin/python3
"""Records what PyTorch's layers compute, for the tests of package nn.

Usage: layers.py        writes ../layers.npz

Arrays are called CASE/RUN/x0 and CASE/RUN/y0 for the inputs and outputs of a run, and CASE/w/NAME for the entries of the
state_dict. Each layer runs twice, the second time with another batch and, where it can, with other extents.
"""

import os
from collections import OrderedDict

import numpy as np
import torch
from torch import nn

torch.manual_seed(1)
HERE = os.path.dirname(os.path.abspath(__file__))
arrays = {}


def case(name, module, *runs, call=lambda module, *x: module(*x)):
    """Records a module with the given lists of inputs. A parameter or buffer that begins with a constant is made random."""
    module = module.eval()
    with torch.no_grad():
        for key, t in module.state_dict().items():
            if t.dtype == torch.float32 and bool((t == t.flatten()[0]).all()):
                t.copy_(torch.rand_like(t) + 0.5 if key.endswith("var") else torch.randn_like(t) * 0.3)
    for key, t in module.state_dict().items():
        arrays[f"{name}/w/{key}"] = t.numpy()
    for run, x in enumerate(runs):
        with torch.no_grad():
            y = call(module, *x)
        flat = []
        for v in y if isinstance(y, tuple) else (y,):
            flat.extend(v if isinstance(v, tuple) else (v,))
        for kind, values in (("x", x), ("y", flat)):
            for i, t in enumerate(values):
                if t is not None:
                    arrays[f"{name}/{run}/{kind}{i}"] = t.detach().numpy()


def f32(*shape):
    return torch.randn(*shape)


class Attention(nn.Module):
    """MultiheadAttention without the weights that it gives too."""

    def __init__(self, *args, **kwargs):
        super().__init__()
        self.attn = nn.MultiheadAttention(*args, **kwargs)

    def forward(self, q, k, v, padding=None, mask=None):
        return self.attn(q, k, v, key_padding_mask=padding, attn_mask=mask, need_weights=False)[0]


# Convolutions.
case("conv1d", nn.Conv1d(4, 6, 3, stride=2, padding=1, dilation=2, groups=2), [f32(1, 4, 11)], [f32(3, 4, 14)])
case("conv2d_rectangular", nn.Conv2d(3, 5, (1, 3), stride=(2, 1), padding=(0, 2), dilation=(1, 2)), [f32(1, 3, 7, 9)], [f32(2, 3, 5, 8)])
case("conv2d_square", nn.Conv2d(3, 5, 3, padding=1, bias=False), [f32(1, 3, 6, 5)], [f32(2, 3, 7, 4)])
case("conv3d", nn.Conv3d(2, 3, (1, 2, 3), stride=(1, 2, 1), padding=(0, 1, 1)), [f32(1, 2, 3, 4, 5)], [f32(2, 2, 4, 3, 6)])
case("conv_transpose1d", nn.ConvTranspose1d(4, 6, 3, stride=2, padding=1, output_padding=1, groups=2), [f32(1, 4, 5)], [f32(2, 4, 7)])
case("conv_transpose2d", nn.ConvTranspose2d(3, 4, 4, stride=2, padding=1, bias=False), [f32(1, 3, 4, 3)], [f32(2, 3, 2, 5)])
case("conv_transpose2d_rectangular", nn.ConvTranspose2d(2, 3, (2, 3), stride=(2, 1), padding=(0, 1), output_padding=(1, 0), dilation=(1, 2)), [f32(1, 2, 4, 5)], [f32(2, 2, 3, 6)])
case("conv_transpose3d", nn.ConvTranspose3d(2, 3, (1, 2, 3), stride=(1, 2, 2), padding=(0, 0, 1), output_padding=(0, 0, 1)), [f32(1, 2, 2, 3, 4)], [f32(2, 2, 3, 2, 3)])

# Norms.
case("batch_norm1d", nn.BatchNorm1d(5), [f32(2, 5, 4)], [f32(3, 5, 6)])
case("batch_norm1d_flat", nn.BatchNorm1d(5), [f32(2, 5)], [f32(3, 5)])
case("batch_norm2d", nn.BatchNorm2d(3, eps=1e-3), [f32(1, 3, 4, 5)], [f32(2, 3, 2, 3)])
case("batch_norm3d", nn.BatchNorm3d(3), [f32(1, 3, 2, 3, 4)], [f32(2, 3, 3, 2, 1)])
case("group_norm", nn.GroupNorm(2, 6), [f32(1, 6, 4, 3)], [f32(2, 6, 5, 2)])
case("instance_norm2d", nn.InstanceNorm2d(3), [f32(1, 3, 4, 5)], [f32(2, 3, 3, 3)])
case("instance_norm2d_affine", nn.InstanceNorm2d(3, affine=True), [f32(1, 3, 4, 5)], [f32(2, 3, 3, 3)])
case("layer_norm", nn.LayerNorm(7), [f32(2, 3, 7)], [f32(1, 5, 7)])

# Pooling and resizing.
case("max_pool1d", nn.MaxPool1d(3, stride=2, padding=1, ceil_mode=True), [f32(1, 2, 8)], [f32(2, 2, 11)])
case("max_pool2d_rectangular", nn.MaxPool2d((2, 3), stride=(2, 1), padding=(0, 1)), [f32(1, 2, 6, 5)], [f32(2, 2, 5, 7)])
case("avg_pool1d", nn.AvgPool1d(3, padding=1), [f32(1, 2, 9)], [f32(2, 2, 7)])
case("avg_pool2d_rectangular", nn.AvgPool2d((3, 2)), [f32(1, 2, 7, 6)], [f32(2, 2, 6, 5)])
case("adaptive_avg_pool1d", nn.AdaptiveAvgPool1d(3), [f32(1, 2, 8)], [f32(2, 2, 7)])
case("adaptive_avg_pool2d_rectangular", nn.AdaptiveAvgPool2d((2, 3)), [f32(1, 2, 7, 8)], [f32(2, 2, 4, 5)])
case("upsample_nearest", nn.Upsample(scale_factor=2), [f32(1, 2, 3, 4)], [f32(2, 2, 4, 3)])
case("upsample_bilinear", nn.Upsample(size=(5, 7), mode="bilinear", align_corners=True), [f32(1, 2, 3, 4)], [f32(2, 2, 4, 3)])
case("pixel_shuffle", nn.PixelShuffle(2), [f32(1, 8, 3, 2)], [f32(2, 8, 2, 3)])
case("zero_pad2d", nn.ZeroPad2d((1, 2, 3, 0)), [f32(1, 2, 3, 4)], [f32(2, 2, 2, 3)])

# Functions of elements, and softmax.
for name, module in {
    "elu": nn.ELU(0.7), "gelu": nn.GELU(), "hardsigmoid": nn.Hardsigmoid(), "hardswish": nn.Hardswish(), "leaky_relu": nn.LeakyReLU(0.2), "leaky_relu_default": nn.LeakyReLU(),
    "log_sigmoid": nn.LogSigmoid(), "mish": nn.Mish(), "relu": nn.ReLU(), "relu6": nn.ReLU6(), "selu": nn.SELU(), "sigmoid": nn.Sigmoid(), "silu": nn.SiLU(),
    "softplus": nn.Softplus(2, 3), "softsign": nn.Softsign(), "tanh": nn.Tanh(), "softmax": nn.Softmax(dim=1), "log_softmax": nn.LogSoftmax(dim=-1),
    "prelu_one": nn.PReLU(init=0.2), "prelu_channels": nn.PReLU(3),
}.items():
    case(name, module, [f32(2, 3, 5) * 4], [f32(1, 3, 4) * 4])

# Layers with weights, and containers.
case("linear", nn.Linear(4, 3), [f32(2, 4)], [f32(5, 4)])
case("embedding", nn.Embedding(9, 4), [torch.tensor([[1, 8, 0]])], [torch.tensor([[3, 2], [7, 7]])])
case("container", nn.Sequential(OrderedDict(fc=nn.Linear(4, 6), act=nn.Hardswish(), drop=nn.Dropout(), id=nn.Identity(), out=nn.Linear(6, 2))), [f32(2, 4)], [f32(5, 4)])

# Recurrent layers.
case("lstm", nn.LSTM(4, 5), [f32(3, 2, 4)], [f32(6, 3, 4)])
case("lstm_deep", nn.LSTM(4, 3, num_layers=2, bidirectional=True, batch_first=True), [f32(2, 5, 4)], [f32(3, 2, 4)])
case("lstm_unbatched", nn.LSTM(4, 3, bias=False), [f32(5, 4)], [f32(2, 4)])
case("gru", nn.GRU(4, 5, num_layers=2), [f32(3, 2, 4)], [f32(6, 1, 4)])
case("gru_state", nn.GRU(4, 3, bidirectional=True, batch_first=True), [f32(2, 4, 4), f32(2, 2, 3)], [f32(3, 5, 4), f32(2, 3, 3)])
case("rnn_tanh", nn.RNN(4, 3), [f32(3, 2, 4)], [f32(5, 1, 4)])
case("rnn_relu", nn.RNN(4, 3, nonlinearity="relu", bias=False), [f32(3, 2, 4)], [f32(5, 1, 4)])

# Attention.
same = lambda t: [t, t, t]
case("attention", Attention(6, 2), same(f32(4, 2, 6)), same(f32(5, 3, 6)))
case("attention_cross", Attention(6, 3, batch_first=True, kdim=4, vdim=5), [f32(2, 3, 6), f32(2, 4, 4), f32(2, 4, 5)], [f32(1, 5, 6), f32(1, 2, 4), f32(1, 2, 5)])
case("attention_keys", Attention(6, 2, bias=False, batch_first=True), [f32(2, 3, 6)] + [f32(2, 4, 6)] * 2, [f32(1, 2, 6)] + [f32(1, 5, 6)] * 2)
case("attention_unbatched", Attention(6, 2), same(f32(4, 6)), same(f32(3, 6)))
padding = lambda n, s: torch.arange(s)[None] >= torch.tensor([s - 1 - i for i in range(n)])[:, None]
case("attention_padding", Attention(6, 2, batch_first=True), same(f32(2, 4, 6)) + [padding(2, 4)], same(f32(3, 5, 6)) + [padding(3, 5)])
causal = lambda n: torch.ones(n, n).triu(1).bool()
case("attention_masks", Attention(6, 2), same(f32(4, 2, 6)) + [padding(2, 4), causal(4)], same(f32(5, 3, 6)) + [padding(3, 5), causal(5)])
case("attention_heads_mask", Attention(6, 2), same(f32(4, 2, 6)) + [None, f32(4, 4, 4)], same(f32(5, 3, 6)) + [None, f32(6, 5, 5)])
case("encoder_layer", nn.TransformerEncoderLayer(6, 2, 8, batch_first=True), [f32(2, 3, 6)], [f32(3, 4, 6)])
encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(6, 3, 8, activation="gelu", norm_first=True), 2, nn.LayerNorm(6))
case("encoder", encoder, [f32(3, 2, 6)], [f32(5, 1, 6)])

# What came later, recorded behind the others so that those keep their values.
for d, sizes in ((1, (6,)), (2, (5, 6)), (3, (4, 5, 6))):
    conv = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}[d]
    other = tuple(n + 1 for n in sizes)
    for mode in ("reflect", "replicate", "circular"):
        if (d, mode) != (3, "reflect") or hasattr(nn, "ReflectionPad3d"):
            case(f"conv{d}d_{mode}", conv(2, 3, 3, padding=2, stride=2, padding_mode=mode), [f32(1, 2, *sizes)], [f32(2, 2, *other)])
    case(f"conv{d}d_same", conv(2, 3, 4, padding="same", dilation=1 if d == 3 else 2), [f32(1, 2, *sizes)], [f32(2, 2, *other)])
    case(f"conv{d}d_same_odd", conv(2, 3, 3, padding="same"), [f32(1, 2, *sizes)], [f32(2, 2, *other)])
    case(f"conv{d}d_same_circular", conv(2, 3, 4, padding="same", padding_mode="circular"), [f32(1, 2, *sizes)], [f32(2, 2, *other)])
    border = tuple(range(1, 2 * d + 1)) if d == 1 else (1, 2, 0, 3, 2, 1)[: 2 * d]
    pads = {"zero_pad": nn.ZeroPad2d if d == 2 else None, "constant_pad": getattr(nn, f"ConstantPad{d}d"), "reflection_pad": getattr(nn, f"ReflectionPad{d}d"),
            "replication_pad": getattr(nn, f"ReplicationPad{d}d")}
    for name, layer in pads.items():
        if layer is not None:
            args = (border, 0.5) if name == "constant_pad" else (border,)
            case(f"{name}{d}d_uneven", layer(*args), [f32(1, 2, *sizes)], [f32(2, 2, *other)])
class Pad(nn.Module):
    """The padding layers that PyTorch 1.13 has no classes of."""

    def __init__(self, border, mode):
        super().__init__()
        self.border, self.mode = border, mode

    def forward(self, x):
        return nn.functional.pad(x, self.border, self.mode)


case("circular_pad1d", Pad((1, 2), "circular"), [f32(1, 2, 4)], [f32(2, 2, 3)])
case("circular_pad2d", Pad((1, 2, 0, 3), "circular"), [f32(1, 2, 4, 3)], [f32(2, 2, 3, 5)])
case("circular_pad3d", Pad((1, 2, 0, 3, 2, 1), "circular"), [f32(1, 2, 2, 4, 3)], [f32(2, 1, 3, 3, 5)])
case("zero_pad1d", Pad((1, 2), "constant"), [f32(1, 2, 4)], [f32(2, 2, 3)])
case("zero_pad3d", Pad((1, 2, 0, 3, 2, 1), "constant"), [f32(1, 2, 2, 4, 3)], [f32(2, 1, 3, 3, 5)])
case("adaptive_max_pool1d", nn.AdaptiveMaxPool1d(3), [f32(1, 2, 8)], [f32(2, 2, 7)])
case("adaptive_max_pool2d", nn.AdaptiveMaxPool2d((2, 3)), [f32(1, 2, 7, 8)], [f32(2, 2, 4, 5)])
case("adaptive_max_pool2d_one", nn.AdaptiveMaxPool2d(1), [f32(1, 2, 7, 8)], [f32(2, 2, 4, 5)])
case("adaptive_max_pool3d", nn.AdaptiveMaxPool3d((1, 2, 3)), [f32(1, 2, 2, 3, 4)], [f32(2, 2, 3, 4, 5)])
case("adaptive_avg_pool3d", nn.AdaptiveAvgPool3d((1, 2, 3)), [f32(1, 2, 2, 3, 4)], [f32(2, 2, 3, 4, 5)])
case("max_pool3d", nn.MaxPool3d((1, 2, 3), stride=(1, 2, 1), padding=(0, 1, 1)), [f32(1, 2, 2, 4, 5)], [f32(2, 2, 3, 3, 4)])
case("avg_pool3d", nn.AvgPool3d((1, 2, 3), padding=(0, 1, 1)), [f32(1, 2, 2, 4, 5)], [f32(2, 2, 3, 3, 4)])
case("pixel_unshuffle", nn.PixelUnshuffle(2), [f32(1, 2, 4, 6)], [f32(2, 2, 2, 4)])
case("channel_shuffle", nn.ChannelShuffle(3), [f32(1, 6, 2, 3)], [f32(2, 6, 3, 1)])
case("instance_norm1d", nn.InstanceNorm1d(3, affine=True), [f32(1, 3, 4)], [f32(2, 3, 5)])
case("instance_norm3d", nn.InstanceNorm3d(3), [f32(1, 3, 2, 3, 4)], [f32(2, 3, 3, 2, 2)])
for name, module in {
    "celu": nn.CELU(0.7), "hardshrink": nn.Hardshrink(), "softshrink": nn.Softshrink(0.8), "threshold": nn.Threshold(0.3, -1.5), "hardtanh": nn.Hardtanh(),
    "hardtanh_range": nn.Hardtanh(-0.5, 2), "tanhshrink": nn.Tanhshrink(), "softmin": nn.Softmin(dim=1),
}.items():
    case(name, module, [f32(2, 3, 5) * 4], [f32(1, 3, 4) * 4])
case("glu", nn.GLU(), [f32(2, 3, 6)], [f32(1, 2, 4)])
case("glu_channels", nn.GLU(dim=1), [f32(2, 4, 3)], [f32(1, 6, 2)])
case("lstm_projected", nn.LSTM(4, 5, proj_size=3), [f32(3, 2, 4)], [f32(6, 3, 4)])
case("lstm_projected_deep", nn.LSTM(4, 5, num_layers=2, bidirectional=True, batch_first=True, proj_size=2), [f32(2, 5, 4)], [f32(3, 1, 4)])
state = lambda n: (f32(4, n, 2), f32(4, n, 5))


class States(nn.Module):
    """An LSTM with its states as arguments."""

    def __init__(self, *args, **kwargs):
        super().__init__()
        self.lstm = nn.LSTM(*args, **kwargs)

    def forward(self, x, h, c):
        return self.lstm(x, (h, c))


case("lstm_projected_states", States(4, 5, num_layers=2, bidirectional=True, proj_size=2), [f32(3, 2, 4), *state(2)], [f32(1, 3, 4), *state(3)])
case("lstm_projected_unbatched", nn.LSTM(4, 3, bias=False, proj_size=2), [f32(5, 4)], [f32(2, 4)])
case("rnn_bidirectional", nn.RNN(4, 3, num_layers=2, bidirectional=True, batch_first=True), [f32(2, 3, 4)], [f32(1, 5, 4)])

# Cells.
pair = lambda m, x, h, c: m(x, (h, c))
case("lstm_cell", nn.LSTMCell(4, 3), [f32(2, 4), f32(2, 3), f32(2, 3)], [f32(3, 4), f32(3, 3), f32(3, 3)], call=pair)
case("lstm_cell_start", nn.LSTMCell(4, 3, bias=False), [f32(2, 4)], [f32(1, 4)])
case("lstm_cell_unbatched", nn.LSTMCell(4, 3), [f32(4), f32(3), f32(3)], [f32(4), f32(3), f32(3)], call=pair)
case("gru_cell", nn.GRUCell(4, 3), [f32(2, 4), f32(2, 3)], [f32(3, 4), f32(3, 3)])
case("gru_cell_unbatched", nn.GRUCell(4, 3, bias=False), [f32(4)], [f32(4)])
case("rnn_cell", nn.RNNCell(4, 3), [f32(2, 4), f32(2, 3)], [f32(3, 4), f32(3, 3)])
case("rnn_cell_relu", nn.RNNCell(4, 3, nonlinearity="relu"), [f32(2, 4)], [f32(1, 4)])

# Decoders.
masked = lambda m, tgt, memory, *masks: m(tgt, memory, **dict(zip(("tgt_key_padding_mask", "tgt_mask", "memory_key_padding_mask", "memory_mask"), masks)))
case("decoder_layer", nn.TransformerDecoderLayer(6, 2, 8), [f32(3, 2, 6), f32(4, 2, 6)], [f32(2, 3, 6), f32(5, 3, 6)])
case("decoder_layer_masks", nn.TransformerDecoderLayer(6, 2, 8, batch_first=True, norm_first=True, activation="gelu", layer_norm_eps=1e-3),
     [f32(2, 4, 6), f32(2, 5, 6), padding(2, 4), causal(4), padding(2, 5), f32(4, 5)], [f32(2, 3, 6), f32(2, 4, 6), padding(2, 3), causal(3), padding(2, 4), f32(3, 4)], call=masked)
case("decoder_layer_memory", nn.TransformerDecoderLayer(6, 2, 8, batch_first=True),
     [f32(2, 4, 6), f32(2, 5, 6), None, causal(4), padding(2, 5)], [f32(3, 3, 6), f32(3, 4, 6), None, causal(3), padding(3, 4)], call=masked)
case("decoder", nn.TransformerDecoder(nn.TransformerDecoderLayer(6, 3, 8), 2, nn.LayerNorm(6)), [f32(3, 2, 6), f32(4, 2, 6)], [f32(2, 3, 6), f32(5, 3, 6)])
case("transformer", nn.Transformer(6, 2, 1, 2, 8), [f32(4, 2, 6), f32(3, 2, 6)], [f32(5, 3, 6), f32(2, 3, 6)])
names = ("src_key_padding_mask", "src_mask", "tgt_key_padding_mask", "tgt_mask", "memory_key_padding_mask", "memory_mask")
case("transformer_masks", nn.Transformer(6, 2, 1, 1, 8, norm_first=True, layer_norm_eps=1e-3),
     [f32(4, 2, 6), f32(3, 2, 6), padding(2, 4), causal(4), None, causal(3), padding(2, 4)], [f32(5, 3, 6), f32(2, 3, 6), padding(3, 5), causal(5), None, causal(2), padding(3, 5)],
     call=lambda m, src, tgt, *masks: m(src, tgt, **dict(zip(names, masks))))

# Bags.
weighed = lambda m, x, *rest: m(x, *rest[:-1], per_sample_weights=rest[-1])
numbers = lambda *shape: torch.randint(0, 9, shape)
case("bag_mean", nn.EmbeddingBag(9, 4), [numbers(2, 3)], [numbers(3, 5)])
case("bag_max", nn.EmbeddingBag(9, 4, mode="max"), [numbers(2, 3)], [numbers(3, 5)])
case("bag_weights", nn.EmbeddingBag(9, 4, mode="sum"), [numbers(2, 3), f32(2, 3)], [numbers(3, 5), f32(3, 5)], call=weighed)
offsets = ([numbers(7), torch.tensor([0, 3, 3, 5])], [numbers(6), torch.tensor([0, 2, 6])])  # with empty bags
for mode in ("mean", "sum", "max"):
    case(f"bag_{mode}_offsets", nn.EmbeddingBag(9, 4, mode=mode), *offsets)
case("bag_offsets_weights", nn.EmbeddingBag(9, 4, mode="sum"), *([*x, f32(len(x[0]))] for x in offsets), call=weighed)

# Two values.
case("bilinear", nn.Bilinear(3, 4, 5), [f32(2, 3), f32(2, 4)], [f32(3, 3), f32(3, 4)])
case("bilinear_deep", nn.Bilinear(3, 4, 2, bias=False), [f32(2, 5, 3), f32(2, 5, 4)], [f32(3, 1, 3), f32(3, 1, 4)])
case("cosine_similarity", nn.CosineSimilarity(), [f32(2, 3, 4), f32(2, 3, 4)], [f32(1, 5, 2), f32(1, 5, 2)])
case("cosine_similarity_last", nn.CosineSimilarity(dim=-1, eps=2), [f32(2, 3), f32(2, 3)], [f32(4, 2), f32(4, 2)])
case("pairwise_distance", nn.PairwiseDistance(), [f32(2, 3), f32(2, 3)], [f32(4, 2), f32(4, 2)])
case("pairwise_distance_keep", nn.PairwiseDistance(p=1, eps=0.1, keepdim=True), [f32(2, 3), f32(2, 3)], [f32(4, 2), f32(4, 2)])

# Windows as columns, and shapes.
case("unfold", nn.Unfold((2, 3), stride=(1, 2), padding=(1, 0), dilation=(2, 1)), [f32(1, 2, 5, 6)], [f32(2, 2, 4, 7)])
case("fold", nn.Fold((5, 6), 3, padding=1, stride=2), [f32(1, 18, 9)], [f32(2, 9, 9)])
case("unflatten", nn.Unflatten(1, (2, -1)), [f32(2, 6, 3)], [f32(3, 4, 2)])
case("unflatten_last", nn.Unflatten(-1, (3, 2)), [f32(2, 6)], [f32(5, 6)])

# Pooling by norms, and back from the greatest.
case("lp_pool1d", nn.LPPool1d(2, 3, stride=2, ceil_mode=True), [f32(1, 2, 8)], [f32(2, 2, 7)])
case("lp_pool2d", nn.LPPool2d(1.5, (2, 3)), [f32(1, 2, 5, 6).abs()], [f32(2, 2, 4, 7).abs()])
# PyTorch 1.13 has no LPPool3d, which is this.
cubes = lambda _, x: nn.functional.avg_pool3d(x**3, 2, 1).mul(8).pow(1 / 3)
case("lp_pool3d", nn.Identity(), [f32(1, 2, 3, 4, 3).abs()], [f32(2, 2, 2, 3, 4).abs()], call=cubes)
for d, (one, two) in {1: ((8,), (6,)), 2: ((4, 6), (6, 4)), 3: ((2, 4, 4), (4, 2, 4))}.items():
    pool, unpool = getattr(nn.functional, f"max_pool{d}d"), getattr(nn, f"MaxUnpool{d}d")
    case(f"max_unpool{d}d", unpool(2), list(pool(f32(1, 2, *one), 2, return_indices=True)), list(pool(f32(2, 2, *two), 2, return_indices=True)))
case("max_unpool2d_padding", nn.MaxUnpool2d((3, 2), stride=2, padding=(1, 0)),
     *(list(nn.functional.max_pool2d(f32(n, 2, 5, 6), (3, 2), stride=2, padding=(1, 0), return_indices=True)) for n in (1, 2)))

# More norms, resizing, activations, and what is the identity. On a CPU PyTorch 1.13 has no SyncBatchNorm, which evaluates as BatchNorm2d.
class RMSNorm(nn.Module):
    """What nn.RMSNorm of PyTorch 2.4 is, as its documentation defines it."""

    def __init__(self, features, eps=torch.finfo(torch.float32).eps):
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.ones(features)), eps

    def forward(self, x):
        return x * torch.rsqrt((x * x).mean(-1, keepdim=True) + self.eps) * self.weight


case("rms_norm", getattr(nn, "RMSNorm", RMSNorm)(7), [f32(2, 3, 7)], [f32(1, 5, 7)])
case("rms_norm_eps", getattr(nn, "RMSNorm", RMSNorm)(4, eps=0.5), [f32(3, 4)], [f32(2, 4)])
case("sync_batch_norm", nn.BatchNorm2d(3), [f32(1, 3, 4, 5)], [f32(2, 3, 2, 3)])
case("local_response_norm", nn.LocalResponseNorm(3, alpha=0.5, beta=0.6, k=2), [f32(1, 5, 3, 4)], [f32(2, 5, 2, 3)])
case("local_response_norm_even", nn.LocalResponseNorm(4), [f32(1, 6, 5) * 40], [f32(2, 6, 3) * 40])
case("local_response_norm3d", nn.LocalResponseNorm(5, alpha=0.5), [f32(1, 4, 2, 3, 2)], [f32(2, 4, 1, 2, 3)])
case("upsampling_nearest2d", nn.UpsamplingNearest2d(scale_factor=3), [f32(1, 2, 3, 4)], [f32(2, 2, 4, 3)])
case("upsampling_bilinear2d", nn.UpsamplingBilinear2d(size=(5, 7)), [f32(1, 2, 3, 4)], [f32(2, 2, 4, 3)])
for name, module in {
    "softmax2d": nn.Softmax2d(), "rrelu": nn.RReLU(), "rrelu_range": nn.RReLU(0.2, 0.3), "dropout2d": nn.Dropout2d(), "dropout3d": nn.Dropout3d(),
    "alpha_dropout": nn.AlphaDropout(), "feature_alpha_dropout": nn.FeatureAlphaDropout(),
}.items():
    case(name, module, [f32(2, 3, 4, 5)], [f32(1, 3, 2, 3)])
case("dropout1d", nn.Dropout1d(), [f32(2, 3, 4)], [f32(1, 3, 2)])

np.savez_compressed(os.path.join(HERE, "..", "layers.npz"), **arrays)
