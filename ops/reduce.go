package ops

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/octet-ml/octet/tensor"
)

// ReduceFn is a function of many elements that gives one.
type ReduceFn uint8

// The functions, named as PyTorch's are.
const (
	Sum  ReduceFn = iota
	Mean          // of floats
	Prod
	AMax // a NaN wins
	AMin // a NaN wins
	Any
	All
	Norm      // of order P, of floats
	Var       // sum((x-mean)^2) / (n-Correction), of floats
	Std       // its square root
	LogSumExp // of integers and bool as float32
	numReduceFns
)

var reduceNames = [numReduceFns]string{"sum", "mean", "prod", "amax", "amin", "any", "all", "norm", "var", "std", "logsumexp"}

// String returns PyTorch's name of the function: "sum".
//
//go:noinline
func (f ReduceFn) String() string {
	if f < numReduceFns {
		return reduceNames[f]
	}
	return fmt.Sprintf("ReduceFn(%d)", uint8(f))
}

// MarshalText returns the name.
func (f ReduceFn) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText takes a name that String gives.
func (f *ReduceFn) UnmarshalText(text []byte) error {
	i := slices.Index(reduceNames[:], string(text))
	if i < 0 {
		return fmt.Errorf("unknown reduction %q", text)
	}
	*f = ReduceFn(i)
	return nil
}

func (f ReduceFn) floatsOnly() bool { return f == Mean || f >= Norm && f != LogSumExp }

// NormOrder is the order of a norm. It is text in JSON, for the infinities.
type NormOrder float64

// MarshalText returns the number, or "+Inf" or "-Inf".
func (p NormOrder) MarshalText() ([]byte, error) { return fmt.Appendf(nil, "%v", float64(p)), nil }

// UnmarshalText reads a number.
func (p *NormOrder) UnmarshalText(text []byte) error {
	value, err := strconv.ParseFloat(string(text), 64)
	*p = NormOrder(value)
	return err
}

// Reduce computes a function over some dimensions. Sums and products of
// integers and bool are int64; any and all give bool, or uint8 for uint8.
// Float sums are accumulated in float64, in an order that depends on the shape only.
type Reduce struct {
	Fn         ReduceFn
	Axes       []int // none: all
	KeepDims   bool  // leaves dimensions of extent 1
	P          NormOrder
	Correction int // of Var and Std: 1 for the unbiased estimate
}

func (op Reduce) Name() string { return op.Fn.String() }

// String shows the attributes in dumps.
func (op Reduce) String() string {
	s := fmt.Sprintf("%v(axes=%v", op.Fn, op.Axes)
	if op.KeepDims {
		s += ", keepdims"
	}
	switch op.Fn {
	case Norm:
		s += fmt.Sprintf(", p=%v", float64(op.P))
	case Var, Std:
		s += fmt.Sprintf(", correction=%d", op.Correction)
	}
	return s + ")"
}

func (op Reduce) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 1, 1); err != nil {
		return nil, err
	}
	t := in[0]
	if t.Q != nil {
		return nil, Errorf(op, in, "quantized values have no float arithmetic: dequantize first")
	}
	if op.Fn >= numReduceFns {
		return nil, Errorf(op, in, "no such function")
	}
	if op.Fn.floatsOnly() && !t.DType.IsFloat() {
		return nil, Errorf(op, in, "it is defined on floats only")
	}
	reduced, err := op.axes(in)
	if err != nil {
		return nil, err
	}
	out := Type{DType: t.DType, Shape: tensor.Shape{}}
	for i, d := range t.Shape {
		switch {
		case !reduced[i]:
			out.Shape = append(out.Shape, d)
		case d == 0 && (op.Fn == AMax || op.Fn == AMin):
			return nil, Errorf(op, in, "no element of dimension %d is the greatest or least", i)
		case op.KeepDims:
			out.Shape = append(out.Shape, 1)
		}
	}
	switch op.Fn {
	case Sum, Prod:
		if !out.DType.IsFloat() {
			out.DType = tensor.Int64
		}
	case LogSumExp:
		if !out.DType.IsFloat() {
			out.DType = tensor.Float32
		}
	case Any, All:
		if out.DType != tensor.Uint8 {
			out.DType = tensor.Bool
		}
	}
	return fold(op, in, out)
}

// axes reports for each dimension whether it is reduced.
func (op Reduce) axes(in []Type) ([]bool, error) {
	s := in[0].Shape
	reduced := make([]bool, max(len(s), 1))
	if len(op.Axes) == 0 {
		for i := range reduced {
			reduced[i] = true
		}
		return reduced[:len(s)], nil
	}
	for _, a := range op.Axes {
		axis, err := lineAxis(op, in, a)
		if err != nil {
			return nil, err
		}
		if reduced[axis] {
			return nil, Errorf(op, in, "dimension %d is reduced twice", axis)
		}
		reduced[axis] = true
	}
	return reduced[:len(s)], nil
}

func (op Reduce) Prepare(p *Prepare) (*Kernel, error) {
	reduced, err := op.axes(p.In)
	if err != nil {
		return nil, err
	}
	d := computeType(p.In[0].DType)
	if op.Fn == LogSumExp {
		d = computeType(p.Out[0].DType)
	}
	switch d {
	case tensor.Float32:
		return reduceKernel(p, reduced, floatReduction[float32](op)), nil
	case tensor.Float64:
		return reduceKernel(p, reduced, floatReduction[float64](op)), nil
	}
	return reduceKernel(p, reduced, intReduction(op.Fn)), nil
}

// ChannelsLast moves the axes. Without KeepDims the output has fewer
// dimensions and no such layout.
func (op Reduce) ChannelsLast(in []Type) (Op, []int, bool) {
	rank := len(in[0].Shape)
	reduced, err := op.axes(in)
	if err != nil || rank < 3 || !op.KeepDims {
		return nil, nil, false
	}
	op.Axes = nil
	for i, r := range reduced {
		if r {
			op.Axes = append(op.Axes, ChannelsLastAxis(i, rank))
		}
	}
	return op, []int{0}, true
}
