"""Small models made of PyTorch's own modules, scripted and traced."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Encoder(nn.Module):
    def __init__(self, **options):
        super().__init__()
        layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, **options)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)

    def forward(self, x):
        return self.encoder(x)


class Masked(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(8, 2, 16)

    def forward(self, x: Tensor, mask: Tensor):
        return self.layer(x, src_mask=mask)


class Attention(nn.Module):
    def __init__(self, **options):
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, **options)

    def forward(self, q: Tensor, k: Tensor):
        return self.attention(q, k, k)


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.TransformerDecoderLayer(8, 2, 16, activation="gelu", norm_first=True)

    def forward(self, x, memory):
        mask = torch.triu(torch.full([x.size(0), x.size(0)], float("-inf")), diagonal=1)
        return self.layer(x, memory, tgt_mask=mask)


class Positions(nn.Module):
    """The encoding of the tutorials: a buffer that is longer than any input."""

    def __init__(self):
        super().__init__()
        position = torch.arange(20).unsqueeze(1)
        div = torch.exp(torch.arange(0, 8, 2) * (-math.log(10000.0) / 8))
        pe = torch.zeros(20, 1, 8)
        pe[:, 0, 0::2], pe[:, 0, 1::2] = torch.sin(position * div), torch.cos(position * div)
        self.register_buffer("pe", pe)
        self.embed = nn.Embedding(11, 8)

    def forward(self, tokens):
        x = self.embed(tokens) * math.sqrt(8)
        return x + self.pe[: x.size(0)]


class CausalAttention(nn.Module):
    """As in small language models."""

    def __init__(self):
        super().__init__()
        self.attn, self.proj, self.ln = nn.Linear(8, 24), nn.Linear(8, 8), nn.LayerNorm(8)
        self.register_buffer("bias", torch.tril(torch.ones(12, 12)).view(1, 1, 12, 12))

    def forward(self, x):
        B, T, C = x.size()
        q, k, v = self.attn(self.ln(x)).split(8, dim=2)
        k = k.view(B, T, 2, C // 2).transpose(1, 2)
        q = q.view(B, T, 2, C // 2).transpose(1, 2)
        v = v.view(B, T, 2, C // 2).transpose(1, 2)
        att = (q @ k.transpose(-2, -1)) * (1.0 / math.sqrt(k.size(-1)))
        att = att.masked_fill(self.bias[:, :, :T, :T] == 0, float("-inf"))
        y = (F.softmax(att, dim=-1) @ v).transpose(1, 2).contiguous().view(B, T, C)
        return x + self.proj(y)


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        block = lambda i, o: nn.Sequential(nn.Conv2d(i, o, 3, padding=1), nn.BatchNorm2d(o), nn.ReLU(inplace=True))
        self.down1, self.down2 = block(1, 4), block(4, 8)
        self.up, self.out = nn.ConvTranspose2d(8, 4, 2, stride=2), nn.Conv2d(8, 2, 1)

    def forward(self, x):
        a = self.down1(x)
        b = self.down2(F.max_pool2d(a, 2))
        u = self.up(b)
        dy, dx = a.size(2) - u.size(2), a.size(3) - u.size(3)
        u = F.pad(u, [dx // 2, dx - dx // 2, dy // 2, dy - dy // 2])
        return torch.sigmoid(self.out(torch.cat([a, u], dim=1)))


class SqueezeExcite(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.fc1, self.fc2 = nn.Conv2d(4, 4, 3, padding=1, groups=4), nn.Conv2d(4, 2, 1), nn.Conv2d(2, 4, 1)

    def forward(self, x):
        y = F.hardswish(self.conv(x))
        s = y.mean((2, 3), keepdim=True)
        return y * F.hardsigmoid(self.fc2(F.relu(self.fc1(s))))


class Generator(nn.Sequential):
    def __init__(self):
        super().__init__(
            nn.ConvTranspose2d(6, 8, 4, 1, 0, bias=False), nn.BatchNorm2d(8), nn.ReLU(True),
            nn.ConvTranspose2d(8, 3, 4, 2, 1, bias=False), nn.Tanh(),
        )


class Upscaler(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 6, 5, padding=2), nn.Conv2d(6, 4, 3, padding=1)

    def forward(self, x):
        return F.pixel_shuffle(self.conv2(torch.relu(self.conv1(x))), 2)


class CRNN(nn.Module):
    """Reads text in images: convolutions, then a recurrent network over columns."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d((2, 1)))
        self.rnn, self.fc = nn.LSTM(4 * 4, 6, bidirectional=True), nn.Linear(12, 5)

    def forward(self, x):
        y = self.conv(x)
        n, c, h, w = y.size()
        y = y.permute(3, 0, 1, 2).reshape(w, n, c * h)
        y, _ = self.rnn(y)
        return F.log_softmax(self.fc(y), dim=2)


