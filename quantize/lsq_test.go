package quantize

import (
	"fmt"
	"math"
	"testing"

	"github.com/octet-ml/octet/tensor"
)

type lsqCase struct {
	DType     string `json:"dtype"`
	QScheme   string `json:"qscheme"`
	Axis      int    `json:"ch_axis"`
	Scale     []float32
	ZeroPoint []float32 `json:"zero_point"`
	QuantMin  int32     `json:"quant_min"`
	QuantMax  int32     `json:"quant_max"`
	Factor    float64   `json:"grad_scale_factor"`
	Input     goldenTensor
	Output    goldenTensor
	DY        goldenTensor `json:"grad_output"`
	DX        goldenTensor `json:"grad_input"`
	DScale    []float32    `json:"grad_scale"`
	DZero     []float32    `json:"grad_zero_point"`
}

func TestGoldenLSQ(t *testing.T) {
	var g struct{ Cases []lsqCase }
	readGolden(t, "lsq.json", &g)
	if len(g.Cases) == 0 {
		t.Fatal("lsq.json holds no cases")
	}
	for i, c := range g.Cases {
		t.Run(fmt.Sprintf("%d/%s/%s", i, c.DType, c.QScheme), func(t *testing.T) {
			spec := goldenSpec(t, c.DType, c.QScheme, c.Axis)
			if lo, hi := tensor.QRange(spec.DType); lo != c.QuantMin || hi != c.QuantMax {
				spec.Min, spec.Max = c.QuantMin, c.QuantMax
			}
			l := &lsq{Spec: spec, Scale: c.Scale, ZeroPoint: c.ZeroPoint}
			l.Constrain()
			n := len(c.Input.Data)
			if f := l.GradientFactor(n); f != float32(c.Factor) {
				t.Errorf("gradient factor %v, want %v", f, c.Factor)
			}
			out := make([]float32, n)
			if err := l.Forward(out, c.Input.Data, c.Input.Shape); err != nil {
				t.Fatal(err)
			}
			sameBits(t, "output", out, c.Output.Data)
			dx, ds, dz := make([]float32, n), make([]float32, len(c.Scale)), make([]float32, len(c.Scale))
			if err := l.Backward(dx, ds, dz, c.Input.Data, c.DY.Data, c.Input.Shape, float32(c.Factor)); err != nil {
				t.Fatal(err)
			}
			sameBits(t, "input gradient", dx, c.DX.Data)
			within(t, "scale gradient", ds, c.DScale, 1e-5)
			within(t, "zero point gradient", dz, c.DZero, 1e-5)
		})
	}
}

// within fails unless all values are within a relative tolerance.
func within(t *testing.T, what string, got, want []float32, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
	}
	for i := range got {
		g, w := float64(got[i]), float64(want[i])
		if !(math.Abs(g-w) <= tolerance*math.Abs(w)) {
			t.Errorf("%s: [%d] = %v, want %v: off by %.2g relative", what, i, g, w, math.Abs(g-w)/math.Abs(w))
		}
	}
}
