package ops_test

import (
	"testing"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// TestInterpolateQuantized compares the nearest modes on integers with those on
// the same numbers as floats.
func TestInterpolateQuantized(t *testing.T) {
	q := tensor.PerTensor(tensor.Uint8, 0.1, 3)
	bytes, _ := tensor.New(tensor.Uint8, 2, 3, 5, 4)
	floats, _ := tensor.New(tensor.Float32, 2, 3, 5, 4)
	for i := range bytes.Uint8s() {
		bytes.Uint8s()[i] = uint8(i * 7)
		floats.Float32s()[i] = float32(uint8(i * 7))
	}
	for _, op := range []ops.Interpolate{
		{Mode: ops.Nearest, Size: []int{10, 9}}, {Mode: ops.NearestExact, Scales: []float64{1.7, 0.6}},
		{Mode: ops.Nearest, Size: []int{7, 8}, NHWC: true},
	} {
		want, err := ops.Eval(op, asm.Generic, nil, floats)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ops.Eval(op, asm.Generic, nil, bytes.WithQParams(q))
		if err != nil {
			t.Fatal(err)
		}
		if !got[0].QParams().Equal(q) || !got[0].Shape().Equal(want[0].Shape()) {
			t.Fatalf("%+v gives %v", op, got[0])
		}
		for i, v := range want[0].Float32s() {
			if float32(got[0].Uint8s()[i]) != v {
				t.Fatalf("%+v: element %d is %d, want %v", op, i, got[0].Uint8s()[i], v)
			}
		}
	}
	if _, err := (ops.Interpolate{Mode: ops.Cubic, Size: []int{7, 8}}).Infer([]ops.Type{{DType: tensor.Uint8, Shape: tensor.Shape{1, 3, 5, 4}, Q: q}}); err == nil {
		t.Error("bicubic interpolation of integers is accepted")
	}
}

// TestInterpolateQuantizedLinearly compares bilinear interpolation of integers with that of what they stand for, within
// half a step, in both layouts and for several threads.
func TestInterpolateQuantizedLinearly(t *testing.T) {
	q := tensor.PerTensor(tensor.Uint8, 1, 40)
	q.Min, q.Max = 2, 240
	bytes, _ := tensor.New(tensor.Uint8, 2, 3, 5, 4)
	floats, _ := tensor.New(tensor.Float32, 2, 3, 5, 4)
	for i := range bytes.Uint8s() {
		v := min(max(uint8(i*37), 2), 240)
		bytes.Uint8s()[i], floats.Float32s()[i] = v, float32(v)-40
	}
	pool := ops.NewPool(3)
	defer pool.Close()
	for _, op := range []ops.Interpolate{
		{Mode: ops.Linearly, Size: []int{10, 9}}, {Mode: ops.Linearly, Scales: []float64{1.7, 0.6}}, {Mode: ops.Linearly, Size: []int{5, 4}},
		{Mode: ops.Linearly, Size: []int{7, 8}, NHWC: true}, {Mode: ops.Linearly, Size: []int{1, 13}, AlignCorners: true},
	} {
		want, err := ops.Eval(op, asm.Generic, nil, floats)
		if err != nil {
			t.Fatal(err)
		}
		var first []byte
		for _, tier := range asm.Supported() {
			got, err := ops.Eval(op, tier, pool, bytes.WithQParams(q))
			if err != nil {
				t.Fatal(err)
			}
			if !got[0].QParams().Equal(q) || !got[0].Shape().Equal(want[0].Shape()) {
				t.Fatalf("%+v gives %v", op, got[0])
			}
			for i, v := range want[0].Float32s() {
				if d := float32(got[0].Uint8s()[i]) - 40 - v; d < -0.5001 || d > 0.5001 {
					t.Fatalf("%+v: element %d is %d, want %v", op, i, got[0].Uint8s()[i], v+40)
				}
			}
			if first == nil {
				first = got[0].Uint8s()
			} else if string(first) != string(got[0].Uint8s()) {
				t.Errorf("%+v: %v gives other bits", op, tier)
			}
		}
	}
}
