package int8

import (
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

func init() {
	registerForm(ops.LayerNorm{}, func(n Node) *Form {
		op := n.Op.(ops.LayerNorm)
		f := normForm(n, func(out *tensor.QParams, both bool) ops.Op {
			return LayerNorm{LayerNormAttributes: ops.LayerNormAttributes(op), Out: out, Both: both}
		})
		if op.HasWeight && op.Dims == 1 {
			f.ChannelScales = f.Others
			if op.HasBias {
				f.ChannelOffset = 2
			}
		}
		return f
	})
}

// normForm is the form of an operator that normalizes its first input by what it computes in float32.
func normForm(n Node, build func(out *tensor.QParams, both bool) ops.Op) *Form {
	if !n.takesActivation() {
		return &Form{}
	}
	f := &Form{Activations: []int{0}, FloatInputs: true}
	for i := range n.In[1:] {
		f.Others = append(f.Others, i+1)
	}
	f.Build = func(b Builder, in []ops.Ref, out *tensor.QParams) ops.Ref { return b.Apply(build(out, false), in...) }
	f.BothResults = func(b Builder, in []ops.Ref, out *tensor.QParams) ops.Ref { return b.Apply(build(out, true), in...) }
	return f
}

// normTypes are the results of an operator that normalizes.
func normTypes(op, inner ops.Op, in []ops.Type, n int, out *tensor.QParams, both bool) ([]ops.Type, error) {
	types, err := quantizedTypes(op, inner, in, n, out)
	if err == nil && both {
		types = append(types, ops.F32(types[0].Shape...))
	}
	return types, err
}

// LayerNorm is ops.LayerNorm with a quantized output: q = quantize(layer_norm(x)), in the float32 arithmetic of asm.LayerNormF32, which is
// the same on every tier.
//
// Inputs: x, uint8 with parameters or float32, then weight and bias as ops.LayerNorm has them. Outputs: uint8 with qparams Out, then with Both
// what it is in float32.
type LayerNorm struct {
	ops.LayerNormAttributes
	Out  *tensor.QParams
	Both bool
}

// Name returns "int8.layer_norm".
func (LayerNorm) Name() string { return "int8.layer_norm" }

func (op LayerNorm) float() ops.Op { return ops.LayerNorm(op.LayerNormAttributes) }

// Infer checks what ops.LayerNorm does, and the parameters.
func (op LayerNorm) Infer(in []ops.Type) ([]ops.Type, error) {
	return normTypes(op, op.float(), in, 1, op.Out, op.Both)
}

// Prepare computes in float32 between integers.
func (op LayerNorm) Prepare(p *ops.Prepare) (*ops.Kernel, error) {
	return prepareFloat(p, op.float(), 1, op.Out)
}
