"""Operators on quantized tensors, and models that PyTorch quantized."""

import copy

import torch
from torch import nn
from torch.ao.quantization import DeQuantStub, QuantStub, get_default_qconfig, prepare, convert, quantize_dynamic, default_dynamic_qconfig, float16_dynamic_qconfig, fuse_modules
from torch.ao.quantization.quantize_fx import convert_fx, prepare_fx

S, Z = 0.0625, 120


def values(s, m):
    for p in m.parameters():
        p.data = s.rand(*p.shape, lo=-1, hi=1) / 2
    for name, b in m.named_buffers():
        if name.endswith("running_mean"):
            b.data = s.rand(*b.shape, lo=-1, hi=1)
        if name.endswith("running_var"):
            b.data = s.rand(*b.shape).abs() + 0.5
    return m.eval()


class Stubs(nn.Module):
    def __init__(self, m):
        super().__init__()
        self.quant, self.m, self.dequant = QuantStub(), m, DeQuantStub()

    def forward(self, x):
        return self.dequant(self.m(self.quant(x)))


class Arithmetic(nn.Module):
    def __init__(self):
        super().__init__()
        self.quant, self.dequant = QuantStub(), DeQuantStub()
        self.f = nn.ModuleList([nn.quantized.FloatFunctional() for _ in range(6)])
        self.conv = nn.Conv2d(2, 2, 1)

    def forward(self, x):
        x = self.quant(x)
        y = self.conv(x)
        a = self.f[0].add(x, y)
        b = self.f[1].mul(x, y)
        c = self.f[2].cat([a, b, x], 1)
        d = self.f[3].add_relu(x, y)
        e = self.f[4].add_scalar(d, 0.5)
        g = self.f[5].mul_scalar(e, 1.5)
        return self.dequant(c), self.dequant(d), self.dequant(g)


class Shapes(nn.Module):
    """What leaves the scale as it is."""

    def __init__(self):
        super().__init__()
        self.quant, self.dequant = QuantStub(), DeQuantStub()
        self.pool, self.avg, self.global_ = nn.MaxPool2d(2), nn.AvgPool2d(2), nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(2, 3)

    def forward(self, x):
        x = self.quant(x)
        a = self.pool(x)
        b = self.avg(x)
        c = torch.flatten(self.global_(x), 1)
        d = x.permute(0, 2, 3, 1).reshape(-1, 2)
        e = torch.relu(x[:, :1]).transpose(2, 3).contiguous()
        f = self.fc(c)
        g = torch.nn.functional.interpolate(x, scale_factor=2.0)
        h = x.mean([2, 3])
        return [self.dequant(v) for v in (a, b, c, d, e, f, g, h)]


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.bn1, self.relu = nn.Conv2d(4, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4), nn.ReLU()
        self.conv2, self.bn2 = nn.Conv2d(4, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4)
        self.fc = nn.Linear(4, 5)

    def forward(self, x):
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.relu(self.bn2(self.conv2(y)) + x)
        y = torch.nn.functional.adaptive_avg_pool2d(y, 1).flatten(1)
        return self.fc(y)


