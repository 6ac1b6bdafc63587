"""Convolutions, pooling, normalisation, resizing, padding."""

import torch


def cases(s):
    r = s.rand
    # Convolutions. The second run has another batch and other extents.
    for d, e in [(1, "a, b, c"), (2, "a, b, c"), (3, "a, b, c")]:
        x = lambda n, c, k: r(n, c, *([k if d < 3 else (k + 4) // 2] * d))
        w = lambda o, i, k: r(o, i, *([k] * d), lo=-1, hi=1)
        for args, o, i in [("", 4, 2), (", stride=2, padding=1", 4, 2), (", padding=1, dilation=2", 4, 2), (", groups=2", 4, 1), (", stride=2, groups=4, padding=1", 4, 1), (", padding='same'", 3, 2), (", padding='valid'", 3, 2)]:
            g = i if "groups" not in args else (2 if "=2" in args.split("groups")[1] else 4)
            channels = i * (1 if "groups" not in args else g)
            s.op(f"F.conv{d}d({e}{args})", (x(2, channels, 7), w(o, i, 3), r(o)), (x(3, channels, 9), w(o, i, 3), r(o)), (x(1, channels, 2), w(o, i, 3), r(o)), tol=2e-5)
        s.op(f"F.conv{d}d(a, b)", (x(2, 2, 5), w(3, 2, 1)), (r(2, *([5] * d)), w(3, 2, 3)), (x(2, 2, 5), w(3, 3, 3)), tol=2e-5)
        for args in ["", ", stride=2", ", stride=2, padding=1, output_padding=1", ", padding=1, dilation=2"]:
            s.op(f"F.conv_transpose{d}d({e}{args})", (x(2, 3, 4), w(3, 2, 3), r(2)), (x(1, 3, 5), w(3, 2, 3), r(2)), tol=2e-5)
        s.op(f"F.conv_transpose{d}d(a, b, groups=2)", (x(2, 4, 3), w(4, 2, 2)), tol=2e-5)
    s.op("F.conv2d(a, b, stride=(2, 1), padding=(1, 0), dilation=(1, 2))", (r(2, 2, 7, 8), r(3, 2, 3, 2)), (r(1, 2, 9, 6), r(3, 2, 3, 2)), tol=2e-5)
    # Pooling.
    for d in [1, 2, 3]:
        x = lambda n, c, k: r(n, c, *([k] * d))
        runs = [x(2, 2, 7 if d < 3 else 5), x(1, 3, 8 if d < 3 else 6), r(2, *([6 if d < 3 else 5] * d)), x(2, 3, 1)]
        wide = runs[:3]  # PyTorch's own rules for less than one window differ between the dimensions
        for args in ["2", "3, 2", "3, 2, 1", "3, stride=1, padding=1", "3, 2, 1, ceil_mode=True", "2, ceil_mode=True"]:
            s.op(f"F.max_pool{d}d(a, {args})", *(wide if d == 1 else runs))
            s.op(f"F.avg_pool{d}d(a, {args})", *(wide if d == 3 else runs), tol=2e-6)
        s.op(f"F.max_pool{d}d(a, 2, 1, 0, dilation=2)", *runs)
        s.op(f"F.avg_pool{d}d(a, 3, 2, 1, count_include_pad=False)", *wide, tol=2e-6)
        s.op(f"F.avg_pool{d}d(a, 3, 2, 1, ceil_mode=True, count_include_pad=False)", *wide, tol=2e-6)
        if d > 1:
            s.op(f"F.avg_pool{d}d(a, 3, 2, 1, divisor_override=5)", *wide, tol=2e-6)
        for size in ["1", "2", "3", "7"]:
            s.op(f"F.adaptive_avg_pool{d}d(a, {size})", *runs, tol=3e-6)
        s.op(f"F.adaptive_max_pool{d}d(a, 1)", *runs)
        s.op(f"F.adaptive_max_pool{d}d(a, 2)", x(2, 3, 8), x(1, 3, 4), x(2, 3, 7), r(1, 3, *([5, 6, 4][:d])))
    pool = torch.nn.AdaptiveAvgPool2d((None, 2))
    s.module(pool, r(2, 3, 5, 8), r(1, 3, 5, 6), what="AdaptiveAvgPool2d((None, 2)) traced", tol=3e-6, scripted=torch.jit.trace(pool, r(2, 3, 5, 8)))
    s.op("F.max_pool2d(a, (2, 3), (1, 2), (1, 0))", r(2, 3, 7, 8), r(1, 3, 5, 6))
    s.op("F.lp_pool2d(a, 2., 2)", r(2, 3, 6, 6), tol=1e-4)
    # Normalisation.
    m, v = r(3), r(3).abs() + 1
    for x in [[r(4, 3), r(2, 3)], [r(2, 3, 4), r(1, 3, 5)], [r(2, 3, 4, 5), r(1, 3, 2, 2)], [r(2, 3, 2, 2, 2)]]:
        s.op("F.batch_norm(a, b, c, d, e)", *[(t, m, v, r(3), r(3)) for t in x], tol=5e-6)
    s.op("F.batch_norm(a, b, c, None, None, False, 0.1, 1e-3)", (r(2, 3, 4, 5), m, v), tol=5e-6)
    for e, w in [("F.layer_norm(a, [4])", []), ("F.layer_norm(a, [4], b, c)", [r(4), r(4)]), ("F.layer_norm(a, [3, 4], b, c, 1e-3)", [r(3, 4), r(3, 4)]), ("F.layer_norm(a, a.shape[-1:])", [])]:
        s.op(e, *[(x, *w) for x in [r(2, 3, 4), r(5, 3, 4), r(1, 3, 4)]], tol=1e-5)
    for e, w in [("F.group_norm(a, 2)", []), ("F.group_norm(a, 2, b, c)", [r(4), r(4)]), ("F.group_norm(a, 4, b, c, 1e-3)", [r(4), r(4)]), ("F.group_norm(a, 1)", [])]:
        s.op(e, *[(x, *w) for x in [r(2, 4, 3), r(2, 4, 3, 5), r(1, 4, 2, 2), r(3, 4, 5)]], tol=1e-5)
    s.op("F.instance_norm(a)", r(2, 3, 5), r(2, 3, 4, 5), r(1, 3, 2, 2), tol=1e-5)
    s.op("F.instance_norm(a, None, None, b, c)", *[(x, r(3), r(3)) for x in [r(2, 3, 5), r(2, 3, 4, 5)]], tol=1e-5)
    s.op("F.instance_norm(a, b, c, None, None, False)", (r(2, 3, 4, 5), m, v), tol=1e-5)
    s.op("F.local_response_norm(a, 3)", r(2, 5, 4, 4), r(1, 5, 3, 3), tol=1e-5)
    s.op("F.normalize(a)", r(2, 5), r(3, 5, 2), tol=1e-5)
    # Resizing.
    x2 = [r(2, 3, 4, 5), r(1, 3, 6, 3), r(1, 3, 1, 2)]
    for mode, more in [("nearest", ""), ("nearest-exact", ""), ("bilinear", ", align_corners=False"), ("bilinear", ", align_corners=True"), ("bicubic", ", align_corners=False"), ("bicubic", ", align_corners=True")]:
        for how in ["size=[7, 6]", "scale_factor=2.0", "scale_factor=[0.5, 1.5]", "size=[2, 2]", "size=[a.shape[2] * 2, a.shape[3]]", "scale_factor=1.3, recompute_scale_factor=True"]:
            s.op(f"F.interpolate(a, {how}, mode='{mode}'{more})", *x2[: 2 if "0.5" in how or "1.3" in how else 3], tol=2e-5)
    for mode, more, x in [("nearest", "", [r(2, 3, 5), r(1, 3, 4)]), ("linear", ", align_corners=False", [r(2, 3, 5), r(1, 3, 4)]), ("linear", ", align_corners=True", [r(2, 3, 5), r(1, 3, 4)])]:
        s.op(f"F.interpolate(a, size=7, mode='{mode}'{more})", *x, tol=5e-6)
        s.op(f"F.interpolate(a, scale_factor=2., mode='{mode}'{more})", *x, tol=5e-6)
    for mode, more in [("nearest", ""), ("trilinear", ", align_corners=False"), ("trilinear", ", align_corners=True")]:
        s.op(f"F.interpolate(a, scale_factor=2., mode='{mode}'{more})", r(1, 2, 3, 2, 3), r(2, 2, 2, 2, 2), tol=5e-6)
    s.op("F.interpolate(a, size=b.shape[2:], mode='bilinear', align_corners=False)", (r(1, 2, 3, 3), r(1, 1, 6, 5)), (r(2, 2, 4, 3), r(1, 1, 7, 7)), tol=5e-6)
    # Padding, and moving pixels.
    x = [r(2, 3, 4, 5), r(1, 3, 3, 4)]
    for e in ["F.pad(a, [1, 2])", "F.pad(a, [1, 2, 0, 3], value=1.5)", "F.pad(a, [0, 0, 0, 0, 1, 1])", "F.pad(a, [-1, 1, 2, -1])", "F.pad(a, [1, 2, 1, 0], mode='reflect')", "F.pad(a, [1, 2, 1, 0], mode='replicate')", "F.pad(a, [1, 2, 1, 0], mode='circular')", "F.pad(a, [0, a.shape[-1] % 2, 0, 1])"]:
        s.op(e, *x)
    s.op("F.pad(a, [1, 2], mode='reflect')", r(2, 3, 5), r(2, 3, 4))
    s.op("F.pad(a, [1, 1])", r(3, dtype=torch.int64), r(2, 3, dtype=torch.int64), r(3, dtype=torch.bool), r(2, 2, dtype=torch.float64))
    s.op("F.pad(a, [1, 1], value=7.0)", r(3, dtype=torch.int64), r(2, 3, dtype=torch.int32))
    s.op("F.pixel_shuffle(a, 2)", r(2, 8, 3, 2), r(1, 4, 2, 2), r(2, 3, 4, 4))
    s.op("F.pixel_unshuffle(a, 2)", r(2, 2, 4, 6), r(1, 1, 2, 2), r(1, 1, 3, 3))
    s.op("F.channel_shuffle(a, 2)", r(2, 4, 3, 2), r(1, 6, 2, 2))
    s.op("F.unfold(a, 2, 1, 1, 2)", r(2, 3, 5, 6), r(1, 3, 4, 4))
    s.op("F.unfold(a, (2, 3))", r(2, 3, 5, 6))
    s.op("F.fold(a, (4, 5), 2)", r(2, 12, 12), tol=1e-5)
    s.op("F.fold(a, (4, 4), 2, stride=2)", r(2, 12, 4), r(1, 12, 4), tol=1e-5)
    # Spectra.
    s.op("torch.fft.rfft(a).abs()", r(8), r(2, 8), r(2, 7), tol=1e-4)
    s.op("torch.view_as_real(torch.fft.rfft(a, dim=1))", r(2, 8, 3), tol=1e-4)
    w = torch.hann_window(8)
    for more in ["", ", center=False", ", normalized=True", ", onesided=False", ", hop_length=4", ", win_length=6"]:
        win = ", window=b" if "win_length" not in more else ", window=b[:6]"
        s.op(f"torch.view_as_real(torch.stft(a, 8{more}{win}, return_complex=True))", (r(2, 32), w), (r(1, 40), w), tol=1e-4)
    s.op("torch.stft(a, 8, window=b, return_complex=True).abs().pow(2).sum()", (r(2, 32), w), tol=1e-4)
    s.op("torch.stft(a, 8, window=b, return_complex=False)", (r(2, 32), w), tol=1e-4)
    s.module(torch.nn.BatchNorm2d(2, track_running_stats=False).eval(), s.rand(2, 2, 3, 3), s.rand(1, 2, 2, 2), tol=1e-5)
    for e in ["F.elu(a, 0.5)", "F.selu(a)", "F.celu(a, 0.7)"]:
        s.op(e, s.rand(2, 3), tol=2e-6)
    pairs = (s.rand(2, 4), s.rand(2, 4))
    for e in ["torch.real(torch.complex(a, b))", "torch.imag(torch.complex(a, b))", "torch.angle(torch.complex(a, b))", "torch.abs(torch.complex(a, b))", "torch.view_as_real(torch.conj(torch.complex(a, b)).resolve_conj())", "torch.view_as_real(torch.view_as_complex(torch.stack([a, b], -1)))"]:
        s.op(e, pairs, tol=2e-6)
    for e in ["torch.fft.irfft(torch.complex(a, b))", "torch.fft.irfft(torch.complex(a, b), 5)", "torch.fft.irfft(torch.complex(a, b), dim=0)", "torch.fft.irfft(torch.complex(a, b), norm='ortho')", "torch.fft.irfft(torch.fft.rfft(a))", "torch.fft.irfft(torch.fft.rfft(a, norm='forward'), 4, norm='forward')"]:
        s.op(e, (s.rand(3, 4), s.rand(3, 4)), (s.rand(5, 4), s.rand(5, 4)), tol=5e-6)
    for e in ["torch.istft(torch.stft(a, 8, 2, window=b, return_complex=True), 8, 2, window=b)", "torch.istft(torch.stft(a, 8, 4, return_complex=True), 8, 4)", "torch.istft(torch.stft(a, 8, 2, 6, b[:6], return_complex=True, normalized=True), 8, 2, 6, b[:6], normalized=True, length=15)"]:
        s.op(e, (s.rand(2, 24), torch.hamming_window(8)), (s.rand(20), torch.hamming_window(8)), tol=1e-5)
    images = [(s.rand(2, 3, 4, 5), s.rand(2, 3, 2, 2) / 3), (s.rand(1, 1, 2, 2), s.rand(1, 4, 4, 2) / 2), (s.rand(2, 2, 1, 3), s.rand(2, 2, 3, 2))]
    for mode in ["bilinear", "nearest"]:
        for padding in ["zeros", "border"]:
            for align in [True, False]:
                s.op(f"F.grid_sample(a, b, mode='{mode}', padding_mode='{padding}', align_corners={align})", *images, (s.rand(2, 3, 4, 5), s.rand(1, 3, 2, 2)), tol=1e-5)
    s.op("F.affine_grid(a, [2, 3, 4, 5], align_corners=False)", s.rand(2, 2, 3), tol=1e-5)
    s.op("F.affine_grid(a, [a.size(0), 3, 2, 1], align_corners=True)", s.rand(2, 2, 3), s.rand(1, 2, 3), tol=1e-5)
