package ops

import (
	"math"
	"unsafe"
)

// SmallScale is the least scale that PyTorch chooses, SMALL_SCALE_THRESHOLD.
const SmallScale = float32(6.1e-5)

// ChooseFBGEMM returns scale and zero point that make integers from lo to hi of values from least to most, which are around 0: ChooseQuantizationParams of
// FBGEMM. It takes the zero point from the end of the range whose rounding error is less.
func ChooseFBGEMM(least, most float32, lo, hi int32) (scale float32, zero int32) {
	steps := hi - lo
	wide := (float64(most) - float64(least)) / float64(steps)
	if s := float32(wide); s == 0 || math.IsInf(float64(1/s), 0) {
		wide = 0.1
	}
	if wide < float64(SmallScale) {
		amplifier := SmallScale / float32(wide)
		wide = float64(SmallScale)
		switch {
		case least == 0:
			most = SmallScale * float32(steps)
		case most == 0:
			least = -SmallScale * float32(steps)
		default:
			least, most = least*amplifier, most*amplifier
		}
	}
	low, high := float64(least)/wide, float64(most)/wide
	from := float64(hi) - high
	if math.Abs(float64(lo))-math.Abs(low) < math.Abs(float64(hi))-math.Abs(high) {
		from = float64(lo) - low
	}
	return float32(wide), int32(min(max(math.RoundToEven(from), float64(lo)), float64(hi)))
}

// roundRows writes rows to dst, one after the other, rounded to what 7 bits keep with one range for all, as PyTorch rounds what
// quantized::linear_dynamic multiplies.
func roundRows(dst unsafe.Pointer, x RNNRows) {
	least, most := float32(0), float32(0)
	for i := range x.Steps * x.Batch {
		for _, v := range row[float32](x.At(i/x.Batch, i%x.Batch), 0, x.Len) {
			least, most = min(least, v), max(most, v)
		}
	}
	const greatest = 127 // PyTorch leaves out a bit, so that 16 hold a sum of two products
	scale, zero := ChooseFBGEMM(max(least, -math.MaxFloat32), min(most, math.MaxFloat32), 0, greatest)
	inverse := 1 / scale
	for i := range x.Steps * x.Batch {
		out := row[float32](dst, i*x.Len, x.Len)
		for j, v := range row[float32](x.At(i/x.Batch, i%x.Batch), 0, x.Len) {
			q := min(max(float32(math.RoundToEven(float64(v*inverse)))+float32(zero), 0), 255) // not greatest: the zero point is rounded, too
			out[j] = (q - float32(zero)) * scale
		}
	}
}
