package quantize

import (
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// TestBehindFunctions takes ranges in front of functions from the errors behind them, where they only rise: results lose less.
func TestBehindFunctions(t *testing.T) {
	plain := *Native
	plain.BehindFunctions = false
	for _, c := range []struct {
		of    ops.Unary
		least float64 // dB that are won
		same  bool    // the range in front is that of the values themselves
	}{
		{ops.Unary{Fn: ops.ELU, Alpha: 1}, 0.5, false},
		{ops.Unary{Fn: ops.SELU}, 0.5, false},
		{ops.Unary{Fn: ops.Softplus, Alpha: 1, Beta: 20}, 0.5, false},
		{ops.Unary{Fn: ops.LeakyReLU, Alpha: 0.1}, 0.2, false},
		{ops.Unary{Fn: ops.Erf}, 0.5, false},
		{ops.Unary{Fn: ops.SiLU}, -0.3, true},
		{ops.Unary{Fn: ops.Log}, 0, false},
	} {
		f := &smoothedFixture{model: build(t, []int{2, 3, 12, 12}, func(b *nn.Context, x *graph.Value) *graph.Value {
			x = b.Call("a", nn.Conv2d{In: 3, Out: 8, Kernel: 3, Padding: 1}, x)
			if c.of.Fn == ops.Log { // of the integer 0, -Inf
				x = b.Apply(ops.Unary{Fn: ops.ClampMin, Alpha: 0.05}, x)
			}
			return b.Call("b", nn.Conv2d{In: 8, Out: 8, Kernel: 3, Padding: 1}, b.Apply(c.of, x))
		}), calib: &dataset{}, test: &dataset{}}
		for _, v := range f.model.Constants() {
			if v.Name == "a.weight" {
				v.Const = scaledAlong(v.Const, 0, []float32{4, 4, 4, 4, 4, 4, 4, 4}, false)
			}
		}
		for i := range uint64(4) {
			f.calib.batches = append(f.calib.batches, []*tensor.Tensor{randomInput(t, i+1, 2, 3, 12, 12)})
			f.test.batches = append(f.test.batches, []*tensor.Tensor{randomInput(t, i+100, 2, 3, 12, 12)})
		}
		measure := func(opts Options) (*Parameters, float64) {
			q := f.calibrated(t, opts)
			p, err := q.Parameters(f.model)
			if err != nil {
				t.Fatal(c.of, err)
			}
			return p, f.sqnr(t, quantized(t, q, f.model))
		}
		before, without := measure(Options{Backend: &plain})
		after, with := measure(Options{})
		if same := after.Activations["a"].Scale[0] == before.Activations["a"].Scale[0]; with < without+c.least || same != c.same && c.of.Fn != ops.Log {
			t.Errorf("%v: %.2f dB and %v in front, %.2f and %v without", c.of, with, after.Activations["a"], without, before.Activations["a"])
		}
	}
}
