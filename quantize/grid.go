package quantize

import (
	"math"
	"slices"

	"github.com/octet-ml/octet/tensor"
)

// gridBins is the most bins a grid holds; a range that just outgrew its bins
// fills half of them.
const gridBins = 4096

// grid counts values in bins of width 2^exponent, aligned to multiples of it.
// The exponent is the least with which the range fits, so a grid depends only on
// the values, not on their order or batches: doubling the width adds up pairs of
// bins, which is exact. Merging two grids therefore equals one pass.
type grid struct {
	lo, hi   float32
	exponent int
	first    int64   // bin i holds first+i <= x / 2^exponent < first+i+1
	counts   []int64 // gridBins
}

// gridExponent returns the least exponent for a range of finite values. A width
// below 2^-30 of the largest magnitude says nothing, even of a constant.
func gridExponent(lo, hi float32) int {
	largest := max(math.Abs(float64(lo)), math.Abs(float64(hi)))
	e := -149
	if largest > 0 {
		_, exp := math.Frexp(largest)
		e = max(e, exp-30)
	}
	if width := float64(hi) - float64(lo); width > 0 {
		_, exp := math.Frexp(width / gridBins)
		e = max(e, exp-1)
	}
	for gridIndex(hi, e)-gridIndex(lo, e) >= gridBins {
		e++
	}
	return e
}

func gridIndex(x float32, exponent int) int64 {
	return int64(math.Floor(math.Ldexp(float64(x), -exponent)))
}

// gridWidth returns the width of a bin.
func gridWidth(exponent int) float64 { return math.Ldexp(1, exponent) }

// widen makes room for a range.
func (g *grid) widen(lo, hi float32) {
	if g.counts == nil {
		g.lo, g.hi = lo, hi
		g.exponent = gridExponent(lo, hi)
		g.first = gridIndex(lo, g.exponent)
		g.counts = make([]int64, gridBins)
		return
	}
	lo, hi = min(lo, g.lo), max(hi, g.hi)
	if lo == g.lo && hi == g.hi {
		return
	}
	old := *g
	g.lo, g.hi = lo, hi
	g.exponent = gridExponent(lo, hi)
	g.first = gridIndex(lo, g.exponent)
	g.counts = make([]int64, gridBins)
	g.addGrid(&old)
}

// addGrid adds the counts of a grid whose range and width g covers.
func (g *grid) addGrid(o *grid) {
	shift := g.exponent - o.exponent
	for i, c := range o.counts {
		if c != 0 {
			// An arithmetic shift is the floor of the division.
			g.counts[(o.first+int64(i))>>min(shift, 63)-g.first] += c
		}
	}
}

// add counts finite values that the range holds.
func (g *grid) add(count counter) { count(g.binning(), g.counts) }

// binning returns how values get into bins. Where the width of a bin is no
// normal float32, values and bins are brought to other powers of two first, which
// is exact as well.
func (g *grid) binning() binning {
	b := binning{mul: 1, div: 1, first: int32(g.first), bins: gridBins}
	const normal = 126
	switch {
	case g.exponent > normal:
		b.mul, b.div = float32(math.Ldexp(1, -normal)), float32(math.Ldexp(1, g.exponent-normal))
	case g.exponent < -normal:
		b.mul, b.div = float32(math.Ldexp(1, normal)), float32(math.Ldexp(1, g.exponent+normal))
	default:
		b.mul = float32(math.Ldexp(1, -g.exponent))
	}
	return b
}

// bins calls f with each bin that holds values, cut to the observed range.
func (g *grid) bins(f func(from, to, count float64)) {
	width := gridWidth(g.exponent)
	for i, c := range g.counts {
		if c == 0 {
			continue
		}
		from := float64(float64(g.first+int64(i)) * width)
		f(max(from, float64(g.lo)), min(from+width, float64(g.hi)), float64(c))
	}
}

