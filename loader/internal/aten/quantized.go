package aten

import (
	"errors"
	"fmt"
	"math"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/int8"
	"github.com/octet-ml/octet/tensor"
)

// outParams returns the parameters that arguments i and i+1 give an output.
func (c *call) outParams(i int) *tensor.QParams {
	q := tensor.PerTensor(tensor.Uint8, float32(c.float(i)), int32(c.int(i+1)))
	if err := q.Validate(nil); err != nil {
		c.failed(err)
		return tensor.PerTensor(tensor.Uint8, 1, 0)
	}
	return q
}

// requantize returns x with other parameters.
func (c *call) requantize(x *build.Tensor, q *tensor.QParams) *build.Tensor {
	have := x.Type().Q
	switch {
	case have.Equal(q):
		return x
	case q == nil:
		return c.dequantize(x)
	case have == nil:
		return c.apply(int8.Quantize{Q: q}, c.cast(x, tensor.Float32))
	}
	return c.apply(int8.NewTable("requantize", have, q, nil), x)
}

// dequantize returns the real values. Those of constants are computed at once.
func (c *call) dequantize(x *build.Tensor) *build.Tensor {
	q := x.Type().Q
	if q == nil {
		return c.cast(x, tensor.Float32)
	}
	if t := x.Held(); t != nil {
		f, err := t.Dequantize()
		if err != nil {
			c.failed(err)
			return c.anything()
		}
		return build.NewTensor(c.Constant("", f))
	}
	return c.apply(int8.Dequantize{}, x)
}

// throughFloat computes with the real values of x and gives the result its parameters.
func (c *call) throughFloat(x *build.Tensor, f func(x *build.Tensor) *build.Tensor) *build.Tensor {
	return c.throughFloatTo(x, x.Type().Q, f)
}

// throughFloatTo computes with the real values of x and quantizes the result.
func (c *call) throughFloatTo(x *build.Tensor, q *tensor.QParams, f func(x *build.Tensor) *build.Tensor) *build.Tensor {
	return c.requantize(f(c.dequantize(x)), q)
}

// quantizedUnary computes a function of each element, in a table. Functions with
// a bounded result have fixed parameters in PyTorch, others keep their input's.
func (c *call) quantizedUnary(op ops.Unary, x *build.Tensor) *build.Tensor {
	out := x.Type().Q
	switch op.Fn {
	case ops.Sigmoid, ops.HardSigmoid:
		out = tensor.PerTensor(tensor.Uint8, 1.0/256, 0)
	case ops.Tanh:
		out = tensor.PerTensor(tensor.Uint8, 2.0/256, 128)
	}
	return c.tableOf(op, x, out)
}

// tableOf is a function of each element as a table to other parameters.
func (c *call) tableOf(op ops.Unary, x *build.Tensor, out *tensor.QParams) *build.Tensor {
	in := x.Type().Q
	if in == nil {
		c.fail("a tensor that is not quantized, %v", x.Type())
		return c.anything()
	}
	if in.Scheme.PerChannel() {
		return c.throughFloatTo(x, out, func(x *build.Tensor) *build.Tensor { return c.apply(op, x) })
	}
	real := make([]float32, 256)
	for i := range real {
		real[i] = in.Dequantize(int32(i), 0)
	}
	t, err := tensor.FromSlice(real, len(real))
	if err != nil {
		c.failed(err)
		return c.anything()
	}
	const plainGo = 0 // the tier of kernels
	y, err := ops.Eval(op, plainGo, nil, t)
	if err != nil {
		c.failed(err)
		return c.anything()
	}
	table := int8.Table{Label: op.Name(), Values: new([256]uint8), Out: out}
	for i, v := range y[0].Contiguous().Float32s() {
		table.Values[i] = uint8(out.Quantize(v, 0))
	}
	return c.apply(table, x)
}

// quantizedBinary is arithmetic between quantized values without given
// parameters, which PyTorch does not have.
func (c *call) quantizedBinary(fn ops.BinaryFn, x, y *build.Tensor) *build.Tensor {
	c.unsupported("%v on quantized values", fn)
	return c.anything()
}

// joinQuantized joins values with the parameters q.
func (c *call) joinQuantized(in []*build.Tensor, axis int, q *tensor.QParams) *build.Tensor {
	same := make([]*build.Tensor, len(in))
	for i, t := range in {
		same[i] = c.requantize(t, q)
	}
	return c.apply(ops.Concat{Axis: axis}, same...)
}

// intBias is the bias of a layer as int32, in units of its input's scale times the weight's.
type intBias struct {
	bias *tensor.Tensor // nil where it does not fit
	// exact says that each float of the bias is the nearest to a whole number of units, and not all are 0: it was made of integers.
	exact bool
}

// intBias returns the bias of a layer as int32: what the kernels of depthwise convolutions take.
func (p *Packed) intBias(in *tensor.QParams) intBias {
	for q, b := range p.biases {
		if q.Equal(in) {
			return b
		}
	}
	bias, scales := p.Bias.Contiguous().Float32s(), p.Weight.QParams().Scale
	ints := make([]int32, len(bias))
	out, zero := intBias{exact: true}, true
	for i, b := range bias {
		unit := float64(in.Scale[0]) * float64(scales[i%len(scales)])
		v := math.RoundToEven(float64(b) / unit)
		if !(math.Abs(v) < 1<<30) {
			return intBias{}
		}
		ints[i] = int32(v)
		out.exact = out.exact && float32(v*unit) == b
		zero = zero && b == 0
	}
	out.exact = out.exact && !zero
	t, err := tensor.FromSlice(ints, len(ints))
	if err != nil {
		return intBias{}
	}
	out.bias = t
	if p.biases == nil {
		p.biases = make(map[*tensor.QParams]intBias)
	}
	p.biases[in] = out
	return out
}

