package ops

import "math"

// hurwitz is Hurwitz's zeta function, the sum of (q+k)^-s, by Euler and Maclaurin's sum (DLMF 25.11.5). Below 0 it goes up one by one,
// so that poles are exact: from -10,000 on, NaN from there.
func hurwitz(s, q float64) float64 {
	switch {
	case s == 1 || s > 1 && q <= 0 && q == math.Trunc(q):
		return math.Inf(1)
	case !(s > 1 && q > -1e4) || q < 0 && s != math.Trunc(s):
		return math.NaN()
	case math.IsInf(q, 1):
		return 0
	}
	sum := 0.0
	for ; q < 12+min(s, 171); q++ {
		term := math.Pow(q, -s)
		if sum += term; q > 1 && term < 1e-18*math.Abs(sum) || math.IsInf(sum, 0) {
			return sum
		}
	}
	sum += math.Pow(q, 1-s)/(s-1) + float64(math.Pow(q, -s)/2)
	term := s * math.Pow(q, -s-1) // s (s+1) ... (s+2k-2) q^(-s-2k+1), times B(2k)/(2k)!
	for k, b := range [...]float64{1.0 / 12, -1.0 / 720, 1.0 / 30240, -1.0 / 1209600, 1.0 / 47900160, -691.0 / 1307674368000} {
		if !(math.Abs(term) > 1e-300) { // what follows could be 0 times infinity
			break
		}
		sum += float64(b * term)
		term *= (s + float64(2*k) + 1) * (s + float64(2*k) + 2) / (q * q)
	}
	return sum
}

// incompleteGamma is the lower regularized incomplete gamma function P(a, x), or the upper one, Q(a, x) = 1 - P(a, x): by its series below
// a+1, by its continued fraction from there (DLMF 8.11.4, 8.9.2), for large a by Temme's uniform expansion (DLMF 8.12.3).
func incompleteGamma(a, x float64, upper bool) float64 {
	lower := func(p float64) float64 {
		if upper {
			return 1 - p
		}
		return p
	}
	switch { // in PyTorch's order, which decides what a NaN gives
	case a < 0 || x < 0 || a == 0 && !(x > 0) || math.IsInf(a, 1) && math.IsInf(x, 1):
		return math.NaN()
	case x == 0 || math.IsInf(a, 1):
		return lower(0)
	case a == 0 || math.IsInf(x, 1):
		return lower(1)
	case a != a || x != x:
		return math.NaN()
	case a > 1e5:
		return temme(a, x, upper)
	}
	log, _ := math.Lgamma(a)
	scale := math.Exp(float64(a*math.Log(x)) - x - log)
	if x < a+1 {
		sum, term := 1/a, 1/a
		for k := a + 1; term > 1e-17*sum; k++ {
			term = float64(term * (x / k))
			sum += term
		}
		return lower(float64(scale * sum))
	}
	const tiny = 1e-300
	b := x + 1 - a
	c, d := 1/tiny, 1/b
	h := d
	for i := 1.0; i < 1e6; i++ { // some times the root of a, where x is near it
		n := -i * (i - a)
		b += 2
		d, c = float64(n*d)+b, b+n/c
		if math.Abs(d) < tiny {
			d = tiny
		}
		if math.Abs(c) < tiny {
			c = tiny
		}
		d = 1 / d
		step := float64(d * c)
		h *= step
		if math.Abs(step-1) < 1e-15 {
			break
		}
	}
	if upper {
		return scale * h
	}
	return 1 - float64(scale*h)
}

// temme is incompleteGamma of large a, but for terms of the order of a^(-3/2).
func temme(a, x float64, upper bool) float64 {
	mu := (x - a) / a
	half := mu - math.Log1p(mu) // half the square of eta
	if math.Abs(mu) < 1e-4 {
		half = mu * mu * (1.0/2 - float64(mu*(1.0/3-float64(mu/4))))
	}
	eta := math.Copysign(math.Sqrt(2*half), mu)
	first := -1.0/3 + eta/12
	if math.Abs(eta) > 1e-3 {
		first = 1/mu - 1/eta
	}
	rest := float64(math.Exp(-a*half) / math.Sqrt(2*math.Pi*a) * first)
	if upper {
		return float64(math.Erfc(eta*math.Sqrt(a/2))/2) + rest
	}
	return float64(math.Erfc(-eta*math.Sqrt(a/2))/2) - rest
}
