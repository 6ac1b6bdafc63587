package quantize

import (
	"errors"
	"math"
	"testing"

	"github.com/octet-ml/octet/tensor"
)

func TestFakeQuantizeSpecialValues(t *testing.T) {
	q := tensor.PerTensor(tensor.Uint8, 0.5, 10)
	in := []float32{nan32, inf32, -inf32, math.MaxFloat32, -math.MaxFloat32, 0.25, 0.75, -0.25, 0, -5, -5.5, 122.5}
	want := []float32{0, 122.5, -5, 122.5, -5, 0, 1, 0, 0, -5, -5, 122.5}
	if err := fakeQuantize(in, in, tensor.Shape{len(in)}, q); err != nil {
		t.Fatal(err)
	}
	sameBits(t, "in place", in, want)
}

func TestFakeQuantizePerChannel(t *testing.T) {
	q := &tensor.QParams{DType: tensor.Int8, Scheme: tensor.PerChannelAffine, Axis: 1, Scale: []float32{1, 0.5}, ZeroPoint: []int32{0, 2}, Min: -4, Max: 3}
	in := []float32{0.4, 9, 0.4, 9, -9, 1.2, -9, 1.2} // [2, 2, 2]
	want := []float32{0, 3, 0.5, 0.5, -4, 1, -3, 0.5}
	out := make([]float32, len(in))
	if err := fakeQuantize(out, in, tensor.Shape{2, 2, 2}, q); err != nil {
		t.Fatal(err)
	}
	sameBits(t, "per channel", out, want)
}

func TestFakeQuantizeRefuses(t *testing.T) {
	q := tensor.PerTensor(tensor.Uint8, 0.5, 10)
	channel := &tensor.QParams{DType: tensor.Int8, Scheme: tensor.PerChannelSymmetric, Axis: 0, Scale: []float32{1}, ZeroPoint: []int32{0}, Min: -4, Max: 3}
	four := make([]float32, 4)
	for name, err := range map[string]error{
		"short input":   fakeQuantize(four, four[:3], tensor.Shape{4}, q),
		"short output":  fakeQuantize(four[:3], four, tensor.Shape{4}, q),
		"shape":         fakeQuantize(four, four, tensor.Shape{5}, q),
		"negative":      fakeQuantize(four, four, tensor.Shape{-4}, q),
		"channels":      fakeQuantize(four, four, tensor.Shape{4}, channel),
		"no parameters": fakeQuantize(four, four, tensor.Shape{4}, &tensor.QParams{}),
		"nil":           fakeQuantize(four, four, tensor.Shape{4}, nil),
	} {
		if err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	if err := fakeQuantize(nil, nil, tensor.Shape{0, 2}, q); err != nil {
		t.Errorf("an empty tensor: %v", err)
	}
}

func TestLSQConstrain(t *testing.T) {
	l := &lsq{Spec: affineU8, Scale: []float32{-1}, ZeroPoint: []float32{300}}
	l.Constrain()
	if l.Scale[0] != epsilon || l.ZeroPoint[0] != 255 {
		t.Errorf("affine: scale %v, zero point %v", l.Scale[0], l.ZeroPoint[0])
	}
	l = &lsq{Spec: symmetricS8, Scale: []float32{0.5}, ZeroPoint: []float32{3}}
	l.Constrain()
	if l.Scale[0] != 0.5 || l.ZeroPoint[0] != 0 {
		t.Errorf("symmetric: scale %v, zero point %v", l.Scale[0], l.ZeroPoint[0])
	}
	l.Scale[0] = nan32
	if err := l.Forward(nil, nil, tensor.Shape{0}); !errors.Is(err, ErrNotFinite) {
		t.Errorf("scale NaN: error %v", err)
	}
}

func TestNewLSQ(t *testing.T) {
	o := newObserver(t, ObserverConfig{Kind: MinMax, Spec: symmetricS8.WithBits(4)})
	observe(t, o, []int{4}, -1, 0.2, 0.3, 2)
	q := qparams(t, o)
	l, err := newLSQ(q)
	if err != nil {
		t.Fatal(err)
	}
	if back, err := l.QParams(); err != nil || !back.Equal(q) {
		t.Errorf("%v became %v (%v)", q, back, err)
	}
	for _, bad := range []*tensor.QParams{nil, {}, {DType: tensor.Float32, Scale: []float32{1}, ZeroPoint: []int32{0}}} {
		if _, err := newLSQ(bad); err == nil {
			t.Errorf("%v was accepted", bad)
		}
	}
}

// The gradients inside the range are those of the rounding error with a
// straight-through estimator, outside those of the clipped end.
func TestLSQBackward(t *testing.T) {
	l := &lsq{Spec: affineU8.WithBits(2), Scale: []float32{0.5}, ZeroPoint: []float32{1}}
	x := []float32{0.2, -9, 9, nan32} // 0..3 stand for -0.5..1
	dy := []float32{3, 5, 7, 11}
	dx, ds, dz := make([]float32, 4), []float32{100}, []float32{200}
	if err := l.Backward(dx, ds, dz, x, dy, tensor.Shape{4}, 0.25); err != nil {
		t.Fatal(err)
	}
	sameBits(t, "dx", dx, []float32{3, 0, 0, 0})
	within(t, "dScale", ds, []float32{100 + 0.25*(3*(0-0.2)/0.5+5*(0-1)+7*(3-1))}, 1e-6)
	within(t, "dZero", dz, []float32{200 - 0.25*0.5*(5+7)}, 1e-6)
	for name, err := range map[string]error{
		"short dy":     l.Backward(dx, ds, dz, x, dy[:3], tensor.Shape{4}, 1),
		"short dScale": l.Backward(dx, nil, dz, x, dy, tensor.Shape{4}, 1),
		"short dZero":  l.Backward(dx, ds, nil, x, dy, tensor.Shape{4}, 1),
		"shape":        l.Backward(dx, ds, dz, x, dy, tensor.Shape{2}, 1),
	} {
		if err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

func TestBiasQParams(t *testing.T) {
	weight := &tensor.QParams{DType: tensor.Int8, Scheme: tensor.PerChannelSymmetric, Scale: []float32{0.5, 1e-30}, ZeroPoint: []int32{0, 0}}
	act := tensor.PerTensor(tensor.Uint8, 1e-30, 3)
	q, err := biasQParams(weight, act)
	if err != nil {
		t.Fatal(err)
	}
	if err := q.Validate(tensor.Shape{2}); err != nil {
		t.Error(err)
	}
	for _, pair := range [][2]*tensor.QParams{{nil, act}, {weight, nil}, {{}, act}, {weight, weight}} {
		if _, err := biasQParams(pair[0], pair[1]); err == nil {
			t.Errorf("%v was accepted", pair)
		}
	}
}
