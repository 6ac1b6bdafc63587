package build

import (
	"context"
	"errors"
	"fmt"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// Builder adds nodes to a graph and keeps what is known of its values besides
// their types.
type Builder struct {
	region *Region         // where nodes go
	Scope  graph.Scope     // of the module whose nodes are added
	ctx    context.Context // while the graph is made
	limits Limits
	nodes  int

	evaluated int // elements
	// BeforeWrite is called before something is written to a memory; an error keeps it from being written.
	BeforeWrite func(s *Storage) error
	// NoGrad makes values whose gradients end where something takes them while it is false again, as torch.no_grad does.
	NoGrad bool

	given map[*graph.Value]*tensor.Tensor // values of inputs without dimensions
	facts []Fact
	used  Deps // what the graph depends on, beyond what its operators check
	info  map[*graph.Value]*info
	items items
}

// Region is the graph that nodes are added to: that of the program, or of a
// branch or loop inside it.
type Region struct {
	Graph    *graph.Graph
	parent   *Region
	consts   map[*tensor.Tensor]*graph.Value
	captured map[*graph.Value]*graph.Value // values of outer regions to inputs of this one
	Outer    []*graph.Value                // the captured values in the order of the inputs
}

// NewRegion returns a graph inside the one that nodes go to.
func (b *Builder) NewRegion() *Region {
	return &Region{
		Graph: graph.New(), parent: b.region,
		consts: make(map[*tensor.Tensor]*graph.Value), captured: make(map[*graph.Value]*graph.Value),
	}
}

// In calls f with nodes going to a region.
func (b *Builder) In(r *Region, f func() error) error {
	outer := b.region
	b.region = r
	defer func() { b.region = outer }()
	return f()
}

// OwnInput adds an input to a region's graph, with the given extents, or fixed ones.
func (b *Builder) OwnInput(r *Region, name string, t ops.Type, dims []*Number) *graph.Value {
	v := r.Graph.Input(name, t.DType, t.Shape...)
	v.Type.Q = t.Q
	if dims == nil {
		dims = fixed(t.Shape)
	}
	b.info[v] = &info{region: r, dims: dims, dynamic: true}
	return v
}

// Close makes a region's graph take its own inputs and then the given values of
// regions around it, and give outputs.
func (r *Region) Close(own, outer, outputs []*graph.Value) {
	r.Graph.Inputs = own
	for _, v := range outer {
		in := r.captured[v]
		if in == nil {
			in = r.Graph.Input("", v.Type.DType, v.Type.Shape...) // which it does not use
			in.Type = v.Type
			continue
		}
		r.Graph.Inputs = append(r.Graph.Inputs, in)
	}
	r.Graph.SetOutputs(outputs...)
	r.Graph.RemoveDead()
}

// Graph returns the graph of the program.
func (b *Builder) Graph() *graph.Graph { return b.region.Graph }

// Fact is something about the inputs that a graph can depend on: the extent of
// a dimension, or with axis -1 the value.
type Fact struct {
	input *graph.Value
	axis  int
}

// info is what is known of a value.
type info struct {
	region  *Region
	dims    []*Number
	content Deps           // what the elements follow from, where types say them
	dynamic bool           // it follows from an input, or cannot be evaluated
	stopped bool           // it was made without gradients
	value   *tensor.Tensor // evaluated
}

// MaxNodes bounds the nodes of a graph.
const MaxNodes = 1 << 18

// NewBuilder returns a builder of a new graph.
func NewBuilder() *Builder {
	b := &Builder{ctx: context.Background(), limits: DefaultLimits, info: make(map[*graph.Value]*info), given: make(map[*graph.Value]*tensor.Tensor)}
	b.region = &Region{Graph: graph.New(), consts: make(map[*tensor.Tensor]*graph.Value)}
	return b
}

// Input adds an input of the program.
func (b *Builder) Input(name string, t ops.Type) *graph.Value {
	v := b.region.Graph.Input(name, t.DType, t.Shape...)
	v.Type.Q = t.Q
	dims := make([]*Number, len(t.Shape))
	for axis, d := range t.Shape {
		dims[axis] = &Number{
			Kind: Int, Known: int64(d), Deps: b.fact(v, axis),
			Term: &Term{Input: v, Axis: axis},
		}
	}
	b.info[v] = &info{region: b.region, dims: dims, dynamic: true}
	if t.Known != nil {
		b.given[v] = t.Known
	}
	return v
}

// fact returns the set of one new fact.
func (b *Builder) fact(v *graph.Value, axis int) Deps {
	b.facts = append(b.facts, Fact{v, axis})
	return Deps{}.with(len(b.facts) - 1)
}

// Depend makes the graph hold only for inputs with the same facts.
func (b *Builder) Depend(d Deps) { b.used = b.used.Union(d) }

// Attempt calls f. What a graph came to depend on in one that fails does not count.
func (b *Builder) Attempt(f func() error) error {
	used := b.used
	err := f()
	if err != nil {
		b.used = used
	}
	return err
}

// Guards says on its inputs what the graph depends on.
func (b *Builder) Guards() {
	for i, f := range b.facts {
		v := f.input
		switch {
		case b.items.inner.has(i): // of which nothing depends
		case f.isItem():
			if b.used.has(i) {
				f.guardItem()
			}
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
	for i, f := range b.facts {
		if b.items.inner.has(i) {
			continue
		}
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

// Constant returns a tensor as a value, under the name of the first use.
func (b *Builder) Constant(name string, t *tensor.Tensor) *graph.Value {
	if v := b.region.consts[t]; v != nil {
		return v
	}
	v := b.region.Graph.Const(name, t)
	b.region.consts[t] = v
	b.know(v)
	return v
}

// know records a constant.
func (b *Builder) know(v *graph.Value) {
	dims := make([]*Number, len(v.Type.Shape))
	for i, d := range v.Type.Shape {
		dims[i] = Extent(d)
	}
	b.info[v] = &info{region: b.region, dims: dims}
}

// Extent returns a plain extent as a number.
//
//go:noinline
func Extent(d int) *Number { return &Number{Kind: Int, Known: int64(d)} }

// Add appends a node. What follows from constants alone and is small becomes a
// constant; operators that can be views stay, since they cost nothing, and so do casts of
// named constants, whose names training and quantization ask for.
func (b *Builder) Add(op ops.Op, inputs ...*graph.Value) ([]*graph.Value, error) {
	if b.nodes++; b.nodes > b.limits.Nodes {
		return nil, &LimitError{fmt.Sprintf("makes too large a graph: %d nodes", b.nodes)}
	}
	for i, v := range inputs {
		inputs[i] = b.local(v)
	}
	if err := b.Detach(inputs); err != nil {
		return nil, err
	}
	g := b.region.Graph
	out, err := g.Add(b.Scope, op, inputs...)
	if err != nil {
		var ne *graph.NodeError
		if errors.As(err, &ne) {
			err = ne.Err // the script names the place
		}
		return nil, err
	}
	if len(inputs) > 0 && allConst(inputs) && allKnown(out) && !namedCast(op, inputs) {
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

// namedCast reports whether the node makes float32 of a parameter of another type.
func namedCast(op ops.Op, inputs []*graph.Value) bool {
	cast, ok := op.(ops.Cast)
	from := inputs[0].Type.DType
	return ok && inputs[0].Name != "" && cast.DType == tensor.Float32 && (from == tensor.Float16 || from == tensor.BFloat16)
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
func (b *Builder) describe(op ops.Op, inputs, outputs []*graph.Value) {
	in := make([]*info, len(inputs))
	var all, content Deps
	dynamic := false
	for i, v := range inputs {
		in[i] = b.info[v]
		dynamic = dynamic || in[i].dynamic
		content = content.Union(in[i].content)
		for _, d := range in[i].dims {
			all = all.Union(d.Deps)
		}
	}
	switch op.(type) {
	case ops.SizeOf, ops.ShapeOf, ops.NumelOf:
		content = content.Union(all)
	}
	for i, v := range outputs {
		dims := outputDims(op, in, inputs, i, v)
		if dims == nil {
			dims = make([]*Number, len(v.Type.Shape))
			for j, d := range v.Type.Shape {
				dims[j] = &Number{Kind: Int, Known: int64(d), Deps: all.Union(content)}
			}
		}
		b.info[v] = &info{region: b.region, dims: b.settled(v, dims), content: content, dynamic: dynamic, stopped: b.NoGrad && v.Type.DType.IsFloat()}
	}
}

// Detach ends the gradients of those of the values that were made without, unless what takes them is, too.
func (b *Builder) Detach(values []*graph.Value) error {
	for k, v := range values {
		i := b.info[v]
		if !i.stopped || b.NoGrad {
			continue
		}
		i.stopped = false
		out, err := b.AddOne(ops.Detach{}, v)
		i.stopped = true
		if err != nil {
			return err
		}
		values[k] = out
	}
	return nil
}

// local returns v as a value of the region that nodes go to.
func (b *Builder) local(v *graph.Value) *graph.Value {
	if v.Const != nil {
		return b.Constant(v.Name, v.Const)
	}
	return b.capture(b.region, v)
}

func (b *Builder) capture(r *Region, v *graph.Value) *graph.Value {
	i := b.info[v]
	if r == nil || i.region == r {
		return v
	}
	if inner := r.captured[v]; inner != nil {
		return inner
	}
	b.capture(r.parent, v)
	inner := r.Graph.Input("", v.Type.DType, v.Type.Shape...)
	inner.Type = v.Type
	r.captured[v] = inner
	r.Outer = append(r.Outer, v)
	b.info[inner] = &info{region: r, dims: i.dims, content: i.content, dynamic: i.dynamic, stopped: i.stopped, value: i.value}
	return inner
}

// visible reports whether v may be used in the region that nodes go to.
func (b *Builder) visible(v *graph.Value) bool {
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

// Known returns a value's elements, where they are known before the run; the
// graph then depends on what they follow from.
func (b *Builder) Known(v *graph.Value) *tensor.Tensor {
	if v.Const != nil {
		return v.Const
	}
	if b.inside(b.info[v].content) {
		return nil
	}
	if t := v.Type.Known; t != nil {
		if x, ok := PlainElement(t); ok && len(t.Shape()) == 0 && b.OnItem(b.info[v].content) {
			b.Plain(&Number{Kind: KindOfDType(t.DType()), Known: x, Deps: b.info[v].content, Term: &Term{Value: v}})
			return t
		}
		b.Depend(b.info[v].content)
		return t
	}
	return b.evaluate(v)
}

const plainGo = 0 // the tier of kernels that compute while a graph is made

// evaluate computes a value that follows from constants alone; nil for any
// other, and once too much would have been computed so.
func (b *Builder) evaluate(v *graph.Value) *tensor.Tensor {
	if v.Const != nil {
		return v.Const
	}
	i := b.info[v]
	if i.dynamic || v.Node == nil || i.value != nil {
		return i.value
	}
	i.dynamic = true // unless the following succeeds
	if _, ok := v.Node.Op.(ops.ReadGenerator); ok {
		return nil // another one in each run
	}
	in := make([]*tensor.Tensor, len(v.Node.Inputs))
	for k, x := range v.Node.Inputs {
		if in[k] = b.evaluate(x); in[k] == nil {
			return nil
		}
	}
	for _, x := range v.Node.Outputs {
		if b.evaluated += x.Type.Numel(); b.evaluated > b.limits.Evaluated {
			return nil
		}
	}
	out, err := ops.Eval(v.Node.Op, plainGo, nil, in...)
	if err != nil {
		return nil
	}
	for k, x := range v.Node.Outputs {
		b.info[x].value, b.info[x].dynamic = out[k], false
	}
	return i.value
}
