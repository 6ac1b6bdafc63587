package quantize

import (
	"math"
	"slices"
)

// quantile returns the value below which the given share of the values lies,
// spread evenly within a bin.
func (g *grid) quantile(share float64) float32 {
	total := 0.0
	g.bins(func(_, _, count float64) { total += count })
	rest := share * total
	at, found := float64(g.hi), false
	g.bins(func(from, to, count float64) {
		if !found && rest <= count {
			at, found = from+(to-from)*max(rest, 0)/count, true
		}
		rest -= count
	})
	return float32(at)
}

// candidates returns the range of least cost among those that shrink from
// lo..hi, which holds 0, in even steps: both ends together, and unless symmetric, then each
// end alone around the best. Of each it first tries every eighth step, and then
// those around the best; the widest of equals wins.
func candidates(lo, hi float32, symmetric bool, cost func(lo, hi float32) float64) (bestLo, bestHi float32) {
	const steps, coarse = 128, 8
	bestLo, bestHi = lo, hi
	least := cost(lo, hi)
	shrink := func(v float32, i int) float32 { return float32(float64(v) * float64(steps-i) / steps) }
	along := func(ends func(i int) (lo, hi float32)) {
		best := -1
		try := func(i int) {
			if i < 0 || i >= steps {
				return
			}
			l, h := ends(i)
			if c := cost(l, h); c < least {
				least, best, bestLo, bestHi = c, i, l, h
			}
		}
		for i := 0; i < steps; i += coarse {
			try(i)
		}
		if best < 0 {
			return
		}
		for i, middle := best-coarse+1, best; i < middle+coarse; i++ {
			try(i)
		}
	}
	along(func(i int) (float32, float32) { return shrink(lo, i), shrink(hi, i) })
	if symmetric || lo == 0 || hi == 0 {
		return bestLo, bestHi
	}
	for range 2 {
		l, h := bestLo, bestHi
		along(func(i int) (float32, float32) { return l, shrink(hi, i) })
		fixed := bestHi
		along(func(i int) (float32, float32) { return shrink(lo, i), fixed })
		if l == bestLo && h == bestHi {
			break
		}
	}
	return bestLo, bestHi
}

// around returns the observed range widened to hold 0, both ends alike for a
// symmetric spec: the widest range a search considers.
func (g *grid) around(s Spec) (lo, hi float32) {
	lo, hi = min(g.lo, 0), max(g.hi, 0)
	if s.Scheme.Symmetric() {
		hi = max(-lo, hi)
		lo = -hi
	}
	return lo, hi
}

// leastSquaredError returns the range whose integers lose least: the mean
// square error is computed exactly for values spread evenly within their bins,
// clipping included.
func (g *grid) leastSquaredError(s Spec) (lo, hi float32) {
	lost := g.squaredError(s)
	lo, hi = g.around(s)
	return candidates(lo, hi, s.Scheme.Symmetric(), func(lo, hi float32) float64 {
		scale, zero, ok := s.scaleAndZero(lo, hi)
		if !ok {
			return math.Inf(1)
		}
		return lost(scale, zero)
	})
}

// squaredError returns a function that computes the sum of the squared errors of all values, spread evenly within their bins, from a scale and a
// zero point.
func (g *grid) squaredError(s Spec) func(scale float32, zero int32) float64 {
	type bin struct{ from, to, count float64 }
	var bins []bin
	g.bins(func(from, to, count float64) { bins = append(bins, bin{from, to, count}) })
	qmin, qmax := s.Range()
	return func(scale float32, zero int32) float64 {
		step := float64(scale)
		low, high := float64(qmin-zero), float64(qmax-zero)
		sum, edge, upToEdge := 0.0, math.Inf(-1), 0.0
		for _, b := range bins {
			from, to := b.from/step, b.to/step
			if to-from < 1e-9 {
				d := from - min(max(math.RoundToEven(from), low), high)
				sum += float64(b.count * d * d)
				continue
			}
			// Bins mostly begin where the last one ended.
			if b.from != edge {
				upToEdge = squaredErrorTo(from, low, high)
			}
			upTo := squaredErrorTo(to, low, high)
			sum += b.count * (upTo - upToEdge) / (to - from)
			edge, upToEdge = b.to, upTo
		}
		return sum * step * step
	}
}

