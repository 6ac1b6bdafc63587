package build

import (
	"errors"
	"fmt"
	"math"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// View takes a part, or another form, of a value, and puts it back.
type View interface {
	// Apply returns the part of x, or its other form.
	Apply(b *Builder, x *graph.Value) (*graph.Value, error)
	// Put returns x with what apply takes replaced.
	Put(b *Builder, x, part *graph.Value) (*graph.Value, error)
}

// ReshapeView gives another shape.
type ReshapeView struct{ From, To []*Number }

func (w ReshapeView) Apply(b *Builder, x *graph.Value) (*graph.Value, error) {
	return b.Reshape(x, w.To)
}

func (w ReshapeView) Put(b *Builder, _, part *graph.Value) (*graph.Value, error) {
	return b.Reshape(part, w.From)
}

// PermuteView reorders dimensions.
type PermuteView struct{ Order []int }

func (w PermuteView) Apply(b *Builder, x *graph.Value) (*graph.Value, error) {
	return b.permute(x, w.Order)
}

func (w PermuteView) Put(b *Builder, _, part *graph.Value) (*graph.Value, error) {
	inverse := make([]int, len(w.Order))
	for i, o := range w.Order {
		inverse[o] = i
	}
	return b.permute(part, inverse)
}

func (b *Builder) permute(x *graph.Value, order []int) (*graph.Value, error) {
	for i, o := range order {
		if i != o {
			return b.AddOne(ops.Permute{Order: order}, x)
		}
	}
	return x, nil
}

// SliceView takes start:end:step of a dimension; the bounds are not negative.
type SliceView struct {
	Axis       int
	Start, End *Number
	Step       int
}

// clampInt returns a bound of a slice as an int: one beyond what an int holds is beyond every extent too.
func clampInt(n int64) int { return int(min(max(n, math.MinInt), math.MaxInt)) }

func (w SliceView) Apply(b *Builder, x *graph.Value) (*graph.Value, error) {
	start, end := w.Start.Plain(), w.End.Plain()
	from, ok1 := start.(int64)
	to, ok2 := end.(int64)
	if ok1 && ok2 {
		return b.AddOne(ops.Slice{Axis: w.Axis, Start: clampInt(from), End: clampInt(to), Step: w.Step}, x)
	}
	s, err := b.Scalar(w.Start)
	if err != nil {
		return nil, err
	}
	e, err := b.Scalar(w.End)
	if err != nil {
		return nil, err
	}
	v, err := b.AddOne(ops.SliceTo{Axis: w.Axis, Step: w.Step}, x, s, e)
	if err != nil {
		return nil, err
	}
	dims := append([]*Number(nil), b.info[x].dims...)
	dims[w.Axis] = follow(Extent(v.Type.Shape[w.Axis]), w.Start, w.End, dims[w.Axis])
	if from == 0 && ok1 && w.Step == 1 && w.End.Known == int64(v.Type.Shape[w.Axis]) {
		n := w.End
		if b.OnItem(n.Deps) { // a run may have a bound that is negative, or beyond the dimension
			n = &Number{Kind: Int, Known: n.Known, Deps: dims[w.Axis].Deps, Term: &Term{Input: v, Axis: w.Axis}, bound: n}
		}
		dims[w.Axis] = n
	}
	b.SetDims(v, dims)
	return v, nil
}

func (w SliceView) Put(b *Builder, x, part *graph.Value) (*graph.Value, error) {
	if w.follows(b, w.Start) || w.follows(b, w.End) {
		return w.putRows(b, x, part)
	}
	from, err := b.bound(w.Start)
	if err != nil {
		return nil, err
	}
	to, err := b.bound(w.End)
	if err != nil {
		return nil, err
	}
	extent, err := b.Int(b.info[x].dims[w.Axis])
	if err != nil {
		return nil, err
	}
	first, n := tensor.SliceBounds(extent, from, to, w.Step)
	if n == 0 {
		return x, nil
	}
	if w.Step != 1 {
		indices := make([]int64, n)
		for i := range indices {
			indices[i] = int64(first + i*w.Step)
		}
		t, err := tensor.FromSlice(indices, n)
		if err != nil {
			return nil, err
		}
		return b.AddOne(ops.IndexPut{Axes: []int{w.Axis}}, x, part, b.Constant("", t))
	}
	var pieces []*graph.Value
	if first > 0 {
		before, err := b.AddOne(ops.Slice{Axis: w.Axis, End: first, Step: 1}, x)
		if err != nil {
			return nil, err
		}
		pieces = append(pieces, before)
	}
	pieces = append(pieces, part)
	if first+n < extent {
		after, err := b.AddOne(ops.Slice{Axis: w.Axis, Start: first + n, End: math.MaxInt, Step: 1}, x)
		if err != nil {
			return nil, err
		}
		pieces = append(pieces, after)
	}
	if len(pieces) == 1 {
		return part, nil
	}
	return b.AddOne(ops.Concat{Axis: w.Axis}, pieces...)
}

// follows reports whether a bound follows from Items, so that a graph holds whatever it is.
func (w SliceView) follows(b *Builder, n *Number) bool { return n.Term != nil && b.OnItem(n.Deps) }

// putRows is Put at bounds that only the run knows.
func (w SliceView) putRows(b *Builder, x, part *graph.Value) (*graph.Value, error) {
	extent, err := b.Scalar(b.info[x].dims[w.Axis])
	if err != nil {
		return nil, err
	}
	all, err := b.AddOne(ops.Arange{DType: tensor.Int64}, b.PlainConst(int64(0)), extent, b.PlainConst(int64(1)))
	if err != nil {
		return nil, err
	}
	at, err := SliceView{Start: w.Start, End: w.End, Step: w.Step}.Apply(b, all)
	if err != nil {
		return nil, err
	}
	return b.AddOne(ops.IndexPut{Axes: []int{w.Axis}}, x, part, at)
}

// StridedView takes the elements at indices of the flat form.
type StridedView struct {
	At   *graph.Value
	From []*Number // the shape of what it is taken of
}

func (w StridedView) Apply(b *Builder, x *graph.Value) (*graph.Value, error) {
	flat, err := w.flat(b, x)
	if err != nil {
		return nil, err
	}
	return b.AddOne(ops.Index{Axes: []int{0}}, flat, w.At)
}

func (w StridedView) Put(b *Builder, x, part *graph.Value) (*graph.Value, error) {
	seen := make(map[int64]bool)
	for _, i := range w.At.Const.Int64s() {
		if seen[i] {
			return nil, errors.New("a tensor whose elements are repeated, as windows that overlap have them, is written to")
		}
		seen[i] = true
	}
	flat, err := w.flat(b, x)
	if err != nil {
		return nil, err
	}
	if flat, err = b.AddOne(ops.IndexPut{Axes: []int{0}}, flat, part, w.At); err != nil {
		return nil, err
	}
	return b.Reshape(flat, w.From)
}

func (w StridedView) flat(b *Builder, x *graph.Value) (*graph.Value, error) {
	return b.Reshape(x, []*Number{Extent(x.Type.Numel())})
}

// DetachedView is all of a tensor, without gradients.
type DetachedView struct{}

func (DetachedView) Apply(b *Builder, x *graph.Value) (*graph.Value, error) {
	return b.AddOne(ops.Detach{}, x)
}

func (DetachedView) Put(_ *Builder, _, part *graph.Value) (*graph.Value, error) { return part, nil }

// BitsView reads the bytes of elements as those of another type.
type BitsView struct{ From, To tensor.DType }

func (w BitsView) Apply(b *Builder, x *graph.Value) (*graph.Value, error) {
	return b.AddOne(ops.Bits{DType: w.To}, x)
}

func (w BitsView) Put(b *Builder, _, part *graph.Value) (*graph.Value, error) {
	return b.AddOne(ops.Bits{DType: w.From}, part)
}

// OpView is what an operator takes that moves elements: a diagonal, or windows.
type OpView struct{ Op ops.Op }

func (w OpView) Apply(b *Builder, x *graph.Value) (*graph.Value, error) { return b.AddOne(w.Op, x) }

// Put writes where the operator takes the elements of x from, which it tells of their indices.
func (w OpView) Put(b *Builder, x, part *graph.Value) (*graph.Value, error) {
	shape := make(tensor.Shape, len(x.Type.Shape))
	for i, n := range b.info[x].dims {
		var err error
		if shape[i], err = b.Int(n); err != nil {
			return nil, err
		}
	}
	if b.evaluated += x.Type.Numel(); b.evaluated > b.limits.Evaluated {
		return nil, fmt.Errorf("a view made by %s of %v is written to, which is too large for that", w.Op.Name(), x.Type)
	}
	indices := make([]int64, x.Type.Numel())
	for i := range indices {
		indices[i] = int64(i)
	}
	at, err := tensor.FromSlice(indices, shape...)
	if err != nil {
		return nil, err
	}
	out, err := ops.Eval(w.Op, plainGo, nil, at)
	if err != nil {
		return nil, err
	}
	return StridedView{At: b.Constant("", out[0]), From: b.info[x].dims}.Put(b, x, part)
}

// IndexView takes one index of a dimension, which the run decides.
type IndexView struct {
	Axis int
	At   *graph.Value
	To   []*Number
}

func (w IndexView) Apply(b *Builder, x *graph.Value) (*graph.Value, error) {
	v, err := b.AddOne(ops.Index{Axes: []int{w.Axis}}, x, w.At)
	if err != nil {
		return nil, err
	}
	return b.Reshape(v, w.To)
}

func (w IndexView) Put(b *Builder, x, part *graph.Value) (*graph.Value, error) {
	return b.AddOne(ops.IndexPut{Axes: []int{w.Axis}}, x, part, w.At)
}

// ExpandView repeats.
type ExpandView struct{ To []*Number }

func (w ExpandView) Apply(b *Builder, x *graph.Value) (*graph.Value, error) { return b.Expand(x, w.To) }

func (ExpandView) Put(*Builder, *graph.Value, *graph.Value) (*graph.Value, error) {
	return nil, errors.New("a tensor whose elements are repeated by expand is written to")
}

// Int returns a number as a plain int.
func (b *Builder) Int(n *Number) (int, error) {
	n, err := b.Settle(n, -1)
	if err != nil {
		return 0, err
	}
	v, ok := b.Plain(n)
	if !ok {
		return 0, ErrDataDependent
	}
	i, ok := Convert(v, Int).(int64)
	if !ok || int64(int(i)) != i {
		return 0, fmt.Errorf("%v is too large", v)
	}
	return int(i), nil
}

// bound is Int of a bound of a slice.
func (b *Builder) bound(n *Number) (int, error) {
	v, ok := b.Plain(n)
	if !ok {
		return 0, ErrDataDependent
	}
	i, ok := Convert(v, Int).(int64)
	if !ok {
		return 0, fmt.Errorf("%v is no bound of a slice", v)
	}
	return clampInt(i), nil
}

// ErrDataDependent says that something must be known before the run that only
// the run tells.
var ErrDataDependent = errors.New("what follows from the values of the inputs must be known before the model runs")

// Reshape gives a value another shape. Extents that the inputs decide stay open:
// where they are the input's at the same place, or what the others leave.
func (b *Builder) Reshape(x *graph.Value, to []*Number) (*graph.Value, error) {
	dims := b.info[x].dims
	if sameShape(dims, to) {
		return x, nil
	}
	shape, err := b.openShape(dims, to)
	if err != nil {
		return nil, err
	}
	v, err := b.reshapeTo(x, shape, to)
	if err != nil {
		return nil, err
	}
	if v != x && v.Const == nil {
		b.info[v].dims = to
	}
	return v, nil
}

func sameShape(a, b []*Number) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !SameExtent(a[i], b[i]) {
			return false
		}
	}
	return true
}

