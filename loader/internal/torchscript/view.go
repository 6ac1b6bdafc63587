package torchscript

import (
	"errors"
	"fmt"
	"math"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// view takes a part, or another form, of a value, and puts it back.
type view interface {
	// apply returns the part of x, or its other form.
	apply(b *builder, x *graph.Value) (*graph.Value, error)
	// put returns x with what apply takes replaced.
	put(b *builder, x, part *graph.Value) (*graph.Value, error)
}

// reshapeView gives another shape.
type reshapeView struct{ from, to []*number }

func (w reshapeView) apply(b *builder, x *graph.Value) (*graph.Value, error) {
	return b.reshape(x, w.to)
}

func (w reshapeView) put(b *builder, _, part *graph.Value) (*graph.Value, error) {
	return b.reshape(part, w.from)
}

// permuteView reorders dimensions.
type permuteView struct{ order []int }

func (w permuteView) apply(b *builder, x *graph.Value) (*graph.Value, error) {
	return b.permute(x, w.order)
}

func (w permuteView) put(b *builder, _, part *graph.Value) (*graph.Value, error) {
	inverse := make([]int, len(w.order))
	for i, o := range w.order {
		inverse[o] = i
	}
	return b.permute(part, inverse)
}

func (b *builder) permute(x *graph.Value, order []int) (*graph.Value, error) {
	for i, o := range order {
		if i != o {
			return b.add1(ops.Permute{Order: order}, x)
		}
	}
	return x, nil
}

// sliceView takes start:end:step of a dimension; the bounds are not negative.
type sliceView struct {
	axis       int
	start, end *number
	step       int
}

func (w sliceView) apply(b *builder, x *graph.Value) (*graph.Value, error) {
	start, end := w.start.plain(), w.end.plain()
	from, ok1 := start.(int64)
	to, ok2 := end.(int64)
	if ok1 && ok2 {
		return b.add1(ops.Slice{Axis: w.axis, Start: int(from), End: int(to), Step: w.step}, x)
	}
	s, err := b.scalar(w.start)
	if err != nil {
		return nil, err
	}
	e, err := b.scalar(w.end)
	if err != nil {
		return nil, err
	}
	v, err := b.add1(ops.SliceTo{Axis: w.axis, Step: w.step}, x, s, e)
	if err != nil {
		return nil, err
	}
	dims := append([]*number(nil), b.info[x].dims...)
	dims[w.axis] = follow(extent(v.Type.Shape[w.axis]), w.start, w.end, dims[w.axis])
	if from == 0 && ok1 && w.step == 1 && w.end.known == int64(v.Type.Shape[w.axis]) {
		dims[w.axis] = w.end
	}
	b.info[v].dims = dims
	return v, nil
}

func (w sliceView) put(b *builder, x, part *graph.Value) (*graph.Value, error) {
	from, err := b.int(w.start)
	if err != nil {
		return nil, err
	}
	to, err := b.int(w.end)
	if err != nil {
		return nil, err
	}
	extent, err := b.int(b.info[x].dims[w.axis])
	if err != nil {
		return nil, err
	}
	first, n := tensor.SliceBounds(extent, from, to, w.step)
	if n == 0 {
		return x, nil
	}
	if w.step != 1 {
		indices := make([]int64, n)
		for i := range indices {
			indices[i] = int64(first + i*w.step)
		}
		t, err := tensor.FromSlice(indices, n)
		if err != nil {
			return nil, err
		}
		return b.add1(ops.IndexPut{Axes: []int{w.axis}}, x, part, b.constant("", t))
	}
	var pieces []*graph.Value
	if first > 0 {
		before, err := b.add1(ops.Slice{Axis: w.axis, End: first, Step: 1}, x)
		if err != nil {
			return nil, err
		}
		pieces = append(pieces, before)
	}
	pieces = append(pieces, part)
	if first+n < extent {
		after, err := b.add1(ops.Slice{Axis: w.axis, Start: first + n, End: math.MaxInt, Step: 1}, x)
		if err != nil {
			return nil, err
		}
		pieces = append(pieces, after)
	}
	if len(pieces) == 1 {
		return part, nil
	}
	return b.add1(ops.Concat{Axis: w.axis}, pieces...)
}

// opView is what an operator takes. It cannot be written through.
type opView struct{ op ops.Op }

func (w opView) apply(b *builder, x *graph.Value) (*graph.Value, error) { return b.add1(w.op, x) }

func (w opView) put(*builder, *graph.Value, *graph.Value) (*graph.Value, error) {
	return nil, fmt.Errorf("a view made by %s is written to, which is not supported", w.op.Name())
}

// indexView takes one index of a dimension, which the run decides.
type indexView struct {
	axis int
	at   *graph.Value
	to   []*number
}

func (w indexView) apply(b *builder, x *graph.Value) (*graph.Value, error) {
	v, err := b.add1(ops.Index{Axes: []int{w.axis}}, x, w.at)
	if err != nil {
		return nil, err
	}
	return b.reshape(v, w.to)
}

func (w indexView) put(b *builder, x, part *graph.Value) (*graph.Value, error) {
	return b.add1(ops.IndexPut{Axes: []int{w.axis}}, x, part, w.at)
}

// expandView repeats.
type expandView struct{ to []*number }

func (w expandView) apply(b *builder, x *graph.Value) (*graph.Value, error) { return b.expand(x, w.to) }

func (expandView) put(*builder, *graph.Value, *graph.Value) (*graph.Value, error) {
	return nil, errors.New("a tensor whose elements are repeated by expand is written to")
}

// int returns a number as a plain int.
func (b *builder) int(n *number) (int, error) {
	v, ok := b.plain(n)
	if !ok {
		return 0, errDataDependent
	}
	i, ok := convert(v, intKind).(int64)
	if !ok || int64(int(i)) != i {
		return 0, fmt.Errorf("%v is too large", v)
	}
	return int(i), nil
}

// errDataDependent says that something must be known before the run that only
// the run tells.
var errDataDependent = errors.New("what follows from the values of the inputs must be known before the model runs")

// reshape gives a value another shape. Extents that the inputs decide stay open:
// where they are the input's at the same place, or what the others leave.
func (b *builder) reshape(x *graph.Value, to []*number) (*graph.Value, error) {
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

func sameShape(a, b []*number) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !sameExtent(a[i], b[i]) {
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
func (b *builder) openShape(dims, to []*number) ([]int, error) {
	shape := make([]int, len(to))
	count := 0
	for i, n := range to {
		switch {
		case len(n.deps) == 0 && n.known != nil:
			shape[i] = int(n.known.(int64))
		case i < len(dims) && sameExtent(n, dims[i]):
			shape[i] = asBefore
		default:
			shape[i] = open
			count++
		}
	}
	// The batch is what differs most between calls: it is the last to be fixed.
	for _, batch := range []bool{false, true} {
		for i, n := range to {
			if shape[i] != open || count == 1 || n.term != nil || b.onBatch(n.deps) != batch {
				continue
			}
			var err error
			if shape[i], err = b.int(n); err != nil {
				return nil, err
			}
			count--
		}
	}
	return shape, nil
}

// onValue reports whether the value of an input is among what something follows from.
func (b *builder) onValue(d deps) bool {
	for i, f := range b.facts {
		if f.axis < 0 && d.has(i) {
			return true
		}
	}
	return false
}

// onBatch reports whether the first extent of an input is among what something
// follows from.
func (b *builder) onBatch(d deps) bool {
	for i, f := range b.facts {
		if f.axis == 0 && d.has(i) {
			return true
		}
	}
	return false
}

func (b *builder) reshapeTo(x *graph.Value, shape []int, to []*number) (*graph.Value, error) {
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
			if plain[i], err = b.int(n); err != nil {
				return nil, err
			}
		}
		if x.Type.Numel() != 0 {
			return nil, fmt.Errorf("%v does not have the shape %v", x.Type, tensor.Shape(plain))
		}
		return b.add1(ops.Full{Shape: plain, DType: x.Type.DType})
	case count > 1:
		extents, err := b.vector(to)
		if err != nil {
			return nil, err
		}
		return b.add1(ops.ReshapeTo{}, x, extents)
	}
	want := make([]int, len(shape))
	for i, d := range shape {
		want[i] = d
		if d == asBefore {
			want[i] = 0
		}
	}
	return b.add1(ops.Reshape{Shape: want}, x)
}

// vector returns numbers as an int64 vector.
func (b *builder) vector(numbers []*number) (*graph.Value, error) {
	values := make([]*graph.Value, len(numbers))
	for i, n := range numbers {
		if n.known == nil {
			return nil, errDataDependent // operators must know extents before they run
		}
		if b.onValue(n.deps) {
			b.depend(n.deps)
			n = &number{kind: n.kind, known: n.known}
		}
		var err error
		if values[i], err = b.scalar(n); err != nil {
			return nil, err
		}
		if values[i], err = b.cast(values[i], tensor.Int64); err != nil {
			return nil, err
		}
	}
	if len(values) == 0 {
		t, err := tensor.New(tensor.Int64, 0)
		if err != nil {
			return nil, err
		}
		return b.constant("", t), nil
	}
	return b.add1(ops.Stack{}, values...)
}

// expand repeats dimensions of extent 1, and adds some in front.
func (b *builder) expand(x *graph.Value, to []*number) (*graph.Value, error) {
	dims := b.info[x].dims
	if sameShape(dims, to) {
		return x, nil
	}
	front := len(to) - len(dims)
	shape := make([]int, len(to))
	asInput := false
	for i, n := range to {
		switch {
		case len(n.deps) == 0 && n.known != nil:
			shape[i] = int(n.known.(int64))
		case i >= front && sameExtent(n, dims[i-front]):
			shape[i] = -1
		case n.term == nil:
			var err error
			if shape[i], err = b.int(n); err != nil {
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
		if extents, err = b.vector(to); err == nil {
			v, err = b.add1(ops.Expand{}, x, extents)
		}
	} else {
		v, err = b.add1(ops.Expand{Shape: shape}, x)
	}
	if err != nil {
		return nil, err
	}
	if v.Const == nil {
		b.info[v].dims = to
	}
	return v, nil
}

// flattenView joins dimensions.
type flattenView struct {
	op   ops.Flatten
	from []*number
}

func (w flattenView) apply(b *builder, x *graph.Value) (*graph.Value, error) { return b.add1(w.op, x) }

func (w flattenView) put(b *builder, _, part *graph.Value) (*graph.Value, error) {
	return b.reshape(part, w.from)
}
