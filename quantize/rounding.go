package quantize

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/octet-ml/octet/internal/fastcores"
	"github.com/octet-ml/octet/internal/sorting"
	"github.com/octet-ml/octet/tensor"
)

// Rounding is how weights are rounded to integers.
type Rounding uint8

// The roundings.
const (
	// Nearest takes the nearest integer.
	Nearest Rounding = iota
	// Learned takes the one below or above each weight such that the layer's
	// outputs on the calibration data change least.
	Learned
)

var roundingNames = []string{"nearest", "learned"}

// String returns the name.
func (r Rounding) String() string {
	if int(r) < len(roundingNames) {
		return roundingNames[r]
	}
	return fmt.Sprintf("Rounding(%d)", uint8(r))
}

// MarshalText returns the name.
func (r Rounding) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText takes a name that String gives, in any case.
func (r *Rounding) UnmarshalText(text []byte) error {
	i := slices.IndexFunc(roundingNames, func(n string) bool { return strings.EqualFold(n, string(text)) })
	if i < 0 {
		return &BackendError{"rounding", string(text), roundingNames}
	}
	*r = Rounding(i)
	return nil
}

// roundLearned rounds the weights u, in units of their scales with the zero
// points added, [outs][size], to the integers between qmin and qmax for which the
// squared change of the outputs over the sample is least. With e = integers - u
// and the products c of inputs, [size][size], that is e'ce for each output: a quadratic
// problem in one choice, below or above, for each weight (Nagel et al., "Up or
// Down? Adaptive Rounding for Post-Training Quantization", 2020, eq. 13).
//
// There the choices are found by gradient descent. Here they begin with the
// nearest integers, each rounded with what the ones before it have changed in mind
// (Frantar et al., "GPTQ", 2022), and are then turned over one by one as long as
// that helps. Pairs, nil without, are kept safe.
func roundLearned(u []float64, outs, size int, c []float32, qmin, qmax float64, pairs *blockPairs) []float64 {
	q := make([]float64, len(u))
	propagate := newPropagation(c, size)
	var next int
	var mu sync.Mutex
	var wait sync.WaitGroup
	for range min(fastcores.Threads(), outs) {
		wait.Go(func() {
			r := rounder{size: size, c: c, qmin: qmin, qmax: qmax, pairs: pairs, e: make([]float64, size), g: make([]float64, size)}
			for {
				mu.Lock()
				o := next
				next++
				mu.Unlock()
				if o >= outs {
					return
				}
				r.row(o, q[o*size:(o+1)*size], u[o*size:(o+1)*size], propagate)
			}
		})
	}
	wait.Wait()
	return q
}

// rounder rounds the weights of one output at a time.
type rounder struct {
	size       int
	c          []float32
	qmin, qmax float64
	pairs      *blockPairs
	held       []holding // of the weights of a row, with pairs
	e, g       []float64 // change of each weight, and c times it
}

// row rounds u, the weights of output o, to q, from both starts, and keeps the better result.
func (r *rounder) row(o int, q, u []float64, p *propagation) {
	for i, v := range u {
		q[i] = r.nearest(v)
	}
	r.holdPairs(o, q, u)
	start := slices.Clone(q)
	least := r.descend(q, u)
	if p == nil {
		return
	}
	other := make([]float64, len(u))
	p.round(other, u, func(i int, v float64) float64 {
		if r.holds(i) != loose {
			return start[i]
		}
		return r.nearest(v)
	})
	for i, v := range u {
		// Only the integers on both sides of a weight are candidates.
		if r.holds(i) == loose {
			other[i] = min(max(other[i], r.clamp(math.Floor(v))), r.clamp(math.Ceil(v)))
		}
	}
	r.mendPairs(other, u)
	if r.descend(other, u) < least {
		copy(q, other)
	}
}

func (r *rounder) clamp(v float64) float64   { return min(max(v, r.qmin), r.qmax) }
func (r *rounder) nearest(v float64) float64 { return r.clamp(math.RoundToEven(v)) }

// descend turns over single choices while that lessens e'ce, which it returns.
func (r *rounder) descend(q, u []float64) float64 {
	for i := range r.e {
		r.e[i] = q[i] - u[i]
	}
	clear(r.g)
	for i, e := range r.e {
		r.change(i, e)
	}
	const sweeps = 50
	for range sweeps {
		changed := false
		for i, e := range r.e {
			step := 1.0
			if e > 0 {
				step = -1
			}
			// The neighbour on the weight's other side, or towards a weight that is held off.
			if t := q[i] + step; t < r.qmin || t > r.qmax || math.Abs(e+step) >= max(1, math.Abs(e)) || !r.mayBe(i, t, q) {
				continue
			}
			if gain := float64(2*step*r.g[i]) + float64(r.c[i*r.size+i]); gain < -1e-12 {
				q[i] += step
				r.e[i] += step
				r.change(i, step)
				changed = true
			}
		}
		if r.pairs != nil && r.exchange(q, u) {
			changed = true
		}
		if !changed {
			break
		}
	}
	sum := 0.0
	for i, e := range r.e {
		sum += float64(e * r.g[i])
	}
	return sum
}