// The extents of openShape that are not plain.
const (
	asBefore = -2 // that of the input at the same place
	open     = -1
)

// openShape returns plain extents, and asBefore and open. Of the open ones, those
// that no graph can compute are made plain as long as there is more than one.
func (b *Builder) openShape(dims, to []*Number) ([]int, error) {
	shape := make([]int, len(to))
	count := 0
	for i, n := range to {
		switch {
		case len(n.Deps) == 0 && n.Known != nil:
			shape[i] = int(n.Known.(int64))
		case i < len(dims) && SameExtent(n, dims[i]):
			shape[i] = asBefore
		default:
			shape[i] = open
			count++
		}
	}
	// The batch is what differs most between calls: it is the last to be fixed.
	for _, batch := range []bool{false, true} {
		for i, n := range to {
			if shape[i] != open || count == 1 || n.Term != nil || b.onBatch(n.Deps) != batch {
				continue
			}
			var err error
			if shape[i], err = b.Int(n); err != nil {
				return nil, err
			}
			count--
		}
	}
	return shape, nil
}

// onValue reports whether the value of an input is among what something follows from.
func (b *Builder) onValue(d Deps) bool {
	for i, f := range b.facts {
		if f.axis < 0 && !f.isItem() && d.has(i) {
			return true
		}
	}
	return false
}

