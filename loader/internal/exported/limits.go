package exported

import (
	"math"

	"github.com/octet-ml/octet/graph"
)

// accepted returns the range as far as it is a condition on an extent: PyTorch lets 0 and
// 1 pass where it says from 2.
func (r Range) accepted() graph.Bound {
	var b graph.Bound
	if r.Min > 2 {
		b.Min = int(min(r.Min, math.MaxInt32))
	}
	if r.Max < math.MaxInt32 {
		b.Max = int(max(r.Max, 1))
	}
	return b
}

// bounds returns those of the extents of an input, nil where there are none.
func (c *Contract) bounds(i int) []graph.Bound {
	in := c.Inputs[i]
	if in.Meta == nil {
		return nil
	}
	out, some := make([]graph.Bound, len(in.Meta.Sizes)), false
	for axis, e := range in.Meta.Sizes {
		if e.Expr == nil || e.Expr.Op != opSymbol {
			continue
		}
		if r, ok := c.ranges[e.Expr.Symbol]; ok {
			out[axis] = r.accepted()
			some = some || out[axis] != graph.Bound{}
		}
	}
	if !some {
		return nil
	}
	return out
}

// Guard says which shapes an input may have, as far as that does not depend on others: nil for any.
func (c *Contract) Guard(i int) *graph.Guard {
	in := c.Inputs[i]
	if in.Meta == nil {
		return nil
	}
	g := &graph.Guard{Shape: make([]int, len(in.Meta.Sizes)), Bounds: c.bounds(i)}
	for axis, e := range in.Meta.Sizes {
		if g.Shape[axis] = int(e.Fixed); e.Expr != nil {
			g.Shape[axis] = -1
		}
	}
	return g
}

// bounds adds the ranges and relations of the file to what the graph accepts: it may be used without the program.
func (r *run) bounds(g *graph.Graph) {
	relations := r.Contract.relations(r.symbols)
	for k := range r.Contract.Inputs {
		limits, v := r.Contract.bounds(k), g.Inputs[k]
		if limits == nil && len(relations[k]) == 0 {
			continue
		}
		if v.Guard == nil {
			v.Guard = &graph.Guard{}
		}
		v.Guard.Bounds = limits
		for _, is := range relations[k] {
			if is.Valid(g.Inputs) {
				v.Guard.Relations = append(v.Guard.Relations, is)
			}
		}
	}
}
