package graph

import (
	"cmp"
	"slices"

	"github.com/octet-ml/octet/internal/sorting"
)

// life is a piece of memory and the steps during which it is in use.
type life struct {
	span        *span
	size        int
	first, last int
}

// layOut places the pieces in one arena so that those in use at the same time
// do not overlap, the largest first and of those the longest in use, each at the lowest free address; it returns the arena's size,
// and false when that is above the limit, which no piece is. Where more than maxNeighbours are in use at the same time, or finding
// them has taken more steps than layOutWork for each piece, a piece goes behind all of them instead, so that the work grows with
// the number of pieces and not with its square.
// Addresses are multiples of the tensors' alignment.
func layOut(lives []life, limit int) (int, bool) {
	sorting.Func(lives, func(a, b life) int { return cmp.Or(b.size-a.size, (b.last-b.first)-(a.last-a.first)) })
	steps := 0
	for _, l := range lives {
		steps = max(steps, l.last+1)
	}
	placed := newIntervals(steps)
	placed.work = layOutWork * (1000 + len(lives))
	total := 0
	var near []*life
	for i := range lives {
		l := &lives[i]
		at, ok := 0, false
		if near, ok = placed.overlapping(near[:0], l.first, l.last); ok {
			slices.SortFunc(near, func(a, b *life) int { return cmp.Or(a.span.start-b.span.start, a.size-b.size) })
			for _, q := range near {
				if at+l.size <= q.span.start {
					break
				}
				at = max(at, align(q.span.start+q.size))
			}
		} else {
			at = placed.end(l.first, l.last)
		}
		if at > limit-l.size {
			return 0, false
		}
		*l.span = span{at, l.size}
		total = max(total, align(at+l.size))
		placed.add(l)
	}
	return total, true
}

const (
	maxNeighbours = 2048 // pieces that are looked at to find the lowest address for one
	layOutWork    = 256
)

// intervals are pieces that have a place, found by the steps at which they are in use: a segment tree over the steps. A piece is
// listed at the fewest nodes of the tree that make up its steps.
type intervals struct {
	leaves int
	at     [][]*life // by node; of a leaf too
	starts [][]*life // by step, those that begin with it
	below  []int     // by node, the end of the last piece listed at it or below
	here   []int     // by node, the end of the last piece listed at it
	work   int       // what looking for pieces may still take
}

func newIntervals(steps int) *intervals {
	leaves := 1
	for leaves < steps {
		leaves *= 2
	}
	return &intervals{leaves: leaves, at: make([][]*life, 2*leaves), starts: make([][]*life, leaves), below: make([]int, 2*leaves), here: make([]int, 2*leaves)}
}

// each calls f for the nodes that make up the steps from first to last.
func (t *intervals) each(first, last int, f func(node int)) {
	for lo, hi := first+t.leaves, last+t.leaves+1; lo < hi; lo, hi = lo/2, hi/2 {
		if lo%2 == 1 {
			f(lo)
			lo++
		}
		if hi%2 == 1 {
			hi--
			f(hi)
		}
	}
}

func (t *intervals) add(l *life) {
	end := align(l.span.start + l.size)
	t.each(l.first, l.last, func(node int) {
		t.at[node] = append(t.at[node], l)
		t.here[node] = max(t.here[node], end)
		for ; node > 0; node /= 2 {
			t.below[node] = max(t.below[node], end)
		}
	})
	t.starts[l.first] = append(t.starts[l.first], l)
}

// overlapping appends the pieces that are in use at any step from first to last: those in use at the first, and those that
// begin later. It reports false where that is too many to look at.
func (t *intervals) overlapping(to []*life, first, last int) ([]*life, bool) {
	for node := first + t.leaves; node > 0; node /= 2 {
		if len(to)+len(t.at[node]) > maxNeighbours {
			return to, false
		}
		to = append(to, t.at[node]...)
	}
	if t.work -= last - first + len(to); t.work < 0 {
		return to, false
	}
	for step := first + 1; step <= last; step++ {
		if len(to)+len(t.starts[step]) > maxNeighbours {
			return to, false
		}
		to = append(to, t.starts[step]...)
	}
	return to, true
}

// end returns the end of the last piece that is in use at any step from first to last.
func (t *intervals) end(first, last int) int {
	end := 0
	t.each(first, last, func(node int) { end = max(end, t.below[node]) })
	for node := (first + t.leaves) / 2; node > 0; node /= 2 {
		end = max(end, t.here[node])
	}
	for node := (last + t.leaves) / 2; node > 0; node /= 2 {
		end = max(end, t.here[node])
	}
	return end
}