// squares returns the sum of the squares of all values, spread evenly within their bins.
func (g *grid) squares() float64 {
	sum := 0.0
	g.bins(func(from, to, count float64) {
		sum += float64(count * (float64(from*from) + float64(from*to) + float64(to*to)) / 3)
	})
	return sum
}

// squaredErrorTo returns the integral of (t - q(t))^2 up to u, from some fixed
// point, where q rounds to the nearest integer of low..high.
func squaredErrorTo(u, low, high float64) float64 {
	n := min(max(math.RoundToEven(u), low), high)
	d := u - n
	// Each whole integer passed adds 1/12; the rest is a cubic around n.
	return n/12 + d*d*d/3
}

// leastDivergence returns the range for which the distribution of the quantized
// values diverges least from that of the values: the calibration of TensorRT
// (Migacz, 2017). P is the histogram with what lies outside added to its ends; Q
// is the histogram divided into the levels, each level's count spread evenly over
// its bins that are not empty. Ranges of fewer bins than levels are not considered, nor those that hold less than half of the values.
//
// The sum of p*log(p/q) splits into one over bins, of which only the end bins
// depend on the range, and one over levels, in which q is constant; prefix sums
// leave little but the logarithms of the levels.
func (g *grid) leastDivergence(s Spec) (lo, hi float32) {
	bins := g.withoutZeros()
	var counts, filled, entropy [gridBins + 1]float64 // of the bins before
	for i, c := range bins {
		counts[i+1], filled[i+1], entropy[i+1] = counts[i], filled[i], entropy[i]
		if c > 0 {
			counts[i+1] += float64(c)
			filled[i+1]++
			entropy[i+1] += xlogx(float64(c))
		}
	}
	total := counts[gridBins]
	width := math.Ldexp(1, g.exponent)
	qmin, qmax := s.Range()
	levels := int(qmax) - int(qmin) + 1
	lo, hi = g.around(s)
	return candidates(lo, hi, s.Scheme.Symmetric(), func(lo, hi float32) float64 {
		whole := lo <= g.lo && hi >= g.hi
		step := (float64(hi) - float64(lo)) / float64(levels)
		if !whole && step < width {
			return math.Inf(1)
		}
		// edge returns the first bin whose middle is not below a level.
		edge := func(level int) int {
			at := (float64(lo)+float64(float64(level)*step))/width - float64(g.first)
			return int(min(max(math.Ceil(at-0.5), 0), gridBins))
		}
		first, last := edge(0), edge(levels)
		if lo <= g.lo {
			first = 0
		}
		if hi >= g.hi {
			last = gridBins
		}
		inside := counts[last] - counts[first]
		// P and Q are alike, too, where next to all values are added to the one bin that is left.
		if inside == 0 || 2*inside < total {
			return math.Inf(1)
		}
		for bins[first] == 0 {
			first++
		}
		for bins[last-1] == 0 {
			last--
		}
		below, above := counts[first], total-counts[last]
		// In units of counts: sum p*log(p) - sum p*log(q*total/inside).
		sum := entropy[last] - entropy[first]
		ends := func(i int, more float64) {
			c := float64(bins[i])
			sum += xlogx(c+more) - xlogx(c)
		}
		if first == last-1 {
			ends(first, below+above)
		} else {
			ends(first, below)
			ends(last-1, above)
		}
		from := first
		for level := 1; level <= levels && from < last; level++ {
			to := min(max(edge(level), from), last)
			if level == levels {
				to = last
			}
			count, bins := counts[to]-counts[from], filled[to]-filled[from]
			if bins > 0 {
				p := count
				if from <= first && first < to {
					p += below
				}
				if from < last && last <= to {
					p += above
				}
				sum -= float64(p * math.Log(count/bins*total/inside))
			}
			from = to
		}
		return sum / total
	})
}

// withoutZeros returns the counts with no more in the bin around 0 than in the
// fuller of its neighbours.
func (g *grid) withoutZeros() []int64 {
	zero := -g.first
	if zero < 0 || zero >= gridBins {
		return g.counts
	}
	bins := slices.Clone(g.counts)
	most := int64(0)
	if zero > 0 {
		most = bins[zero-1]
	}
	if zero+1 < gridBins {
		most = max(most, bins[zero+1])
	}
	bins[zero] = min(bins[zero], most)
	return bins
}

func xlogx(x float64) float64 {
	if x == 0 {
		return 0
	}
	return x * math.Log(x)
}