class Spectrogram(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("window", torch.hann_window(16))
        self.register_buffer("mel", torch.rand(9, 5, generator=torch.Generator().manual_seed(0)))
        self.conv = nn.Conv1d(5, 3, 3, padding=1)

    def forward(self, wave):
        s = torch.stft(wave, 16, 8, window=self.window, return_complex=True).abs().pow(2.0)
        m = torch.matmul(s.transpose(1, 2), self.mel).transpose(1, 2)
        return self.conv(torch.log10(torch.clamp(m, min=1e-5)))


class TCN(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.utils.weight_norm(nn.Conv1d(3, 4, 3, padding=4, dilation=2))
        self.conv2 = nn.Conv1d(4, 2, 1)

    def forward(self, x):
        y = self.conv1(x)[:, :, :-4].contiguous()
        return self.conv2(F.leaky_relu(y, 0.2))


class Detector(nn.Module):
    """Heads whose anchors follow from the image."""

    def __init__(self):
        super().__init__()
        self.body, self.cls, self.box = nn.Conv2d(3, 4, 3, stride=2, padding=1), nn.Conv2d(4, 2, 1), nn.Conv2d(4, 4, 1)

    def forward(self, x):
        f = F.relu(self.body(x))
        h, w = f.shape[-2:]
        ys, xs = torch.meshgrid([torch.arange(h) * 2, torch.arange(w) * 2])
        anchors = torch.stack([xs, ys, xs, ys], -1).reshape(-1, 4).to(x.dtype)
        boxes = self.box(f).permute(0, 2, 3, 1).reshape(x.size(0), -1, 4) + anchors
        scores = torch.softmax(self.cls(f).permute(0, 2, 3, 1).reshape(x.size(0), -1, 2), -1)
        return boxes, scores


class Graph(nn.Module):
    """Sums messages along edges."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 3)

    def forward(self, x, edges):
        m = self.fc(x)[edges[0]]
        out = torch.zeros(x.size(0), 3)
        out.index_add_(0, edges[1], m)
        return F.elu(out)


class TopK(nn.Module):
    def forward(self, x):
        v, i = x.topk(3, dim=1)
        return torch.softmax(v, 1), i, x.argmax(1), x.gather(1, i), F.one_hot(i[:, 0], 6)


def cases(s):
    r = s.rand

    def add(m, *runs, **k):
        for p in m.parameters():
            p.data = r(*p.shape, lo=-1, hi=1) / 2
        m.eval()
        k.setdefault("tol", 2e-5)
        name = type(m).__name__ + k.pop("what", "")
        if not k.pop("traced_only", False):
            s.module(m, *runs, what=name, **k)
        example = runs[0]
        s.module(m, *runs, what=name + " traced", scripted=torch.jit.trace(m, example, check_trace=False), **k)

    add(Encoder(), r(2, 5, 8), r(1, 7, 8))
    add(Encoder(activation="gelu", norm_first=True), r(2, 5, 8), r(1, 7, 8), what=" gelu norm_first")
    add(Masked(), (r(5, 2, 8), torch.triu(torch.full([5, 5], float("-inf")), diagonal=1)), (r(3, 1, 8), torch.zeros(3, 3)))
    add(Attention(), (r(5, 2, 8), r(6, 2, 8)), (r(4, 2, 8), r(3, 2, 8)))
    add(Attention(batch_first=True), (r(2, 5, 8), r(2, 6, 8)), (r(1, 5, 8), r(1, 6, 8)), what=" batch_first")
    add(Decoder(), (r(5, 2, 8), r(4, 2, 8)), (r(3, 2, 8), r(4, 2, 8)))
    tokens = lambda *shape: torch.randint(0, 11, shape, generator=s.generator)
    add(Positions(), tokens(5, 2), tokens(9, 3))
    add(CausalAttention(), r(2, 6, 8), r(1, 9, 8), r(3, 6, 8))
    add(UNet(), r(1, 1, 8, 8), r(2, 1, 8, 8), r(1, 1, 9, 11))
    add(SqueezeExcite(), r(2, 4, 5, 5), r(1, 4, 6, 7))
    add(Generator(), r(2, 6, 1, 1), r(1, 6, 1, 1))
    add(Upscaler(), r(1, 1, 5, 6), r(2, 1, 7, 4))
    add(CRNN(), r(2, 1, 8, 6), r(1, 1, 8, 9))
    add(Spectrogram(), r(2, 64), r(1, 80), tol=1e-4)
    add(TCN(), r(2, 3, 9), r(1, 3, 12), traced_only=True)
    add(Detector(), r(1, 3, 8, 8), r(2, 3, 8, 8), r(1, 3, 6, 10))
    add(Graph(), (r(5, 4), torch.tensor([[0, 1, 2, 4], [1, 1, 3, 0]])), (r(3, 4), torch.tensor([[0, 2], [1, 0]])))
    add(TopK(), torch.stack([torch.randperm(6, generator=s.generator).float() for _ in range(2)]))
