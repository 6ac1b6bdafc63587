package int8_test

import (
	"testing"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/ops/int8"
	"github.com/octet-ml/octet/tensor"
)

// TestTableOf compares tables with the float operator on each integer.
func TestTableOf(t *testing.T) {
	in := tensor.PerTensor(tensor.Uint8, 0.05, 120)
	in.Min, in.Max = 10, 250
	out := tensor.PerTensor(tensor.Uint8, 0.02, 14)
	six := tensor.Scalar(float32(6))
	for _, c := range []struct {
		op       ops.Op
		operands []*tensor.Tensor
	}{
		{ops.Unary{Fn: ops.HardSwish}, []*tensor.Tensor{nil}},
		{ops.Unary{Fn: ops.LeakyReLU, Alpha: 0.1}, []*tensor.Tensor{nil}},
		{ops.Unary{Fn: ops.GELU}, []*tensor.Tensor{nil}},
		{ops.Binary{Fn: ops.Div, BNumber: true}, []*tensor.Tensor{nil, six}},
		{ops.Binary{Fn: ops.Sub, ANumber: true}, []*tensor.Tensor{six, nil}},
	} {
		table, err := int8.TableOf(c.op, in, out, c.operands...)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 256 {
			q := min(max(int32(i), in.Min), in.Max)
			x, _ := tensor.FromSlice([]float32{float32(q-120) * 0.05}, 1)
			inputs := make([]*tensor.Tensor, len(c.operands))
			for k, v := range c.operands {
				inputs[k] = v
				if v == nil {
					inputs[k] = x
				}
			}
			y, err := ops.Eval(c.op, asm.Generic, nil, inputs...)
			if err != nil {
				t.Fatal(err)
			}
			if want := out.Quantize(y[0].Float32s()[0], 0); int32(table.Values[i]) != want {
				t.Errorf("%s of integer %d is %d, want %d", c.op.Name(), i, table.Values[i], want)
			}
		}
	}
}
