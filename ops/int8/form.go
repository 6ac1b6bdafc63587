package int8

import (
	"reflect"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// Form is how an operator computes on quantized values: all that quantization knows of the operator. Calibration, conversion,
// training, comparison and equalization read it, and none of them knows an operator by its type.
type Form struct {
	// Activations are the inputs that the int8 form takes as integers. Without any, there is none for inputs of these types.
	Activations []int
	// FloatInputs says that the form takes an activation as float32 where that is how the operator in front of it can give it.
	FloatInputs bool
	// Others are the inputs that the form takes as they are, weights and masks among them.
	Others []int
	// Layer is what is known of an operator with weights, which adds up products; nil of others.
	Layer *Layer
	// Shares says that the operator itself works on the integers of its first input, and its result has that input's parameters.
	Shares bool
	// FillsIn says that a result which shares parameters has values that no input has, as of a padding.
	FillsIn bool
	// KeepsExtremes says that the greatest values of the activations decide the result, as those of queries and keys: none is to be clipped.
	KeepsExtremes bool
	// Greatest says that the result is the greatest values of the first input, of windows that overlap: what is clipped there is so in many places.
	Greatest bool
	// Joins says that the result consists of its inputs. At the end of a model it is float32, so that each of them has its own parameters.
	Joins bool
	// FloatResult says that the int8 form can store its result in float32.
	FloatResult bool
	// WeightOnly is the operator with int8 weights and results in float32; nil where there is none. It is for operators without activations.
	WeightOnly ops.Op
	// Weights are the inputs that WeightOnly takes in int8, constants all; where they are Multiplied, they have no zero points.
	Weights    []int
	Multiplied bool
	// BothResults builds the form with a second result, the float32 values that the first quantizes, for those who use them; nil where it
	// has none.
	BothResults func(b Builder, in []ops.Ref, out *tensor.QParams) ops.Ref
	// Bounds is an interval that holds the result whatever the inputs are, nil where none is known.
	Bounds *Interval
	// Homogeneous says that f(s*x) = s*f(x) for positive factors s of the channels.
	Homogeneous bool
	// ChannelScales are the inputs that scale the channels of the result, its last dimension: where all of them are divided by a factor for
	// each channel, so is the result.
	ChannelScales []int
	// ChannelOffset is the one of them that is added; 0: none is.
	ChannelOffset int
	// ChannelWeight is the input that each channel of the first input, its last dimension, is multiplied with; nil where that is none.
	ChannelWeight *ChannelWeight
	// Function computes the operator on numbers, where it is a function of one element; nil of others.
	Function func(dst, src []float32) error
	// Infinite reports whether the operator fills in an infinity, or moves one that an input holds; nil: never.
	Infinite func(holds func(input int) bool) bool
	// Build adds the int8 form with the result's parameters, nil where it is float32, and returns the result. in has the Activations, quantized,
	// the Others, and nil in the place of other inputs. It is nil of layers, and of operators that move values. Serving and
	// training build the same; where the operator shares parameters training alone does, serving takes it as it is.
	Build func(b Builder, in []ops.Ref, out *tensor.QParams) ops.Ref
}

// ChannelWeight is an input of an operator, the dimension of it that channels are, and the input that is added to the products, 0 where none is.
type ChannelWeight struct{ Input, Axis, Bias int }

// Interval is the real numbers from Low to High.
type Interval struct{ Low, High float32 }

// Layer is what is known of an operator that multiplies by weights. Its inputs are an activation, the weight [outputs, ...], the
// bias if it has one, and the residual if it has one. A copy with other fields stands for the operator with these.
type Layer struct {
	HasBias     bool
	HasResidual bool
	Act         ops.Activation
	Groups      int       // that the channels are divided into, 1 of linear layers
	Conv        *ops.Conv // whose windows it multiplies, nil where it multiplies rows
	float       func(Layer) ops.Op
	int8        func(Layer, *tensor.QParams) ops.Op
	dynamic     func(Layer) ops.Op
}

// Float returns the float32 operator.
func (l Layer) Float() ops.Op { return l.float(l) }

// Int8 returns the operator on quantized values, with the parameters of its output, nil for float32.
func (l Layer) Int8(out *tensor.QParams) ops.Op { return l.int8(l, out) }

// IsDynamic reports whether the layer has a form that quantizes its input while it runs.
func (l Layer) IsDynamic() bool { return l.dynamic != nil }

// Dynamic returns that form.
func (l Layer) Dynamic() ops.Op { return l.dynamic(l) }

// Bias returns the index of the bias among the inputs, -1 where there is none.
func (l Layer) Bias() int {
	if l.HasBias {
		return 2
	}
	return -1
}

// Residual returns the index of the residual among the inputs, -1 where there is none.
func (l Layer) Residual() int {
	switch {
	case !l.HasResidual:
		return -1
	case l.HasBias:
		return 3
	}
	return 2
}

// Node is an operator with the types of its inputs and outputs, and those inputs that are constants, nil in the place of others.
type Node struct {
	Op      ops.Op
	In, Out []ops.Type
	Const   []*tensor.Tensor
}

// Builder adds operators to a graph. After a failure it adds nothing and gives values that mean nothing.
type Builder interface {
	// Apply adds an operator and returns its first output.
	Apply(op ops.Op, in ...ops.Ref) ops.Ref
	// Type returns the type of a value. In training, what its parameters are changes from run to run: what depends on that
	// is computed when a kernel runs, or by Update.
	Type(v ops.Ref) ops.Type
	// Update calls f, which computes something from parameters, now and whenever they have changed.
	Update(f func() error)
	// Fail notes an error.
	Fail(err error)
}

// LearnedLayer is the inputs of a layer in training.
type LearnedLayer struct {
	X, W     Learned
	Bias     ops.Ref  // nil without one
	Residual *Learned // nil without one; where the result is float32, with a Value alone
	Out      *Learned // nil: the result is float32
	// FloatBias adds the bias in float32 instead of rounding it to the scale of the accumulators.
	FloatBias bool
}

// Train adds the layer with parameters that are learned, and returns its result: one of the numbers that integers stand for,
// or any float32.
func (l Layer) Train(b Builder, in LearnedLayer) ops.Ref {
	op := TrainedLayer{Layer: l.Float(), X: in.X.Params, W: in.W.Params, FloatBias: in.FloatBias}
	args := []ops.Ref{in.X.Value, in.X.Scale, in.X.Zero, in.W.Value, in.W.Scale, in.W.Zero}
	if l.HasBias {
		args = append(args, in.Bias)
	}
	if r := in.Residual; r != nil {
		args = append(args, r.Value)
		if in.Out != nil {
			op.R = &r.Params
			args = append(args, r.Scale, r.Zero)
		}
	}
	if y := in.Out; y != nil {
		op.Y = &y.Params
		args = append(args, y.Scale, y.Zero)
	}
	return b.Apply(op, args...)
}

// Learned is a quantized value in training: float32 numbers that integers stand for, with the scale and zero point, which are
// values too. Of a result, Value is not set.
type Learned struct {
	Value, Scale, Zero ops.Ref
	Params             Params
}

// The forms of the operators, and what the types of operators with weights know of themselves.
var (
	forms  = make(map[reflect.Type]func(Node) *Form)
	layers = make(map[reflect.Type]func(ops.Op) *Layer)
)

// registerForm declares the form of the operators of op's type, when the package is initialized. Their rank, and what else
// depends on inputs, may leave them without one.
func registerForm(op ops.Op, form func(Node) *Form) { forms[reflect.TypeOf(op)] = form }

// registerLayer declares an operator with weights.
func registerLayer(op ops.Op, layer func(ops.Op) *Layer) { layers[reflect.TypeOf(op)] = layer }

// FormOf returns what is known of an operator, which is nothing but zeros where it has declared nothing.
func FormOf(n Node) *Form {
	declared := forms[reflect.TypeOf(n.Op)]
	if declared == nil {
		return &Form{}
	}
	f := declared(n)
	if len(n.In) == 0 || len(n.Out) != 1 || n.Out[0].DType != tensor.Float32 {
		f.Activations = nil
	}
	return f
}

// LayerOf returns what an operator with weights knows of itself, nil of others.
func LayerOf(op ops.Op) *Layer {
	if layer := layers[reflect.TypeOf(op)]; layer != nil {
		return layer(op)
	}
	return nil
}

// activations are the activations of a layer.
func (l Layer) activations() []int {
	if l.HasResidual {
		return []int{0, l.Residual()}
	}
	return []int{0}
}

// takesActivation reports whether the first input is a float32 value that is not constant.
func (n Node) takesActivation() bool {
	return len(n.In) > 0 && n.Const[0] == nil && n.In[0].DType == tensor.Float32
}
