package ops

import (
	"slices"
	"testing"

	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// TestScatterRuns puts rows whose index is the same for all elements, for some, and for none, of several element types; of two elements for one
// place the last counts.
func TestScatterRuns(t *testing.T) {
	index := []int64{2, 2, 2, 2, 0, 0, 1, 1, 2, 0, 1, 2}
	want := []float32{4, 9, 102, 103, 104, 105, 10, 7, 8, 1, 2, 11}
	for _, d := range []tensor.DType{tensor.Float32, tensor.Float64, tensor.Float16, tensor.Int64, tensor.Int32, tensor.Uint8} {
		made := func(from int) *tensor.Tensor {
			v := make([]float32, 12)
			for i := range v {
				v[i] = float32(from + i)
			}
			x, err := tensor.FromSlice(v, 3, 4)
			if err == nil {
				x, err = x.To(d)
			}
			if err != nil {
				t.Fatal(err)
			}
			return x
		}
		i, err := tensor.FromSlice(index, 3, 4)
		if err != nil {
			t.Fatal(err)
		}
		out, err := Eval(Scatter{}, asm.Generic, nil, made(100), i, made(0))
		if err != nil {
			t.Fatalf("%v: %v", d, err)
		}
		got, err := out[0].To(tensor.Float32)
		if err != nil {
			t.Fatal(err)
		}
		if v := got.Contiguous().Float32s(); !slices.Equal(v, want) {
			t.Errorf("%v: %v, want %v", d, v, want)
		}
	}
}
