package ops

import (
	"math"

	"github.com/octet-ml/octet/tensor"
)

// QuantizeScalar returns the integer that per-tensor parameters give to v:
// clamp(roundToEven(v * (1/scale)) + zero point). A NaN becomes the zero point.
func QuantizeScalar(v float32, q *tensor.QParams) int32 {
	if v != v {
		return q.ZeroPoint[0]
	}
	inv := 1 / q.Scale[0]
	t := float64(v * inv)
	z := float64(q.ZeroPoint[0])
	return int32(min(max(math.RoundToEven(t)+z, float64(q.Min)), float64(q.Max)))
}
