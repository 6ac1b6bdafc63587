package torchscript

import (
	"errors"
	"fmt"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// builder adds nodes to a graph and keeps what is known of its values besides
// their types.
type builder struct {
	region *region     // where nodes go
	scope  graph.Scope // of the module whose nodes are added
	nodes  int

	evaluated int // elements
	// beforeWrite is called before something is written to a memory.
	beforeWrite func(s *storage)

	given map[*graph.Value]*tensor.Tensor // values of inputs without dimensions
	facts []fact
	used  deps // what the graph depends on, beyond what its operators check
	info  map[*graph.Value]*info
}

// region is the graph that nodes are added to: that of the program, or of a
// branch or loop inside it.
type region struct {
	g        *graph.Graph
	parent   *region
	consts   map[*tensor.Tensor]*graph.Value
	captured map[*graph.Value]*graph.Value // values of outer regions to inputs of this one
	outer    []*graph.Value                // the captured values in the order of the inputs
}

// newRegion returns a graph inside the one that nodes go to.
func (b *builder) newRegion() *region {
	return &region{
		g: graph.New(), parent: b.region,
		consts: make(map[*tensor.Tensor]*graph.Value), captured: make(map[*graph.Value]*graph.Value),
	}
}

// in calls f with nodes going to a region.
func (b *builder) in(r *region, f func() error) error {
	outer := b.region
	b.region = r
	defer func() { b.region = outer }()
	return f()
}

// own adds an input to a region's graph, with the given extents, or fixed ones.
func (b *builder) own(r *region, name string, t ops.Type, dims []*number) *graph.Value {
	v := r.g.Input(name, t.DType, t.Shape...)
	v.Type.Q = t.Q
	if dims == nil {
		dims = fixed(t.Shape)
	}
	b.info[v] = &info{region: r, dims: dims, dynamic: true}
	return v
}

// close makes a region's graph take its own inputs and then the given values of
// regions around it, and give outputs.
func (r *region) close(own, outer, outputs []*graph.Value) {
	r.g.Inputs = own
	for _, v := range outer {
		in := r.captured[v]
		if in == nil {
			in = r.g.Input("", v.Type.DType, v.Type.Shape...) // which it does not use
			in.Type = v.Type
			continue
		}
		r.g.Inputs = append(r.g.Inputs, in)
	}
	r.g.SetOutputs(outputs...)
	r.g.RemoveDead()
}

// graph returns the graph of the program.
func (b *builder) graph() *graph.Graph { return b.region.g }

// fact is something about the inputs that a graph can depend on: the extent of
// a dimension, or with axis -1 the value.
type fact struct {
	input *graph.Value
	axis  int
}

// info is what is known of a value.
type info struct {
	region  *region
	dims    []*number
	content deps           // what the elements follow from, where types say them
	dynamic bool           // it follows from an input, or cannot be evaluated
	value   *tensor.Tensor // evaluated
}

// maxEvaluated bounds the elements that are computed because the program asks
// for a value that follows from constants.
const maxEvaluated = 1 << 24

// maxNodes bounds the nodes of a graph.
const maxNodes = 1 << 18

// newBuilder returns a builder of a new graph.
func newBuilder() *builder {
	b := &builder{info: make(map[*graph.Value]*info), given: make(map[*graph.Value]*tensor.Tensor)}
	b.region = &region{g: graph.New(), consts: make(map[*tensor.Tensor]*graph.Value)}
	return b
}

// input adds an input of the program.
func (b *builder) input(name string, t ops.Type) *graph.Value {
	v := b.region.g.Input(name, t.DType, t.Shape...)
	v.Type.Q = t.Q
	dims := make([]*number, len(t.Shape))
	for axis, d := range t.Shape {
		dims[axis] = &number{
			kind: intKind, known: int64(d), deps: b.fact(v, axis),
			term: &term{input: v, axis: axis},
		}
	}
	b.info[v] = &info{region: b.region, dims: dims, dynamic: true}
	if t.Known != nil {
		b.given[v] = t.Known
	}
	return v
}

// fact returns the set of one new fact.
func (b *builder) fact(v *graph.Value, axis int) deps {
	b.facts = append(b.facts, fact{v, axis})
	return deps{}.with(len(b.facts) - 1)
}

// depend makes the graph hold only for inputs with the same facts.
func (b *builder) depend(d deps) { b.used = b.used.union(d) }

// guards says on its inputs what the graph depends on.
func (b *builder) guards() {
	for i, f := range b.facts {
		v := f.input
		switch {
		case f.axis >= 0 && v.Guard == nil:
			v.Guard = &graph.Guard{Shape: make([]int, len(v.Type.Shape))}
			for j := range v.Guard.Shape {
				v.Guard.Shape[j] = -1
			}
			fallthrough
		case f.axis >= 0:
			if b.used.has(i) {
				v.Guard.Shape[f.axis] = v.Type.Shape[f.axis]
			}
		case b.used.has(i):
			v.Guard = &graph.Guard{Value: b.given[v]}
		}
	}
	for _, f := range b.facts {
		if g := f.input.Guard; g != nil && g.Value == nil && !restricts(g.Shape) {
			f.input.Guard = nil
		}
	}
}

func restricts(shape []int) bool {
	for _, d := range shape {
		if d >= 0 {
			return true
		}
	}
	return false
}

// constant returns a tensor as a value, under the name of the first use.
func (b *builder) constant(name string, t *tensor.Tensor) *graph.Value {
	if v := b.region.consts[t]; v != nil {
		return v
	}
	v := b.region.g.Const(name, t)
	b.region.consts[t] = v
	b.know(v)
	return v
}

// know records a constant.
func (b *builder) know(v *graph.Value) {
	dims := make([]*number, len(v.Type.Shape))
	for i, d := range v.Type.Shape {
		dims[i] = extent(d)
	}
	b.info[v] = &info{region: b.region, dims: dims}
}

// extent returns a plain extent as a number.
func extent(d int) *number { return &number{kind: intKind, known: int64(d)} }

var errTooLarge = errors.New("the program makes too large a graph")

// add appends a node. What follows from constants alone and is small becomes a
// constant; operators that can be views stay, since they cost nothing.
func (b *builder) add(op ops.Op, inputs ...*graph.Value) ([]*graph.Value, error) {
	if b.nodes++; b.nodes > maxNodes {
		return nil, fmt.Errorf("%w: %d nodes", errTooLarge, b.nodes)
	}
	for i, v := range inputs {
		inputs[i] = b.local(v)
	}
	g := b.region.g
	out, err := g.Add(b.scope, op, inputs...)
	if err != nil {
		var ne *graph.NodeError
		if errors.As(err, &ne) {
			err = ne.Err // the script names the place
		}
		return nil, err
	}
	if len(inputs) > 0 && allConst(inputs) && allKnown(out) {
		g.Nodes = g.Nodes[:len(g.Nodes)-1]
		b.nodes--
		for i, v := range out {
			out[i] = g.Const("", v.Type.Known)
			b.know(out[i])
		}
		return out, nil
	}
	b.describe(op, inputs, out)
	return out, nil
}

func allConst(values []*graph.Value) bool {
	for _, v := range values {
		if v.Const == nil {
			return false
		}
	}
	return true
}

func allKnown(values []*graph.Value) bool {
	for _, v := range values {
		if v.Type.Known == nil {
			return false
		}
	}
	return true
}

// describe records what follows for the outputs of a node.
func (b *builder) describe(op ops.Op, inputs, outputs []*graph.Value) {
	in := make([]*info, len(inputs))
	var all, content deps
	dynamic := false
	for i, v := range inputs {
		in[i] = b.info[v]
		dynamic = dynamic || in[i].dynamic
		content = content.union(in[i].content)
		for _, d := range in[i].dims {
			all = all.union(d.deps)
		}
	}
	switch op.(type) {
	case ops.SizeOf, ops.ShapeOf, ops.NumelOf:
		content = content.union(all)
	}
	for i, v := range outputs {
		dims := outputDims(op, in, inputs, i, v)
		if dims == nil {
			dims = make([]*number, len(v.Type.Shape))
			for j, d := range v.Type.Shape {
				dims[j] = &number{kind: intKind, known: int64(d), deps: all.union(content)}
			}
		}
		b.info[v] = &info{region: b.region, dims: dims, content: content, dynamic: dynamic}
	}
}

// local returns v as a value of the region that nodes go to.
func (b *builder) local(v *graph.Value) *graph.Value {
	if v.Const != nil {
		return b.constant(v.Name, v.Const)
	}
	return b.capture(b.region, v)
}

func (b *builder) capture(r *region, v *graph.Value) *graph.Value {
	i := b.info[v]
	if r == nil || i.region == r {
		return v
	}
	if inner := r.captured[v]; inner != nil {
		return inner
	}
	b.capture(r.parent, v)
	inner := r.g.Input("", v.Type.DType, v.Type.Shape...)
	inner.Type = v.Type
	r.captured[v] = inner
	r.outer = append(r.outer, v)
	b.info[inner] = &info{region: r, dims: i.dims, content: i.content, dynamic: i.dynamic, value: i.value}
	return inner
}

// visible reports whether v may be used in the region that nodes go to.
func (b *builder) visible(v *graph.Value) bool {
	if v.Const != nil {
		return true
	}
	for r := b.region; r != nil; r = r.parent {
		if b.info[v].region == r {
			return true
		}
	}
	return false
}

// known returns a value's elements, where they are known before the run; the
// graph then depends on what they follow from.
func (b *builder) known(v *graph.Value) *tensor.Tensor {
	if v.Const != nil {
		return v.Const
	}
	if t := v.Type.Known; t != nil {
		b.depend(b.info[v].content)
		return t
	}
	return b.evaluate(v)
}

// evaluate computes a value that follows from constants alone; nil for any
// other, and once too much would have been computed so.
func (b *builder) evaluate(v *graph.Value) *tensor.Tensor {
	if v.Const != nil {
		return v.Const
	}
	i := b.info[v]
	if i.dynamic || v.Node == nil || i.value != nil {
		return i.value
	}
	i.dynamic = true // unless the following succeeds
	in := make([]*tensor.Tensor, len(v.Node.Inputs))
	for k, x := range v.Node.Inputs {
		if in[k] = b.evaluate(x); in[k] == nil {
			return nil
		}
	}
	for _, x := range v.Node.Outputs {
		if b.evaluated += x.Type.Numel(); b.evaluated > maxEvaluated {
			return nil
		}
	}
	const plainGo = 0 // the tier of kernels
	out, err := ops.Eval(v.Node.Op, plainGo, nil, in...)
	if err != nil {
		return nil
	}
	for k, x := range v.Node.Outputs {
		b.info[x].value, b.info[x].dynamic = out[k], false
	}
	return i.value
}