// onBatch reports whether the first extent of an input is among what something
// follows from.
func (b *Builder) onBatch(d Deps) bool {
	for i, f := range b.facts {
		if f.axis == 0 && d.has(i) {
			return true
		}
	}
	return false
}

func (b *Builder) reshapeTo(x *graph.Value, shape []int, to []*Number) (*graph.Value, error) {
	count, empty := 0, false
	for _, d := range shape {
		if d == open {
			count++
		}
		empty = empty || d == 0
	}
	switch {
	case empty || x.Type.Numel() == 0:
		// Zero means another thing to Reshape, and there is nothing to keep.
		plain := make([]int, len(to))
		for i, n := range to {
			var err error
			if plain[i], err = b.Int(n); err != nil {
				return nil, err
			}
		}
		if x.Type.Numel() != 0 {
			return nil, fmt.Errorf("%v does not have the shape %v", x.Type, tensor.Shape(plain))
		}
		return b.AddOne(ops.Full{Shape: plain, DType: x.Type.DType})
	case count > 1:
		extents, err := b.Vector(to)
		if err != nil {
			return nil, err
		}
		return b.AddOne(ops.ReshapeTo{}, x, extents)
	}
	want := make([]int, len(shape))
	for i, d := range shape {
		want[i] = d
		if d == asBefore {
			want[i] = 0
		}
	}
	return b.AddOne(ops.Reshape{Shape: want}, x)
}