// change adds what a change d of weight i does to g.
func (r *rounder) change(i int, d float64) {
	row := r.c[i*r.size : (i+1)*r.size]
	g := r.g[:len(row)]
	for j, v := range row {
		g[j] += float64(d * float64(v))
	}
}

// propagation says how the weights that are still to be rounded make up best
// for what rounding the ones before has changed.
type propagation struct {
	size  int
	order []int     // weights with the largest inputs first
	upper []float64 // in that order, the upper Cholesky factor of the inverse of c
}

// mostPropagated is the size of a row up to which the inverse is computed: its
// cost grows with the cube.
const mostPropagated = 1200

// newPropagation returns nil where c is too large or has no inverse.
func newPropagation(c []float32, size int) *propagation {
	if size > mostPropagated {
		return nil
	}
	p := &propagation{size: size}
	trace := 0.0
	for i := range size {
		p.order = append(p.order, i)
		trace += float64(c[i*size+i])
	}
	sorting.Func(p.order, func(a, b int) int {
		return compareDescending(float64(c[a*size+a]), float64(c[b*size+b]))
	})
	// A hundredth of the mean makes up for inputs that the sample has not seen vary.
	damping := 0.01*trace/float64(size) + 1e-12
	m := make([]float64, size*size)
	for i, a := range p.order {
		for j, b := range p.order {
			m[i*size+j] = float64(c[a*size+b])
		}
		m[i*size+i] += damping
	}
	lower := cholesky(m, size)
	if lower == nil {
		return nil
	}
	if lower = cholesky(inverse(lower, size), size); lower == nil {
		return nil
	}
	p.upper = make([]float64, size*size)
	for i := range size {
		for j := i; j < size; j++ {
			p.upper[i*size+j] = lower[j*size+i]
		}
	}
	return p
}

// round rounds u to q: nearest says to what, of a weight's index and what it is then.
func (p *propagation) round(q, u []float64, nearest func(int, float64) float64) {
	w := make([]float64, p.size)
	for i, a := range p.order {
		w[i] = u[a]
	}
	for i, a := range p.order {
		q[a] = nearest(a, w[i])
		row := p.upper[i*p.size : (i+1)*p.size]
		d := (w[i] - q[a]) / row[i]
		for j := i + 1; j < p.size; j++ {
			w[j] -= float64(d * row[j])
		}
	}
}

// cholesky returns the lower factor of a symmetric matrix, nil when it is not
// positive definite.
func cholesky(m []float64, n int) []float64 {
	l := make([]float64, n*n)
	for i := range n {
		a := l[i*n : i*n+i+1]
		for j := range i + 1 {
			b := l[j*n : j*n+j+1]
			sum := m[i*n+j]
			for k, v := range b[:j] {
				sum -= float64(v * a[k])
			}
			if i != j {
				a[j] = sum / b[j]
			} else if !(sum > 0) {
				return nil
			} else {
				a[i] = math.Sqrt(sum)
			}
		}
	}
	return l
}

// inverse returns the inverse of the matrix that has the lower factor l.
func inverse(l []float64, n int) []float64 {
	// The inverse of l, row by row, then its transpose times itself.
	inv := make([]float64, n*n)
	for i := range n {
		inv[i*n+i] = 1 / l[i*n+i]
		for k := range i {
			d := l[i*n+k] / l[i*n+i]
			for j := range k + 1 {
				inv[i*n+j] -= float64(d * inv[k*n+j])
			}
		}
	}
	out := make([]float64, n*n)
	for k := range n {
		row := inv[k*n : k*n+k+1]
		for i, v := range row {
			dst := out[i*n : i*n+k+1]
			for j, w := range row {
				dst[j] += float64(v * w)
			}
		}
	}
	return out
}

// learnedWeight returns the weight w as int8 with parameters q, rounded with the
// moments of its inputs, and its pairs kept safe where they are constrained. With centered, what changes the outputs' mean does not
// count, because the bias is corrected for that.
func learnedWeight(w *tensor.Tensor, q *tensor.QParams, m *moments, centered bool, pairs *weightPairs) (*tensor.Tensor, error) {
	if m.second == nil || m.rows == 0 {
		return nil, ErrNoData
	}
	out, err := tensor.New(tensor.Int8, w.Shape()...)
	if err != nil {
		return nil, err
	}
	src, dst := w.Contiguous().Float32s(), out.Int8s()
	outs := w.Dim(0) / m.groups
	bounds := rowBlocks(m.size)
	for g := range m.groups {
		for b, from := range bounds[:len(bounds)-1] {
			size := bounds[b+1] - from
			at := func(i int) int { return (g*outs+i/size)*m.size + from + i%size }
			unit := func(o, i int) float64 {
				c := 0
				if len(q.Scale) > 1 {
					c = g*outs + o
				}
				return float64(src[(g*outs+o)*m.size+from+i])/float64(q.Scale[c]) + float64(q.ZeroPoint[c])
			}
			u := make([]float64, outs*size)
			for i := range u {
				u[i] = unit(i/size, i%size)
			}
			constraint := pairs.block(from, size, unit)
			for i, v := range roundLearned(u, outs, size, m.covariance(g, b, centered), float64(q.Min), float64(q.Max), constraint) {
				dst[at(i)] = int8(v)
			}
		}
	}
	return out.WithQParams(q), nil
}
