package aten

import (
	"errors"
	"fmt"
	"slices"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/internal/sticky"
	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// call is an operator that is being evaluated: its arguments, and the first
// error, after which what its methods return has no meaning. The error is of the call and not of the
// graph: the program goes on after an operator that is not supported, to find others, and a trial that fails is undone.
type call struct {
	*build.Builder
	interpreter
	sticky.Error
	name string
	args []Value
	// typed says that the program named the element type of the result, narrow which one where octet has it not.
	typed   bool
	narrow  *narrowType
	complex bool // the type is one of complex numbers
}

// interpreter is what an operator asks of the program that calls it, besides the
// graph under construction.
type interpreter interface {
	// version returns the version of the operators, as PyTorch counts them.
	version() int
	// Spend counts elements of lists and bytes of strings that are made.
	Spend(n int) error
	// Toil counts those that are looked at.
	Toil(n int) error
	// record is called before something is left in a place.
	record(p place) (copied int)
	// method returns a method of an object, nil where it has none.
	method(o *Object, name string) func(args ...Value) (Value, error)
	// decomposed returns what is known of values that decomposed operators quantized.
	decomposed() *decomposed
	// packings returns what is known of packed sequences, by how many of them have an element in each step.
	packings() map[*graph.Value]*packing
	// Dispatch evaluates an operator by name.
	Dispatch(name string, args []Value, keywords map[string]Value) (Value, error)
	// generator returns the state of the generator of random numbers.
	generator() (*build.Tensor, error)
}

// newCall returns a call of an operator.
func (m *Evaluator) newCall(name string, args []Value) *call {
	return &call{Builder: m.Builder, interpreter: m, name: name, args: args}
}

// fail makes the call fail, unless it failed before.
func (c *call) fail(format string, args ...any) Value {
	return c.failed(fmt.Errorf(format, args...))
}

// failed, as some others below and in package build, is not inlined: hundreds of rows of the table call it, which made the program 0.3 MB larger.
//
//go:noinline
func (c *call) failed(err error) Value {
	c.Fail(err)
	return nil
}

// unsupported says that the operator is not supported in this use.
func (c *call) unsupported(format string, args ...any) Value {
	return c.failed(unsupportedf(format, args...))
}

// callMethod calls a method of an object.
func (c *call) callMethod(o *Object, name string, args ...Value) Value {
	fn := c.method(o, name)
	if fn == nil {
		return c.fail("%s has no method %s", o.Class.PublicName(), name)
	}
	v, err := fn(args...)
	c.failed(err)
	return v
}

// isNone reports whether argument i is None.
func (c *call) isNone(i int) bool { return c.args[i] == nil }

// tensor returns argument i, a tensor.
//
//go:noinline
func (c *call) tensor(i int) *build.Tensor {
	switch t := c.args[i].(type) {
	case *build.Tensor:
		return t
	case nil:
		return nil
	}
	return c.lift(c.args[i])
}

// lift returns a number as a tensor.
func (c *call) lift(v Value) *build.Tensor {
	switch v := v.(type) {
	case *build.Tensor:
		return v
	case *build.Number:
		return build.OfNumber(v)
	case bool, int64, float64:
		return build.NewTensor(c.PlainConst(v))
	case complex128:
		return c.complexNumber(v, defaultFloat)
	}
	c.fail("a %s is used as a tensor", TypeName(v))
	return c.anything()
}

// anything is a tensor to return after an error.
func (c *call) anything() *build.Tensor { return build.NewTensor(c.PlainConst(int64(0))) }

// tensors returns argument i, a list of tensors; of optional ones some are nil.
func (c *call) tensors(i int) []*build.Tensor {
	items, _ := Items(c.args[i])
	if len(items) > build.MaxNodes {
		c.fail("%d tensors", len(items))
		return []*build.Tensor{c.anything()}
	}
	out := make([]*build.Tensor, len(items))
	for k, x := range items {
		out[k], _ = x.(*build.Tensor)
	}
	return out
}

// number returns argument i as a number, nil for None.
func (c *call) number(i int) *build.Number { return build.AsNumber(c.args[i]) }

// plainArg returns argument i as a plain bool, int or float.
func (c *call) plainArg(i int) Value {
	v, err := c.PlainValue(c.args[i])
	c.failed(err)
	return v
}

//go:noinline
func (c *call) int(i int) int { return c.plainInt(c.args[i]) }

func (c *call) plainInt(v Value) int {
	n := c.plainInt64(v)
	if int64(int(n)) != n {
		c.fail("%d is too large", n)
	}
	return int(n)
}

// int64 is int for numbers that are no sizes or indices, which 32 bits may be too few for.
func (c *call) int64(i int) int64 { return c.plainInt64(c.args[i]) }

func (c *call) plainInt64(v Value) int64 {
	if n, ok := v.(*build.Number); ok && n.Known == nil {
		v = c.settle(n, -1)
	}
	p, err := c.PlainValue(v)
	if err != nil {
		c.failed(err)
		return 0
	}
	n, _ := build.Convert(p, build.Int).(int64)
	return n
}

// intOr returns argument i, or a default where it is None.
func (c *call) intOr(i, fallback int) int {
	if c.isNone(i) {
		return fallback
	}
	return c.int(i)
}

func (c *call) float(i int) float64 {
	f, _ := build.ToFloat(c.plainArg(i))
	return f
}

func (c *call) bool(i int) bool {
	v, err := Truth(c.Builder, c.args[i])
	c.failed(err)
	return v
}

//go:noinline
func (c *call) string(i int) string {
	s, _ := c.args[i].(string)
	return s
}

// numbers returns argument i, a list of ints or floats; a single one is a list of one.
func (c *call) numbers(i int) []*build.Number {
	items := []Value{c.args[i]}
	if c.number(i) == nil {
		items, _ = Items(c.args[i])
	}
	out := make([]*build.Number, len(items))
	for k, x := range items {
		out[k] = build.AsNumber(x)
		if n := out[k]; n != nil && n.Known == nil && n.Kind == build.Int {
			out[k] = c.settle(n, -1)
		}
	}
	return out
}

// ints returns argument i as plain ints.
func (c *call) ints(i int) []int {
	numbers := c.numbers(i)
	out := make([]int, len(numbers))
	for k, n := range numbers {
		out[k] = c.plainInt(n)
	}
	return out
}

// intsFor returns argument i as n plain ints, of which one may stand for all.
func (c *call) intsFor(i, n int) []int {
	out := c.ints(i)
	if len(out) == 1 && n > 1 {
		out = append(make([]int, 0, n), out[0])
		for len(out) < n {
			out = append(out, out[0])
		}
	}
	if len(out) != n {
		c.fail("%d numbers where %d are needed", len(out), n)
		return make([]int, max(n, 0))
	}
	return out
}

// spatial returns how many spatial dimensions the weight of a convolution has.
func (c *call) spatial(weight *build.Tensor) int {
	n := weight.Rank() - 2
	if n < 1 {
		c.fail("a weight of %d dimensions", weight.Rank())
		return 1
	}
	return n
}

// length returns the extent of a vector.
func (c *call) length(t *build.Tensor) *build.Number {
	if t.Rank() != 1 {
		c.fail("a tensor of %d dimensions where a vector is needed", t.Rank())
		return build.Extent(1)
	}
	return c.Dims(t)[0]
}

func (c *call) floats(i int) []float64 {
	numbers := c.numbers(i)
	out := make([]float64, len(numbers))
	for k, n := range numbers {
		v, err := c.PlainValue(n)
		c.failed(err)
		out[k], _ = build.ToFloat(v)
	}
	return out
}

// axis returns argument i, a dimension of a value of the given rank, not negative.
func (c *call) axis(i, rank int) int { return c.plainAxis(c.int(i), rank) }

func (c *call) plainAxis(axis, rank int) int {
	n := max(rank, 1)
	if axis < -n || axis >= n {
		c.failed(&RaisedError{"IndexError", fmt.Sprintf("dimension %d of a tensor of %d", axis, rank)})
		return 0
	}
	if axis < 0 {
		axis += n
	}
	return axis
}

// axes returns argument i, some dimensions; None and an empty list are none.
func (c *call) axes(i, rank int) []int {
	if c.isNone(i) {
		return nil
	}
	axes := c.ints(i)
	for k := range axes {
		axes[k] = c.plainAxis(axes[k], rank)
	}
	return axes
}

// read returns the value of a tensor.
func (c *call) read(t *build.Tensor) *graph.Value {
	if c.Err() != nil {
		return c.PlainConst(int64(0))
	}
	v, err := c.Builder.Read(t)
	if err != nil {
		c.failed(err)
		return c.PlainConst(int64(0))
	}
	return v
}

// apply adds an operator and returns its first output.
//
//go:noinline
func (c *call) apply(op ops.Op, inputs ...*build.Tensor) *build.Tensor {
	return c.applyAll(op, inputs...)[0]
}

// applyAll adds an operator and returns its outputs.
func (c *call) applyAll(op ops.Op, inputs ...*build.Tensor) []*build.Tensor {
	values := make([]*graph.Value, len(inputs))
	for i, t := range inputs {
		if t.Complex {
			c.unsupported("on complex numbers")
		}
		values[i] = c.read(t)
	}
	return c.emit(op, values...)
}

// emit is applyAll of values.
func (c *call) emit(op ops.Op, values ...*graph.Value) []*build.Tensor {
	if c.Err() != nil {
		return []*build.Tensor{c.anything(), c.anything(), c.anything()}
	}
	out, err := c.Add(op, values...)
	if err != nil {
		c.failed(opError(err))
		return []*build.Tensor{c.anything(), c.anything(), c.anything()}
	}
	tensors := make([]*build.Tensor, len(out))
	for i, v := range out {
		tensors[i] = build.NewTensor(v)
	}
	return tensors
}

// opError makes what an operator does not support, though PyTorch may, one of the
// things that are listed.
func opError(err error) error {
	var not *ops.UnsupportedError
	if errors.As(err, &not) {
		return unsupportedf("%s", not.Reason)
	}
	return err
}

// view returns a tensor that shares memory with t.
func (c *call) view(t *build.Tensor, w build.View, strides []int) *build.Tensor {
	if c.Err() != nil {
		return c.anything()
	}
	v, err := c.ViewOf(t, w, strides)
	if err != nil {
		c.failed(opError(err))
		return c.anything()
	}
	return v
}

// store writes x to self, in self's element type and shape.
func (c *call) store(self, x *build.Tensor) {
	if have, want := x.DType(), self.DType(); have != want {
		x = c.cast(x, want)
	}
	if c.Err() == nil && !x.Type().Shape.Equal(self.Type().Shape) {
		x = c.expand(x, c.Dims(self))
	}
	v := c.read(x)
	if c.Err() == nil {
		c.failed(c.Write(self, v))
	}
}

// cast converts elements, unless they have the type.
func (c *call) cast(t *build.Tensor, d tensor.DType) *build.Tensor {
	if t.DType() == d {
		return t
	}
	return c.apply(ops.Cast{DType: d}, t)
}

// expand repeats dimensions of extent 1.
func (c *call) expand(t *build.Tensor, to []*build.Number) *build.Tensor {
	if t.Complex {
		return asComplex(c.expand(pairs(t), append(slices.Clip(to), build.Extent(2))))
	}
	x := c.read(t)
	if c.Err() != nil {
		return c.anything()
	}
	v, err := c.Builder.Expand(x, to)
	if err != nil {
		c.failed(err)
		return c.anything()
	}
	return build.NewTensor(v)
}

// reshape gives a copy of t another shape.
func (c *call) reshape(t *build.Tensor, to []*build.Number) *build.Tensor {
	if t.Complex {
		return asComplex(c.reshape(pairs(t), append(slices.Clip(to), build.Extent(2))))
	}
	x := c.read(t)
	if c.Err() != nil {
		return c.anything()
	}
	v, err := c.Builder.Reshape(x, to)
	if err != nil {
		c.failed(err)
		return c.anything()
	}
	return build.NewTensor(v)
}

// extent returns the extent of a dimension, which the graph then depends on.
func (c *call) extent(t *build.Tensor, axis int) int {
	dims := c.Dims(t)
	if axis < 0 {
		c.fail("a tensor of %d dimensions has too few", len(dims))
		return 1
	}
	if axis >= len(dims) {
		return 1
	}
	n, err := c.Builder.Int(dims[axis])
	c.failed(err)
	return n
}

// shape returns all extents, which the graph then depends on.
func (c *call) shape(t *build.Tensor) tensor.Shape {
	s := make(tensor.Shape, t.Rank())
	for i := range s {
		s[i] = c.extent(t, i)
	}
	return s
}

// known returns a tensor's elements, nil where only the run knows them.
func (c *call) known(t *build.Tensor) *tensor.Tensor {
	if n := t.Unwritten(); n != nil {
		v, ok := c.Plain(n)
		if !ok {
			return nil
		}
		return build.ScalarTensor(v)
	}
	v := c.read(t)
	if c.Err() != nil {
		return nil
	}
	return c.Builder.Known(v)
}

// The element types in PyTorch's numbering, as programs name them.
var torchDTypes = map[int]tensor.DType{
	0: tensor.Uint8, 1: tensor.Int8, 3: tensor.Int32, 4: tensor.Int64, 5: tensor.Float16, 6: tensor.Float32, 7: tensor.Float64,
	11: tensor.Bool, 12: tensor.Int8, 13: tensor.Uint8, 14: tensor.Int32, 15: tensor.BFloat16,
}

// dtypeOr returns argument i, an element type, or a default where it is None.
func (c *call) dtypeOr(i int, fallback tensor.DType) tensor.DType {
	if c.isNone(i) {
		return fallback
	}
	c.typed = true
	if n, ok := narrowTypes[c.int(i)]; ok {
		c.narrow = n
		return n.kept
	}
	if part, ok := complexParts[c.int(i)]; ok {
		c.complex = true
		return part
	}
	d, ok := torchDTypes[c.int(i)]
	if !ok {
		c.unsupported("element type %d", c.int(i))
		return fallback
	}
	return d
}

// torchDType returns PyTorch's number of an element type.
func torchDType(t ops.Type) int64 {
	if t.Q != nil {
		return map[tensor.DType]int64{tensor.Int8: 12, tensor.Uint8: 13, tensor.Int32: 14}[t.DType]
	}
	for n, d := range torchDTypes {
		if d == t.DType && (n < 12 || n > 14) {
			return int64(n)
		}
	}
	return -1
}
