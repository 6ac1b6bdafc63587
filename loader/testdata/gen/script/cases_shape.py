"""Views, and writing through them."""

import torch

I64, BOOL = torch.int64, torch.bool


def cases(s):
    x = [s.rand(2, 3, 4), s.rand(5, 3, 4), s.rand(1, 3, 4), s.rand(0, 3, 4), s.rand(2, 3, 4, dtype=I64)]
    for e in [
        "a.view(-1)", "a.view(a.size(0), -1)", "a.view(-1, 12)", "a.view(a.shape[0], 3, 2, 2)", "a.reshape(a.size(0), 12)", "a.reshape(-1, 4)", "a.reshape([a.size(0) * 3, 4])", "a.reshape(a.size(0), a.size(1) * a.size(2))",
        "a.flatten()", "a.flatten(1)", "a.flatten(0, 1)", "torch.flatten(a, -2, -1)", "a.ravel()", "a.unflatten(2, [2, 2])", "torch.unsqueeze(a, 0)", "a.unsqueeze(-1)", "a.unsqueeze(2).squeeze(2)", "a[:, :1].squeeze(1)", "a.squeeze()", "a.squeeze(0)",
        "a.transpose(0, 1)", "a.transpose(-1, -2)", "a.permute(2, 0, 1)", "a.permute([0, 2, 1]).contiguous().view(a.size(0), -1)", "a.movedim(0, 2)", "torch.swapaxes(a, 0, 2)", "a[0:1].t() if False else a", "a.mT",
        "a.size()", "a.size(1)", "a.shape[-1]", "a.numel()", "len(a)", "a.stride()", "a.is_contiguous()", "a.dim()",
        "a.expand(2, -1, -1, -1)", "a.expand(3, a.size(0), 3, 4)", "a[:, :1].expand(-1, 5, -1)", "a[:, :1].expand_as(a)", "torch.broadcast_to(a, [2, a.size(0), 3, 4])", "a.view_as(a)", "a.reshape_as(a)", "torch.broadcast_tensors(a, a[:, :1])",
        "a[:, 1]", "a[:, -1]", "a[:, 1:]", "a[:, :-1]", "a[..., 0]", "a[:, None]", "a[:, ::2]", "a[:, 1:2, 2:]", "a[..., 1:3]", "a[:, 5:]", "a[:, 2:1]", "a[-1:]", "a[:1]", "a[:, [0, 2]]", "a[:, 0, 1]", "a[..., None, :]",
        "a.select(1, 2)", "a.narrow(1, 0, 2)", "a.narrow(2, 1, 3)", "torch.diagonal(a, 0, 1, 2)", "torch.diagonal(a, 1, -2, -1)", "a.unfold(2, 2, 1)", "a.unfold(1, 2, 2)", "torch.atleast_2d(a)", "torch.atleast_1d(a)",
        "a.chunk(2, 1)", "a.split(2, -1)", "a.split([1, 2], 1)", "torch.tensor_split(a, 3, 2)", "torch.unbind(a, 1)", "a.unbind(-1)[0]", "a.chunk(3, 2)",
    ]:
        s.op(e, *x)
    s.op("a[0]", *x)
    s.op("a[-2]", *x)
    s.op("a.t()", s.rand(2, 3), s.rand(5, 3), s.rand(4), s.rand(2, 3, 4))
    s.op("a.T", s.rand(2, 3), s.rand(3))
    s.op("a.squeeze(1)", s.rand(2, 1, 3), s.rand(4, 1, 3), s.rand(2, 2, 3))
    s.op("a.view(2, 5)", s.rand(10), s.rand(2, 5), s.rand(9))
    s.op("a.view(-1, 3)", s.rand(6), s.rand(2, 9), s.rand(7))
    s.op("a.reshape(())", s.rand(1), s.rand(1, 1), s.rand(2))
    s.op("a.view(b, -1)", (s.rand(2, 6), 3), (s.rand(4, 3), 2), (s.rand(4, 3), 5))
    s.op("a.expand(b.size(0), -1)", (s.rand(1, 3), s.rand(4)), (s.rand(1, 3), s.rand(5)))
    s.op("a + b[:, None]", (s.rand(2, 3), s.rand(2)), (s.rand(4, 3), s.rand(4)))
    s.op("a.unflatten(0, [-1, b.size(0)])", (s.rand(6, 2), s.rand(3)), (s.rand(8, 2), s.rand(4)))
    s.op("(a.size(0) + b.size(0), a.size(0) * 2 - 1, a.size(0) // 2, a.size(0) % 3, max(a.size(0), b.size(0)))", (s.rand(6, 2), s.rand(3)), (s.rand(8, 2), s.rand(4)))
    s.op("a.reshape(a.size(0) // 2, 2, -1)", s.rand(6, 2), s.rand(8, 2), s.rand(7, 2))
    s.op("a.reshape(-1, a.size(0))", s.rand(6, 2), s.rand(2, 8))
    s.op("torch.zeros_like(a).reshape(a.size(1), -1) + a.sum()", s.rand(6, 2), s.rand(2, 8), tol=1e-5)
    s.op("torch.full([a.size(0), 2], 3.5)", s.rand(6, 2), s.rand(2, 8))
    s.op("torch.arange(a.size(1))", s.rand(6, 2), s.rand(2, 8))

    # Writing through views, and what is seen of it elsewhere.
    def write(body, *runs):
        s.module(s.define("(self, a: Tensor):\n    " + "\n    ".join(body.split("; "))), *runs, what=body)

    y = [s.rand(2, 3, 4), s.rand(5, 3, 4), s.rand(1, 3, 4)]
    for body in [
        "a[:, 0] = 1.0; return a", "a[:, 1:] = 2; return a", "a[:, :, ::2] = 0; return a", "a[:, ::2, 1] += 1; return a", "a[..., -1] *= 2; return a",
        "b = a[:, 1]; b.add_(1); return a, b", "b = a.view(-1, 4); b[:, 0] = 9; return a", "b = a.transpose(1, 2); b[:, 0] = 7; return a, b", "b = a.unsqueeze(0); b.mul_(3); return a",
        "a[:, 0] = a[:, 1]; return a", "b = a.clone(); b[:, 0] = 5; return a, b", "b = a[:, 1:]; c = b[:, :, 2]; c.zero_(); return a, b, c", "b = a.flatten(1); b[:, 3:5] = -1; return a",
        "a[0] = 3; return a", "a[0, 1] = 3; return a", "b = a[0]; b += 1; return a", "b = a.permute(2, 0, 1); b[1] = 0; return a", "b = a.select(1, 2); b.copy_(a.select(1, 0)); return a",
        "a.add_(1).mul_(2); return a", "b = torch.zeros(2, 3); b[1] = a[0, :, 0]; return b", "b = torch.zeros_like(a); b[:, 1:] = a[:, :-1]; return b", "a[:, 0, 0] = torch.arange(a.size(0)).to(a.dtype); return a",
        "b = a.detach(); b.zero_(); return a", "b = a.split(2, 1)[0]; b.fill_(4); return a", "b, c = a.chunk(2, 2); b.add_(c); return a", "b = a.diagonal(0, 1, 2); return b.clone()", "a[:, 1:2, 2:3] = torch.ones(1, 1, 1); return a",
        "b = a.expand(2, -1, -1, -1); c = b * 1; a.zero_(); return b, c", "b = a.squeeze(); b.add_(1); return a", "b = a.reshape(-1); b[0] = 100.; return a", "b = a.transpose(1, 2).reshape(-1); b[0] = 100.; return a",
        "b = a.contiguous(); b.add_(1); return a, b", "b = a.transpose(1, 2).contiguous(); b.add_(1); return a", "b = a.to(torch.float32); b.add_(1); return a", "b = a.to(torch.float64); b.add_(1); return a",
        "a[:, torch.tensor([0, 2])] = 1.; return a", "a[a > 0] = 0.; return a", "a[:, a.size(1) - 1] = 8.; return a", "a[:, 1].relu_(); return a", "F.relu(a[:, 1:], inplace=True); return a", "a.clamp_(0, 1); return a",
        "b = [a[:, 0], a[:, 1]]; b[0].add_(10); return a", "b = a.unbind(1); b[2].mul_(0); return a", "a.transpose_(1, 2); a[0, 0] = 1.; return a", "b = a.t() if False else a[0].t_(); b[0] = 2.; return a, b", "a.squeeze_(0); return a", "a.unsqueeze_(0); return a", "a[:] = 2.; return a", "a[...] = 3.; return a",
        "b = a[:, :1]; b[...] = a[:, 1:2]; return a", "a[:, [0, 1]] = a[:, [1, 0]]; return a",
    ]:
        write(body, *y)
    for e in ["torch.select_scatter(a, b, 0, 1)", "torch.select_scatter(a, b, 0, -1)"]:
        s.op(e, (s.rand(3, 4), s.rand(4)), (s.rand(2, 4), s.rand(4)), (s.rand(3, 4), s.rand(3)))
    for e in ["torch.slice_scatter(a, b, 1, 1, 3)", "torch.slice_scatter(a, b, dim=1, start=-2)", "torch.slice_scatter(a, b, 1, 0, 4, 2)"]:
        s.op(e, (s.rand(3, 4), s.rand(3, 2)), (s.rand(1, 4), s.rand(1, 2)), (s.rand(3, 4), s.rand(3, 3)))
    for e in ["torch.diff(a)", "torch.diff(a, dim=0)", "torch.diff(a, n=2)", "torch.diff(a, n=0)"]:
        s.op(e, s.rand(3, 4), s.rand(2, 2), s.rand(1, 1), s.rand(3, 4, dtype=torch.bool), s.rand(3, 4, dtype=torch.int64), s.rand(0, 3))
    s.op("torch.row_stack([a, a])", s.rand(3), s.rand(2, 3))
    s.op("torch.native_layer_norm(a, [3], b, b, 1e-5)[0]", (s.rand(2, 3), s.rand(3)), (s.rand(4, 2, 3), s.rand(3)), tol=1e-5)
    for e in ["a.as_strided([2, 2], [1, 2])", "a.as_strided([3], [2], 1)", "torch.as_strided(a, [2, 3], [0, 1])", "a.as_strided([], [], 2)", "a.as_strided([2, 0], [1, 1])", "a.as_strided([9, 9], [4, 1])"]:
        s.op(e, s.rand(3, 4), s.rand(3, 4))
    write("a.as_strided([2, 3], [6, 2], 1).mul_(2.); return a", s.rand(3, 4))
