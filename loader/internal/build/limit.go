package build

import (
	"context"
	"fmt"
)

// Limits bound what a program, which may be hostile, does while its graph is made.
type Limits struct {
	Steps     int // statements
	Items     int // elements of lists and bytes of strings that are made
	Work      int // elements and bytes that are looked at
	Nodes     int // of the graph
	Evaluated int // elements that are computed because the program asks for a value that follows from constants
	Outputs   int
}

// DefaultLimits are far above what real programs need.
var DefaultLimits = Limits{Steps: 1 << 23, Items: 1 << 24, Work: 1 << 25, Nodes: MaxNodes, Evaluated: 1 << 24, Outputs: 1 << 16}

// What an element of a list, a node and an element that is computed take, about, in bytes.
const (
	bytesPerItem      = 24
	bytesPerNode      = 1 << 11
	bytesPerEvaluated = 16
)

// Within returns limits below which a program takes at most so many bytes for each of what is counted; 0 bytes are no bound.
func (l Limits) Within(bytes int64) Limits {
	if bytes <= 0 {
		return l
	}
	l.Items = int(min(int64(l.Items), bytes/bytesPerItem))
	l.Nodes = int(min(int64(l.Nodes), bytes/bytesPerNode))
	l.Evaluated = int(min(int64(l.Evaluated), bytes/bytesPerEvaluated))
	l.Outputs = int(min(int64(l.Outputs), bytes/bytesPerNode))
	return l
}

// LimitError is a program that does more while its graph is made than any real one, or more than memory allows.
type LimitError struct{ What string }

func (e *LimitError) Error() string { return "the program " + e.What }

// Bound sets the limits of what is built, and a context whose end stops it.
func (b *Builder) Bound(ctx context.Context, limits Limits) { b.ctx, b.limits = ctx, limits }

// Ended returns the error of the context once it has ended.
func (b *Builder) Ended() error { return b.ctx.Err() }

// Limits returns the limits of what is built.
func (b *Builder) Limits() Limits { return b.limits }

// CheckOutputs refuses more outputs than a graph may have.
func (b *Builder) CheckOutputs(n int) error {
	if n > b.limits.Outputs {
		return &LimitError{fmt.Sprintf("returns more than %d values", b.limits.Outputs)}
	}
	return nil
}
