package tensor

import (
	"fmt"
	"math"
)

// Quantize returns the integer that stands for v in a channel, 0 without channels:
// clamp(roundToEven(v * (1/scale)) + zero point, Min, Max), the product in float32. A NaN becomes the zero point.
func (q *QParams) Quantize(v float32, channel int) int32 {
	zero := q.ZeroPoint[channel]
	if v != v {
		return zero
	}
	t := math.RoundToEven(float64(v * (1 / q.Scale[channel])))
	return int32(min(max(t+float64(zero), float64(q.Min)), float64(q.Max)))
}

// Dequantize returns the value that an integer of a channel stands for: (n - zero point) * scale.
func (q *QParams) Dequantize(n int32, channel int) float32 {
	return float32(n-q.ZeroPoint[channel]) * q.Scale[channel]
}

// Channels returns a function that says, for elements of a tensor of the given shape in row-major order, which scale they have.
func (q *QParams) Channels(shape Shape) func(i int) int {
	if !q.Scheme.PerChannel() {
		return func(int) int { return 0 }
	}
	inner := 1
	for _, d := range shape[q.Axis+1:] {
		inner *= d
	}
	n := shape[q.Axis]
	return func(i int) int { return i / inner % n }
}

// Quantize returns the integers of a float32 tensor, with the parameters q, which are valid for its shape.
func (t *Tensor) Quantize(q *QParams) (*Tensor, error) {
	if t.DType() != Float32 {
		return nil, fmt.Errorf("%v is quantized where float32 values are", t.DType())
	}
	out, err := New(q.DType, t.Shape()...)
	if err != nil {
		return nil, err
	}
	values, channel := t.Contiguous().Float32s(), q.Channels(t.Shape())
	switch q.DType {
	case Int8:
		quantizeInto(out.Int8s(), values, q, channel)
	case Uint8:
		quantizeInto(out.Uint8s(), values, q, channel)
	case Int32:
		quantizeInto(out.Int32s(), values, q, channel)
	default:
		return nil, fmt.Errorf("no integers of %v are quantized values", q.DType)
	}
	return out.WithQParams(q), nil
}

func quantizeInto[T int8 | uint8 | int32](dst []T, src []float32, q *QParams, channel func(int) int) {
	for i, v := range src {
		dst[i] = T(q.Quantize(v, channel(i)))
	}
}

// Dequantize returns the float32 values that the integers of a quantized tensor stand for.
func (t *Tensor) Dequantize() (*Tensor, error) {
	q := t.QParams()
	if q == nil {
		return nil, fmt.Errorf("%v is not quantized", t)
	}
	integers, err := t.Contiguous().WithQParams(nil).To(Int32)
	if err != nil {
		return nil, err
	}
	out, err := New(Float32, t.Shape()...)
	if err != nil {
		return nil, err
	}
	values, channel := out.Float32s(), q.Channels(t.Shape())
	for i, n := range integers.Contiguous().Int32s() {
		values[i] = q.Dequantize(n, channel(i))
	}
	return out, nil
}