// layer applies a quantized layer with the given weight; make gives its
// operator. The bias is added in float32, as PyTorch does, unless asInt is set or it was made of integers, as octet's own are.
func (c *call) layer(x *build.Tensor, p *Packed, weight *tensor.Tensor, asInt bool, make func(hasBias bool) ops.Op) *build.Tensor {
	q, wq := x.Type().Q, weight.QParams()
	switch {
	case q == nil || q.Scheme.PerChannel():
		c.fail("its input is not quantized per tensor")
	case weight.DType() != tensor.Int8 || wq == nil:
		c.fail("its weight is not int8")
	}
	if c.Err() != nil {
		return c.anything()
	}
	values := []*graph.Value{c.read(x), c.Constant(join(c.Scope.Path, "weight"), weight)}
	if p.Bias != nil {
		bias := p.Bias
		if b := p.intBias(q); b.bias != nil && (asInt || b.exact) {
			bias = b.bias
		}
		values = append(values, c.Constant(join(c.Scope.Path, "bias"), bias))
	}
	return c.emit(make(p.Bias != nil), values...)[0]
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// Unpack returns weight and bias of a quantized layer.
func (p *Packed) Unpack() Value {
	var bias Value
	if p.Bias != nil {
		bias = build.Parameter("", p.Bias)
	}
	return &Tuple{Items: []Value{build.Parameter("", p.Weight), bias}}
}

// UnpackWeights makes packed weights of what a file has of them.
func UnpackWeights(class string, state Value) (Value, error) {
	items, ok := Items(state)
	wrong := fmt.Errorf("the content of a %s is not as PyTorch writes it", class)
	if !ok || len(items) == 0 {
		return nil, wrong
	}
	switch class {
	case "LinearPackedParamsBase":
		if len(items) == 2 {
			return packWeights(class, items[0], items[1])
		}
	case "Conv2dPackedParamsBase", "Conv3dPackedParamsBase":
		return unpackConv(class, items, wrong)
	case "LinearOpContext", "Conv2dOpContext", "TransposeConv2dOpContext":
		return unpackContext(class, items, wrong)
	case "CellParamsBase":
		return unpackCell(class, items, wrong)
	case embeddingPackedClass: // (version, [weight], [], [bits of an element])
		if weights, _ := Items(items[min(1, len(items)-1)]); len(items) == 4 && len(weights) == 1 {
			return packWeights(class, weights[0], nil)
		}
		return nil, wrong
	}
	return nil, fmt.Errorf("packed weights of the class %s are not read", class)
}

// packWeights makes packed weights of a weight and an optional bias.
func packWeights(class string, weight, bias Value) (*Packed, error) {
	w, ok := weight.(*build.Tensor)
	if !ok || w.Store.Param == nil {
		return nil, errors.New("the weight of a quantized layer is not constant")
	}
	p := &Packed{class: class, Weight: w.Store.Param, groups: 1}
	if bias == nil {
		return p, nil
	}
	b, ok := bias.(*build.Tensor)
	if !ok || b.Store.Param == nil || b.Store.Param.DType() != tensor.Float32 || b.Store.Param.Rank() != 1 {
		return nil, errors.New("the bias of a quantized layer is not a constant float32 vector")
	}
	p.Bias = b.Store.Param
	if p.Weight.Rank() > 0 && p.Bias.Dim(0) != p.Weight.Dim(0) && len(p.Weight.Shape()) == 2 {
		return nil, errors.New("weight and bias of a quantized layer do not fit together")
	}
	return p, nil
}

// unpackConv reads ("2", [parameters, weight], [bias]): the parameters are the
// number of dimensions, then stride, padding, dilation and output padding for each, the
// groups, and whether it is transposed.
func unpackConv(class string, items []Value, wrong error) (*Packed, error) {
	if len(items) != 3 || items[0] != "2" {
		return nil, fmt.Errorf("a %s in a form that is not read: save the model with PyTorch 1.6 or later", class)
	}
	needed, ok1 := Items(items[1])
	optional, ok2 := Items(items[2])
	if !ok1 || !ok2 || len(needed) < 2 || len(optional) < 1 {
		return nil, wrong
	}
	config, ok := needed[0].(*build.Tensor)
	if !ok || config.Store.Param == nil || config.Store.Param.DType() != tensor.Int32 {
		return nil, wrong
	}
	v := config.Store.Param.Contiguous().Int32s()
	p, err := packWeights(class, needed[1], optional[len(optional)-1])
	if err != nil {
		return nil, err
	}
	n := 0
	if len(v) > 0 {
		n = int(v[0])
	}
	if n < 1 || n > 3 || len(v) != 4*n+3 {
		return nil, wrong
	}
	at := 1
	take := func() []int {
		out := make([]int, n)
		for i := range out {
			out[i] = int(v[at])
			at++
		}
		return out
	}
	p.stride, p.padding, p.dilation, p.outputPadding = take(), take(), take(), take()
	p.groups, p.transposed = int(v[at]), v[at+1] != 0
	return p, nil
}
