package quantize

import (
	"math"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/int8"
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

// TestProductsKeepIntegers multiplies by numbers: above 0 the integers stay what they are, and nothing is rounded.
func TestProductsKeepIntegers(t *testing.T) {
	for _, by := range []float32{0.7, 1.0 / 3, 12, -0.7} {
		f := &smoothedFixture{model: build(t, []int{2, 3, 8, 8}, func(b *nn.Context, x *graph.Value) *graph.Value {
			number, err := tensor.FromSlice([]float32{by})
			if err != nil {
				t.Fatal(err)
			}
			x = b.Call("a", nn.Conv2d{In: 3, Out: 8, Kernel: 3, Padding: 1}, x)
			return b.Call("b", nn.Conv2d{In: 8, Out: 8, Kernel: 3, Padding: 1}, b.Apply(ops.Binary{Fn: ops.Mul, BNumber: true}, x, b.Const(number)))
		}), calib: &dataset{batches: [][]*tensor.Tensor{{randomInput(t, 1, 2, 3, 8, 8)}}}}
		q := f.calibrated(t, Options{})
		p, err := q.Parameters(f.model)
		if err != nil {
			t.Fatal(err)
		}
		a, y := p.Activations["a"], p.Activations["mul"]
		if same := a.ZeroPoint[0] == y.ZeroPoint[0] && math.Abs(float64(y.Scale[0]/(a.Scale[0]*by)-1)) < 1e-6; same != (by > 0) {
			t.Errorf("times %v: %v in front, %v behind", by, a, y)
		}
		for _, n := range quantized(t, q, f.model).Nodes {
			if table, is := n.Op.(int8.Table); is && by > 0 {
				for i, v := range table.Values {
					if int(v) != i {
						t.Fatalf("times %v: integer %d becomes %d", by, i, v)
					}
				}
			}
		}
	}
}
