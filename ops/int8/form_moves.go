package int8

import (
	"math"
	"slices"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// What moves values, or chooses among them, works on integers as they are.
func init() {
	// Those that put each value of their first input somewhere else.
	for _, op := range []ops.Op{
		ops.Reshape{}, ops.ReshapeTo{}, ops.Flatten{}, ops.Permute{}, ops.Expand{}, ops.Slice{}, ops.SliceTo{},
		ops.Tile{}, ops.Flip{}, ops.Detach{}, ops.Roll{}, ops.PixelShuffle{}, ops.ChannelShuffle{}, ops.DynamicReshape{},
	} {
		registerForm(op, moveForm)
	}
	registerForm(ops.PadMode{}, sharing)
	registerForm(ops.Interpolate{}, interpolateForm)
	registerForm(ops.MaxPool{}, func(n Node) *Form {
		op := n.Op.(ops.MaxPool)
		f := sharing(n)
		f.Homogeneous = true
		f.Greatest = len(op.Stride) > 0 && slices.Max(op.Stride) == 1
		return f
	})
	registerForm(ops.Pad{}, func(n Node) *Form {
		op := n.Op.(ops.Pad)
		f := sharing(n)
		f.FillsIn = op.Value != 0
		f.Infinite = func(holds func(int) bool) bool { return math.IsInf(float64(op.Value), 0) || holds(0) }
		return f
	})
	registerForm(ops.Full{}, func(n Node) *Form {
		op := n.Op.(ops.Full)
		return &Form{Infinite: func(func(int) bool) bool { return math.IsInf(op.Value, 0) }}
	})
	registerForm(ops.Where{}, func(n Node) *Form {
		return &Form{Infinite: func(holds func(int) bool) bool {
			return isInfinite(n.Const[1]) || isInfinite(n.Const[2]) || holds(1) || holds(2)
		}}
	})
}

// interpolateForm is that of a resize, which mixes pixels or copies them. Training computes mixed ones as they are served.
func interpolateForm(n Node) *Form {
	op := n.Op.(ops.Interpolate)
	f := sharing(n)
	if op.Mode != ops.Linearly || !f.Shares {
		return f
	}
	f.FillsIn = true
	f.Build = func(b Builder, in []ops.Ref, _ *tensor.QParams) ops.Ref {
		sized := op
		if len(n.In) > 1 && n.Const[1] != nil {
			for _, d := range n.Const[1].Contiguous().Int64s() {
				sized.Size = append(sized.Size, int(d))
			}
		}
		return b.Apply(sized, in[0])
	}
	return f
}

func moveForm(n Node) *Form {
	f := sharing(n)
	f.Infinite = func(holds func(int) bool) bool { return holds(0) }
	return f
}

// sharing returns the form of an operator that takes quantized values as it is, where it does.
func sharing(n Node) *Form {
	if !n.takesActivation() {
		return &Form{}
	}
	q := tensor.PerTensor(tensor.Uint8, 1, 0)
	in := slices.Clone(n.In)
	in[0] = ops.Type{DType: tensor.Uint8, Shape: in[0].Shape, Q: q}
	out, err := n.Op.Infer(in)
	if err != nil || out[0].DType != tensor.Uint8 || !out[0].Q.Equal(q) {
		return &Form{}
	}
	return &Form{Activations: []int{0}, Shares: true}
}

// isInfinite reports whether a constant has an infinity or a NaN.
func isInfinite(c *tensor.Tensor) bool {
	switch {
	case c == nil:
	case c.DType() == tensor.Float32:
		return slices.ContainsFunc(c.Contiguous().Float32s(), func(v float32) bool { return v-v != 0 })
	case c.DType() == tensor.Float64:
		return slices.ContainsFunc(tensor.Data[float64](c.Contiguous()), func(v float64) bool { return v-v != 0 })
	}
	return false
}
