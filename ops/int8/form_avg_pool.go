package int8

import (
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

func init() {
	registerForm(ops.AvgPool{}, func(n Node) *Form {
		op := n.Op.(ops.AvgPool)
		return averageForm(func(out *tensor.QParams) ops.Op {
			return AvgPool{AvgPoolAttributes: ops.AvgPoolAttributes(op), Out: out}
		})
	})
	registerForm(ops.AdaptiveAvgPool{}, func(n Node) *Form { return adaptiveForm(n.Op.(ops.AdaptiveAvgPool)) })
	registerForm(ops.Reduce{}, meanForm)
}

func adaptiveForm(op ops.AdaptiveAvgPool) *Form {
	return averageForm(func(out *tensor.QParams) ops.Op {
		return AdaptiveAvgPool{AdaptiveAvgPoolAttributes: ops.AdaptiveAvgPoolAttributes(op), Out: out}
	})
}

// averageForm is the form of an average.
func averageForm(int8 func(*tensor.QParams) ops.Op) *Form {
	return &Form{
		Activations: []int{0}, Homogeneous: true,
		Build: func(b Builder, in []ops.Ref, out *tensor.QParams) ops.Ref { return b.Apply(int8(out), in[0]) },
	}
}

// meanForm is that of a mean over the height and width of images: an adaptive average of one pixel.
func meanForm(n Node) *Form {
	op := n.Op.(ops.Reduce)
	if !isSpatialMean(op, n.In[0]) {
		return &Form{}
	}
	f := adaptiveForm(ops.AdaptiveAvgPool{Size: []int{1, 1}})
	f.Homogeneous = false
	if op.KeepDims {
		return f
	}
	flat, build := ops.Flatten{Start: 1, End: -1}, f.Build
	f.Build = func(b Builder, in []ops.Ref, out *tensor.QParams) ops.Ref { return b.Apply(flat, build(b, in, out)) }
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
