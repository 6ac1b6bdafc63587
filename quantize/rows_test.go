package quantize

import (
	"math"
	"testing"

	"github.com/octet-ml/octet/tensor"
)

// TestOutlierRows quantizes each row by itself where the inputs of linear layers have outliers, with the observers of 8 bits that count values alone.
func TestOutlierRows(t *testing.T) {
	f := newSmoothedFixture(t, outliers)
	q := f.calibrated(t, Options{})
	rows := func() int {
		n := 0
		for _, k := range quantized(t, q, f.model).Nodes {
			if k.Op.Name() == "int8.dynamic_linear" {
				n++
			}
		}
		return n
	}
	if n := rows(); n == 0 {
		t.Error("no layer quantizes rows")
	}
	better := f.sqnr(t, quantized(t, q, f.model))
	if !q.outliers {
		t.Error("the model is not smoothed")
	}
	native := *Native
	native.SmoothOutliers = false
	if plain := f.sqnr(t, quantized(t, f.calibrated(t, Options{Backend: &native}), f.model)); better < plain+2 {
		t.Errorf("%.1f dB smoothed, %.1f without", better, plain)
	}
	q.static = true
	if one := f.sqnr(t, quantized(t, q, f.model)); better < one+3 {
		t.Errorf("%.1f dB with a range for each row, %.1f with one for all", better, one)
	}
	for _, c := range []ObserverConfig{{Kind: MinMax, Spec: nativeU8}, {Kind: MSE, Spec: nativeU8.WithBits(6)}} {
		q = f.calibrated(t, Options{Activation: &c})
		if n := rows(); n > 0 {
			t.Errorf("%v: %d layers quantize rows", c, n)
		}
	}
}

// TestErrorBehind chooses the range that loses least behind a function: one that leaves negative values nearly nothing has them clipped.
func TestErrorBehind(t *testing.T) {
	x, err := tensor.New(tensor.Float32, 10000)
	if err != nil {
		t.Fatal(err)
	}
	for i := range x.Float32s() {
		x.Float32s()[i] = float32(i)/5000 - 1.5 // -1.5 to 0.5
	}
	o, err := ObserverConfig{Kind: MSE, Spec: nativeU8}.New("x")
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Observe(x); err != nil {
		t.Fatal(err)
	}
	slope := func(a float32) *function {
		return &function{of: func(dst, src []float32) error {
			for i, v := range src {
				dst[i] = max(v, a*v)
			}
			return nil
		}}
	}
	whole, err := o.QParams()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range []float32{1, 0.01} {
		q := &Quantizer{functions: map[string]*function{"x": slope(a)}}
		p, err := q.behind("x", o)
		if err != nil {
			t.Fatal(err)
		}
		if same := math.Abs(float64(p.Scale[0]/whole.Scale[0])-1) < 0.02; same != (a == 1) {
			t.Errorf("slope %v: the step is %v, that of the whole range %v", a, p.Scale[0], whole.Scale[0])
		}
	}
	if p, err := (&Quantizer{}).behind("x", o); p != nil || err != nil {
		t.Errorf("without a function: %v, %v", p, err)
	}
}
