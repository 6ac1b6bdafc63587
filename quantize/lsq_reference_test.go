package quantize

import (
	"fmt"
	"math"

	"github.com/octet-ml/octet/tensor"
)

// Forward writes the fake-quantized src, a row-major tensor of the given shape,
// to dst.
func (l *lsq) Forward(dst, src []float32, shape tensor.Shape) error {
	q, err := l.QParams()
	if err != nil {
		return err
	}
	return fakeQuantize(dst, src, shape, q)
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
func (l *lsq) Backward(dx, dScale, dZero, x, dy []float32, shape tensor.Shape, factor float32) error {
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
		zero := l.Spec.params().GradientZero(l.ZeroPoint[c])
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

// backwardRun is Backward of values that share parameters; dScale and dZero are
// set to the gradients that each value contributes.
func (l *lsq) backwardRun(dx, dScale, dZero, x, dy []float32, scale, zero, factor float32) {
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
