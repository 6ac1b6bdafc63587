package quantize

import "math"

// blockPairs is weightPairs among the weights of a block of a row.
type blockPairs struct {
	*weightPairs
	// partner is, of each weight, the place in the block of the other one of its pair: below 0 or behind the end where another
	// block has it, and the weight's own where the pair has no other.
	partner []int
	unit    func(o, i int) float64 // the weight at such a place of output o, in units of its scale
}

// block returns the constraint on the weights of a row from the given one on, nil without one.
func (p *weightPairs) block(from, size int, unit func(o, i int) float64) *blockPairs {
	if p == nil {
		return nil
	}
	b := &blockPairs{weightPairs: p, partner: make([]int, size), unit: unit}
	for i := range b.partner {
		b.partner[i] = i
	}
	for i := 0; i+1 < len(p.order); i += 2 {
		first, second := int(p.order[i])-from, int(p.order[i+1])-from
		if p.order[i+1] < 0 {
			continue
		}
		if first >= 0 && first < size {
			b.partner[first] = second
		}
		if second >= 0 && second < size {
			b.partner[second] = first
		}
	}
	return b
}

// holding says how free a weight is to be rounded.
type holding uint8

const (
	loose holding = iota
	held          // off the integers beside it, to keep its pair safe: it moves with its partner
	fixed         // at an integer that is safe with its partner's, which another block has
)

func (r *rounder) holds(i int) holding {
	if r.pairs == nil {
		return loose
	}
	return r.held[i]
}

// within reports whether the block has the weight.
func (r *rounder) within(i int) bool { return i >= 0 && i < r.size }

// holdPairs makes the pairs of q, the integers nearest to u, safe.
func (r *rounder) holdPairs(o int, q, u []float64) {
	if r.pairs == nil {
		return
	}
	r.held = make([]holding, len(q))
	for i, j := range r.pairs.partner {
		switch {
		case !r.within(j):
			q[i], r.held[i] = r.across(o, i, j, q[i], u[i])
		case j > i && r.pairs.exceeded(q[i], q[j]) != 0:
			r.fitPair(i, j, q, u)
			r.held[i], r.held[j] = held, held
		}
	}
}

// across returns the integer of weight i, whose partner j is in another block: where rounding could take both beyond what is
// safe, one that both blocks come to.
func (r *rounder) across(o, i, j int, q, u float64) (float64, holding) {
	v := r.pairs.unit(o, j)
	if math.Abs(u)+math.Abs(v) <= r.pairs.largest-2 {
		return q, loose
	}
	if i < j {
		q, _ = r.pairs.fit(u, v, r.qmin, r.qmax)
	} else {
		_, q = r.pairs.fit(v, u, r.qmin, r.qmax)
	}
	return q, fixed
}

// fitPair rounds a pair of the block to what is safe.
func (r *rounder) fitPair(i, j int, q, u []float64) {
	q[i], q[j] = r.pairs.fit(u[i], u[j], r.qmin, r.qmax)
}

// mendPairs makes pairs safe that rounding has taken beyond it.
func (r *rounder) mendPairs(q, u []float64) {
	if r.pairs == nil {
		return
	}
	for i, j := range r.pairs.partner {
		if j > i && r.within(j) && r.pairs.exceeded(q[i], q[j]) != 0 {
			r.fitPair(i, j, q, u)
		}
	}
}

// mayBe reports whether the pair of weight i stays safe when it becomes v.
func (r *rounder) mayBe(i int, v float64, q []float64) bool {
	if r.pairs == nil {
		return true
	}
	j := r.pairs.partner[i]
	return r.held[i] != fixed && (j == i || !r.within(j) || r.pairs.exceeded(v, q[j]) == 0)
}

// exchange moves a unit from one weight of a pair to the other where the pair is at its limit and that lessens e'ce. It reports whether it did.
func (r *rounder) exchange(q, u []float64) bool {
	changed := false
	for i, j := range r.pairs.partner {
		if j <= i || !r.within(j) {
			continue
		}
		sum := q[i] + q[j]
		if sum != r.pairs.largest && sum != r.pairs.least {
			continue
		}
		// How far a weight may be off is what the pair lacks.
		most := 1 + max(math.Abs(u[i]+u[j])-math.Abs(sum), 0)
		for _, d := range []float64{1, -1} {
			a, b := q[i]+d, q[j]-d
			if min(a, b) < r.qmin || max(a, b) > r.qmax || a*sum < 0 || b*sum < 0 ||
				math.Abs(r.e[i]+d) >= most || math.Abs(r.e[j]-d) >= most {
				continue
			}
			curve := float64(r.c[i*r.size+i]) + float64(r.c[j*r.size+j]) - float64(2*float64(r.c[i*r.size+j]))
			if gain := float64(2*d*(r.g[i]-r.g[j])) + curve; gain < -1e-12 {
				q[i], q[j] = a, b
				r.e[i] += d
				r.e[j] -= d
				r.change(i, d)
				r.change(j, -d)
				changed = true
				break
			}
		}
	}
	return changed
}