def cases(s):
    r = s.rand
    q = lambda *shape, dtype=torch.quint8, scale=S, zero=Z: torch.quantize_per_tensor(r(*shape), scale, zero, dtype)
    # Operators by themselves.
    s.op("torch.quantize_per_tensor(a, 0.03, 120, torch.quint8)", r(2, 3), r(5), r(0), torch.tensor([1e9, -1e9, 0.045, 0.015, -0.015]))
    s.op("torch.quantize_per_tensor(a, 0.03, 120, torch.quint8).dequantize()", r(2, 3), r(5), tol=1e-6)
    s.op("torch.quantize_per_tensor(a, 0.03, 120, torch.quint8).int_repr()", r(2, 3))
    for e in ["torch.quantize_per_tensor(a, 0.03, 3, torch.qint8)", "torch.quantize_per_tensor(a, 0.03, 0, torch.qint32)"]:
        s.op(e, r(2, 3), refused=True)
    s.op("torch.quantize_per_channel(a, b, c, 0, torch.qint8)", (r(2, 3), torch.tensor([0.1, 0.05]), torch.tensor([0, 0])), refused=True)
    s.op("(torch.quantize_per_tensor(torch.tensor([0.11, -0.2]), 0.03, 3, torch.qint8).dequantize(), torch.quantize_per_channel(torch.tensor([[0.11, -0.2]]), torch.tensor([0.1, 0.05]), torch.tensor([3, 0]), 1, torch.qint8).dequantize())", r(1), tol=1e-6)
    for e in ["torch.fake_quantize_per_tensor_affine(a, 0.1, 3, 0, 255)", "torch.fake_quantize_per_channel_affine(a, torch.tensor([0.1, 0.2]), torch.tensor([0, 1], dtype=torch.int32), 0, -128, 127)"]:
        s.op(e, r(2, 3), tol=1e-6)
    s.op("(a.q_scale(), a.q_zero_point(), a.is_quantized, a.dequantize())", q(2, 3), tol=1e-6)
    x = [q(2, 3, 4, 4), q(1, 3, 6, 6)]
    for e in ["torch.relu(a)", "F.relu6(a)", "a.permute(0, 2, 3, 1)", "a.reshape(a.size(0), -1)", "a.flatten(1)", "a[:, 1]", "a[:, :, ::2]", "a.transpose(1, 2).contiguous()", "torch.cat([a, a], 1)", "F.max_pool2d(a, 2)", "a.clone()", "a.unsqueeze(0)", "a.dequantize() + 1", "torch.stack([a.dequantize(), a.dequantize()])", "F.hardtanh(a, -1., 1.)", "torch.clamp(a, -1, 2)", "a.view(-1)", "a.max()", "a.chunk(2, 3)", "torch.squeeze(a[:1])", "F.pixel_shuffle(a[:, :1].expand(-1, 4, -1, -1).contiguous(), 2)", "F.interpolate(a, size=[2, 2])", "F.pad(a, [1, 1])"]:
        s.op(e, *x)
    for e in ["F.avg_pool2d(a, 2)", "F.avg_pool2d(a, 3, 1, 1)", "F.adaptive_avg_pool2d(a, 1)", "F.adaptive_avg_pool2d(a, 2)", "a.mean([2, 3])", "torch.sigmoid(a)", "torch.tanh(a)", "F.leaky_relu(a, 0.1)", "F.interpolate(a, scale_factor=2., mode='bilinear', align_corners=False)", "F.hardsigmoid(a)", "F.elu(a)", "a.mean(-1, keepdim=True)"]:
        s.op(e, *x, steps=1)
    y = lambda e, *runs: s.op(e, *runs, steps=1)
    pairs = [(q(2, 3), q(2, 3, scale=0.05, zero=100)), (q(4, 3), q(4, 3, scale=0.05, zero=100)), (q(2, 3), q(1, 3, scale=0.05, zero=100))]
    for e in ["torch.ops.quantized.add(a, b, 0.1, 110)", "torch.ops.quantized.add_relu(a, b, 0.1, 0)", "torch.ops.quantized.mul(a, b, 0.2, 90)", "torch.ops.quantized.mul_relu(a, b, 0.2, 0)", "torch.ops.quantized.cat([a, b], 0, 0.1, 110)", "torch.ops.quantized.cat([a, b], 0, None, None)"]:
        y(e, *pairs[:2])
    for e in ["torch.ops.quantized.add(a, 1.5)", "torch.ops.quantized.mul(a, 0.5)", "torch.ops.quantized.mul(a, -2.0)", "torch.ops.quantized.add_relu(a, -1.0)", "torch.ops.quantized.hardswish(a, 0.1, 5)", "torch.ops.quantized.sigmoid(a, 0.00390625, 0)", "torch.ops.quantized.leaky_relu(a, 0.1, False, 0.07, 60)", "torch.ops.quantized.layer_norm(a, [4], None, None, 1e-5, 0.05, 128)", "torch.ops.quantized.batch_norm(a, None, None, torch.zeros(3), torch.ones(3), 1e-5, 0.05, 128)", "torch.ops.quantized.softmax(a, 1, 0.00390625, 0)"]:
        if "batch_norm" in e or "softmax" in e:
            e = e.replace("None, None, torch", "torch.ones(3), torch.zeros(3), torch")
        y(e, q(2, 3, 4, 4), q(1, 3, 4, 4))
    # Models of one layer, in the forms that PyTorch's backends pack.
    layers = {
        "conv1d": (nn.Conv1d(4, 4, 3, padding=1), [r(2, 4, 7), r(1, 4, 9)]),
        "conv2d": (nn.Conv2d(4, 6, 3, stride=2, padding=1), [r(2, 4, 7, 7), r(1, 4, 9, 8)]),
        "conv2d without bias": (nn.Conv2d(4, 6, 1, bias=False), [r(2, 4, 5, 5)]),
        "conv2d dilated": (nn.Conv2d(4, 6, 3, padding=2, dilation=2), [r(2, 4, 7, 7)]),
        "conv2d in groups": (nn.Conv2d(4, 6, 3, padding=1, groups=2), [r(2, 4, 7, 7)]),
        "conv2d depthwise": (nn.Conv2d(8, 8, 3, padding=1, groups=8), [r(2, 8, 7, 7)]),
        "conv2d relu": (nn.Sequential(nn.Conv2d(4, 6, 3), nn.ReLU()), [r(2, 4, 7, 7), r(3, 4, 7, 7)]),
        "conv2d bn relu": (nn.Sequential(nn.Conv2d(4, 6, 3), nn.BatchNorm2d(6), nn.ReLU()), [r(2, 4, 7, 7)]),
        "conv3d": (nn.Conv3d(4, 4, 3, padding=1), [r(1, 4, 4, 4, 4)]),
        "linear": (nn.Linear(9, 5), [r(2, 9), r(4, 9), r(2, 3, 9)]),
        "linear relu": (nn.Sequential(nn.Linear(9, 5), nn.ReLU()), [r(2, 9), r(4, 9)]),
        "hardswish": (nn.Sequential(nn.Conv2d(4, 4, 1), nn.Hardswish()), [r(2, 4, 5, 5)]),
    }
    for engine, config in [("onednn", "fbgemm"), ("onednn", "onednn"), ("qnnpack", "qnnpack")]:
        torch.backends.quantized.engine = engine
        for name, (m, runs) in layers.items():
            if engine == "qnnpack" and name == "conv3d":
                continue  # it has none
            m = Stubs(values(s, copy.deepcopy(m)))
            if name.endswith("relu"):
                m.m = fuse_modules(m.m, [[str(i) for i in range(len(m.m))]])
            m.qconfig = get_default_qconfig(config)
            p = prepare(m)
            for x in runs:
                p(x)
            s.module(convert(p), *runs, what=f"{name}, {config}", steps=int("depthwise" in name))
        for m, runs in [(Arithmetic(), [r(2, 2, 3, 3), r(1, 2, 4, 3)]), (Shapes(), [r(2, 2, 4, 4), r(1, 2, 6, 6)])]:
            m = values(s, m)
            m.qconfig = get_default_qconfig(config)
            p = prepare(m)
            for x in runs:
                p(x)
            m = convert(p)
            ties = int(isinstance(m, Shapes) and engine == "onednn")  # how averages in the middle are rounded
            s.module(m, *runs, what=f"{type(m).__name__}, {config}", steps=ties)
            s.module(m, *runs, what=f"{type(m).__name__} traced, {config}", steps=ties, scripted=torch.jit.trace(m, runs[0], check_trace=False, strict=False))
        m = values(s, Residual())
        runs = [r(2, 4, 6, 6), r(1, 4, 6, 6)]
        p = prepare_fx(m, {"": get_default_qconfig(config)}, (runs[0],))
        for x in runs:
            p(x)
        m = convert_fx(p)
        s.module(m, *runs, what=f"residual block by FX, {config}", steps=0)
        s.module(m, *runs, what=f"residual block by FX traced, {config}", steps=0, scripted=torch.jit.trace(m, runs[0], check_trace=False))
    # QNNPACK ignores reduce_range, and warns that it should not; the engines of x86, and octet, do what the file says.
    torch.backends.quantized.engine = "onednn"
    m = quantize_dynamic(values(s, nn.Sequential(nn.Linear(9, 5), nn.ReLU(), nn.Linear(5, 3))), {nn.Linear}, dtype=torch.qint8)
    s.module(m, r(1, 9), r(1, 9), r(1, 1, 9), what="dynamic linear, onednn", tol=0.02)
    torch.backends.quantized.engine = "qnnpack"
    for m, runs in [(nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1, output_padding=1), [r(2, 4, 4, 4), r(1, 4, 3, 3)]), (nn.ConvTranspose1d(4, 6, 3), [r(2, 4, 4)])]:
        m = Stubs(values(s, m))
        m.qconfig = get_default_qconfig("qnnpack")
        p = prepare(m)
        for x in runs:
            p(x)
        s.module(convert(p), *runs, what=f"{type(m.m).__name__}, qnnpack", steps=1)
