package quantize

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/int8"
	"github.com/octet-ml/octet/tensor"
)

// lsqGraph runs LSQOp and its gradients for one case.
func lsqGraph(t *testing.T, spec Spec, threads int, x, scale, zero, dy *tensor.Tensor) []*tensor.Tensor {
	t.Helper()
	g := graph.New()
	var in []*graph.Value
	for i, v := range []*tensor.Tensor{x, scale, zero, dy} {
		in = append(in, g.Input(fmt.Sprint(i), v.DType(), v.Shape()...))
	}
	must := func(v *graph.Value, err error) *graph.Value {
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	y := must(g.Add1(graph.Scope{}, int8.LSQ{Params: spec.params()}, in[:3]...))
	loss := must(g.Add1(graph.Scope{}, ops.Reduce{Fn: ops.Sum}, must(g.Add1(graph.Scope{}, ops.Binary{Fn: ops.Mul}, y, in[3]))))
	grads, err := g.Gradients(loss, in[:3])
	if err != nil {
		t.Fatal(err)
	}
	g.SetOutputs(append([]*graph.Value{y}, grads...)...)
	s, err := g.Compile(graph.Options{Threads: threads})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	out, err := s.Run(context.Background(), x, scale, zero, dy)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func vector(t *testing.T, v []float32, shape ...int) *tensor.Tensor {
	t.Helper()
	if shape == nil {
		shape = []int{len(v)}
	}
	x, err := tensor.FromSlice(v, shape...)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func TestGoldenLSQOp(t *testing.T) {
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
			out := lsqGraph(t, spec, 2, c.Input.tensor(t), vector(t, l.Scale), vector(t, l.ZeroPoint), c.DY.tensor(t))
			sameBits(t, "output", out[0].Float32s(), c.Output.Data)
			sameBits(t, "input gradient", out[1].Float32s(), c.DX.Data)
			within(t, "scale gradient", out[2].Float32s(), c.DScale, 1e-5)
			within(t, "zero point gradient", out[3].Float32s(), c.DZero, 1e-5)
		})
	}
}

// TestLSQOpLarge compares the operator with LSQ on many values, of any
// magnitude, and one thread with three.
func TestLSQOpLarge(t *testing.T) {
	for _, c := range []struct {
		spec  Spec
		shape []int
	}{
		{affineU8, []int{3, 20000}},
		{affineU8.WithBits(4), []int{70000}},
		{symmetricS8, []int{5, 7}},
		{channelSymmetricS8.WithBits(4), []int{33, 4, 3, 3}},
		{Spec{DType: tensor.Int8, Scheme: tensor.PerChannelAffine, Axis: 1}, []int{2, 3, 17000}},
		{channelSymmetricS8, []int{1, 40000}},
	} {
		t.Run(c.spec.String(), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(7, 7))
			n, _ := tensor.Shape(c.shape).Numel()
			x, dy := make([]float32, n), make([]float32, n)
			for i := range x {
				x[i], dy[i] = float32(rng.NormFloat64()*math.Exp(rng.NormFloat64())), float32(rng.NormFloat64())
			}
			specials := []float32{float32(math.NaN()), inf32, -inf32, 1e30, -1e30, 0, 0x1p-140}
			copy(x[n/2:], specials)
			k := 1
			if c.spec.Scheme.PerChannel() {
				k = c.shape[c.spec.Axis]
			}
			l := &lsq{Spec: c.spec, Scale: make([]float32, k), ZeroPoint: make([]float32, k)}
			for i := range k {
				l.Scale[i] = 0.01 + 0.001*float32(i)
				if !c.spec.Scheme.Symmetric() {
					l.ZeroPoint[i] = 3.4 + float32(i)
				}
			}
			y, dx, ds, dz := make([]float32, n), make([]float32, n), make([]float32, k), make([]float32, k)
			if err := l.Forward(y, x, c.shape); err != nil {
				t.Fatal(err)
			}
			if err := l.Backward(dx, ds, dz, x, dy, c.shape, l.GradientFactor(n)); err != nil {
				t.Fatal(err)
			}
			one := lsqGraph(t, c.spec, 1, vector(t, x, c.shape...), vector(t, l.Scale), vector(t, l.ZeroPoint), vector(t, dy, c.shape...))
			three := lsqGraph(t, c.spec, 3, vector(t, x, c.shape...), vector(t, l.Scale), vector(t, l.ZeroPoint), vector(t, dy, c.shape...))
			sameBits(t, "output", one[0].Float32s(), y)
			sameBits(t, "input gradient", one[1].Float32s(), dx)
			for i := range k {
				for what, pair := range map[string][2]float32{"scale": {one[2].Float32s()[i], ds[i]}, "zero point": {one[3].Float32s()[i], dz[i]}} {
					if math.Abs(float64(pair[0]-pair[1])) > 1e-3*(1e-2+math.Abs(float64(pair[1]))) {
						t.Errorf("%s gradient of channel %d is %v, LSQ gives %v", what, i, pair[0], pair[1])
					}
				}
			}
			for i := range one {
				sameBits(t, "with three threads", three[i].Float32s(), one[i].Float32s())
			}
		})
	}
}

func TestLSQOpRefuses(t *testing.T) {
	for _, p := range [][2]float32{{0, 0}, {inf32, 0}, {float32(math.NaN()), 0}, {1, inf32}} {
		_, err := ops.Eval(int8.LSQ{Params: affineU8.params()}, 0, nil, vector(t, []float32{1, 2}), vector(t, p[:1]), vector(t, p[1:]))
		var bad *ops.ValueError
		if !errors.As(err, &bad) {
			t.Errorf("scale %v and zero point %v: %v", p[0], p[1], err)
		}
	}
}
