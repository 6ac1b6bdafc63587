package ops

import "math"

// polygamma is derivative n of digamma, (-1)^(n+1) n! zeta(n+1, x), with Hurwitz's zeta function by Euler and Maclaurin's sum (DLMF 25.11.5). Below 0 it goes
// up one by one, so that poles are exact.
func polygamma(n, x float64) float64 {
	if n == 0 {
		return digamma(x)
	}
	s, sum := n+1, 0.0
	switch {
	case x <= 0 && x == math.Trunc(x):
		if math.Mod(n, 2) == 1 {
			return math.Inf(1)
		}
		return math.NaN()
	case !(x > -1e4) || !(n > 0) || n > 170 || math.IsInf(x, 1):
		if math.IsInf(x, 1) {
			return 0
		}
		return math.NaN()
	}
	for ; x < 12+n; x++ {
		sum += math.Pow(x, -s)
	}
	sum += math.Pow(x, -n)/n + float64(math.Pow(x, -s)/2)
	term := s * math.Pow(x, -s-1) // s (s+1) ... (s+2k-2) x^(-s-2k+1), times B(2k)/(2k)!
	for k, b := range [...]float64{1.0 / 12, -1.0 / 720, 1.0 / 30240, -1.0 / 1209600, 1.0 / 47900160, -691.0 / 1307674368000} {
		sum += float64(b * term)
		term *= (s + float64(2*k) + 1) * (s + float64(2*k) + 2) / (x * x)
	}
	sum *= math.Gamma(s)
	if math.Mod(n, 2) == 0 {
		return -sum
	}
	return sum
}

// erfcx is exp(x^2) erfc(x); from 25 on by its asymptotic series (DLMF 7.12.1).
func erfcx(x float64) float64 {
	if x < 25 {
		return math.Exp(x*x) * math.Erfc(x)
	}
	z := 1 / (2 * x * x)
	return (1 - float64(z*(1-float64(3*z*(1-float64(5*z)))))) / (x * math.Sqrt(math.Pi))
}

// logNdtr is the logarithm of the normal distribution, which underflows only where that does as a logarithm.
func logNdtr(x float64) float64 {
	if x < -1 {
		return math.Log(erfcx(-x/math.Sqrt2)/2) - float64(x*x/2)
	}
	return math.Log1p(-math.Erfc(x/math.Sqrt2) / 2)
}

// ndtri is the inverse of the normal distribution: far out by Newton's method on the logarithm.
func ndtri(p float64) float64 {
	switch {
	case p > 0.5:
		return -ndtri(1 - p)
	case p == 0:
		return math.Inf(-1)
	case !(p > 0):
		return math.NaN()
	case p > 1e-3:
		return math.Sqrt2 * math.Erfinv(float64(2*p)-1)
	}
	want := math.Log(p)
	x := -math.Sqrt(-2 * want)
	for range 8 {
		x -= (logNdtr(x) - want) * erfcx(-x/math.Sqrt2) / math.Sqrt(2/math.Pi)
	}
	return x
}

// entropy is -x ln x, 0 at 0 and -Inf below.
func entropy(x float64) float64 {
	switch {
	case x == 0:
		return 0
	case x < 0:
		return math.Inf(-1)
	}
	return -x * math.Log(x)
}

// besselI is the modified Bessel function of the first kind and order 0 or 1 times exp(-|x|): by its power series up to 30, by the
// asymptotic one from there (DLMF 10.25.2, 10.40.1).
func besselI(order int, x float64) float64 {
	n, a := float64(order), math.Abs(x)
	sum, term := 0.0, 1.0
	if a <= 30 {
		if order == 1 {
			term = a / 2
		}
		for k := 1.0; sum+term != sum; k++ {
			sum += term
			term *= a * a / (4 * k * (k + n))
		}
		sum *= math.Exp(-a)
	} else {
		for k := 1.0; k < 20 && sum+term != sum; k++ {
			sum += term
			term *= -(float64(4*n*n) - float64((2*k-1)*(2*k-1))) / (8 * a * k)
		}
		sum /= math.Sqrt(2 * math.Pi * a)
	}
	if order == 1 && x < 0 {
		return -sum
	}
	if x != x {
		return x
	}
	return sum
}

// slopeI1 is the derivative of I1, times exp(-|x|), less what scaling takes away.
func slopeI1(x, scaled float64) float64 {
	if x == 0 {
		return 0.5
	}
	return besselI(0, x) - besselI(1, x)/x - scaled
}

// sphericalJ0 is sin(x) / x, 1 at 0 and 0 at both infinities.
func sphericalJ0(x float64) float64 {
	switch {
	case x == 0:
		return 1
	case math.IsInf(x, 0):
		return 0
	}
	return math.Sin(x) / x
}
