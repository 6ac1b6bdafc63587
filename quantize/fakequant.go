package quantize

import (
	"errors"
	"fmt"
	"math"

	"github.com/octet-ml/octet/tensor"
)

// FakeQuantize writes to dst what remains of src, a row-major tensor of the
// given shape, after it is quantized with q and dequantized again:
//
//	integer = clamp(roundToEven(x * (1/scale)) + zero, Min, Max)
//	dst     = (integer - zero) * scale
//
// the product of the first line in float32, as torch.fake_quantize_per_tensor_affine
// and torch.fake_quantize_per_channel_affine have it. A NaN becomes 0, the value
// of the zero point; infinities saturate. dst may be src.
func fakeQuantize(dst, src []float32, shape tensor.Shape, q *tensor.QParams) error {
	if err := checkFake(dst, src, shape, q); err != nil {
		return err
	}
	forChannels(shape, q, len(src), func(c, from, to int) {
		fakeQuantizeRun(dst[from:to], src[from:to], q.Scale[c], q.ZeroPoint[c], q.Min, q.Max)
	})
	return nil
}

// checkFake checks lengths and parameters.
func checkFake(dst, src []float32, shape tensor.Shape, q *tensor.QParams) error {
	if q == nil {
		return errors.New("quantize: no quantization parameters")
	}
	n, err := shape.Numel()
	if err != nil {
		return err
	}
	if len(src) != n || len(dst) != n {
		return fmt.Errorf("quantize: %d and %d values where shape %v has %d", len(dst), len(src), shape, n)
	}
	return q.Validate(shape)
}

// forChannels calls f with each run of elements that share parameters.
func forChannels(shape tensor.Shape, q *tensor.QParams, n int, f func(c, from, to int)) {
	if !q.Scheme.PerChannel() {
		f(0, 0, n)
		return
	}
	outer, count, inner := channels(shape, q.Axis)
	for i := range outer * count {
		f(i%count, i*inner, (i+1)*inner)
	}
}

// fakeQuantizeRun is fakeQuantize of values that share parameters.
func fakeQuantizeRun(dst, src []float32, scale float32, zero, qmin, qmax int32) {
	inverse := 1 / scale
	z, lo, hi, s := float64(zero), float64(qmin), float64(qmax), float64(scale)
	for i, x := range src {
		v := math.RoundToEven(float64(x*inverse)) + z
		if v != v {
			v = z
		}
		// The product is exact in float64 for 8-bit integers, so it rounds once.
		dst[i] = float32((min(max(v, lo), hi) - z) * s)
	}
}
