package quantize

import (
	"bytes"
	"context"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/internal/shareddata"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// TestNumbers checks that functions of a value and a number of Python, which has a type of its own, are int8 between int8 operators, and
// are trained as they are deployed.
func TestNumbers(t *testing.T) {
	number := func(c *nn.Context, fn ops.BinaryFn, x, n *graph.Value) *graph.Value {
		return c.Apply(ops.Binary{Fn: fn, BNumber: true}, x, n)
	}
	m := build(t, []int{1, 32}, func(c *nn.Context, x *graph.Value) *graph.Value {
		v := c.Call("a", nn.Linear{In: 32, Out: 48}, x)
		v = number(c, ops.Mul, v, c.Const(tensor.Scalar(0.1)))
		v = c.Apply(ops.Binary{Fn: ops.Sub, ANumber: true}, c.Const(tensor.Scalar(int64(2))), v)
		v = number(c, ops.Div, v, c.Const(tensor.Scalar(int64(3))))
		return c.Call("b", nn.Linear{In: 48, Out: 8}, v)
	})
	x := randomInput(t, 3, 16, 32)
	q, _ := parametersWith(t, Native, m, x)
	g := quantized(t, q, m)
	for _, l := range q.Report().Layers {
		if l.Precision != "int8" {
			t.Errorf("%s %s is %s: %s", l.Name, l.Op, l.Precision, l.Reason)
		}
	}
	if s := sumsOf(run(t, m, x)[0].Float32s(), run(t, g, x)[0].Float32s()).sqnr(); s < 30 {
		t.Errorf("%.1f dB", s)
	}
	a := trainOneStep(t, q, m, x)
	got, err := a.Run(context.Background(), x)
	if err != nil {
		t.Fatal(err)
	}
	if want := run(t, quantized(t, q, m), x); !bytes.Equal(got[0].Contiguous().Bytes(), want[0].Contiguous().Bytes()) {
		t.Error("the deployed forward is not the converted model")
	}
}

// TestSmallActivations checks that Native keeps the precision of values far below 1, where the scales of other backends end.
func TestSmallActivations(t *testing.T) {
	m := build(t, []int{1, 32}, func(c *nn.Context, x *graph.Value) *graph.Value {
		v := c.Apply(ops.Binary{Fn: ops.Mul}, x, c.Const(tensor.Scalar(float32(1e-7))))
		return c.Call("a", nn.Linear{In: 32, Out: 48, NoBias: true}, v)
	})
	x := randomInput(t, 3, 16, 32)
	sqnr := func(b *Backend) float64 {
		q, _ := parametersWith(t, b, m, x)
		return sumsOf(run(t, m, x)[0].Float32s(), run(t, quantized(t, q, m), x)[0].Float32s()).sqnr()
	}
	if native, fbgemm := sqnr(Native), sqnr(FBGEMM); native < 30 || fbgemm > 20 {
		t.Errorf("Native has %.1f dB, FBGEMM %.1f", native, fbgemm)
	}
}

// TestSmallCases checks models with tiny activations, and with numbers of Python between their layers.
func TestSmallCases(t *testing.T) {
	for name, least := range map[string]float64{"tiny_scale_act": 30, "scalar_ops": 30} {
		t.Run(name, func(t *testing.T) {
			at := func(file string) string { return shareddata.Path(t, "cases", "quant", name, file) }
			m, err := loader.Load(at("model.pt"))
			if err != nil {
				t.Fatal(err)
			}
			q := New(Options{})
			calibrate(t, q, m, &dataset{batches: [][]*tensor.Tensor{firstSamples(t, m, at("calib.npz"), 0)}})
			g, in := quantized(t, q, m), firstSamples(t, m, at("test.npz"), 0)
			s := sumsOf(run(t, m, in...)[0].Contiguous().Float32s(), run(t, g, in...)[0].Contiguous().Float32s()).sqnr()
			t.Logf("%.1f dB", s)
			if s < least {
				t.Errorf("%.1f dB, less than %v", s, least)
			}
			for _, l := range q.Report().Layers {
				if l.Precision != "int8" {
					t.Logf("%s %s: %s", l.Name, l.Op, l.Reason)
				}
			}
		})
	}
}
