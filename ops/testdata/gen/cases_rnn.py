"""Recurrent networks."""

import torch

MODULES = {"lstm": (torch.nn.LSTM, 4), "gru": (torch.nn.GRU, 3), "rnn_tanh": (torch.nn.RNN, 1), "rnn_relu": (torch.nn.RNN, 1)}


def cases(s):
    for cell, (module, gates) in MODULES.items():
        # steps, batch, input, hidden, layers, bidirectional, batch first, bias
        settings = [
            (5, 2, 3, 4, 1, False, False, True), (5, 2, 3, 4, 1, False, True, False), (1, 1, 1, 1, 1, False, False, True), (4, 3, 2, 5, 1, True, False, True),
            (4, 3, 2, 5, 3, False, True, True), (3, 2, 4, 3, 2, True, True, True), (3, 2, 4, 3, 2, True, False, False), (6, None, 3, 4, 2, True, False, True),
            (2, 0, 3, 4, 1, False, False, True), (0, 2, 3, 4, 1, False, False, True),
        ]
        if gates > 1:
            settings.append((3, 9, 5, 50, 1, False, False, True))
        for steps, batch, inputs, hidden, layers, two, batch_first, bias in settings:
            shape = [steps, inputs] if batch is None else [batch, steps, inputs] if batch_first else [steps, batch, inputs]
            directions = 2 if two else 1
            state = [layers * directions] + ([] if batch is None else [batch]) + [hidden]
            tensors = [s.rand(*shape, lo=-1, hi=1), s.rand(*state, lo=-1, hi=1)]
            if cell == "lstm":
                tensors.append(s.rand(*state, lo=-1, hi=1))
            states = len(tensors) - 1
            for layer in range(layers):
                for _ in range(directions):
                    width = inputs if layer == 0 else directions * hidden
                    tensors += [s.rand(gates * hidden, width, lo=-1, hi=1), s.rand(gates * hidden, hidden, lo=-1, hi=1)]
                    if bias:
                        tensors += [s.rand(gates * hidden, lo=-1, hi=1), s.rand(gates * hidden, lo=-1, hi=1)]

            def f(x, *rest):
                kind = {"nonlinearity": cell[4:]} if gates == 1 else {}
                m = module(inputs, hidden, layers, bias=bias, batch_first=batch_first, bidirectional=two, **kind)
                with torch.no_grad():
                    for p, w in zip(m.parameters(), rest[states:]):
                        p.copy_(w)
                    y, h = m(x, rest[:states] if states == 2 else rest[0])
                return [y, *h] if states == 2 else [y, h]

            s.add("rnn", {"Cell": cell, "Layers": layers, "Bidirectional": two, "BatchFirst": batch_first, "HasBias": bias}, tensors, f, 4e-6)
