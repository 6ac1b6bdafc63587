package int8

import (
	"fmt"
	"math"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// Params are what is fixed of quantization parameters whose scales and zero
// points are values, as in training: element type, scheme and the integers in use.
type Params struct {
	DType    tensor.DType // Uint8 or Int8
	Scheme   tensor.QScheme
	Axis     int // of per-channel schemes
	Min, Max int32
}

// RoundZero returns the integer zero point that a learned one stands for: rounded half to even.
func (p Params) RoundZero(z float32) int32 {
	return int32(min(max(math.RoundToEven(float64(z)), float64(p.Min)), float64(p.Max)))
}

// GradientFactor returns what the gradients of scale and zero point are multiplied with for a tensor of n elements:
// 1/sqrt(quant_max * n).
func (p Params) GradientFactor(n int) float32 {
	return float32(1 / math.Sqrt(float64(p.Max)*float64(n)))
}

// GradientZero returns the zero point that gradients are computed with. Per tensor it is z + 0.5 truncated towards zero, where
// RoundZero rounds to even: PyTorch does so, and for negative zero points the two are one apart.
func (p Params) GradientZero(z float32) float32 {
	lo, hi := float32(p.Min), float32(p.Max)
	if p.Scheme.PerChannel() {
		return float32(math.RoundToEven(float64(max(min(z, hi), lo))))
	}
	return float32(math.Trunc(float64(max(min(z+0.5, hi), lo))))
}

// check refuses parameters that no value of 8 bits has.
func (p Params) check(op ops.Op, in []ops.Type) error {
	if lo, hi := tensor.QRange(p.DType); p.DType == tensor.Int32 || lo == hi || p.Min < lo || p.Max > hi || p.Min >= p.Max {
		return ops.Errorf(op, in, "there are no integers of %v from %d to %d", p.DType, p.Min, p.Max)
	}
	return nil
}

// steps are parameters at one time, as they are stored.
type steps struct {
	scale        float32
	zero, lo, hi int32
}

// at returns the parameters for a learned scale and zero point, stored as the given element type. A
// negative scale counts the integers from the other end.
//
//go:noinline
func (p Params) at(scale, zero float32, stored tensor.DType) steps {
	z := p.RoundZero(zero)
	if scale < 0 {
		scale, z = -scale, p.Min+p.Max-z
	}
	shift := int32(0)
	if p.DType != stored {
		shift = 128
		if stored == tensor.Int8 {
			shift = -128
		}
	}
	return steps{scale, z + shift, p.Min + shift, p.Max + shift}
}

// CheckLearned refuses scales and zero points that mean nothing, for the operator of a name.
func CheckLearned(name string, scale, zero *tensor.Tensor) error {
	for i, s := range scale.Float32s() {
		z := zero.Float32s()[i]
		if s == 0 || s-s != 0 || z-z != 0 {
			return &ops.ValueError{Op: name, Reason: fmt.Sprintf("scale %v and zero point %v of channel %d mean nothing", s, z, i)}
		}
	}
	return nil
}

// checkParams checks the types of a value's or weight's learned parameters.
func checkParams(op ops.Op, in []ops.Type, first, channels int, p Params) error {
	n := 1
	if p.Scheme.PerChannel() {
		n = channels
	}
	for i := first; i < first+2; i++ {
		if in[i].DType != tensor.Float32 || !in[i].Shape.Equal(tensor.Shape{n}) {
			return ops.Errorf(op, in, "inputs %d and %d are a scale and a zero point of shape [%d]", first, first+1, n)
		}
	}
	return p.check(op, in)
}

// set sets parameters i of q to what a learned scale and zero point stand for, the first two of the values.
func (p Params) set(q *tensor.QParams, i int, values []*tensor.Tensor) {
	s := p.at(values[0].Float32s()[i], values[1].Float32s()[i], q.DType)
	q.Scale[i], q.ZeroPoint[i], q.Min, q.Max = s.scale, s.zero, s.lo, s.hi
}
