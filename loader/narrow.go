package loader

import (
	"math"

	"github.com/octet-ml/octet/tensor"
)

// SaveOptions say how a model is written.
type SaveOptions struct {
	// Weights is the element type that float32 constants of two dimensions or more are written with: Float16 or BFloat16, which halve the
	// file. They are float32 again, rounded, once they are loaded. Those that it cannot hold stay float32. Invalid means float32 for all.
	Weights tensor.DType
}

// greatestHalf is the greatest finite float16.
const greatestHalf = 65504

// narrow returns t as it is written, and its type where that is another one.
func (o SaveOptions) narrow(t *tensor.Tensor) (*tensor.Tensor, tensor.DType, error) {
	if o.Weights == tensor.Invalid || t.DType() != tensor.Float32 || t.Rank() < 2 {
		return t, tensor.Invalid, nil
	}
	if o.Weights == tensor.Float16 {
		for _, v := range t.Contiguous().Float32s() {
			if math.Abs(float64(v)) > greatestHalf && !math.IsInf(float64(v), 0) {
				return t, tensor.Invalid, nil
			}
		}
	}
	narrowed, err := t.To(o.Weights)
	return narrowed, tensor.Float32, err
}

// widen returns a constant as the graph has it, of the one in the file; where that is filled on demand, so is the result.
func widen(t *tensor.Tensor, to tensor.DType) (*tensor.Tensor, error) {
	if !t.IsEvictable() {
		return t.To(to)
	}
	n := t.Numel()
	if n > (math.MaxInt-tensor.Alignment)/to.Size() {
		return t.To(to)
	}
	s := tensor.NewStorage(n*to.Size(), func(dst []byte) error {
		if err := t.Load(); err != nil {
			return err
		}
		wide, err := t.To(to)
		if err != nil {
			return err
		}
		copy(dst, wide.Bytes())
		t.Evict()
		return nil
	})
	return s.View(to, 0, t.Shape(), t.Shape().Strides())
}
