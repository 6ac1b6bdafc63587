package graph

import (
	"fmt"
	"slices"
	"strings"

	"github.com/octet-ml/octet/tensor"
)

// Relation is what must hold of extents of inputs together: of the sum of Constant and a multiple of each, or what
// Condition says, where that is given instead.
type Relation struct {
	Terms    []RelationTerm
	Constant int
	// Divisor, when not 0, must divide the sum; AtMost says that it may be 0 or less. Otherwise it must be 0. Not both are given.
	Divisor int
	AtMost  bool
	// Condition is what is not linear in extents.
	Condition *Condition
	// Text says it as the model's file does, for messages.
	Text string
}

// RelationTerm is a multiple of the extent of an axis of an input, by its number.
type RelationTerm struct{ Input, Axis, Factor int }

// The limits of relations: sums fit 64 bits.
const (
	MaxRelationTerms  = 64
	MaxRelationFactor = 1 << 16 // also of the divisor and, times 2^40, of the constant
	maxRelationExtent = 1 << 40
)

// Valid reports whether the relation is within the limits and is about dimensions that inputs of these types have.
func (r *Relation) Valid(inputs []*Value) bool {
	if r.Condition != nil {
		return len(r.Terms) == 0 && r.Constant == 0 && r.Divisor == 0 && !r.AtMost && r.Condition.valid(inputs)
	}
	within := func(n int) bool { return -MaxRelationFactor <= n && n <= MaxRelationFactor }
	if len(r.Terms) == 0 || len(r.Terms) > MaxRelationTerms || r.Divisor < 0 || r.Divisor > 0 && r.AtMost || !within(r.Divisor) || int64(r.Constant)/maxRelationExtent != 0 {
		return false
	}
	return !slices.ContainsFunc(r.Terms, func(t RelationTerm) bool {
		return !within(t.Factor) || !hasAxis(inputs, t.Input, t.Axis)
	})
}

// hasAxis reports whether there is such an input, and it has such a dimension.
func hasAxis(inputs []*Value, input, axis int) bool {
	return 0 <= input && input < len(inputs) && 0 <= axis && axis < len(inputs[input].Type.Shape)
}

// HoldsFor reports whether the types of inputs fulfill the relation, which is valid.
func (r *Relation) HoldsFor(inputs []*Value) bool {
	return r.holds(func(input, axis int) int { return inputs[input].Type.Shape[axis] })
}

// holds reports whether extents fulfill the relation.
func (r *Relation) holds(extent func(input, axis int) int) bool {
	if r.Condition != nil {
		return r.Condition.holds(extent)
	}
	sum := int64(r.Constant)
	for _, t := range r.Terms {
		n := int64(extent(t.Input, t.Axis))
		if n > maxRelationExtent {
			return false
		}
		sum += n * int64(t.Factor)
	}
	switch {
	case r.Divisor != 0:
		return sum%int64(r.Divisor) == 0
	case r.AtMost:
		return sum <= 0
	}
	return sum == 0
}

// checkRelations checks what extents of several inputs have to do with each other.
func (g *Graph) checkRelations(inputs []*tensor.Tensor) error {
	extent := func(input, axis int) int { return inputs[input].Shape()[axis] }
	for i, v := range g.Inputs {
		if v.Guard == nil {
			continue
		}
		for _, r := range v.Guard.Relations {
			if r.holds(extent) {
				continue
			}
			terms := r.Terms
			if r.Condition != nil {
				terms = r.Condition.Extents()
			}
			var is []string
			for _, t := range terms {
				is = append(is, fmt.Sprintf("extent %d of %s is %d", t.Axis, g.Inputs[t.Input].Name, inputs[t.Input].Dim(t.Axis)))
			}
			got := inputs[i].Shape()
			return &InputError{Index: i, Name: v.Name, Reason: fmt.Sprintf("guard failed: %s (%s)", r.Text, strings.Join(is, ", ")), Want: r.Text, Got: fmt.Sprint(got)}
		}
	}
	return nil
}
