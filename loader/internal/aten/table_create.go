package aten

import (
	"math"

	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// defaultFloat is PyTorch's default element type.
const defaultFloat = tensor.Float32

// The parameters that say what a new tensor is like.
const newTensor = " | dtype:i?=None layout:i?=None device:v?=None pin_memory:b?=None"

var creations = []operator{
	{"aten::zeros", "size:I" + newTensor, filled(0)},
	{"aten::ones", "size:I" + newTensor, filled(1)},
	{"aten::empty", "size:I" + newTensor + " memory_format:i?=None", filled(0)},
	{"aten::full", "size:I fill_value:N" + newTensor, full},
	{"aten::zeros_like", "self:T" + newTensor + " memory_format:i?=None", filledLike(0)},
	{"aten::ones_like", "self:T" + newTensor + " memory_format:i?=None", filledLike(1)},
	{"aten::empty_like", "self:T" + newTensor + " memory_format:i?=None", filledLike(0)},
	{"aten::full_like", "self:T fill_value:N" + newTensor + " memory_format:i?=None", fullLike},
	{"aten::new_zeros", "self:T size:I" + newTensor, newFilled(0)},
	{"aten::new_ones", "self:T size:I" + newTensor, newFilled(1)},
	{"aten::new_empty", "self:T size:I" + newTensor, newFilled(0)},
	{"aten::new_full", "self:T size:I fill_value:N" + newTensor, newFull},
	{"aten::zero", "self:T", func(c *call) Value { return c.fullLike(c.tensor(0), 0) }},
	{"aten::fill", "self:T value:N", fill},
	{"aten::arange", "end:n" + newTensor, arange(-1, 0, -1)},
	{"aten::arange", "start:n end:n" + newTensor, arange(0, 1, -1)},
	{"aten::arange", "start:n end:n step:n" + newTensor, arange(0, 1, 2)},
	{"aten::range", "start:n end:n step:n=1" + newTensor, arangeInclusive},
	{"aten::linspace", "start:n end:n steps:i" + newTensor, linspace},
	{"aten::linspace", "start:N end:N steps:i" + newTensor, func(c *call) Value {
		for i := range 2 {
			if t, ok := c.args[i].(*build.Tensor); ok {
				c.args[i] = c.itemOf(t, build.Float)
			}
		}
		return linspace(c)
	}},
	{"aten::linspace", "start:n end:n steps:i?=None" + newTensor, linspace},
	{"aten::eye", "n:i" + newTensor, eye},
	{"aten::eye", "n:i m:i" + newTensor, eye},
	{"aten::tensor", "data:v | dtype:i?=None device:v?=None requires_grad:b=False", tensorOf},
	{"aten::tensor", "t:n | dtype:i?=None device:v?=None requires_grad:b=False", tensorOf},
	{"aten::as_tensor", "t:n | dtype:i?=None device:v?=None", tensorOf},
	{"aten::as_tensor", "data:v | dtype:i?=None device:v?=None", tensorOf},
	{"aten::one_hot", "self:T num_classes:i=-1", oneHot},
	{"aten::tril_indices", "row:i col:i offset:i=0" + newTensor, triangleIndices(false)},
	{"aten::triu_indices", "row:i col:i offset:i=0" + newTensor, triangleIndices(true)},
	{"aten::hann_window", "window_length:i periodic:b=True" + newTensor, cosineWindow(0.5, 0.5, 0)},
	{"aten::hamming_window", "window_length:i periodic:b=True" + newTensor, cosineWindow(0.54, 0.46, 0)},
	{"aten::blackman_window", "window_length:i periodic:b=True" + newTensor, cosineWindow(0.42, 0.5, 0.08)},
	{"aten::bartlett_window", "window_length:i periodic:b=True" + newTensor, window(func(x float64) float64 { return 1 - math.Abs(2*x-1) })},
	{"aten::kaiser_window", "window_length:i periodic:b=True beta:f=12" + newTensor, kaiserWindow},
}

// fullOf returns a tensor of the given extents with all elements the same.
func (c *call) fullOf(size []*build.Number, v float64, d tensor.DType) *build.Tensor {
	shape := make([]int, len(size))
	open := false
	for i, n := range size {
		if len(n.Deps) == 0 && n.Known != nil || n.Term == nil {
			shape[i] = c.plainInt(n)
		} else {
			open = true
		}
	}
	if c.Err() != nil {
		return c.anything()
	}
	if !open {
		return c.emit(ops.Full{Shape: shape, Value: v, DType: d})[0]
	}
	extents, err := c.Vector(size)
	if err != nil {
		c.failed(err)
		return c.anything()
	}
	t := c.emit(ops.Full{Value: v, DType: d}, extents)[0]
	if c.Err() == nil && t.Value.Const == nil {
		c.SetDims(t.Value, size)
	}
	return t
}

//go:noinline
func filled(v float64) func(*call) Value {
	return func(c *call) Value { return c.fullOf(c.numbers(0), v, c.dtypeOr(1, defaultFloat)) }
}

// fillType returns the element type of full without one. Before version 5 it was
// always the default float.
func (c *call) fillType(i int) tensor.DType {
	k, ok := build.KindOf(c.args[i])
	if !ok || k == build.Float || c.version() < 5 {
		return defaultFloat
	}
	return k.DType()
}

func full(c *call) Value { return c.fullWith(c.numbers(0), 1, c.dtypeOr(2, c.fillType(1))) }

// fullWith is fullOf with the value of argument i, of which no digit is lost.
func (c *call) fullWith(size []*build.Number, i int, d tensor.DType) *build.Tensor {
	if v := c.filler(i, d); v != nil {
		return c.expand(v, size)
	}
	return c.fullOf(size, c.float(i), d)
}

// filler returns argument i as a tensor of an element type where no float64 says it: it is complex, has too many digits, or only
// the run knows it. PyTorch's gradients end where a tensor becomes a number.
func (c *call) filler(i int, d tensor.DType) *build.Tensor {
	switch v := c.args[i].(type) {
	case complex128:
		return c.complexNumber(v, d)
	case *build.Tensor:
		return c.cast(c.apply(ops.Detach{}, c.reshape(v, nil)), d)
	}
	if n := c.number(i); n != nil {
		if _, ok := c.Plain(n); !ok {
			return c.cast(c.apply(ops.Detach{}, c.lift(n)), d)
		}
	}
	if d == tensor.Int64 && c.isWide(c.args[i]) {
		return c.lift(c.plainArg(i))
	}
	return nil
}

// likeWith is likeOf with the value of argument i, of which no digit is lost.
func (c *call) likeWith(t *build.Tensor, i int, d tensor.DType) *build.Tensor {
	if v := c.filler(i, d); v != nil {
		return c.expand(v, c.Dims(t))
	}
	return c.likeOf(t, c.float(i), d)
}

// likeOf returns a tensor of the shape of t with all elements the same.
func (c *call) likeOf(t *build.Tensor, v float64, d tensor.DType) *build.Tensor {
	dims := c.Dims(t)
	if t.Complex && c.Err() == nil {
		t, c.complex = c.partOf(t, 0), c.complex || !c.typed
	}
	fixed := true
	for _, n := range dims {
		fixed = fixed && len(n.Deps) == 0
	}
	if fixed {
		return c.fullOf(dims, v, d)
	}
	return c.apply(ops.Full{Like: true, Value: v, DType: d}, t)
}

//go:noinline
func filledLike(v float64) func(*call) Value {
	return func(c *call) Value { return c.likeOf(c.tensor(0), v, c.dtypeOr(1, c.tensor(0).DType())) }
}

func fullLike(c *call) Value {
	return c.likeWith(c.tensor(0), 1, c.dtypeOr(2, c.tensor(0).DType()))
}

//go:noinline
func newFilled(v float64) func(*call) Value {
	return func(c *call) Value { return c.fullOf(c.numbers(1), v, c.dtypeOr(2, c.tensor(0).DType())) }
}

func newFull(c *call) Value {
	return c.fullWith(c.numbers(1), 2, c.dtypeOr(3, c.tensor(0).DType()))
}

// fill returns a tensor of self's shape with the one value everywhere.
func fill(c *call) Value {
	if c.number(1) != nil {
		return c.likeWith(c.tensor(0), 1, c.tensor(0).DType())
	}
	return c.expand(c.cast(c.tensor(1), c.tensor(0).DType()), c.Dims(c.tensor(0)))
}

// arange gives start, start+step, ... below end; the arguments' places are
// given, -1 for one that is left out.
//
//go:noinline
func arange(start, end, step int) func(*call) Value {
	return func(c *call) Value {
		kinds := build.Int
		get := func(i int, fallback int64) *build.Number {
			if i < 0 {
				return build.Extent(int(fallback))
			}
			n := c.number(i)
			kinds = max(kinds, n.Kind)
			return n
		}
		from, to, by := get(start, 0), get(end, 0), get(step, 1)
		fallback := tensor.Int64
		if kinds == build.Float {
			fallback = defaultFloat
		}
		return c.rangeOf(from, to, by, c.dtypeOr(max(start, end, step)+1, fallback))
	}
}

func (c *call) rangeOf(from, to, by *build.Number, d tensor.DType) *build.Tensor {
	numbers := []*build.Number{from, to, by}
	open := false
	for i, n := range numbers {
		n = c.Open(c.settle(n, -1))
		numbers[i] = n
		switch {
		case len(n.Deps) > 0 && n.Term == nil:
			numbers[i] = build.AsNumber(c.plainOrFail(n))
		case len(n.Deps) > 0:
			open = true
		}
	}
	if c.Err() != nil {
		return c.anything()
	}
	if !open {
		get := func(i int) float64 { f, _ := build.ToFloat(numbers[i].Known); return f }
		return c.emit(ops.Arange{Start: get(0), End: get(1), Step: get(2), DType: d})[0]
	}
	first := c.read(build.OfNumber(numbers[0]))
	last := c.read(build.OfNumber(numbers[1]))
	step := c.read(build.OfNumber(numbers[2]))
	t := c.emit(ops.Arange{DType: d}, first, last, step)[0]
	if c.Err() == nil && from.Plain() == int64(0) && by.Plain() == int64(1) && to.Kind == build.Int {
		c.SetDims(t.Value, numbers[1:2])
	}
	return t
}

func (c *call) plainOrFail(n *build.Number) Value {
	v, err := c.PlainValue(n)
	c.failed(err)
	return v
}

// arangeInclusive is the old range, which has its end.
func arangeInclusive(c *call) Value {
	start, end, step := c.float(0), c.float(1), c.float(2)
	d := c.dtypeOr(3, defaultFloat)
	if step == 0 {
		return c.fail("a step of 0")
	}
	n := math.Floor((end-start)/step) + 1
	return c.emit(ops.Arange{Start: start, End: start + (n-0.5)*step, Step: step, DType: d})[0]
}

// maxComputed bounds tables that are computed while a graph is made.
const maxComputed = 1 << 20

// linspace gives steps values from start to end. Before version 8 it gave 100
// unless told otherwise.
func linspace(c *call) Value {
	start, end, n := c.float(0), c.float(1), c.intOr(2, 100)
	d := c.dtypeOr(3, defaultFloat)
	if n < 0 || n > maxComputed {
		return c.fail("%d steps", n)
	}
	values := make([]float64, n)
	step := (end - start) / float64(max(n-1, 1))
	if d == tensor.Float32 {
		step = float64(float32(float32(end-start) / float32(max(n-1, 1))))
	}
	for i := range values {
		// From both ends, as PyTorch does.
		if i < n/2 || n == 1 {
			values[i] = start + step*float64(i)
		} else {
			values[i] = end - step*float64(n-1-i)
		}
	}
	return c.constOf(values, d, n)
}

// constOf returns values as a constant tensor.
func (c *call) constOf(values []float64, d tensor.DType, shape ...int) *build.Tensor {
	t, err := tensor.FromSlice(values, shape...)
	if err == nil {
		t, err = t.To(d)
	}
	if err != nil {
		c.failed(err)
		return c.anything()
	}
	return build.NewTensor(c.Constant("", t))
}

func (c *call) intsOf(values []int64, shape ...int) *build.Tensor {
	t, err := tensor.FromSlice(values, shape...)
	if err != nil {
		c.failed(err)
		return c.anything()
	}
	return build.NewTensor(c.Constant("", t))
}

func eye(c *call) Value {
	n, m, at := c.int(0), c.int(0), 1
	if len(c.args) == 6 {
		m, at = c.int(1), 2
	}
	d := c.dtypeOr(at, defaultFloat)
	if n < 0 || m < 0 || m > 0 && n > maxComputed/m {
		return c.fail("an identity matrix of %d by %d", n, m)
	}
	values := make([]float64, n*m)
	for i := range min(n, m) {
		values[i*m+i] = 1
	}
	return c.constOf(values, d, n, m)
}

// tensorOf makes a tensor of nested lists of numbers. Floats are rounded to float32 first, as TorchScript
// rounds them, whatever the type that is asked for.
func tensorOf(c *call) Value {
	if t, ok := c.args[0].(*build.Tensor); ok {
		return c.convertTo(t, 1, true)
	}
	if z, ok := c.args[0].(complex128); ok {
		return c.complexNumber(z, c.dtypeOr(1, defaultFloat))
	}
	if n := c.number(0); n != nil {
		t := build.OfNumber(n)
		if n.Kind == build.Float {
			t = c.cast(t, defaultFloat)
		}
		return c.cast(t, c.dtypeOr(1, t.DType()))
	}
	var leaves []*build.Number
	var shape []int
	k := build.Bool
	if !c.nested(c.args[0], 0, &shape, &leaves, &k) {
		return c.fail("%s cannot become a tensor", TypeName(c.args[0]))
	}
	d := k.DType()
	if k == build.Float || len(leaves) == 0 {
		d = defaultFloat
	}
	if l, ok := c.args[0].(*List); ok && len(leaves) == 0 {
		switch l.Of {
		case "int":
			d = tensor.Int64
		case "bool":
			d = tensor.Bool
		}
	}
	d = c.dtypeOr(1, d)
	values := make([]*build.Number, len(leaves))
	plain := true
	for i, n := range leaves {
		values[i] = build.AsNumber(n.To(k))
		plain = plain && values[i].Known != nil && len(values[i].Deps) == 0
	}
	if plain {
		numbers := make([]float64, len(values))
		ints := make([]int64, len(values))
		for i, n := range values {
			numbers[i], _ = build.ToFloat(n.Known)
			ints[i] = build.Convert(n.Known, build.Int).(int64)
		}
		if k != build.Float {
			return c.cast(c.intsOf(ints, shape...), d)
		}
		return c.cast(c.constOf(numbers, defaultFloat, shape...), d)
	}
	parts := make([]*build.Tensor, len(values))
	for i, n := range values {
		parts[i] = build.OfNumber(n)
		if k == build.Float {
			parts[i] = c.cast(parts[i], defaultFloat)
		}
		parts[i] = c.cast(parts[i], d)
	}
	to := make([]*build.Number, len(shape))
	for i, s := range shape {
		to[i] = build.Extent(s)
	}
	return c.reshape(c.apply(ops.Stack{}, parts...), to)
}

// nested collects the numbers of nested lists, which must be of one shape.
func (c *call) nested(v Value, depth int, shape *[]int, leaves *[]*build.Number, k *build.Kind) bool {
	if depth > 16 || len(*leaves) > maxComputed {
		return false
	}
	items, ok := Items(v)
	if !ok {
		n := build.AsNumber(v)
		if t, isTensor := v.(*build.Tensor); isTensor {
			x, err := Item(c.Builder, t, build.KindOfDType(t.DType()))
			if err != nil {
				return false
			}
			n = build.AsNumber(x)
		}
		if n == nil || depth != len(*shape) {
			return false
		}
		*k = max(*k, n.Kind)
		*leaves = append(*leaves, n)
		return true
	}
	switch {
	case depth == len(*shape) && len(*leaves) == 0:
		*shape = append(*shape, len(items))
	case depth >= len(*shape) || (*shape)[depth] != len(items):
		return false
	}
	for _, x := range items {
		if !c.nested(x, depth+1, shape, leaves, k) {
			return false
		}
	}
	return true
}

func oneHot(c *call) Value {
	if c.int(1) < 0 && c.Fixed(c.read(c.tensor(0))) == nil {
		return c.oneHotOpen(c.tensor(0))
	}
	if c.int(1) == 0 {
		return c.fail("there cannot be 0 classes")
	}
	return c.apply(ops.OneHot{Classes: c.int(1)}, c.tensor(0))
}

// triangleIndices gives the rows and columns of a triangle of a matrix.
//
//go:noinline
func triangleIndices(upper bool) func(*call) Value {
	return func(c *call) Value {
		rows, cols, offset := c.int(0), c.int(1), c.int(2)
		if rows < 0 || cols < 0 || cols > 0 && rows > maxComputed/cols {
			return c.fail("a matrix of %d by %d", rows, cols)
		}
		var r, k []int64
		for i := range rows {
			for j := range cols {
				if upper && j-i >= offset || !upper && j-i <= offset {
					r, k = append(r, int64(i)), append(k, int64(j))
				}
			}
		}
		return c.cast(c.intsOf(append(r, k...), 2, len(r)), c.dtypeOr(3, tensor.Int64))
	}
}

// cosineWindow is a - b cos(2 pi x) + d cos(4 pi x).
func cosineWindow(a, b, d float64) func(*call) Value {
	return window(func(x float64) float64 { return a - b*math.Cos(2*math.Pi*x) + d*math.Cos(4*math.Pi*x) })
}

// window lowers a window that is a function of the place in it, from 0 to 1.
func window(f func(x float64) float64) func(*call) Value {
	return func(c *call) Value { return c.cast(c.windowOf(f), c.dtypeOr(2, defaultFloat)) }
}

// windowOf is a window of argument 0 samples in float64; a periodic one, by argument 1, leaves out the last.
func (c *call) windowOf(f func(x float64) float64) *build.Tensor {
	n, span := c.int(0), c.int(0)
	if n < 0 || n > maxComputed {
		c.fail("a window of %d", n)
		return c.anything()
	}
	if !c.bool(1) {
		span = n - 1
	}
	values := make([]float64, n)
	for i := range values {
		if values[i] = 1; n > 1 {
			values[i] = f(float64(i) / float64(span))
		}
	}
	return c.constOf(values, tensor.Float64, n)
}

// kaiserWindow is I0(beta sqrt(1 - (2x - 1)^2)) / I0(beta).
func kaiserWindow(c *call) Value {
	beta := c.float(2)
	at := c.windowOf(func(x float64) float64 { return beta * math.Sqrt(max(1-(2*x-1)*(2*x-1), 0)) })
	if n := c.int(0); n == 1 {
		return c.constOf([]float64{1}, c.dtypeOr(3, defaultFloat), 1)
	}
	whole := c.fn(ops.I0, c.constOf([]float64{beta}, tensor.Float64))
	return c.cast(c.arith(ops.Div, c.fn(ops.I0, at), whole), c.dtypeOr(3, defaultFloat))
}
