package torchscript

import (
	"errors"
	"fmt"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// call is an operator that is being evaluated: its arguments, and the first
// error, after which what its methods return has no meaning.
type call struct {
	*builder
	interpreter
	name string
	args []value
	err  error
}

// interpreter is what an operator asks of the program that calls it, besides the
// graph under construction.
type interpreter interface {
	// version returns the version of the operators, as PyTorch counts them.
	version() int
	// spend counts elements of lists and bytes of strings that are made.
	spend(n int) error
	// toil counts those that are looked at.
	toil(n int) error
	// record is called before something is left in a place.
	record(p place) (copied int)
	// method returns a method of an object, nil where it has none.
	method(o *object, name string) func(args ...value) (value, error)
}

// newCall returns a call of an operator.
func (m *Evaluator) newCall(name string, args []value) *call {
	return &call{builder: m.builder, interpreter: m, name: name, args: args}
}

// fail makes the call fail, unless it failed before.
func (c *call) fail(format string, args ...any) value {
	return c.failed(fmt.Errorf(format, args...))
}

func (c *call) failed(err error) value {
	if c.err == nil && err != nil {
		c.err = err
	}
	return nil
}

// unsupported says that the operator is not supported in this use.
func (c *call) unsupported(format string, args ...any) value {
	return c.failed(unsupportedf(format, args...))
}

// callMethod calls a method of an object.
func (c *call) callMethod(o *object, name string, args ...value) value {
	fn := c.method(o, name)
	if fn == nil {
		return c.fail("%s has no method %s", o.class.PublicName(), name)
	}
	v, err := fn(args...)
	c.failed(err)
	return v
}

// isNone reports whether argument i is None.
func (c *call) isNone(i int) bool { return c.args[i] == nil }

// tensor returns argument i, a tensor.
func (c *call) tensor(i int) *Tensor {
	switch t := c.args[i].(type) {
	case *Tensor:
		return t
	case nil:
		return nil
	}
	return c.lift(c.args[i])
}

// lift returns a number as a tensor.
func (c *call) lift(v value) *Tensor {
	switch v := v.(type) {
	case *Tensor:
		return v
	case *number:
		return ofNumber(v)
	case bool, int64, float64:
		return fresh(c.plainConst(v))
	}
	c.fail("a %s is used as a tensor", typeName(v))
	return c.anything()
}

// anything is a tensor to return after an error.
func (c *call) anything() *Tensor { return fresh(c.plainConst(int64(0))) }

// tensors returns argument i, a list of tensors; of optional ones some are nil.
func (c *call) tensors(i int) []*Tensor {
	items, _ := itemsOf(c.args[i])
	if len(items) > maxNodes {
		c.fail("%d tensors", len(items))
		return []*Tensor{c.anything()}
	}
	out := make([]*Tensor, len(items))
	for k, x := range items {
		out[k], _ = x.(*Tensor)
	}
	return out
}

// number returns argument i as a number, nil for None.
func (c *call) number(i int) *number { return asNumber(c.args[i]) }

// plainArg returns argument i as a plain bool, int or float.
func (c *call) plainArg(i int) value {
	v, err := c.plainValue(c.args[i])
	c.failed(err)
	return v
}

func (c *call) int(i int) int { return c.plainInt(c.args[i]) }

func (c *call) plainInt(v value) int {
	p, err := c.plainValue(v)
	if err != nil {
		c.failed(err)
		return 0
	}
	n, _ := convert(p, intKind).(int64)
	if int64(int(n)) != n {
		c.fail("%d is too large", n)
	}
	return int(n)
}

// intOr returns argument i, or a default where it is None.
func (c *call) intOr(i, fallback int) int {
	if c.isNone(i) {
		return fallback
	}
	return c.int(i)
}

func (c *call) float(i int) float64 {
	f, _ := plainFloat(c.plainArg(i))
	return f
}

func (c *call) bool(i int) bool {
	v, err := truth(c.builder, c.args[i])
	c.failed(err)
	return v
}

func (c *call) string(i int) string {
	s, _ := c.args[i].(string)
	return s
}

// numbers returns argument i, a list of ints or floats; a single one is a list of one.
func (c *call) numbers(i int) []*number {
	if n := c.number(i); n != nil {
		return []*number{n}
	}
	items, _ := itemsOf(c.args[i])
	out := make([]*number, len(items))
	for k, x := range items {
		out[k] = asNumber(x)
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
func (c *call) spatial(weight *Tensor) int {
	n := weight.rank() - 2
	if n < 1 {
		c.fail("a weight of %d dimensions", weight.rank())
		return 1
	}
	return n
}

// length returns the extent of a vector.
func (c *call) length(t *Tensor) *number {
	if t.rank() != 1 {
		c.fail("a tensor of %d dimensions where a vector is needed", t.rank())
		return extent(1)
	}
	return c.dims(t)[0]
}

func (c *call) floats(i int) []float64 {
	numbers := c.numbers(i)
	out := make([]float64, len(numbers))
	for k, n := range numbers {
		v, err := c.plainValue(n)
		c.failed(err)
		out[k], _ = plainFloat(v)
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
func (c *call) read(t *Tensor) *graph.Value {
	if c.err != nil {
		return c.plainConst(int64(0))
	}
	v, err := c.builder.read(t)
	if err != nil {
		c.failed(err)
		return c.plainConst(int64(0))
	}
	return v
}

// apply adds an operator and returns its first output.
func (c *call) apply(op ops.Op, inputs ...*Tensor) *Tensor {
	return c.applyAll(op, inputs...)[0]
}

// applyAll adds an operator and returns its outputs.
func (c *call) applyAll(op ops.Op, inputs ...*Tensor) []*Tensor {
	values := make([]*graph.Value, len(inputs))
	for i, t := range inputs {
		if t.complex {
			c.unsupported("on complex numbers")
		}
		values[i] = c.read(t)
	}
	return c.emit(op, values...)
}

// emit is applyAll of values.
func (c *call) emit(op ops.Op, values ...*graph.Value) []*Tensor {
	if c.err != nil {
		return []*Tensor{c.anything(), c.anything(), c.anything()}
	}
	out, err := c.add(op, values...)
	if err != nil {
		c.failed(opError(err))
		return []*Tensor{c.anything(), c.anything(), c.anything()}
	}
	tensors := make([]*Tensor, len(out))
	for i, v := range out {
		tensors[i] = fresh(v)
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
func (c *call) view(t *Tensor, w view, strides []int) *Tensor {
	if c.err != nil {
		return c.anything()
	}
	v, err := c.viewOf(t, w, strides)
	if err != nil {
		c.failed(opError(err))
		return c.anything()
	}
	return v
}

// store writes x to self, in self's element type and shape.
func (c *call) store(self, x *Tensor) {
	if have, want := x.dtype(), self.dtype(); have != want {
		x = c.cast(x, want)
	}
	if c.err == nil && !x.typ().Shape.Equal(self.typ().Shape) {
		x = c.expand(x, c.dims(self))
	}
	v := c.read(x)
	if c.err == nil {
		c.failed(c.write(self, v))
	}
}

// cast converts elements, unless they have the type.
func (c *call) cast(t *Tensor, d tensor.DType) *Tensor {
	if t.dtype() == d {
		return t
	}
	return c.apply(ops.Cast{DType: d}, t)
}

// expand repeats dimensions of extent 1.
func (c *call) expand(t *Tensor, to []*number) *Tensor {
	x := c.read(t)
	if c.err != nil {
		return c.anything()
	}
	v, err := c.builder.expand(x, to)
	if err != nil {
		c.failed(err)
		return c.anything()
	}
	return fresh(v)
}

// reshape gives a copy of t another shape.
func (c *call) reshape(t *Tensor, to []*number) *Tensor {
	x := c.read(t)
	if c.err != nil {
		return c.anything()
	}
	v, err := c.builder.reshape(x, to)
	if err != nil {
		c.failed(err)
		return c.anything()
	}
	return fresh(v)
}

// extent returns the extent of a dimension, which the graph then depends on.
func (c *call) extent(t *Tensor, axis int) int {
	dims := c.dims(t)
	if axis < 0 {
		c.fail("a tensor of %d dimensions has too few", len(dims))
		return 1
	}
	if axis >= len(dims) {
		return 1
	}
	n, err := c.builder.int(dims[axis])
	c.failed(err)
	return n
}

// shape returns all extents, which the graph then depends on.
func (c *call) shape(t *Tensor) tensor.Shape {
	s := make(tensor.Shape, t.rank())
	for i := range s {
		s[i] = c.extent(t, i)
	}
	return s
}

// known returns a tensor's elements, nil where only the run knows them.
func (c *call) known(t *Tensor) *tensor.Tensor {
	if n := t.number; n != nil && t.version == t.store.version {
		v, ok := c.plain(n)
		if !ok {
			return nil
		}
		return scalarTensor(v)
	}
	v := c.read(t)
	if c.err != nil {
		return nil
	}
	return c.builder.known(v)
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
