package ops

import (
	"unsafe"

	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// LayerNorm subtracts the mean of the last Dims dimensions and divides by
// sqrt(variance + Eps), as torch.nn.functional.layer_norm does.
//
// Inputs: x, then weight when HasWeight and bias when HasBias, both of the
// shape of those dimensions.
type LayerNorm struct {
	Dims               int
	Eps                float64
	HasWeight, HasBias bool
}

// LayerNormAttributes are the attributes of LayerNorm without its methods, for operators that share only those.
type LayerNormAttributes LayerNorm

func (LayerNorm) Name() string { return "layer_norm" }

func (op LayerNorm) Infer(in []Type) ([]Type, error) {
	if err := affineInputs(op, in, op.HasWeight, op.HasBias); err != nil {
		return nil, err
	}
	s := in[0].Shape
	if op.Dims < 1 || op.Dims > len(s) {
		return nil, Errorf(op, in, "it normalizes %d dimensions", op.Dims)
	}
	for i, t := range in[1:] {
		if !t.Shape.Equal(s[len(s)-op.Dims:]) {
			return nil, Errorf(op, in, "input %d must have the shape of the last %d dimensions", i+1, op.Dims)
		}
	}
	return []Type{F32(s...)}, nil
}

// affineInputs checks the number and types of x, an optional weight and an
// optional bias.
func affineInputs(op Op, in []Type, hasWeight, hasBias bool) error {
	n := 1
	if hasWeight {
		n++
	}
	if hasBias {
		n++
	}
	if err := arity(op, in, n, n); err != nil {
		return err
	}
	return floatInputs(op, in)
}

// affine returns the elements of the optional weight and bias, nil without.
func affine(in []*tensor.Tensor, hasWeight, hasBias bool) (weight, bias []float32) {
	i := 1
	if hasWeight {
		weight = in[i].Float32s()
		i++
	}
	if hasBias {
		bias = in[i].Float32s()
	}
	return weight, bias
}

func (op LayerNorm) Prepare(p *Prepare) (*Kernel, error) {
	s := p.In[0].Shape
	n := 1
	for _, d := range s[len(s)-op.Dims:] {
		n *= d
	}
	if p.Out[0].Numel() == 0 {
		return emptyKernel(), nil
	}
	count := p.Out[0].Numel() / n
	perTask, tasks := split(count, n)
	kernel := asm.LayerNormF32For(p.Tier)
	task := func(c *Call, i int, w *Worker) {
		weight, bias := affine(c.In, op.HasWeight, op.HasBias)
		first := i * perTask
		args := &w.Args.LayerNormF32
		*args = asm.LayerNormF32Args{
			Dst: element[float32](base(c.Out[0]), first*n), Src: element[float32](base(c.In[0]), first*n),
			DstStride: 4 * n, SrcStride: 4 * n, Rows: min(perTask, count-first), Cols: n,
			Gamma: unsafe.SliceData(weight), Beta: unsafe.SliceData(bias), Eps: float32(op.Eps),
		}
		kernel.Run(args)
	}
	return &Kernel{
		Interruptible: true,
		Run:           func(c *Call) error { c.Parallel(tasks, task); return nil },
		Choice:        kernel.Op + " " + kernel.Tier.String(),
		Parallel:      tasks,
	}, nil
}

// sumFloats returns the sum in float64, in four parts.
func sumFloats(x []float32) float64 {
	var s0, s1, s2, s3 float64
	for ; len(x) >= 4; x = x[4:] {
		s0 += float64(x[0])
		s1 += float64(x[1])
		s2 += float64(x[2])
		s3 += float64(x[3])
	}
	for _, v := range x {
		s0 += float64(v)
	}
	return (s0 + s1) + (s2 + s3)
}
