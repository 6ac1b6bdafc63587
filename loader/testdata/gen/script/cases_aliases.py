"""Tensors that share memory, written to in branches and loops that only the run decides, in front of them and behind them: of what a program
changes in one place, all that share it see the new values. LOOP stands for a loop over the first n rows of x."""

import torch

LOOP = """c = torch.zeros([], dtype=torch.long)
while bool((c < n).item()):
    i = int(c.item())
    c = c + 1
"""

PROGRAMS = [
    """
outs: List[Tensor] = []
s = torch.zeros(3)
LOOP
    s += x[i]
    outs.append(s)
return torch.stack(outs)
""",
    """
outs: List[Tensor] = []
LOOP
    t = x[i] * 1
    outs.append(t)
    t.mul_(2)
return torch.stack(outs)
""",
    """
outs: List[Tensor] = []
t = torch.zeros(3)
LOOP
    t = x[i] * 1
    outs.append(t)
t.add_(1)
return torch.stack(outs)
""",
    """
outs: List[Tensor] = []
LOOP
    outs.append(x[i] * 1)
outs[0].add_(1)
return torch.stack(outs)
""",
    """
s = torch.zeros(3)
y = s
LOOP
    s += x[i]
return y
""",
    """
outs: List[Tensor] = []
buf = torch.ones(3)
LOOP
    outs.append(buf)
buf.zero_()
return torch.stack(outs)
""",
    """
outs: List[Tensor] = []
buf = torch.ones(2, 3)
LOOP
    outs.append(buf[0])
    buf[0] = x[i]
return torch.stack(outs)
""",
    """
outs: List[Tensor] = []
h = torch.zeros(3)
LOOP
    h.add_(1)
    h = h * 2 + x[i]
    outs.append(h)
return torch.stack(outs)
""",
    """
outs: List[Tensor] = []
h = torch.zeros(3)
if bool((n > 2).item()):
    outs.append(h)
h.add_(1)
outs.append(x[0])
return torch.stack(outs)
""",
    """
s = torch.zeros(3)
y = s[1:]
LOOP
    s += x[i]
return y
""",
    """
outs: List[Tensor] = []
h = torch.zeros(3)
LOOP
    t = torch.zeros(3)
    t[0] = x[i, 0]
    t += h
    h = h * 0.5 + x[i]
    outs.append(t)
return torch.stack(outs) + h
""",
    """
outs: List[Tensor] = []
LOOP
    outs.append(x[i] * 1)
last = outs.pop()
last.add_(5)
return torch.stack(outs) + last
""",
    """
h = torch.zeros(3)
k = h
LOOP
    h.add_(1)
    h = h * 2 + x[i]
return h + k
""",
    """
s = x[0] * 1
y = s
if bool((n > 2).item()):
    y.add_(1)
return s + y
""",
    """
s = x[0] * 1
z = x[1] * 1
if bool((n > 2).item()):
    y = s
else:
    y = z
y.add_(1)
return s * 2 + z
""",
    """
s = x[0] * 1
y = torch.zeros(3)
if bool((n > 2).item()):
    y = s
s.add_(1)
return y
""",
    """
s = x[0] * 1
t = torch.zeros(3)
LOOP
    t = s
t.add_(1)
return s
""",
    """
a = x[0] * 1
b = x[1] * 1
LOOP
    a, b = b, a
a.add_(1)
return torch.stack([a, b])
""",
    """
s = torch.zeros(3)
y = s[:2]
LOOP
    if bool((x[i].sum() > 0).item()):
        s += x[i]
    else:
        s.mul_(2)
return torch.cat([y, s])
""",
    """
l = [x[0] * 1, x[1] * 1]
k = l[0]
LOOP
    l[1] = l[0] + x[i]
l[0].add_(1)
l[1].add_(1)
return torch.stack(l) + k
""",
    """
best = x[0]
score = best.sum()
LOOP
    cand = x[i] * 2
    if bool((cand.sum() > score).item()):
        best = cand
        score = cand.sum()
best = best.clone()
best.add_(1)
return torch.cat([best, x[0]])
""",
    """
buf = torch.zeros(5, 3)
LOOP
    if bool((x[i].sum() > 0).item()):
        buf[i] = x[i]
    else:
        buf[i, 0] = 7.0
return buf
""",
    """
s = torch.zeros(3)
d: Dict[str, Tensor] = {'a': s}
LOOP
    d['a'] = d['a'] + x[i]
    s.add_(1)
d['a'].add_(1)
return d['a'] + s
""",
    """
s = torch.zeros(3)
d: Dict[str, Tensor] = {'a': s}
LOOP
    d['a'].add_(x[i])
return s
""",
    """
s = x[0] * 1
y = s
LOOP
    y = s.view(3)
s.add_(1)
return y
""",
    """
outs: List[Tensor] = []
h = torch.zeros(3)
LOOP
    h = h * 0.5 + x[i]
    outs.append(h)
h.add_(1)
return torch.stack(outs)
""",
    """
outs: List[Tensor] = []
LOOP
    outs.append(x[i] * 1)
v = outs[0]
v.zero_()
return torch.stack(outs)
""",
    """
outs: List[Tensor] = [x[0] * 1]
first = outs[0]
LOOP
    outs.append(x[i] * 1)
first.zero_()
return torch.stack(outs)
""",
    """
h = x[0] * 1
LOOP
    g = h
    g = g + 1
    g.mul_(2)
    h = g
return h
""",
    """
h = x[0] * 1
out = torch.zeros(3)
LOOP
    h.add_(x[i])
    out = out + h
return out + h
""",
    """
m = torch.zeros(5, dtype=torch.bool)
LOOP
    m |= (x[:, 0] > 0.1 * i)
return m.float()
""",
    """
s = x[0] * 1
t = x[1] * 1
u = s[:]
LOOP
    u *= 0.5
    s, t = t, s
return torch.stack([s, t, u])
""",
]


def cases(s):
    for program in PROGRAMS:
        body = program.strip().replace("LOOP\n", LOOP).replace("\n", "\n    ")
        module = s.define(f"(self, x: Tensor, n: Tensor) -> Tensor:\n    {body}")
        s.module(module, *[(s.rand(5, 3), torch.tensor(n)) for n in (2, 4, 3, 5)], what=program.strip())
