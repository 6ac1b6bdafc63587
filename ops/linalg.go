package ops

import "math"

// This file holds the algorithms of linear algebra, on matrices of float64 in row-major order. They are the ones of Golub and Van Loan, Matrix
// Computations, 4th edition: the section is said at each.

// Products are rounded on their own, so that results have the same bits on every platform: Go may fuse x*y + z.

// axpy is y += f x.
func axpy(y, x []float64, f float64) {
	for i, v := range x[:len(y)] {
		y[i] += float64(f * v)
	}
}

func dotProduct(x, y []float64) float64 {
	var sum float64
	for i, v := range x {
		sum += float64(v * y[i])
	}
	return sum
}

// identity makes a [M, N] the identity matrix.
//
//go:noinline
func identity(a []float64, n int) {
	clear(a)
	for i := 0; i < n && i*n+i < len(a); i++ {
		a[i*n+i] = 1
	}
}

// factorLU overwrites a [M, N] with the factors of P a = L U, by Gaussian elimination with partial pivoting (3.4): L below the diagonal, where it has
// ones, and U. In step k rows k and pivots[k]-1 change places. It reports whether it came to its end before stop said to give up.
func factorLU(a []float64, m, n int, pivots []int32, stop func() bool) bool {
	for k := range pivots {
		if stop() {
			return false
		}
		pivot := k
		for i := k + 1; i < m; i++ {
			if math.Abs(a[i*n+k]) > math.Abs(a[pivot*n+k]) {
				pivot = i
			}
		}
		pivots[k] = int32(pivot + 1)
		top := a[k*n : (k+1)*n]
		exchangeRows(top, a[pivot*n:(pivot+1)*n])
		if top[k] == 0 {
			continue
		}
		for i := k + 1; i < m; i++ {
			row := a[i*n : (i+1)*n]
			row[k] /= top[k]
			axpy(row[k+1:], top[k+1:], -row[k])
		}
	}
	return true
}

// exchangeRows swaps two rows, which may be the same.
func exchangeRows(x, y []float64) {
	for i, v := range x {
		x[i], y[i] = y[i], v
	}
}

// triangle is a triangular matrix: the part of t [N, N] that counts.
type triangle struct {
	t                       []float64
	n                       int
	upper, unit, transposed bool // unit: with ones on the diagonal, whatever stands there
}

// solve overwrites b [N, K] with t^-1 b, by substitution (3.1), unless stop says to give up.
func (t *triangle) solve(b []float64, k int, stop func() bool) {
	backward := t.upper != t.transposed
	for s := range t.n {
		if stop() {
			return
		}
		i, from, to := s, s+1, t.n
		if backward {
			i = t.n - 1 - s
			from, to = 0, i
		}
		x := b[i*k : (i+1)*k]
		if !t.unit {
			for j := range x {
				x[j] /= t.t[i*t.n+i]
			}
		}
		for r := from; r < to; r++ {
			f := t.t[r*t.n+i]
			if t.transposed {
				f = t.t[i*t.n+r]
			}
			axpy(b[r*k:(r+1)*k], x, -f)
		}
	}
}

// solveLU overwrites b [N, K] with a^-1 b, or a^-T b, given what factorLU made of a.
func solveLU(lu []float64, n int, pivots []int32, b []float64, k int, transposed bool, stop func() bool) {
	lower, upper := triangle{lu, n, false, true, transposed}, triangle{lu, n, true, false, transposed}
	if transposed {
		upper.solve(b, k, stop)
		lower.solve(b, k, stop)
		for i := n - 1; i >= 0; i-- {
			undo := int(pivots[i]) - 1
			exchangeRows(b[i*k:(i+1)*k], b[undo*k:(undo+1)*k])
		}
		return
	}
	for i, p := range pivots {
		exchangeRows(b[i*k:(i+1)*k], b[(int(p)-1)*k:int(p)*k])
	}
	lower.solve(b, k, stop)
	upper.solve(b, k, stop)
}

