"""Modules that torch.ao.quantization prepared, saved before they were converted: fake-quantize modules and observers. PyTorch 2.14 writes them."""

import torch
from torch import nn
from torch.ao import quantization as q

NEEDS = (2, 14)


def net(s):
    m = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    for p in m.parameters():
        p.data = s.rand(*p.shape, lo=-1, hi=1)
    return m


def cases(s):
    s.rand(1)
    runs = [(s.rand(n, 3, lo=-2, hi=2),) for n in (4, 1, 3)]
    fused = q.get_default_qat_qconfig("x86")
    plain = q.QConfig(
        activation=q.FakeQuantize.with_args(observer=q.MovingAverageMinMaxObserver, quant_min=0, quant_max=255, dtype=torch.quint8, reduce_range=True),
        weight=q.FakeQuantize.with_args(observer=q.MovingAveragePerChannelMinMaxObserver, quant_min=-128, quant_max=127, dtype=torch.qint8, qscheme=torch.per_channel_symmetric, ch_axis=0),
    )
    for name, config in (("fused", fused), ("plain", plain)):
        for observes in (False, True):
            m = net(s).train()
            m.qconfig = config
            m = q.prepare_qat(m)
            for r in runs[:2]:
                m(*r)
            m.eval()
            if not observes:
                m.apply(q.disable_observer)
            if observes and name == "plain":
                continue
            s.module(m, *runs, what=f"prepared for QAT, {name}, observes {observes}", tol=1e-5, scripted=torch.jit.trace(m, runs[2], check_trace=False))
    for observer in (q.MinMaxObserver, q.MovingAverageMinMaxObserver, q.PerChannelMinMaxObserver):
        o = observer()
        o(runs[0][0])
        s.module(nn.Sequential(o, nn.ReLU()), *runs, what=observer.__name__)
    o = q.HistogramObserver()
    for r in runs:
        o(r[0])
    s.module(nn.Sequential(o, nn.ReLU()), *runs, (s.rand(0, 3),), what="HistogramObserver")
