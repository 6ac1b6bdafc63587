"""Operators of torchvision: non-maximum suppression, boxes divided into bins. It needs PyTorch 2.14 and torchvision 0.27."""

import torch
import torchvision

NEEDS = (2, 14)


def cases(s):
    def boxes(n, size=32):
        corner = (s.rand(n, 2, lo=0, hi=size // 2)).abs()
        return torch.cat([corner, corner + s.rand(n, 2, lo=1, hi=size // 2).abs() + 0.5], 1)

    nms = lambda threshold: f"torch.ops.torchvision.nms(a, b, {threshold})"
    some = [(boxes(n), s.rand(n)) for n in (30, 1, 0, 200, 7)]
    equal = (boxes(1).expand(6, 4).clone(), s.rand(6))
    apart = (torch.arange(24).view(6, 4).float() * torch.tensor([100.0, 100.0, 100.0, 100.0]) + torch.tensor([0.0, 0.0, 50.0, 50.0]), s.rand(6))
    ties = (boxes(40), s.rand(40, lo=-1, hi=1).round())
    nan = (boxes(5), torch.tensor([0.5, float("nan"), 0.25, float("nan"), 1.0]))
    for threshold in (0.5, 0.1, 0.0, 1.0):
        s.op(nms(threshold), *some, equal, apart, ties)
    s.op(nms(0.3), *[(b.double(), v.double()) for b, v in some], nan)
    s.op(f"a[{nms(0.5)}].sum(1), b[{nms(0.5)}][:3]", *some, equal)
    s.op(f"a[b > 0][{nms(0.4).replace('a, b', 'a[b > 0], b[b > 0]')}]", *some, equal, (boxes(4), -s.rand(4).abs() - 1))
    whole = lambda n, images: torch.cat([torch.arange(n)[:, None].float() % images, boxes(n)], 1)
    for args in ("0.5, 2, 3, 2, True", "0.5, 2, 3, 2, False", "0.25, 4, 4, 0, True", "0.25, 3, 2, -1, False", "1.0, 1, 1, 9, True"):
        s.op(f"torch.ops.torchvision.roi_align(a, b, {args})", (s.rand(2, 3, 16, 18), whole(7, 2)), (s.rand(1, 2, 9, 8), whole(1, 1)), (s.rand(1, 2, 9, 8), whole(0, 1)), (s.rand(1, 1, 5, 5), torch.tensor([[0.0, -30.0, -2.0, 99.0, 40.0], [0.0, 3.0, 3.0, 3.0, 3.0], [0.0, 9.0, 9.0, 2.0, 2.0]])), tol=2e-6)
    some = [(s.rand(2, 12, 16, 18), whole(7, 2)), (s.rand(1, 12, 9, 8), whole(1, 1)), (s.rand(1, 12, 9, 8), whole(0, 1))]
    odd = (s.rand(1, 12, 5, 5), torch.tensor([[0.0, -30.0, -2.0, 99.0, 40.0], [0.0, 3.0, 3.0, 3.0, 3.0], [0.0, 9.0, 9.0, 2.0, 2.0], [0.0, 2.5, 3.5, 4.5, 5.0]]))
    for args in ("0.5, 2, 3, 2", "0.25, 3, 4, 1", "1.0, 1, 2, 0"):
        s.op(f"torch.ops.torchvision.ps_roi_align(a, b, {args})", *some, tol=2e-6)
    for args in ("0.5, 2, 3", "0.25, 3, 4", "1.0, 1, 2"):
        s.op(f"torch.ops.torchvision.ps_roi_pool(a, b, {args})", *some, odd, tol=2e-6)
        s.op(f"torch.ops.torchvision.roi_pool(a, b, {args})", *some, odd)
    for kernel, groups, offsets, stride, pad, dilation, mask in (((3, 3), 1, 1, 1, 1, 1, False), ((3, 2), 2, 1, 2, 1, 1, True), ((1, 3), 2, 3, 1, 2, 2, True), ((2, 2), 1, 2, 1, 0, 1, False)):
        h, w = [(n + 2 * pad - dilation * (k - 1) - 1) // stride + 1 for n, k in zip((6, 7), kernel)]
        taps = offsets * kernel[0] * kernel[1]
        made = lambda n: (s.rand(n, 6, 6, 7), s.rand(4, 6 // groups, *kernel), s.rand(n, 2 * taps, h, w, lo=-2, hi=2), s.rand(n, taps, h, w) if mask else s.rand(n, 1), s.rand(4))
        s.op(f"torch.ops.torchvision.deform_conv2d(a, b, c, d, e, {stride}, {stride}, {pad}, {pad}, {dilation}, {dilation}, {groups}, {offsets}, {mask})", made(2), made(1), tol=5e-6)
    # Operators behind NMS, of some boxes and of none.
    kept = f"a[b > 0][{nms(0.4).replace('a, b', 'a[b > 0], b[b > 0]')}]"
    found = [(boxes(9), s.rand(9)), (boxes(4), -s.rand(4).abs() - 1), (boxes(1), torch.ones(1))]
    behind = [
        "k.sort(0)", "k.argsort(1)", "k.topk(2, 1)", "k[:, 0].topk(min(len(k), 3))", "k.max(1)", "k.argmax(1)", "k.amin(1)", "k.sum(0)", "k.sum()", "k.cumsum(0)", "torch.cat([k, k * 2])",
        "torch.cat([k, b[:2, None].expand(2, 4)])", "torch.stack([k, k], 1)", "k[k[:, 0] > 1]", "k[torch.where(k[:, 1] > 2)[0]]", "k.gather(1, torch.zeros_like(k).long())",
        "torch.zeros_like(k).scatter(0, torch.arange(len(k))[:, None].expand(-1, 4), k)", "torch.zeros(12, 4).index_add(0, torch.arange(len(k)), k)", "k.softmax(1)", "torch.sigmoid(k).exp()", "k @ k.t()", "k.t() @ k",
        "torch.nn.functional.linear(k, torch.ones(3, 4), torch.ones(3))", "torch.nn.functional.conv2d(k.view(-1, 1, 2, 2), torch.ones(2, 1, 2, 2))", "torch.nn.functional.conv_transpose2d(k.view(-1, 1, 2, 2), torch.ones(1, 2, 2, 2))",
        "torch.nn.functional.max_pool2d(k.view(-1, 1, 2, 2), 2)", "torch.nn.functional.avg_pool2d(k.view(-1, 1, 2, 2), 2)", "torch.nn.functional.interpolate(k.view(-1, 1, 2, 2), scale_factor=2.0, mode='bilinear')",
        "torch.nn.functional.layer_norm(k, [4])", "k.clamp(0.0, 5.0).round()", "k.flatten()", "k.unsqueeze(1).repeat(1, 2, 1)", "k.permute(1, 0).contiguous()", "k.split(2, 1)", "k.chunk(2, 1)", "k.unbind(1)", "k.roll(1, 0)", "k.flip(0)",
        "torch.nn.functional.pad(k, [0, 1])", "torch.where(k > 1, k, -k)", "k.long().double()", "(k > 1).any(1)", "(k > 1).all()", "k.norm(2, [1])", "k.new_zeros([len(k), 2])", "torch.arange(len(k))", "k.nonzero()", "k.masked_fill(k > 1, 0.0)", "k.tril()",
        "torch.einsum('ij,kj->ik', k, k)", "torch.bmm(k.view(-1, 2, 2), k.view(-1, 2, 2))", "torch.nn.functional.one_hot(k.long().clamp(0, 3), 4)", "k.std(1)", "torch.ops.torchvision.roi_align(torch.ones(1, 1, 8, 8), torch.cat([k[:, :1] * 0, k], 1), 0.25, 2, 2, 2, True)",
        "torch.ops.torchvision.nms(k, k[:, 0], 0.5)", "torch.nn.functional.embedding(k.long().clamp(0, 3), torch.ones(4, 2))", "k.index_select(1, torch.tensor([1, 0]))", "k.split([len(k)])",
    ]
    for i in range(0, len(behind), 6):
        results = ", ".join(behind[i : i + 6])
        s.module(s.define(f"(self, a, b):\n    k = {kept}\n    return ({results})"), *found, what=results, tol=5e-6)
