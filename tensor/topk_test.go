package tensor_test

import (
	"math"
	"slices"
	"testing"

	"github.com/octet-ml/octet/tensor"
)

var nan = float32(math.NaN())

// TestTopK checks order, ties and NaN, as torch.topk has them, on views too.
func TestTopK(t *testing.T) {
	x, err := tensor.FromSlice([]float32{1, 5, 5, -2, nan, 3, 0, 0}, 2, 4)
	if err != nil {
		t.Fatal(err)
	}
	values, indices, err := tensor.TopK(x, 3)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(indices.Int64s(), []int64{1, 2, 0, 0, 1, 2}) || values.Float32s()[2] != 1 || values.Float32s()[3] == values.Float32s()[3] || !values.Shape().Equal(tensor.Shape{2, 3}) {
		t.Errorf("%+v %+v", values, indices)
	}
	columns, err := x.Permute(1, 0)
	if err != nil {
		t.Fatal(err)
	}
	if values, indices, err = tensor.TopK(columns, 1); err != nil || !slices.Equal(indices.Int64s(), []int64{1, 0, 0, 1}) || values.Float32s()[1] != 5 {
		t.Errorf("%+v %+v %v", values, indices, err)
	}
	q, err := x.Quantize(tensor.PerTensor(tensor.Uint8, 1, 2))
	if err != nil {
		t.Fatal(err)
	}
	if values, _, err = tensor.TopK(q, 1); err != nil || values.Float32s()[0] != 5 {
		t.Errorf("%+v %v", values, err)
	}
	for _, k := range []int{-1, 5} {
		if _, _, err := tensor.TopK(x, k); err == nil {
			t.Errorf("the %d greatest of 4", k)
		}
	}
	if _, _, err := tensor.TopK(tensor.Scalar(float32(1)), 1); err == nil {
		t.Error("a tensor without rows")
	}
	empty, err := tensor.New(tensor.Float32, 2, 0)
	if err != nil {
		t.Fatal(err)
	}
	if values, _, err = tensor.TopK(empty, 0); err != nil || values.Numel() != 0 {
		t.Errorf("%v %v", values, err)
	}
}

// TestSoftmax compares with values of torch.softmax, at logits that float32 could not exponentiate too.
func TestSoftmax(t *testing.T) {
	x, err := tensor.FromSlice([]float32{0, 1, 2, 1000, 1000, -1000}, 2, 3)
	if err != nil {
		t.Fatal(err)
	}
	y, err := tensor.Softmax(x)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []float32{0.09003057, 0.24472848, 0.66524094, 0.5, 0.5, 0} {
		if math.Abs(float64(y.Float32s()[i]-want)) > 1e-7 {
			t.Errorf("element %d is %v, PyTorch has %v", i, y.Float32s()[i], want)
		}
	}
	z, err := tensor.FromSlice([]int64{3, 3}, 1, 2)
	if err != nil {
		t.Fatal(err)
	}
	if y, err = tensor.Softmax(z); err != nil || !slices.Equal(y.Float32s(), []float32{0.5, 0.5}) {
		t.Errorf("%+v %v", y, err)
	}
}
