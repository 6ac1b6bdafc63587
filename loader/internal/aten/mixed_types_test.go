package aten

import (
	"testing"

	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// TestMixedTypes multiplies matrices of different element types, which PyTorch refuses: it promotes in no product.
func TestMixedTypes(t *testing.T) {
	table, err := Operators()
	if err != nil {
		t.Fatal(err)
	}
	products := map[string][][]int{
		"aten::matmul": {{2, 2}, {2, 2}}, "aten::mm": {{2, 2}, {2, 2}}, "aten::bmm": {{1, 2, 2}, {1, 2, 2}}, "aten::mv": {{2, 2}, {2}},
		"aten::dot": {{2}, {2}}, "aten::vdot": {{2}, {2}}, "aten::inner": {{2, 2}, {2, 2}}, "aten::linear": {{2, 2}, {2, 2}},
		"aten::addmm": {{2, 2}, {2, 2}, {2, 2}}, "aten::addmv": {{2}, {2, 2}, {2}}, "aten::baddbmm": {{1, 2, 2}, {1, 2, 2}, {1, 2, 2}},
		"aten::addbmm": {{2, 2}, {1, 2, 2}, {1, 2, 2}}, "aten::conv1d": {{1, 1, 3}, {1, 1, 1}}, "aten::conv2d": {{1, 1, 3, 3}, {1, 1, 1, 1}},
		"aten::conv3d": {{1, 1, 3, 3, 3}, {1, 1, 1, 1, 1}}, "aten::conv_transpose1d": {{1, 1, 3}, {1, 1, 1}}, "aten::conv_transpose2d": {{1, 1, 3, 3}, {1, 1, 1, 1}},
	}
	types := []tensor.DType{tensor.Float32, tensor.Float64, tensor.Float16, tensor.Uint8, tensor.Int64, tensor.Bool}
	for name, shapes := range products {
		for odd := range shapes { // the operand of another type
			for _, d := range types {
				for _, other := range types {
					m := NewEvaluator(table, LatestVersion, nil)
					args := make([]Value, len(shapes))
					for i, shape := range shapes {
						own := d
						if i == odd {
							own = other
						}
						args[i] = build.NewTensor(m.Input("x", ops.Type{DType: own, Shape: shape}))
					}
					_, err := m.Dispatch(name, args, nil)
					if d != other && err == nil {
						t.Errorf("%s takes %v for operand %d beside %v", name, other, odd, d)
					}
					if d == other && d == tensor.Float32 && err != nil {
						t.Errorf("%s: %v", name, err)
					}
				}
			}
		}
	}
}
