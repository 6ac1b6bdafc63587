package quantize

import (
	"fmt"
	"math"

	"github.com/octet-ml/octet/tensor"
)

// LSQ is a learnable fake-quantize (Esser et al., Learned Step Size
// Quantization, 2020; Bhalgat et al., LSQ+, 2020): scale and zero point are
// trained with the weights. The toolkit's LSQObserver and
// torch._fake_quantize_learnable_per_tensor_affine and its per-channel form define it.
type LSQ struct {
	Spec      Spec
	Scale     []float32 // one, or one per channel
	ZeroPoint []float32 // as many; not rounded
}

// NewLSQ returns the learnable form of calibrated parameters.
func NewLSQ(q *tensor.QParams) (*LSQ, error) {
	if q == nil || len(q.Scale) == 0 || len(q.ZeroPoint) != len(q.Scale) {
		return nil, fmt.Errorf("quantize: no parameters to learn from: %v", q)
	}
	l := &LSQ{Spec: Spec{DType: q.DType, Scheme: q.Scheme, Axis: q.Axis, Min: q.Min, Max: q.Max}}
	if lo, hi := tensor.QRange(q.DType); q.Min == lo && q.Max == hi {
		l.Spec.Min, l.Spec.Max = 0, 0
	}
	if err := l.Spec.Validate(); err != nil {
		return nil, err
	}
	for i, s := range q.Scale {
		l.Scale = append(l.Scale, s)
		l.ZeroPoint = append(l.ZeroPoint, float32(q.ZeroPoint[i]))
	}
	return l, nil
}

// Constrain puts the parameters back where they mean something, as is done
// before each forward: a symmetric zero point is 0, an affine one within the
// range; a scale is at least 2^-23, where a training step may have taken it below.
func (l *LSQ) Constrain() {
	lo, hi := l.Spec.Range()
	for i, z := range l.ZeroPoint {
		if l.Spec.Scheme.Symmetric() {
			l.ZeroPoint[i] = 0
		} else {
			l.ZeroPoint[i] = min(max(z, float32(lo)), float32(hi))
		}
		l.Scale[i] = max(l.Scale[i], epsilon)
	}
}

// QParams returns the parameters the forward quantizes with: the zero point is
// rounded half to even.
func (l *LSQ) QParams() (*tensor.QParams, error) {
	q := &tensor.QParams{DType: l.Spec.DType, Scheme: l.Spec.Scheme, Axis: l.Spec.Axis}
	q.Min, q.Max = l.Spec.Range()
	for i, s := range l.Scale {
		z := l.ZeroPoint[i]
		if !isFinite(s) || !isFinite(z) {
			return nil, fmt.Errorf("quantize: learned scale %v or zero point %v: %w", s, z, ErrNotFinite)
		}
		q.Scale = append(q.Scale, s)
		q.ZeroPoint = append(q.ZeroPoint, roundZero(z, q.Min, q.Max))
	}
	return q, nil
}

// roundZero returns the integer zero point of the forward.
func roundZero(z float32, lo, hi int32) int32 {
	return int32(min(max(math.RoundToEven(float64(z)), float64(lo)), float64(hi)))
}

// GradientFactor returns what the gradients of scale and zero point are
// multiplied with for a tensor of n elements: 1/sqrt(quant_max * n).
func (l *LSQ) GradientFactor(n int) float32 {
	_, hi := l.Spec.Range()
	return float32(1 / math.Sqrt(float64(hi)*float64(n)))
}

// Forward writes the fake-quantized src, a row-major tensor of the given shape,
// to dst.
func (l *LSQ) Forward(dst, src []float32, shape tensor.Shape) error {
	q, err := l.QParams()
	if err != nil {
		return err
	}
	return FakeQuantize(dst, src, shape, q)
}

// Backward writes the gradient of the input to dx, and adds those of scale and
// zero point to dScale and dZero, one per channel, given the input x and the
// gradient dy of the output. factor is usually GradientFactor.
//
//	inside the range:   dx = dy   dScale = dy * (fake(x) - x) / scale      dZero = 0
//	below or above it:  dx = 0    dScale = dy * (Min or Max - zero point)  dZero = -dy * scale
//
// dScale and dZero times factor. Per tensor the zero point is z + 0.5 truncated towards
// zero here, where Forward rounds to even: PyTorch does so, and for negative
// zero points the two are one apart.
func (l *LSQ) Backward(dx, dScale, dZero, x, dy []float32, shape tensor.Shape, factor float32) error {
	q, err := l.QParams()
	if err != nil {
		return err
	}
	if err := checkFake(dx, x, shape, q); err != nil {
		return err
	}
	if len(dy) != len(x) || len(dScale) != len(q.Scale) || len(dZero) != len(q.Scale) {
		return fmt.Errorf("quantize: %d output gradients for %d inputs, and %d and %d parameter gradients for %d channels", len(dy), len(x), len(dScale), len(dZero), len(q.Scale))
	}
	scaleSums, zeroSums := make([]float32, len(q.Scale)), make([]float32, len(q.Scale))
	terms := make([]float32, 2*len(x))
	forChannels(shape, q, len(x), func(c, from, to int) {
		zero := gradientZero(l.ZeroPoint[c], float32(q.Min), float32(q.Max), q.Scheme.PerChannel())
		ds, dz := terms[:to-from], terms[len(x):len(x)+to-from]
		l.backwardRun(dx[from:to], ds, dz, x[from:to], dy[from:to], q.Scale[c], zero, factor)
		scaleSums[c] += sumFloat32(ds)
		zeroSums[c] += sumFloat32(dz)
	})
	for c := range dScale {
		dScale[c] += scaleSums[c]
		dZero[c] += zeroSums[c]
	}
	return nil
}

// gradientZero returns the zero point that gradients are computed with.
func gradientZero(z, lo, hi float32, perChannel bool) float32 {
	if perChannel {
		return float32(math.RoundToEven(float64(max(min(z, hi), lo))))
	}
	return float32(math.Trunc(float64(max(min(z+0.5, hi), lo))))
}

// backwardRun is Backward of values that share parameters; dScale and dZero are
// set to the gradients that each value contributes.
func (l *LSQ) backwardRun(dx, dScale, dZero, x, dy []float32, scale, zero, factor float32) {
	qmin, qmax := l.Spec.Range()
	lo, hi := float32(qmin), float32(qmax)
	inverse := 1 / scale
	for i, v := range x {
		g := dy[i]
		n := float32(math.RoundToEven(float64(v*inverse))) + zero
		dx[i], dScale[i], dZero[i] = 0, 0, 0
		switch {
		case n >= lo && n <= hi:
			dx[i] = g
			// One rounding, as PyTorch's compiler fuses it: the difference cancels.
			lost := float32(float64(n-zero)*float64(scale) - float64(v))
			dScale[i] = float32(float32(g*lost)*inverse) * factor
		case n < lo:
			dScale[i] = float32(g*(lo-zero)) * factor
			dZero[i] = float32(-g*scale) * factor
		case n > hi:
			dScale[i] = float32(g*(hi-zero)) * factor
			dZero[i] = float32(-g*scale) * factor
		}
		// A NaN matches no case and teaches nothing.
	}
}
