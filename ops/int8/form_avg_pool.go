package int8

import (
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

func init() {
	registerForm(func(op ops.AvgPool, n Node) *Form {
		return averageForm(op.Kernel, func(out *tensor.QParams) ops.Op {
			return AvgPool{AvgPoolAttributes: ops.AvgPoolAttributes(op), Out: out}
		}, op)
	})
	registerForm(func(op ops.AdaptiveAvgPool, n Node) *Form { return adaptiveForm(op, n) })
	registerForm(meanForm)
}

// adaptiveForm is that of an average whose windows have at most the image's size.
func adaptiveForm(op ops.AdaptiveAvgPool, n Node) *Form {
	shape := n.In[0].Shape
	return averageForm(shape[min(2, len(shape)):], func(out *tensor.QParams) ops.Op {
		return AdaptiveAvgPool{AdaptiveAvgPoolAttributes: ops.AdaptiveAvgPoolAttributes(op), Out: out}
	}, op)
}

// averageForm is the form of an average over windows of the given extents at most. Training has it where float32 holds the
// sums of integers.
func averageForm(window tensor.Shape, int8 func(*tensor.QParams) ops.Op, float ops.ChannelsLaster) *Form {
	f := &Form{Activations: []int{0}, Homogeneous: true}
	f.Build = func(b Builder, in []ops.Ref, out *tensor.QParams) ops.Ref { return b.Apply(int8(out), in[0]) }
	if taps, err := window.Numel(); err == nil && 255*taps < 1<<24 {
		f.Train = func(b Builder, in []Learned, out Learned) ops.Ref {
			op := DeployedAverage{Pool: float, X: in[0].Params, Y: out.Params}
			return b.Apply(op, in[0].Value, in[0].Scale, in[0].Zero, out.Scale, out.Zero)
		}
	}
	return f
}

// meanForm is that of a mean over the height and width of images: an adaptive average of one pixel.
func meanForm(op ops.Reduce, n Node) *Form {
	if !isSpatialMean(op, n.In[0]) {
		return &Form{}
	}
	f := adaptiveForm(ops.AdaptiveAvgPool{Size: []int{1, 1}}, n)
	f.Homogeneous = false
	if op.KeepDims {
		return f
	}
	flat, build, train := ops.Flatten{Start: 1, End: -1}, f.Build, f.Train
	f.Build = func(b Builder, in []ops.Ref, out *tensor.QParams) ops.Ref { return b.Apply(flat, build(b, in, out)) }
	if train != nil {
		f.Train = func(b Builder, in []Learned, out Learned) ops.Ref { return b.Apply(flat, train(b, in, out)) }
	}
	return f
}

// isSpatialMean reports whether the reduction is the mean over the height and width of images.
func isSpatialMean(op ops.Reduce, in ops.Type) bool {
	if op.Fn != ops.Mean || len(in.Shape) != 4 || len(op.Axes) != 2 {
		return false
	}
	var axes [4]bool
	for _, a := range op.Axes {
		if a < 0 {
			a += 4
		}
		if a < 0 || a > 3 {
			return false
		}
		axes[a] = true
	}
	return axes == [4]bool{false, false, true, true}
}
