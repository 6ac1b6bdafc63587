package graph

import (
	"bytes"
	"fmt"

	"github.com/octet-ml/octet/tensor"
)

// Guard says what a specialized graph accepts for one of its inputs.
type Guard struct {
	// Shape holds the extents, -1 where any will do.
	Shape []int
	// Bounds are those of the extents, of as many dimensions as Shape has; nil for none.
	Bounds []Bound
	// Value is what the input must be, when the graph depends on it.
	Value *tensor.Tensor
	// Relations are those between extents of this input and of others.
	Relations []Relation
}

// Bound says which extents a graph accepts: from Min to Max, both included, with a Max of 0 from Min on.
type Bound struct{ Min, Max int }

// admits reports whether an extent is within the bound.
func (b Bound) admits(n int) bool { return b.Min <= n && (n <= b.Max || b.Max == 0) }

func (b Bound) String() string {
	if b.Max == 0 {
		return fmt.Sprintf("at least %d", b.Min)
	}
	return fmt.Sprintf("%d to %d", b.Min, b.Max)
}

// outside returns the first dimension of t whose extent is not within its bound, -1 for none.
func (g *Guard) outside(t *tensor.Tensor) int {
	if g == nil {
		return -1
	}
	for axis, b := range g.Bounds {
		if !b.admits(t.Shape()[axis]) {
			return axis
		}
	}
	return -1
}

// admits reports whether the graph may be used for t.
func (g *Guard) admits(t *tensor.Tensor) bool {
	if g == nil {
		return true
	}
	if g.outside(t) >= 0 {
		return false
	}
	for i, d := range g.Shape {
		if d >= 0 && d != t.Shape()[i] {
			return false
		}
	}
	return g.Value == nil || t.IsBound() && bytes.Equal(g.Value.Contiguous().Bytes(), t.Contiguous().Bytes())
}

// BatchSize returns the extent nearest to the one wanted that the first dimension of inputs may
// have, as far as their guards say: that of a graph that takes no other, and what is within bounds.
func (g *Graph) BatchSize(wanted int) int {
	for _, v := range g.Inputs {
		if v.Guard != nil && len(v.Guard.Shape) > 0 && v.Guard.Shape[0] > 0 {
			return v.Guard.Shape[0]
		}
	}
	for _, v := range g.Inputs {
		if v.Guard == nil || len(v.Guard.Bounds) == 0 {
			continue
		}
		b := v.Guard.Bounds[0]
		if wanted = max(wanted, b.Min); b.Max > 0 {
			wanted = min(wanted, b.Max)
		}
	}
	return wanted
}
