package quantize

import (
	"context"
	"errors"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// TestWithBits checks that fewer bits change the integers and nothing else, for any backend, and
// that a number of bits which no type has is an error of the call.
func TestWithBits(t *testing.T) {
	m := build(t, []int{1, 8, 12}, func(c *nn.Context, x *graph.Value) *graph.Value {
		return c.Call("fc", nn.Linear{In: 12, Out: 6}, x)
	})
	data := func(yield func([]*tensor.Tensor, error) bool) {
		yield([]*tensor.Tensor{randomInput(t, 1, 1, 8, 12)}, nil)
	}
	for _, backend := range []*Backend{Native, DISC, FBGEMM} {
		q := New(Options{Backend: backend, Device: X86})
		before, err := q.Options().Observers()
		if err != nil {
			t.Fatal(err)
		}
		if err := q.Calibrate(context.Background(), m, data, WithBits(3, 4)); err != nil {
			t.Fatal(err)
		}
		after, err := q.Options().Observers()
		if err != nil {
			t.Fatal(err)
		}
		before.Activation.Spec, before.Weight.Spec = before.Activation.Spec.WithBits(3), before.Weight.Spec.WithBits(4)
		if after != before {
			t.Errorf("%v: the observers are %+v, want %+v", backend, after, before)
		}
		p, err := q.Parameters(m)
		if err != nil {
			t.Fatal(err)
		}
		if x, w := p.Activations["x"], p.Weights["fc"]; x.Max-x.Min != 7 || w.Max-w.Min < 14 || w.Max-w.Min > 15 {
			t.Errorf("%v: the input has integers from %d to %d, the weight from %d to %d", backend, x.Min, x.Max, w.Min, w.Max)
		}
		for _, bits := range [][2]int{{1, 4}, {4, 9}} {
			if err := q.Calibrate(context.Background(), m, data, WithBits(bits[0], bits[1])); !errors.As(err, new(*OptionError)) {
				t.Errorf("%v: %d bits give %v", backend, bits, err)
			}
		}
	}
}

// TestCalibrateEnds checks that the error which ends the samples ends the calibration.
func TestCalibrateEnds(t *testing.T) {
	m := build(t, []int{1, 8, 12}, func(c *nn.Context, x *graph.Value) *graph.Value {
		return c.Call("fc", nn.Linear{In: 12, Out: 6}, x)
	})
	want := errors.New("no more")
	data := func(yield func([]*tensor.Tensor, error) bool) {
		if yield([]*tensor.Tensor{randomInput(t, 1, 1, 8, 12)}, nil) {
			yield(nil, want)
		}
	}
	if err := New(Options{}).Calibrate(context.Background(), m, data); !errors.Is(err, want) {
		t.Errorf("got %v", err)
	}
	var input *graph.InputError
	other := func(yield func([]*tensor.Tensor, error) bool) { yield([]*tensor.Tensor{randomInput(t, 1, 8)}, nil) }
	if err := New(Options{}).Calibrate(context.Background(), m, other); !errors.As(err, &input) {
		t.Errorf("samples of another rank: %v", err)
	}
}

// TestOverrides checks that observers come from the options, and from a call on
// which overrides them.
func TestOverrides(t *testing.T) {
	m := build(t, []int{1, 8, 12}, func(c *nn.Context, x *graph.Value) *graph.Value {
		return c.Call("last", nn.Linear{In: 6, Out: 4}, c.Call("relu", nn.ReLU{}, c.Call("first", nn.Linear{In: 12, Out: 6}, x)))
	})
	d := &dataset{batches: [][]*tensor.Tensor{{randomInput(t, 1, 3, 8, 12)}}}
	config := func(s Spec) *ObserverConfig { return &ObserverConfig{Kind: MinMax, Spec: s} }
	bias := symmetricS32.WithBits(4)
	for _, backend := range []*Backend{Native, DISC} {
		q := New(Options{Backend: backend, Activation: config(affineU8.WithBits(3)), Weight: config(symmetricS8.WithBits(2)), Bias: &bias})
		calibrate(t, q, m, d)
		check := func(overrides []Override, activation, weight, bias Spec) {
			t.Helper()
			p, err := q.Parameters(m, overrides...)
			if err != nil {
				t.Fatal(err)
			}
			for what, c := range map[string]struct {
				got  *tensor.QParams
				want Spec
			}{"activation": {p.Activations["x"], activation}, "weight": {p.Weights["first"], weight}, "bias": {p.Biases["first"], bias}} {
				if lo, hi := c.want.Range(); c.got.Min != lo || c.got.Max != hi || c.got.DType != c.want.DType || c.got.Scheme.PerChannel() != c.want.Scheme.PerChannel() {
					t.Errorf("%v: %s is %v, want %v", backend, what, c.got, c.want)
				}
			}
			g := quantized(t, q, m)
			wlo, whi := stored(p.Weights["first"], tensor.Int8).Min, stored(p.Weights["first"], tensor.Int8).Max
			for _, n := range g.Nodes {
				for _, v := range n.Inputs {
					if v.Const == nil {
						continue
					}
					blo, bhi := bias.Range()
					switch v.Type.DType {
					case tensor.Int8:
						for _, w := range v.Const.Contiguous().Int8s() {
							if int32(w) < wlo || int32(w) > whi {
								t.Fatalf("%v: a weight is %d, want %d to %d", backend, w, wlo, whi)
							}
						}
					case tensor.Int32:
						for _, b := range v.Const.Contiguous().Int32s() {
							if b < blo || b > bhi {
								t.Fatalf("%v: a bias is %d, want %d to %d", backend, b, blo, bhi)
							}
						}
					}
				}
			}
		}
		check(nil, affineU8.WithBits(3), symmetricS8.WithBits(2), bias)
		wide := symmetricS32.WithBits(20)
		check([]Override{
			WithActivation(*config(symmetricS8.WithBits(5))), WithWeight(*config(channelSymmetricS8.WithBits(4))), WithBias(wide),
		}, symmetricS8.WithBits(5), channelSymmetricS8.WithBits(4), Spec{DType: tensor.Int32, Scheme: tensor.PerChannelSymmetric, Min: wide.Min, Max: wide.Max})
		// An override stays until the next one.
		check(nil, symmetricS8.WithBits(5), channelSymmetricS8.WithBits(4), Spec{DType: tensor.Int32, Scheme: tensor.PerChannelSymmetric, Min: wide.Min, Max: wide.Max})
	}
}

func TestOptionErrors(t *testing.T) {
	m := build(t, []int{1, 12}, func(c *nn.Context, x *graph.Value) *graph.Value {
		return c.Call("fc", nn.Linear{In: 12, Out: 6}, x)
	})
	with := func(kind Kind, s Spec) *ObserverConfig { return &ObserverConfig{Kind: kind, Spec: s} }
	s32, s8 := symmetricS32, symmetricS8
	narrow := Spec{DType: tensor.Int32, Scheme: tensor.PerTensorSymmetric, Min: 0, Max: 9}
	for _, c := range []struct {
		field string
		opts  Options
	}{
		{"Activation", Options{Activation: with(MinMax, channelSymmetricS8)}},
		{"Activation", Options{Activation: with(MinMax, symmetricS32)}},
		{"Activation", Options{Activation: with("nonesuch", affineU8)}},
		{"Activation", Options{Activation: with(MSE, affineU8.WithBits(1))}},
		{"Activation", Options{Activation: with(MinMax, Spec{DType: tensor.Uint8, Min: 0, Max: 256})}},
		{"Weight", Options{Weight: with(Entropy, channelSymmetricS8)}},
		{"Weight", Options{Weight: with(MinMax, Spec{DType: tensor.Int8, Scheme: tensor.PerChannelSymmetric, Axis: 1})}},
		{"Weight", Options{Weight: with(MinMax, Spec{DType: tensor.Uint8, Scheme: tensor.PerTensorSymmetric})}},
		{"Bias", Options{Bias: &s8}},
		{"Bias", Options{Bias: &narrow}},
		{"Bias", Options{Backend: Reference, Bias: &s32}},
		{"Bias", Options{Dynamic: true, Bias: &s32}},
		{"Dynamic", Options{Backend: DISC, Dynamic: true}},
		{"Fixed", Options{Fixed: map[string]*tensor.QParams{"x": nil}}},
	} {
		var option *OptionError
		if _, err := New(c.opts).Calib(m); !errors.As(err, &option) || option.Field != c.field {
			t.Errorf("%+v: error %v, want an OptionError of %s", c.opts, err, c.field)
		}
		q := New(Options{})
		if err := q.SetOptions(c.opts); !errors.As(err, &option) {
			t.Errorf("%+v: SetOptions gives %v", c.opts, err)
		} else if o := q.Options(); o.Activation != nil || o.Weight != nil || o.Bias != nil || o.Backend != Native {
			t.Errorf("%+v: a refused option stays: %+v", c.opts, o)
		}
	}
	if _, err := New(Options{}).Calib(m, WithWeight(*with(Entropy, channelSymmetricS8))); err == nil || !errors.As(err, new(*OptionError)) {
		t.Errorf("a bad override of a call: %v", err)
	}
}

// TestNativeDimensions compares Native's int8 convolutions of one, two and three
// dimensions, and linear layers, with the same sums in float64 over the integers' values.
func TestNativeDimensions(t *testing.T) {
	for name, c := range map[string]struct {
		input   []int
		forward root
	}{
		"conv1d": {[]int{2, 4, 19}, func(c *nn.Context, x *graph.Value) *graph.Value {
			return c.Call("layer", nn.Conv1d{In: 4, Out: 6, Kernel: 5, Stride: 2, Padding: 2}, x)
		}},
		"conv1d, dilated, in groups": {[]int{2, 4, 19}, func(c *nn.Context, x *graph.Value) *graph.Value {
			return c.Call("layer", nn.Conv1d{In: 4, Out: 6, Kernel: 3, Dilation: 3, Groups: 2}, x)
		}},
		"conv2d": {[]int{2, 4, 9, 7}, func(c *nn.Context, x *graph.Value) *graph.Value {
			return c.Call("layer", nn.Conv2d{In: 4, Out: 6, Kernel: 3, Stride: 2, Padding: 1}, x)
		}},
		"conv3d": {[]int{2, 3, 4, 7, 6}, func(c *nn.Context, x *graph.Value) *graph.Value {
			return c.Call("layer", nn.Conv3d{In: 3, Out: 5, Kernel: [3]int{3, 2, 3}, Stride: [3]int{1, 2, 1}, Padding: [3]int{1, 0, 1}}, x)
		}},
		"linear": {[]int{2, 3, 40}, func(c *nn.Context, x *graph.Value) *graph.Value {
			return c.Call("layer", nn.Linear{In: 40, Out: 6}, x)
		}},
	} {
		for _, ends := range []string{"float32", "int8"} {
			m := build(t, c.input, func(ctx *nn.Context, x *graph.Value) *graph.Value {
				v := c.forward(ctx, x)
				if ends == "int8" { // what follows makes the layer store integers
					v = ctx.Apply(ops.Unary{Fn: ops.Tanh}, v)
					v = ctx.Apply(ops.Reshape{Shape: []int{2, -1}}, v)
					return ctx.Call("end", nn.Linear{In: v.Type.Shape[1], Out: 3}, v)
				}
				return v
			})
			x := randomInput(t, 5, c.input...)
			q := New(Options{})
			calibrate(t, q, m, &dataset{batches: [][]*tensor.Tensor{{x}}})
			p, err := q.Parameters(m)
			if err != nil {
				t.Fatal(err)
			}
			g := quantized(t, q, m)
			for _, l := range q.Report().Layers {
				if l.Precision != "int8" && l.Op != "reshape" {
					t.Errorf("%s: %s is %s: %s", name, l.Op, l.Precision, l.Reason)
				}
			}
			// The float model on what the integers of input, weights and biases stand for.
			reference := m.Clone()
			for _, n := range reference.Nodes {
				path := n.Scope.Path
				if !isLayer(n.Op) {
					continue
				}
				for i, params := range []*tensor.QParams{1: p.Weights[path], 2: p.Biases[path]} {
					if params == nil {
						continue
					}
					v := n.Inputs[i].Const
					if err := fakeQuantize(v.Float32s(), v.Float32s(), v.Shape(), params); err != nil {
						t.Fatal(err)
					}
				}
			}
			fx := x.Clone()
			if err := fakeQuantize(fx.Float32s(), fx.Float32s(), fx.Shape(), p.Activations["x"]); err != nil {
				t.Fatal(err)
			}
			got, want := run(t, g, x)[0].Float32s(), run(t, reference, fx)[0].Float32s()
			// A float32 output differs by the rounding of float32 sums; integers between the
			// layers by their steps as well.
			least := map[string]float64{"float32": 110, "int8": 25}[ends]
			if s := sumsOf(want, got); !(s.sqnr() >= least) {
				t.Errorf("%s with %s behind it: %.1f dB, want %.0f", name, ends, s.sqnr(), least)
			}
		}
	}
}
