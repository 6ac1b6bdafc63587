"""Losses: of classes, of probabilities, of distances."""

import torch

F32, F64, F16, I64, BOOL = torch.float32, torch.float64, torch.float16, torch.int64, torch.bool


def cases(s):
    def classes(*shape, dtype=F32, n=5):
        scores = s.rand(shape[0], n, *shape[1:], dtype=dtype) if shape else s.rand(n, dtype=dtype)
        return scores, torch.randint(0, n, shape, generator=s.generator)

    runs = [classes(4), classes(3, 2), classes(2, 3, 2), classes(), classes(3, dtype=F64), classes(1), classes(0), classes(2, 1, 2, 2)]
    x, t = classes(6)
    t[[1, 4]] = -100
    gaps = [(x, t), (x, torch.full((6,), -100)), (x, torch.full((6,), 2)), (x[:, :2], t.clamp(max=1))]
    wrong = [(x, t.clamp(min=0) + 9), (x, t[:3].clamp(min=0)), (x, t[:1].clamp(min=0)), (x, torch.full((6,), -1)), (x, t.float()[:, None]), (x, s.rand(6))]
    wide = torch.tensor([[float("inf"), 1.0, 2.0], [float("-inf"), 0.0, 1.0], [float("nan"), 1.0, 1.0], [300.0, 1.0, -300.0]])
    special = [(wide, torch.tensor([0, 1, 2, 2])), (wide[1:2], torch.tensor([0])), (wide[3:], torch.tensor([2]))]
    for e in ["F.cross_entropy(a, b)", "F.cross_entropy(a, b, reduction='none')", "F.cross_entropy(a, b, reduction='sum')", "F.cross_entropy(a, b, label_smoothing=0.1)", "F.cross_entropy(a, b, reduction='none', label_smoothing=0.3)", "F.cross_entropy(a, b, reduction='sum', label_smoothing=1.0)"]:
        s.op(e, *runs, *gaps, *wrong, *special, tol=3e-6)
    s.op("F.cross_entropy(a, b, ignore_index=1)", *runs, *gaps[2:], tol=3e-6)
    s.op("F.nll_loss(F.log_softmax(a, 1 if a.dim() > 1 else 0), b)", *runs, *gaps, *wrong[:4], tol=3e-6)
    for e in ["F.nll_loss(a, b, reduction='none')", "F.nll_loss(a, b, reduction='sum', ignore_index=2)"]:
        s.op(e, *runs, *gaps, *wrong[:4], *special, tol=3e-6)
    weight = torch.tensor([0.5, 1.0, 2.0, 0.0, 3.0])
    for e in ["F.cross_entropy(a, b, c)", "F.cross_entropy(a, b, c, reduction='none')", "F.cross_entropy(a, b, c, reduction='sum', ignore_index=1)", "F.cross_entropy(a, b, c, label_smoothing=0.2)", "F.cross_entropy(a, b, c, reduction='sum', label_smoothing=0.2)", "F.nll_loss(a, b, c)", "F.nll_loss(a, b, c, reduction='none')"]:
        s.op(e, *[(*r, weight.to(r[0].dtype)) for r in runs + gaps[:3]], (x, t, weight.double()), (x, t, weight[:4]), (x, torch.full((6,), 3), weight), tol=3e-6)
    # Probabilities of the classes.
    p = [(a, s.rand(*a.shape, lo=0, hi=2).to(a.dtype)) for a, _ in runs[:4] + runs[6:]]
    for e in ["F.cross_entropy(a, b)", "F.cross_entropy(a, b, reduction='none')", "F.cross_entropy(a, b, reduction='sum', label_smoothing=0.2)"]:
        s.op(e, *p, (x, s.rand(6, 5, dtype=F64)), (x, s.rand(6, 5, dtype=I64)), (x, s.rand(6, 1)), (x, s.rand(1, 5)), tol=3e-6)
    s.op("F.cross_entropy(a, b, c)", *[(a, b, weight) for a, b in p[:3]], tol=3e-6)
    s.op("F.cross_entropy(a, b, ignore_index=2)", p[0])
    s.op("torch.ops.aten.nll_loss_forward(a, b, None, 1, -100)", *runs[:1], *gaps)
    s.op("torch.ops.aten.nll_loss_forward(a, b, c, 2, 1)", (x, t.clamp(min=0), weight))
    s.op("torch.ops.aten.nll_loss2d_forward(a, b, None, 0, -100)", runs[2])
    # Probabilities of two classes.
    unit = [(torch.sigmoid(s.rand(*n)), s.rand(*n, lo=0, hi=1)) for n in [(4,), (2, 3), (), (0, 2)]]
    edges = (torch.tensor([0.0, 1.0, 0.0, 1.0, 0.5]), torch.tensor([0.0, 1.0, 1.0, 0.0, 0.5]))
    for e in ["F.binary_cross_entropy(a, b)", "F.binary_cross_entropy(a, b, reduction='none')", "F.binary_cross_entropy(a, b, reduction='sum')"]:
        s.op(e, *unit, edges, (edges[0] + 0.5, edges[1]), (edges[0] / 0, edges[1]), (unit[0][0].double(), unit[0][1].double()), (unit[0][0], unit[0][1].double()), (unit[0][0], torch.ones(4, dtype=I64)), (s.rand(3, lo=0, hi=1), s.rand(1, lo=0, hi=1)), tol=3e-6)
    s.op("F.binary_cross_entropy(a, b, c)", (*unit[1], s.rand(3, lo=0)), (*unit[0], s.rand(4)), (*unit[0], s.rand(3)), tol=3e-6)
    logits = [(s.rand(*n), s.rand(*n, lo=0, hi=1)) for n in [(4,), (2, 3), (), (0, 2)]]
    far = (torch.tensor([200.0, -200.0, 200.0, -200.0, float("nan")]), torch.tensor([0.0, 0.0, 1.0, 1.0, 0.0]))
    for e in ["F.binary_cross_entropy_with_logits(a, b)", "F.binary_cross_entropy_with_logits(a, b, reduction='none')", "F.binary_cross_entropy_with_logits(a, b, reduction='sum')"]:
        s.op(e, *logits, far, (logits[0][0].double(), logits[0][1].double()), (s.rand(3), torch.ones(3, dtype=I64)), (s.rand(3), s.rand(1)), tol=3e-6)
    s.op("F.binary_cross_entropy_with_logits(a, b, pos_weight=c)", (*logits[1], s.rand(3, lo=0)), (*logits[0], s.rand(4, lo=0)), (*logits[0], s.rand(3)), (*far, s.rand(1, lo=1)), tol=3e-6)
    s.op("F.binary_cross_entropy_with_logits(a, b, c, reduction='none', pos_weight=d)", (*logits[1], s.rand(2, 1, lo=0), s.rand(3, lo=0)), tol=3e-6)
    # Distances.
    pairs = [(s.rand(*n), s.rand(*n, lo=0) + 0.5) for n in [(4,), (2, 3), (), (0, 2)]]
    for e in ["F.kl_div(a, b, reduction='sum')", "F.kl_div(a, b, reduction='batchmean')", "F.kl_div(a, b, reduction='mean')", "F.kl_div(a, b, reduction='none', log_target=True)", "F.kl_div(a, b.relu() * 0.0, reduction='none')"]:
        s.op(e, *[r for r in pairs if "batchmean" not in e or r[0].dim()], (pairs[0][0].double(), pairs[0][1].double()), tol=5e-6)
    for e in ["F.poisson_nll_loss(a, b)", "F.poisson_nll_loss(a, b, full=True)", "F.poisson_nll_loss(a.abs(), b, log_input=False, reduction='sum')", "F.poisson_nll_loss(a, b, full=True, reduction='none')"]:
        s.op(e, *pairs, (pairs[0][0].double(), pairs[0][1].double()), tol=5e-6)
    signs = [(a, (s.rand(*a.shape) >= 0).to(a.dtype) * 2 - 1) for a, _ in pairs]
    for e in ["F.soft_margin_loss(a, b)", "F.soft_margin_loss(a, b, reduction='none')", "F.hinge_embedding_loss(a, b)", "F.hinge_embedding_loss(a, b, margin=2.5, reduction='none')"]:
        s.op(e, *signs, (signs[0][0], signs[0][1] * 0.5), (far[0], 1 - 2 * far[1]), (torch.tensor([1.0, float("inf"), float("nan")]), torch.tensor([1.0, -1.0, -1.0])), tol=3e-6)
    for e in ["F.margin_ranking_loss(a, b, c)", "F.margin_ranking_loss(a, b, c, margin=0.5, reduction='none')"]:
        s.op(e, *[(a, s.rand(*a.shape), b) for a, b in signs], (s.rand(2, 3), s.rand(3), s.rand(2, 3)))
    for e in ["F.cosine_embedding_loss(a, b, c)", "F.cosine_embedding_loss(a, b, c, margin=0.3, reduction='none')", "F.cosine_embedding_loss(a, b, c, reduction='sum')"]:
        s.op(e, (s.rand(4, 3), s.rand(4, 3), torch.tensor([1, -1, 1, -1])), (s.rand(3), s.rand(3), torch.tensor(-1)), (s.rand(2, 3, dtype=F64), s.rand(2, 3, dtype=F64), torch.tensor([1, 0])), (s.rand(2, 3), s.rand(2, 3), s.rand(2, 3)), tol=3e-6)
    for e in ["F.triplet_margin_loss(a, b, c)", "F.triplet_margin_loss(a, b, c, margin=2.0, p=1.0, swap=True, reduction='none')"]:
        s.op(e, *[tuple(s.rand(*n) for _ in range(3)) for n in [(4, 3), (3,), (2, 3, 2)]], (s.rand(2, 3), s.rand(3), s.rand(2, 3)), tol=5e-6)
    traced = torch.jit.trace(s.define("(self, a, b, c):\n    return F.cross_entropy(a, b, c, label_smoothing=0.1), F.binary_cross_entropy_with_logits(a, a.sigmoid().detach(), reduction='sum'), F.kl_div(a.log_softmax(1), a.softmax(1).detach(), reduction='batchmean')"), (x, t, weight))
    s.module(None, (x, t, weight), scripted=traced, what="traced losses", tol=5e-6)
    # Sequences without an alignment.
    steps, size = torch.tensor([7, 4, 6]), torch.tensor([3, 0, 2])
    log, words = s.rand(7, 3, 5).log_softmax(-1), torch.randint(1, 5, (3, 4), generator=s.generator)
    narrow = torch.tensor([7, 1, 2]), torch.tensor([3, 2, 2])
    same = torch.tensor([[2, 2, 2, 2], [1, 1, 3, 0], [3, 3, 1, 0]])
    runs = [(log, words, steps, size), (log, words[0, :5], steps, torch.tensor([3, 0, 1])), (log.double(), words.int(), steps.int(), size.int()), (log, words, *narrow), (log, same, steps, torch.tensor([4, 2, 3])), (log, words, steps + 1, size), (log, words, steps, size + 2), (log, words[:2], steps, size), (log, words[0], steps, size), (log.long(), words, steps, size)]
    for e in ["F.ctc_loss(a, b, c, d)", "F.ctc_loss(a, b, c, d, reduction='none')", "F.ctc_loss(a, b, c, d, reduction='sum', zero_infinity=True)", "F.ctc_loss(a, b, c, d, zero_infinity=True)", "F.ctc_loss(a, b, c, d, 4, 'none')"]:
        s.op(e, *[r for r in runs if "4" not in e or not (r[1] == 4).any()], tol=3e-6)
    for e in ["F.ctc_loss(a.log_softmax(-1), b, c, d)", "F.ctc_loss(a.log_softmax(-1), b, c, d, reduction='none')"]:
        s.op(e, (s.rand(6, 2, 4), words[:2, :3] % 3 + 1, torch.tensor([6, 4]), torch.tensor([3, 1])), tol=3e-6)
        s.op(e, (s.rand(6, 4), words[0] % 3 + 1, torch.tensor(6), torch.tensor(4)), tol=3e-6)
    s.op("F.ctc_loss(a, b, c, d, reduction='none', zero_infinity=True)", (log, words, *narrow), tol=3e-6)
    traced = torch.jit.trace(s.define("(self, a, b):\n    return F.ctc_loss(a.log_softmax(-1), b, [7, 4, 6], [3, 0, 2])"), (s.rand(7, 3, 5), words))
    s.module(None, (s.rand(7, 3, 5), words), scripted=traced, what="traced ctc_loss", tol=3e-6)