// Vector returns numbers as an int64 vector.
func (b *Builder) Vector(numbers []*Number) (*graph.Value, error) {
	values := make([]*graph.Value, len(numbers))
	for i, n := range numbers {
		if n.Known == nil { // operators must know extents before they run
			var err error
			if n, err = b.Settle(n, -1); err != nil {
				return nil, err
			}
		}
		n = b.Open(n)
		var err error
		if values[i], err = b.Scalar(n); err != nil {
			return nil, err
		}
		if values[i], err = b.Cast(values[i], tensor.Int64); err != nil {
			return nil, err
		}
	}
	if len(values) == 0 {
		t, err := tensor.New(tensor.Int64, 0)
		if err != nil {
			return nil, err
		}
		return b.Constant("", t), nil
	}
	return b.AddOne(ops.Stack{}, values...)
}

// Expand repeats dimensions of extent 1, and adds some in front.
func (b *Builder) Expand(x *graph.Value, to []*Number) (*graph.Value, error) {
	dims := b.info[x].dims
	if sameShape(dims, to) {
		return x, nil
	}
	front := len(to) - len(dims)
	shape := make([]int, len(to))
	asInput := false
	for i, n := range to {
		switch {
		case len(n.Deps) == 0 && n.Known != nil:
			shape[i] = int(n.Known.(int64))
		case i >= front && SameExtent(n, dims[i-front]):
			shape[i] = -1
		case n.Term == nil:
			var err error
			if shape[i], err = b.Int(n); err != nil {
				return nil, err
			}
		default:
			asInput = true
		}
	}
	var v *graph.Value
	var err error
	if asInput {
		var extents *graph.Value
		if extents, err = b.Vector(to); err == nil {
			v, err = b.AddOne(ops.Expand{}, x, extents)
		}
	} else {
		v, err = b.AddOne(ops.Expand{Shape: shape}, x)
	}
	if err != nil {
		return nil, err
	}
	if v.Const == nil {
		b.info[v].dims = to
	}
	return v, nil
}

// FlattenView joins dimensions.
type FlattenView struct {
	Op   ops.Flatten
	From []*Number
}

func (w FlattenView) Apply(b *Builder, x *graph.Value) (*graph.Value, error) {
	return b.AddOne(w.Op, x)
}

func (w FlattenView) Put(b *Builder, _, part *graph.Value) (*graph.Value, error) {
	return b.Reshape(part, w.From)
}
