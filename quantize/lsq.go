package quantize

import (
	"fmt"

	"github.com/octet-ml/octet/tensor"
)

// lsq is a learnable fake-quantize (Esser et al., Learned Step Size
// Quantization, 2020; Bhalgat et al., LSQ+, 2020): scale and zero point are
// trained with the weights. The toolkit's LSQObserver and
// torch._fake_quantize_learnable_per_tensor_affine and its per-channel form define it.
type lsq struct {
	Spec      Spec
	Scale     []float32 // one, or one per channel
	ZeroPoint []float32 // as many; not rounded
}

// newLSQ returns the learnable form of calibrated parameters.
func newLSQ(q *tensor.QParams) (*lsq, error) {
	if q == nil || len(q.Scale) == 0 || len(q.ZeroPoint) != len(q.Scale) {
		return nil, fmt.Errorf("quantize: no parameters to learn from: %v", q)
	}
	l := &lsq{Spec: Spec{DType: q.DType, Scheme: q.Scheme, Axis: q.Axis, Min: q.Min, Max: q.Max}}
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
// range; a scale is at least the spec's, where a training step may have taken it below.
func (l *lsq) Constrain() {
	lo, hi := l.Spec.Range()
	for i, z := range l.ZeroPoint {
		if l.Spec.Scheme.Symmetric() {
			l.ZeroPoint[i] = 0
		} else {
			l.ZeroPoint[i] = min(max(z, float32(lo)), float32(hi))
		}
		l.Scale[i] = max(l.Scale[i], l.Spec.leastScale())
	}
}

// QParams returns the parameters the forward quantizes with: the zero point is
// rounded half to even.
func (l *lsq) QParams() (*tensor.QParams, error) {
	q := &tensor.QParams{DType: l.Spec.DType, Scheme: l.Spec.Scheme, Axis: l.Spec.Axis}
	q.Min, q.Max = l.Spec.Range()
	for i, s := range l.Scale {
		z := l.ZeroPoint[i]
		if !isFinite(s) || !isFinite(z) {
			return nil, fmt.Errorf("quantize: learned scale %v or zero point %v: %w", s, z, ErrNotFinite)
		}
		q.Scale = append(q.Scale, s)
		q.ZeroPoint = append(q.ZeroPoint, l.Spec.params().RoundZero(z))
	}
	return q, nil
}

// GradientFactor returns what the gradients of scale and zero point are
// multiplied with for a tensor of n elements: 1/sqrt(quant_max * n).
func (l *lsq) GradientFactor(n int) float32 { return l.Spec.params().GradientFactor(n) }
