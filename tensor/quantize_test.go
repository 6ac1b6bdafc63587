package tensor_test

import (
	"math"
	"slices"
	"testing"

	"github.com/octet-ml/octet/tensor"
)

func TestQuantize(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	u8 := tensor.PerTensor(tensor.Uint8, 0.5, 3)
	for v, want := range map[float32]int32{0: 3, 0.25: 3, 0.75: 5, -0.25: 3, -0.75: 1, -9: 0, 200: 255, inf: 255, -inf: 0} {
		if got := u8.Quantize(v, 0); got != want {
			t.Errorf("%v is quantized to %d, want %d", v, got, want)
		}
	}
	if got := u8.Quantize(nan, 0); got != 3 {
		t.Errorf("NaN is quantized to %d, want the zero point", got)
	}
	q := &tensor.QParams{DType: tensor.Int8, Scheme: tensor.PerChannelAffine, Axis: 1, Scale: []float32{0.5, 2}, ZeroPoint: []int32{0, 1}, Min: -7, Max: 7}
	x, err := tensor.FromSlice([]float32{1, -1, 4, 100, -100, 2, -2, 6}, 2, 2, 2)
	if err != nil {
		t.Fatal(err)
	}
	y, err := x.Quantize(q)
	if err != nil {
		t.Fatal(err)
	}
	if want := []int8{2, -2, 3, 7, -7, 4, 0, 4}; !slices.Equal(y.Int8s(), want) || !y.QParams().Equal(q) {
		t.Errorf("quantized %v, want %v", y.Int8s(), want)
	}
	z, err := y.Dequantize()
	if err != nil {
		t.Fatal(err)
	}
	if want := []float32{1, -1, 4, 12, -3.5, 2, -2, 6}; !slices.Equal(z.Float32s(), want) {
		t.Errorf("dequantized %v, want %v", z.Float32s(), want)
	}
	if _, err := y.Quantize(q); err == nil {
		t.Error("integers are quantized")
	}
	if _, err := x.Dequantize(); err == nil {
		t.Error("what is not quantized is dequantized")
	}
}
