package ops

import (
	"fmt"

	"github.com/octet-ml/octet/tensor"
)

// AddMM is Beta*input + Alpha*(a b), as torch.addmm, torch.baddbmm and torch.addmv
// compute it. It is lowered to a matrix multiplication and elementwise operators.
//
// Inputs: input, which broadcasts to the product and does not count where Beta
// is 0, then a and b as MatMul takes them.
type AddMM struct {
	Beta, Alpha float64
}

func (AddMM) Name() string { return "addmm" }

// String shows the factors in dumps.
func (op AddMM) String() string { return fmt.Sprintf("addmm(%g, %g)", op.Beta, op.Alpha) }

func (op AddMM) Infer(in []Type) ([]Type, error) { return lowerInfer(op, in) }

func (op AddMM) Prepare(p *Prepare) (*Kernel, error) { return lowerPrepare(op, p) }

// MACs counts those of the operators it is lowered to.
func (op AddMM) MACs(in, _ []Type) int64 { return loweredMACs(op, in) }

// Lower returns the product, scaled, and the sum.
func (op AddMM) Lower(in []Type) ([]Step, error) {
	if err := arity(op, in, 3, 3); err != nil {
		return nil, err
	}
	if err := floatInputs(op, in); err != nil {
		return nil, err
	}
	l := newLowering(in)
	v, err := l.add(MatMul{}, 1, 2)
	if err != nil {
		return nil, Errorf(op, in, "%v", err)
	}
	product := l.types[v].Shape
	if s, err := tensor.Broadcast(in[0].Shape, product); err != nil || !s.Equal(product) {
		return nil, Errorf(op, in, "input 0 does not broadcast to %v", product)
	}
	v, err = l.scale(v, op.Alpha)
	x := 0
	if err == nil && op.Beta != 0 {
		if x, err = l.scale(x, op.Beta); err == nil {
			_, err = l.add(Binary{Fn: Add}, v, x)
		}
	}
	if err != nil {
		return nil, Errorf(op, in, "%v", err)
	}
	return l.steps, nil
}

// scale multiplies by a number.
func (l *lowering) scale(x int, by float64) (int, error) {
	if by == 1 {
		return x, nil
	}
	number, err := l.add(Full{Shape: []int{}, Value: by, DType: tensor.Float64})
	if err != nil {
		return 0, err
	}
	return l.add(Binary{Fn: Mul, BNumber: true}, x, number)
}