// gridObserver is Percentile, Entropy and MSE: a grid, and a way to choose a
// range from it.
type gridObserver struct {
	base
	grid   grid
	cached *tensor.QParams
}

func (o *gridObserver) Observe(x *tensor.Tensor) error {
	v, err := o.values(x)
	if err != nil || len(v) == 0 {
		return err
	}
	lo, hi, finite := minMax(v)
	if !finite {
		return o.fail(ErrNotFinite)
	}
	return o.observeRange(lo, hi, countAll(v))
}

// observeRange takes in a batch with the given extremes.
func (o *gridObserver) observeRange(lo, hi float32, count counter) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.grid.widen(lo, hi)
	o.grid.add(count)
	o.batches++
	o.cached = nil
	return nil
}

// Merge equals one pass over all data, exactly.
func (o *gridObserver) Merge(other Observer) error {
	s, err := o.other(other)
	if err != nil || s == nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.grid.widen(s.Min[0], s.Max[0])
	o.grid.addGrid(s.grid())
	o.batches += s.Batches
	o.cached = nil
	return nil
}

func (o *gridObserver) QParams() (*tensor.QParams, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.batches == 0 {
		return nil, o.fail(ErrNoData)
	}
	if o.cached == nil {
		// The search divides by the scale of the whole range: check that it exists.
		if _, _, ok := o.config.Spec.scaleAndZero(o.grid.lo, o.grid.hi); !ok {
			return nil, o.fail(ErrRange)
		}
		lo, hi := o.choose()
		q, err := o.config.Spec.qparams([]float32{lo}, []float32{hi})
		if err != nil {
			return nil, o.fail(err)
		}
		o.cached = q
	}
	return o.cached.Clone(), nil
}

func (o *gridObserver) choose() (lo, hi float32) {
	g := &o.grid
	if g.lo == g.hi {
		return g.lo, g.hi
	}
	switch o.config.Kind {
	case Percentile:
		p := o.config.Percentile
		if p == 0 {
			p = DefaultPercentile
		}
		return g.quantile(1 - p/100), g.quantile(p / 100)
	case Entropy:
		return g.leastDivergence(o.config.Spec)
	}
	return g.leastSquaredError(o.config.Spec)
}

func (o *gridObserver) State() State {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := State{Config: o.config, Batches: o.batches}
	if o.batches == 0 {
		return s
	}
	s.Min, s.Max = []float32{o.grid.lo}, []float32{o.grid.hi}
	s.GridFirst, s.GridExponent = o.grid.first, o.grid.exponent
	used := gridIndex(o.grid.hi, o.grid.exponent) - o.grid.first + 1
	s.GridCounts = slices.Clone(o.grid.counts[:used])
	return s
}

// grid returns the grid of a state that Restore or State made.
func (s *State) grid() *grid {
	g := &grid{lo: s.Min[0], hi: s.Max[0], exponent: s.GridExponent, first: s.GridFirst, counts: make([]int64, gridBins)}
	copy(g.counts, s.GridCounts)
	return g
}

func (o *gridObserver) Restore(s State) error {
	if err := o.checkState(s); err != nil {
		return err
	}
	var g grid
	if s.Batches > 0 {
		e := gridExponent(s.Min[0], s.Max[0])
		first, last := gridIndex(s.Min[0], e), gridIndex(s.Max[0], e)
		if s.GridExponent != e || s.GridFirst != first || int64(len(s.GridCounts)) != last-first+1 {
			return o.mismatch("the state has %d bins from %d * 2^%d for the range %v to %v", len(s.GridCounts), s.GridFirst, s.GridExponent, s.Min[0], s.Max[0])
		}
		for _, c := range s.GridCounts {
			if c < 0 {
				return o.mismatch("the state has a bin of %d values", c)
			}
		}
		g = *s.grid()
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.batches, o.grid, o.cached = s.Batches, g, nil
	return nil
}
