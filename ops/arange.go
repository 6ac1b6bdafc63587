package ops

import (
	"fmt"
	"math"

	"github.com/octet-ml/octet/tensor"
)

// Arange gives Start, Start+Step, ... below End, or above it for a negative
// Step, as torch.arange does.
//
// Inputs: none, or the three numbers as known scalars in place of the attributes.
type Arange struct {
	Start, End, Step float64
	DType            tensor.DType
}

func (Arange) Name() string { return "arange" }

// String shows the range in dumps.
func (op Arange) String() string {
	return fmt.Sprintf("arange(%v, %v, %v, %v)", op.Start, op.End, op.Step, op.DType)
}

func (op Arange) Infer(in []Type) ([]Type, error) {
	r, err := op.resolve(in)
	if err != nil {
		return nil, err
	}
	n := math.Ceil((r.End - r.Start) / r.Step)
	if r.Step == 0 || !(n >= 0 && n < min(1<<40, math.MaxInt)) || op.DType.Size() == 0 || op.DType == tensor.Bool {
		return nil, Errorf(op, in, "there is no range from %v to %v in steps of %v of %v", r.Start, r.End, r.Step, r.DType)
	}
	return foldShapes(op, in, Type{DType: op.DType, Shape: tensor.Shape{int(n)}})
}

// resolve returns the operator with its inputs as attributes.
func (op Arange) resolve(in []Type) (Arange, error) {
	if len(in) == 0 {
		return op, nil
	}
	if err := arity(op, in, 3, 3); err != nil {
		return op, err
	}
	for i, to := range []*float64{&op.Start, &op.End, &op.Step} {
		if in[i].Known == nil || in[i].Numel() != 1 {
			return op, Errorf(op, in, "the range must be numbers known before it runs")
		}
		v, err := in[i].Known.To(tensor.Float64)
		if err != nil {
			return op, Errorf(op, in, "%v", err)
		}
		*to = tensor.Data[float64](v.Contiguous())[0]
	}
	return op, nil
}

func (op Arange) Prepare(p *Prepare) (*Kernel, error) {
	r, err := op.resolve(p.In)
	if err != nil {
		return nil, err
	}
	store := storer[float64](op.DType)
	n := p.Out[0].Numel()
	return &Kernel{
		Run: func(c *Call) error {
			buf := scratchOf[float64](c.Scratch, 0, bufferLen)
			for i := 0; i < n; i += bufferLen {
				part := buf[:min(bufferLen, n-i)]
				for j := range part {
					part[j] = r.Start + float64(float64(i+j)*r.Step)
				}
				store(base(c.Out[0]), i, part)
			}
			return nil
		},
		Scratch:  8 * bufferLen,
		Choice:   "fill",
		Parallel: 1,
	}, nil
}
