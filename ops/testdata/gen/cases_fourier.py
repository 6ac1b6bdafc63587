"""Fourier transforms."""

import torch


def cases(s):
    for shape in [[1], [2], [5], [8], [3, 16], [2, 3, 7], [0, 4], [20, 30], [100], [0]]:
        s.add("rfft", {}, [s.rand(*shape)], lambda x: torch.view_as_real(torch.fft.rfft(x)), 1e-5)
    for shape, n, hop in [([40], 8, 4), ([2, 40], 8, 3), ([1, 200], 50, 25), ([8], 8, 1), ([3, 64], 16, 16), ([7], 8, 1), ([2, 40], 9, 2)]:
        for one_sided in [True, False]:
            for normalized in [True, False]:
                window = torch.hann_window(n)
                s.add("stft", {"Hop": hop, "OneSided": one_sided, "Normalized": normalized}, [s.rand(*shape), window],
                      lambda x, w: torch.view_as_real(torch.stft(x, n, hop, window=w, center=False, onesided=one_sided, normalized=normalized, return_complex=True)), 1e-5)
    # Lengths with small, with several and with large prime factors.
    for n in [1, 2, 3, 4, 5, 8, 12, 30, 61, 64, 67, 97, 134]:
        for inverse in [False, True]:
            for norm, name in [("none", "forward" if inverse else "backward"), ("ortho", "ortho"), ("n", "backward" if inverse else "forward")]:
                f = torch.fft.ifft if inverse else torch.fft.fft
                shape = (2, 3, n, 2) if n < 10 else (2, n, 2)
                dtype = torch.float64 if n % 2 == 0 else torch.float32
                s.add("fft", {"Inverse": inverse, "Norm": norm}, [s.rand(*shape, dtype=dtype)],
                      lambda x: torch.view_as_real(f(torch.view_as_complex(x), norm=name)), 1e-5)
    s.add("fft", {}, [s.rand(0, 4, 2)], lambda x: x)