// singular returns the first place on the diagonal of U that is zero, counted from 1; 0 where none is.
func singular(lu []float64, n int) int32 {
	for i := range n {
		if lu[i*n+i] == 0 {
			return int32(i + 1)
		}
	}
	return 0
}

// factorCholesky overwrites a symmetric matrix a [N, N], of which it reads the lower triangle, with L of a = L L^T (4.2). It returns the order of
// the first leading minor that is not positive, 0 where a is positive definite.
func factorCholesky(a []float64, n int, stop func() bool) int {
	for i := range n {
		if stop() {
			return 0
		}
		row := a[i*n : (i+1)*n]
		for j := range i {
			above := a[j*n : (j+1)*n]
			row[j] = (row[j] - dotProduct(row[:j], above)) / above[j]
		}
		rest := row[i] - dotProduct(row[:i], row)
		if !(rest > 0) {
			return i + 1
		}
		row[i] = math.Sqrt(rest)
		clear(row[i+1:])
	}
	return 0
}

// factorQR overwrites a [M, N] with R on and above the diagonal, and below it the vectors of the Householder reflections whose product is Q
// (5.2), their first elements being one. Signs are those of LAPACK's geqrf. work has N elements.
func factorQR(a []float64, m, n int, tau, work []float64, stop func() bool) {
	for k := range tau {
		if stop() {
			return
		}
		var below float64
		for i := k + 1; i < m; i++ {
			below = math.Hypot(below, a[i*n+k])
		}
		tau[k] = 0
		if below == 0 {
			continue
		}
		alpha := a[k*n+k]
		beta := -math.Copysign(math.Hypot(alpha, below), alpha)
		tau[k] = (beta - alpha) / beta
		for i := k + 1; i < m; i++ {
			a[i*n+k] /= alpha - beta
		}
		a[k*n+k] = beta
		householder(a, m, n, k, tau[k], a, n, k+1, work)
	}
}

// householder applies reflection k of those that v [M, N] holds to the columns of a [M, C] from one on.
func householder(v []float64, m, n, k int, tau float64, a []float64, c, from int, work []float64) {
	sums := work[:c-from]
	copy(sums, a[k*c+from:(k+1)*c])
	for i := k + 1; i < m; i++ {
		axpy(sums, a[i*c+from:(i+1)*c], v[i*n+k])
	}
	axpy(a[k*c+from:(k+1)*c], sums, -tau)
	for i := k + 1; i < m; i++ {
		axpy(a[i*c+from:(i+1)*c], sums, -tau*v[i*n+k])
	}
}

// makeQ sets q [M, C] to the first columns of Q. work has C elements.
func makeQ(q []float64, c int, v []float64, m, n int, tau, work []float64, stop func() bool) {
	identity(q, c)
	for k := len(tau) - 1; k >= 0; k-- {
		if stop() {
			return
		}
		householder(v, m, n, k, tau[k], q, c, 0, work)
	}
}

// maxSweeps bounds the sweeps of the Jacobi methods, which take about 10.
const maxSweeps = 64

// rotation returns cosine and sine of the rotation that makes the matrix [[p, x], [x, q]] diagonal (8.5).
func rotation(p, x, q float64) (cos, sin float64) {
	theta := (q - p) / (2 * x)
	t := 1 / (math.Abs(theta) + math.Hypot(theta, 1))
	if theta < 0 {
		t = -t
	}
	cos = 1 / math.Hypot(t, 1)
	return cos, float64(t * cos)
}

func rotate(x, y []float64, cos, sin float64) {
	for i, v := range x {
		w := y[i]
		x[i], y[i] = float64(cos*v)-float64(sin*w), float64(sin*v)+float64(cos*w)
	}
}

