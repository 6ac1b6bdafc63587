"""Recurrent networks."""

import torch


def cases(s):
    r = s.rand

    class Net(torch.nn.Module):
        def __init__(self, rnn):
            super().__init__()
            self.rnn = rnn
            for p in rnn.parameters():
                p.data = s.rand(*p.shape, lo=-1, hi=1)

    class Plain(Net):
        def forward(self, x):
            y, h = self.rnn(x)
            return y, h

    class WithState(Net):
        def forward(self, x, h):
            return self.rnn(x, h)

    class WithStates(Net):
        def forward(self, x, h, c):
            y, (h, c) = self.rnn(x, (h, c))
            return y, h, c

    for cell in [torch.nn.LSTM, torch.nn.GRU, torch.nn.RNN]:
        for options in [{}, {"batch_first": True}, {"bidirectional": True}, {"num_layers": 2}, {"num_layers": 2, "bidirectional": True, "batch_first": True}, {"bias": False}, {"num_layers": 2, "dropout": 0.5}] + ([{"proj_size": 2}] if cell is torch.nn.LSTM else []) + ([{"nonlinearity": "relu"}] if cell is torch.nn.RNN else []):
            m = Plain(cell(3, 4, **options)).eval()
            runs = [r(5, 2, 3), r(7, 1, 3), r(1, 3, 3)]
            what = f"{cell.__name__} {options}"
            s.module(m, *runs, what=what, tol=1e-5)
            s.module(m, *runs[:2], what=what + " traced", tol=1e-5, scripted=torch.jit.trace(m, runs[0], check_trace=False))
        s.module(Plain(cell(3, 4)), r(5, 3), r(2, 3), what=f"{cell.__name__} without a batch", tol=1e-5)
    for cell in [torch.nn.GRU, torch.nn.RNN]:
        s.module(WithState(cell(3, 4, 2)), (r(5, 2, 3), r(2, 2, 4)), (r(3, 1, 3), r(2, 1, 4)), what=f"{cell.__name__} with state", tol=1e-5)
    s.module(WithStates(torch.nn.LSTM(3, 4)), (r(5, 2, 3), r(1, 2, 4), r(1, 2, 4)), (r(3, 1, 3), r(1, 1, 4), r(1, 1, 4)), what="LSTM with states", tol=1e-5)
    for cell in [torch.nn.LSTMCell, torch.nn.GRUCell, torch.nn.RNNCell]:
        if cell is torch.nn.LSTMCell:

            class Cell(Net):
                def forward(self, x, h, c):
                    return self.rnn(x, (h, c))

            s.module(Cell(cell(3, 4)), (r(2, 3), r(2, 4), r(2, 4)), (r(1, 3), r(1, 4), r(1, 4)), what="LSTMCell", tol=1e-5)
        else:
            s.module(WithState(cell(3, 4)), (r(2, 3), r(2, 4)), (r(1, 3), r(1, 4)), what=cell.__name__, tol=1e-5)

    class Unrolled(Net):
        def forward(self, x):
            h = torch.zeros(x.size(1), 4)
            out = []
            for t in range(x.size(0)):
                h = self.rnn(x[t], h)
                out.append(h)
            return torch.stack(out)

    s.module(Unrolled(torch.nn.GRUCell(3, 4)), r(5, 2, 3), r(7, 2, 3), r(3, 1, 3), what="GRUCell unrolled", tol=1e-5)

    class Tagger(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = torch.nn.Embedding(9, 5)
            self.lstm = torch.nn.LSTM(5, 4, batch_first=True, bidirectional=True)
            self.out = torch.nn.Linear(8, 3)
            for p in self.parameters():
                p.data = s.rand(*p.shape, lo=-1, hi=1)

        def forward(self, x):
            y, _ = self.lstm(self.embedding(x))
            return torch.log_softmax(self.out(y), -1)

    tokens = lambda *shape: torch.randint(0, 9, shape, generator=s.generator)
    s.module(Tagger(), tokens(2, 6), tokens(1, 3), what="tagger", tol=1e-5)
    s.module(Tagger(), tokens(2, 6), tokens(1, 3), what="tagger traced", tol=1e-5, scripted=torch.jit.trace(Tagger(), tokens(2, 6), check_trace=False))
