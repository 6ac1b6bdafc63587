package train

import (
	"errors"
	"math"
	"unsafe"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// ErrNotFinite says that a loss or gradient was a NaN or an infinity. The step that met it has changed no parameter.
var ErrNotFinite = errors.New("train: the gradients are not finite: the learning rate may be too high")

// clipOp computes what all gradients are multiplied with so that their common norm is at most Max, as
// torch.nn.utils.clip_grad_norm_ does: min(Max / (norm + 1e-6), 1), and 1 where Max is 0.
// Inputs: the gradients. Output: the factor [1]. A norm that is not finite ends the run with ErrNotFinite.
type clipOp struct {
	Max float64
}

func (clipOp) Name() string { return "clip_gradients" }

func (op clipOp) Infer(in []ops.Type) ([]ops.Type, error) {
	for i, t := range in {
		if t.DType != tensor.Float32 {
			return nil, ops.Errorf(op, in, "gradient %d must be float32", i)
		}
	}
	return []ops.Type{ops.F32(1)}, nil
}

func (op clipOp) Prepare(p *ops.Prepare) (*ops.Kernel, error) {
	n := len(p.In)
	squares := func(c *ops.Call) []float64 {
		return unsafe.Slice((*float64)(unsafe.Pointer(unsafe.SliceData(c.Scratch))), n)
	}
	task := func(c *ops.Call, i int, _ *ops.Worker) {
		sum := 0.0
		for _, v := range c.In[i].Float32s() {
			sum += float64(v) * float64(v)
		}
		squares(c)[i] = sum
	}
	return &ops.Kernel{
		Run: func(c *ops.Call) error {
			c.Parallel(n, task)
			sum := 0.0
			for _, s := range squares(c) {
				sum += s
			}
			norm := math.Sqrt(sum)
			if math.IsNaN(norm) || math.IsInf(norm, 0) {
				return ErrNotFinite
			}
			factor := 1.0
			if op.Max > 0 {
				factor = min(op.Max/(norm+1e-6), 1)
			}
			c.Out[0].Float32s()[0] = float32(factor)
			return nil
		},
		Scratch:  8 * n,
		Choice:   "norm",
		Parallel: n,
	}, nil
}
