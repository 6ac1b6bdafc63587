package graph

import (
	"github.com/octet-ml/octet/internal/sticky"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// Builder adds nodes to a graph until the first error. The values that it returns afterwards have no meaning, so that
// one look at Err at the end is enough.
type Builder struct {
	Graph *Graph
	Scope Scope // of the nodes
	first sticky.Error
}

// Add adds an operator and returns its first output.
func (b *Builder) Add(op ops.Op, in ...*Value) *Value {
	return b.AddAll(op, 1, in...)[0]
}

// AddAll adds an operator and returns its outputs, which are so many.
func (b *Builder) AddAll(op ops.Op, outputs int, in ...*Value) []*Value {
	if b.Err() == nil {
		out, err := b.Graph.Add(b.Scope, op, in...)
		if err == nil {
			return out
		}
		b.Fail(err)
	}
	out := make([]*Value, outputs)
	for i := range out {
		out[i] = b.Nothing()
	}
	return out
}

// Const adds a constant without a name.
func (b *Builder) Const(t *tensor.Tensor) *Value { return b.Graph.Const("", t) }

// Nothing is a value to go on with after an error.
func (b *Builder) Nothing() *Value { return b.Const(tensor.Scalar(float32(0))) }

// Fail makes err the error, unless there is one.
func (b *Builder) Fail(err error) { b.first.Fail(err) }

// Err returns the first error.
func (b *Builder) Err() error { return b.first.Err() }