// jacobiEigh makes a symmetric matrix a [N, N] diagonal, by the cyclic Jacobi method (8.5), and leaves the eigenvectors in the rows of v. stop
// says to give up between two rows.
func jacobiEigh(a, v []float64, n int, stop func() bool) {
	identity(v, n)
	for range maxSweeps {
		done := true
		for p := range n {
			if stop() {
				return
			}
			for q := p + 1; q < n; q++ {
				x := a[p*n+q]
				if math.Abs(x) <= 0x1p-54*max(math.Abs(a[p*n+p]), math.Abs(a[q*n+q])) {
					continue
				}
				done = false
				cos, sin := rotation(a[p*n+p], x, a[q*n+q])
				rotate(a[p*n:(p+1)*n], a[q*n:(q+1)*n], cos, sin)
				for i := range n {
					row := a[i*n : (i+1)*n]
					row[p], row[q] = float64(cos*row[p])-float64(sin*row[q]), float64(sin*row[p])+float64(cos*row[q])
				}
				a[p*n+q], a[q*n+p] = 0, 0
				rotate(v[p*n:(p+1)*n], v[q*n:(q+1)*n], cos, sin)
			}
		}
		if done {
			return
		}
	}
}

// jacobiSVD makes the rows of a [N, M] orthogonal to each other, by the one-sided Jacobi method (8.6), and applies the same rotations to the rows of
// v [N, N], the identity before: with a the transpose of A, row i of a becomes the singular value i times the left singular vector, row i of v the right one.
func jacobiSVD(a, v []float64, n, m int, stop func() bool) {
	identity(v, n)
	tolerance := 0x1p-52 * math.Sqrt(float64(m))
	for range maxSweeps {
		done := true
		for p := range n {
			if stop() {
				return
			}
			for q := p + 1; q < n; q++ {
				x, y := a[p*m:(p+1)*m], a[q*m:(q+1)*m]
				xx, xy, yy := dotProduct(x, x), dotProduct(x, y), dotProduct(y, y)
				if math.Abs(xy) <= tolerance*math.Sqrt(xx)*math.Sqrt(yy) {
					continue
				}
				done = false
				cos, sin := rotation(xx, xy, yy)
				rotate(x, y, cos, sin)
				rotate(v[p*n:(p+1)*n], v[q*n:(q+1)*n], cos, sin)
			}
		}
		if done {
			return
		}
	}
}

// seriesTerms are those of the power series in exponential, of which 2^-15 / 15! is not seen in float64.
const seriesTerms = 15

// exponential overwrites a [N, N] with e^a: the power series of a / 2^s, whose norm is below 1/2, squared s times (9.3). work has
// 2 N^2 elements.
func exponential(a []float64, n int, work []float64, stop func() bool) {
	var norm float64
	for i := range n {
		var sum float64
		for _, x := range a[i*n : (i+1)*n] {
			sum += math.Abs(x)
		}
		norm = math.Max(norm, sum)
	}
	if math.IsNaN(norm) || math.IsInf(norm, 0) {
		for i := range a {
			a[i] = math.NaN()
		}
		return
	}
	_, exponent := math.Frexp(norm)
	squarings := max(exponent+1, 0)
	for i := range a {
		a[i] = math.Ldexp(a[i], -squarings)
	}
	sum, next := work[:n*n], work[n*n:2*n*n]
	identity(sum, n)
	for k := seriesTerms; k > 0; k-- {
		multiply(next, a, sum, n, stop)
		identity(sum, n)
		axpy(sum, next, 1/float64(k))
	}
	for range squarings {
		multiply(next, sum, sum, n, stop)
		sum, next = next, sum
	}
	copy(a, sum)
}

// multiply is c = a b of matrices [N, N], unless stop says to give up.
func multiply(c, a, b []float64, n int, stop func() bool) {
	for i := range n {
		if stop() {
			return
		}
		timesMatrix(c[i*n:(i+1)*n], a[i*n:(i+1)*n], b)
	}
}
