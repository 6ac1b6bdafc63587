"""Fits the polynomials of the float32 vector math kernels (mathcoef_f32.h, and tables in unary_f32_tail_avx512_amd64.h).

Each is a weighted minimax fit by Lawson's iteration on a Chebyshev grid. Coefficients are
rounded to float32 one by one, highest degree first, the lower ones being fitted
again after each, so that rounding costs nothing. Needs numpy and mpmath.
"""
import numpy as np
import mpmath as mp

mp.mp.dps = 40


def lawson(powers, x, f, w, rounds=300):
    """Coefficients c minimizing max |w*(sum c_i x^powers_i - f)|."""
    basis = np.stack([x**p for p in powers], axis=1)
    lam = np.full(len(x), 1 / len(x))
    best, coef = np.inf, None
    for _ in range(rounds):
        s = np.sqrt(lam)
        c, *_ = np.linalg.lstsq(basis * (w * s)[:, None], f * w * s, rcond=None)
        e = np.abs(w * (basis @ c - f))
        if e.max() < best:
            best, coef = e.max(), c
        lam = lam * e
        lam /= lam.sum()
    return coef, best


def fit(name, degree, lo, hi, fun, weight):
    """Prints float32 coefficients, constant first, of fun on [lo, hi]."""
    x = (lo + hi) / 2 + (hi - lo) / 2 * np.cos(np.linspace(0, np.pi, 3000))
    f = np.array([float(fun(mp.mpf(v))) for v in x])
    w = np.array([float(weight(mp.mpf(v))) for v in x])
    rest, fixed, out = f.copy(), list(range(degree + 1)), {}
    while fixed:
        c, err = lawson(fixed, x, rest, w)
        p = fixed.pop()
        out[p] = np.float32(c[-1])
        rest = rest - float(out[p]) * x**p
    low = np.float32(c[-1] - float(out[0]))
    print(f"{name}: weighted error {np.abs(w * rest).max():.3g}, {np.abs(w * (rest - float(low))).max():.3g} with a second constant ${int(low.view(np.uint32)):#010x}")
    for p in range(degree + 1):
        print(f"  {p}: {out[p]!r:>20} ${int(out[p].view(np.uint32)):#010x}")


def tables(name, degree, fun, segment):
    """Prints, per degree, the coefficients of polynomials of t-c for 16 segments of t, in order of the lowest
    two bits of the exponent and the highest two of the mantissa of 1+t. The center c of a segment is the float32
    close to its middle where fun is closest to a float32: the constant, the largest part of the sum, is then almost exact."""
    rows, worst = np.zeros((degree + 2, 16), np.float32), 0
    for k in range(16):
        lo, hi = segment(k)
        near = (np.float32((lo + hi) / 2).view(np.uint32) + np.arange(-500, 500)).astype(np.uint32).view(np.float32)
        exact = [fun(mp.mpf(float(c))) for c in near]
        center = near[np.argmin([abs(float(v - mp.mpf(float(np.float32(float(v)))))) for v in exact])]
        x = (lo + hi) / 2 + (hi - lo) / 2 * np.cos(np.linspace(0, np.pi, 600))
        f = np.array([float(fun(mp.mpf(v))) for v in x])
        d = x - float(center)
        column = (k + 4 * 127) % 16
        rows[0, column] = center
        rows[1, column] = np.float32(float(fun(mp.mpf(float(center)))))
        rest, fixed = f - float(rows[1, column]), list(range(1, degree + 1))
        while fixed:
            c, _ = lawson(fixed, d, rest, 1 / f)
            p = fixed.pop()
            rows[1 + p, column] = np.float32(c[-1])
            rest = rest - float(rows[1 + p, column]) * d**p
        worst = max(worst, np.abs(rest / f).max())
    print(f"{name}: weighted error {worst:.3g}")
    for i, row in enumerate(rows):
        title = "Center" if i == 0 else str(i - 1)
        print(f"TABLE({name}{title}<>, " + ", ".join(f"${int(v.view(np.uint32)):#010x}" for v in row) + ")")


def split(name, v):
    """Prints v as a sum of two float32."""
    hi = np.float32(float(v))
    lo = np.float32(float(v - mp.mpf(float(hi))))
    print(f"{name}: {hi!r} ${int(hi.view(np.uint32)):#010x} + {lo!r} ${int(lo.view(np.uint32)):#010x}")


# exp(r) = 1 + r + r^2*q(r)
L = mp.log(2) / 2 * 1.001
fit("exp", 4, -float(L), float(L),
    lambda r: (mp.exp(r) - 1 - r) / r**2 if r != 0 else mp.mpf(1) / 2, lambda r: r**2 / mp.exp(r) + mp.mpf("1e-30"))
# tanh(x) = x + x^3*p(x^2)
fit("tanh", 4, 1e-9, 0.625**2,
    lambda s: (mp.tanh(mp.sqrt(s)) / mp.sqrt(s) - 1) / s, lambda s: s * mp.sqrt(s) / mp.tanh(mp.sqrt(s)))
# erf(x) = x + x*p(x^2)
fit("erf", 6, 1e-9, 1.0, lambda s: mp.erf(mp.sqrt(s)) / mp.sqrt(s) - 1, lambda s: mp.sqrt(s) / mp.erf(mp.sqrt(s)))
# Upper tail of the normal distribution: P(X > t) = exp(-t^2/2)*q(u)/(1+1.25t), u = (t-3)/(t+3); q is nearly flat
A = 3


def tail(u):
    t = A * (1 + u) / (1 - u)
    return mp.erfc(t / mp.sqrt(2)) / 2 * mp.exp(t * t / 2) * (1 + 1.25 * t)


fit("tail", 10, -1.0, (16 - A) / (16 + A), tail, lambda u: 1 / tail(u))
# The same tail where 16 coefficients can be looked up: P(X > t) = exp(-t^2/2)*p(t - c), with c and p those of the
# quarter of an octave in which 1+t lies.
tables(
    "mills",
    6,
    lambda t: mp.erfc(t / mp.sqrt(2)) / 2 * mp.exp(t * t / 2),
    lambda k: [(1 + m / 4) * 2**e - 1 for e, m in (divmod(k, 4), divmod(k + 1, 4))],
)
# log(1+f) = 2*atanh(s), s = f/(2+f): = 2s + s*p(s^2)*s^2
fit("log1p", 4, 1e-9, 1 / 9, lambda w: (2 * mp.atanh(mp.sqrt(w)) / mp.sqrt(w) - 2) / w, lambda w: w * mp.sqrt(w) / 2 / mp.atanh(mp.sqrt(w)))
print("ln2: $0x3f317200 +", np.float32(float(mp.log(2) - mp.mpf("0.693145751953125"))).view(np.uint32).item().__format__("#x"))
split("log2(e)", 1 / mp.log(2))
k1 = 2 * mp.sqrt(2 / mp.pi)
split("2*sqrt(2/pi)", k1)
split("2*sqrt(2/pi)*0.044715", k1 * mp.mpf("0.044715"))
split("sqrt(2)", mp.sqrt(2))
