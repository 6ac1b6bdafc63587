package quantize

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/graph/train"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// outliers is a residual stream with two norms: one in front of two layers, one behind whose reordered rows is a third.
func outliers(c *nn.Context, x *graph.Value) *graph.Value {
	y := c.Call("n1", nn.LayerNorm{Features: 24}, x)
	a := c.Call("a", nn.Linear{In: 24, Out: 24}, y)
	b := c.Call("b", nn.Linear{In: 24, Out: 24}, y)
	x = c.Apply(ops.Binary{Fn: ops.Add}, x, c.Apply(ops.Binary{Fn: ops.Mul}, a, c.Apply(ops.Unary{Fn: ops.Sigmoid}, b)))
	y = c.Call("n2", nn.LayerNorm{Features: 24}, x)
	y = c.Apply(ops.Permute{Order: []int{1, 0, 2}}, y)
	return c.Call("c", nn.Linear{In: 24, Out: 8}, y)
}

// rmsOutliers has a product with a vector in front of products with a matrix, as models without modules for them have.
func rmsOutliers(c *nn.Context, x *graph.Value) *graph.Value {
	g := c.Call("in", nn.Linear{In: 24, Out: 24}, x)
	g = c.Apply(ops.Binary{Fn: ops.Mul}, c.Apply(ops.Unary{Fn: ops.Tanh}, g), c.Parameter("gain", nn.RunningVar, 24))
	y := c.Apply(ops.MatMul{}, g, c.Parameter("matrix", nn.KaimingNormal, 24, 16))
	return c.Apply(ops.Binary{Fn: ops.Add}, y, c.Parameter("offset", nn.RunningMean, 16))
}

// outlierModel returns a model some of whose gains are large.
func outlierModel(t testing.TB, forward root) *graph.Graph {
	t.Helper()
	g := build(t, []int{4, 6, 24}, forward)
	for _, v := range g.Constants() {
		switch v.Name {
		case "n1.weight", "n2.weight", "gain":
			v.Const.Float32s()[5] = 40
			v.Const.Float32s()[17] = -25
		case "matrix": // which makes up for the gains, as trained ones do
			for _, c := range []int{5, 17} {
				for i := range 16 {
					v.Const.Float32s()[c*16+i] /= 30
				}
			}
		case "n2.bias":
			v.Const.Float32s()[7] = 9
		}
	}
	return g
}

// smoothedFixture is a model with what it is calibrated and tested on.
type smoothedFixture struct {
	model       *graph.Graph
	calib, test *dataset
}

func newSmoothedFixture(t testing.TB, forward root) *smoothedFixture {
	f := &smoothedFixture{model: outlierModel(t, forward), calib: &dataset{}, test: &dataset{}}
	for i := range uint64(8) {
		f.calib.batches = append(f.calib.batches, []*tensor.Tensor{randomInput(t, i+1, 4, 6, 24)})
		f.test.batches = append(f.test.batches, []*tensor.Tensor{randomInput(t, i+100, 4, 6, 24)})
	}
	return f
}

func (f *smoothedFixture) calibrated(t testing.TB, opts Options) *Quantizer {
	t.Helper()
	q := New(opts)
	calibrate(t, q, f.model, f.calib)
	return q
}

// sqnr is that of another model's outputs against the model's.
func (f *smoothedFixture) sqnr(t testing.TB, m *graph.Graph) float64 {
	t.Helper()
	var s sums
	for _, b := range f.test.batches {
		part := sumsOf(run(t, f.model, b...)[0].Contiguous().Float32s(), run(t, m, b...)[0].Contiguous().Float32s())
		s.add(part)
	}
	return s.sqnr()
}

// TestSmooth checks that what is smoothed computes the same, and that int8 loses less by it: statically and dynamically, with learned rounding and
// corrected biases, and with the ranges that were observed before anything was divided.
func TestSmooth(t *testing.T) {
	for name, forward := range map[string]root{"norms": outliers, "products": rmsOutliers} {
		f := newSmoothedFixture(t, forward)
		for _, opts := range []Options{{}, {Dynamic: true}, {Backend: DISC}, {Rounding: Learned, CorrectBias: true}, {Equalize: true}} {
			if name == "products" && (opts.Equalize || opts.Backend == DISC) {
				continue // DISC makes no layer of a product, and equalized models do not say what their weights were made of
			}
			asItIs := opts
			if opts.Backend == nil && !opts.Dynamic {
				native := *Native
				native.SmoothOutliers = false
				asItIs.Backend = &native
			}
			plain := f.sqnr(t, quantized(t, f.calibrated(t, asItIs), f.model))
			for _, s := range []Smoothing{DefaultSmoothing, AutoSmoothing} {
				opts.Smooth = s
				q := f.calibrated(t, opts)
				p, err := q.prepare(f.model, nil)
				if err != nil {
					t.Fatal(err)
				}
				if same := f.sqnr(t, p.graph); same < 110 {
					t.Errorf("%s, %+v: the smoothed model is another: %.1f dB", name, opts, same)
				}
				if better := f.sqnr(t, quantized(t, q, f.model)); better < plain+2 {
					t.Errorf("%s, %+v: %.1f dB smoothed, %.1f dB as it is", name, opts, better, plain)
				}
				if _, err := q.AMP(f.model); err != nil {
					t.Error(err)
				}
				opts.Smooth = NoSmoothing
			}
		}
	}
}

// TestSmoothRanges checks that the parameters of a value that is divided are those of its own range.
func TestSmoothRanges(t *testing.T) {
	f := newSmoothedFixture(t, outliers)
	q := f.calibrated(t, Options{Smooth: DefaultSmoothing})
	q.static = true
	have := activations(t, q, f.model)
	p, err := q.prepare(f.model, nil)
	if err != nil {
		t.Fatal(err)
	}
	observed := New(Options{Activation: &ObserverConfig{Kind: MinMax, Spec: nativeU8}})
	calibrate(t, observed, p.graph, f.calib)
	for _, name := range []string{"n1", "n2"} {
		got, want := have[name], activations(t, observed, p.graph)[name]
		if math.Abs(float64(got.Scale[0]/want.Scale[0])-1) > 1e-5 || max(got.ZeroPoint[0]-want.ZeroPoint[0], want.ZeroPoint[0]-got.ZeroPoint[0]) > 1 {
			t.Errorf("%q has %v, its range asks for %v", name, got, want)
		}
	}
}

// TestSmoothable checks that only values are divided that nothing but layers takes, and only by constants that nothing else has.
func TestSmoothable(t *testing.T) {
	norm := func(c *nn.Context, x *graph.Value) *graph.Value { return c.Call("n", nn.LayerNorm{Features: 24}, x) }
	layer := nn.Linear{In: 24, Out: 24}
	for name, c := range map[string]struct {
		want    int
		forward root
	}{
		"layers": {1, func(c *nn.Context, x *graph.Value) *graph.Value { return c.Call("a", layer, norm(c, x)) }},
		"residual": {0, func(c *nn.Context, x *graph.Value) *graph.Value {
			y := norm(c, x)
			return c.Apply(ops.Binary{Fn: ops.Add}, y, c.Call("a", layer, y))
		}},
		"shared norm": {0, func(c *nn.Context, x *graph.Value) *graph.Value {
			return c.Call("b", layer, norm(c, c.Call("a", layer, norm(c, x))))
		}},
		"shared layer": {0, func(c *nn.Context, x *graph.Value) *graph.Value {
			return c.Call("a", layer, c.Call("a", layer, norm(c, x)))
		}},
		"slice": {1, func(c *nn.Context, x *graph.Value) *graph.Value {
			return c.Call("a", layer, c.Apply(ops.Slice{Axis: 1, End: 3, Step: 1}, norm(c, x)))
		}},
		"other channels": {0, func(c *nn.Context, x *graph.Value) *graph.Value {
			return c.Call("a", layer, c.Apply(ops.Flip{Axes: []int{2}}, norm(c, x)))
		}},
		"activation": {0, func(c *nn.Context, x *graph.Value) *graph.Value {
			return c.Call("a", layer, c.Apply(ops.Unary{Fn: ops.Tanh}, norm(c, x)))
		}},
	} {
		if got := smoothable(build(t, []int{4, 6, 24}, c.forward)); len(got) != c.want {
			t.Errorf("%s: %d values can be smoothed, want %d", name, len(got), c.want)
		}
	}
}

// TestSmoothParts checks that shards, merged parts and a resumed calibration have the state of one run, to the byte.
func TestSmoothParts(t *testing.T) {
	f := newSmoothedFixture(t, outliers)
	for _, opts := range []Options{{Smooth: AutoSmoothing}, {Smooth: 0.25, Dynamic: true}, {Smooth: AutoSmoothing, Activation: &ObserverConfig{Kind: Histogram, Spec: affineU8}}} {
		want := marshal(t, f.calibrated(t, opts))
		if !bytes.Contains(want, []byte(`"channels"`)) {
			t.Fatalf("the state has no channels: %s", want)
		}
		half := len(f.calib.batches) / 2
		parts := [2]*Quantizer{New(opts), New(opts)}
		runBatches(t, parts[0], f.model, f.calib.batches[:half])
		resumed := reread(t, parts[0])
		runBatches(t, resumed, f.model, f.calib.batches[half:])
		if got := marshal(t, resumed); !bytes.Equal(got, want) {
			t.Errorf("%v: resumed, the state is another", opts.Smooth)
		}
		if opts.Activation == nil {
			runBatches(t, parts[1], f.model, f.calib.batches[half:])
			if err := parts[0].Merge(reread(t, parts[1])); err != nil {
				t.Fatal(err)
			}
			if got := marshal(t, parts[0]); !bytes.Equal(got, want) {
				t.Errorf("%v: merged, the state is another", opts.Smooth)
			}
		}
		shards := func(begin func() *Quantizer) *Quantizer {
			var all []*Quantizer
			for i := range 3 {
				q, s := begin(), Shard{i, 3}
				if err := q.Shard(s, 4*len(f.calib.batches), 4); err != nil {
					t.Fatal(err)
				}
				from, to := s.Range(len(f.calib.batches))
				runBatches(t, q, f.model, f.calib.batches[from:to])
				all = append(all, reread(t, q))
			}
			merged, err := MergeShards(all...)
			if err != nil {
				t.Fatal(err)
			}
			return merged
		}
		merged := shards(func() *Quantizer { return New(opts) })
		if opts.Activation != nil {
			first := merged
			merged = shards(func() *Quantizer { return reread(t, first) })
		}
		if got := marshal(t, merged); !bytes.Equal(got, want) {
			t.Errorf("%v, %v: the state of merged shards is another", opts.Smooth, opts.Activation)
		}
	}
}

// TestSmoothQAT checks that a smoothed model trains, as what is converted, before and after steps.
func TestSmoothQAT(t *testing.T) {
	f := newSmoothedFixture(t, outliers)
	q := f.calibrated(t, Options{Smooth: AutoSmoothing})
	q.static = true // as training is
	converted := quantized(t, q, f.model)
	a, err := q.QAT(f.model)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	x := f.test.batches[0]
	same := func(when string, m *graph.Graph) {
		t.Helper()
		got, err := a.Run(context.Background(), x...)
		if err != nil {
			t.Fatal(err)
		}
		if want := run(t, m, x...); !bytes.Equal(got[0].Contiguous().Bytes(), want[0].Contiguous().Bytes()) {
			t.Errorf("%s: the proxy differs from what is converted", when)
		}
	}
	same("before training", converted)
	tr, err := train.New(a, train.Options{Loss: train.MeanSquaredError, Optimizer: train.SGD{LR: 0.001}})
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	var losses []float64
	for i := range 24 {
		b := f.calib.batches[i%len(f.calib.batches)]
		loss, err := tr.Step(context.Background(), b[0], run(t, f.model, b...)[0])
		if err != nil {
			t.Fatal(err)
		}
		losses = append(losses, loss)
	}
	if after := quantized(t, q, f.model); after != nil {
		a.Close()
		same("after training", after)
		if s := f.sqnr(t, after); s < 20 {
			t.Errorf("%.1f dB after training, losses %v", s, losses)
		}
	}
	// What training left in float has the range of what was divided, too.
	q.Exclude("a")
	if s := f.sqnr(t, quantized(t, q, f.model)); s < 20 {
		t.Errorf("%.1f dB with a layer in float32", s)
	}
}

// TestSmoothRefusals checks what cannot be smoothed.
func TestSmoothRefusals(t *testing.T) {
	f := newSmoothedFixture(t, outliers)
	q := f.calibrated(t, Options{})
	clear(q.channels)
	opts := q.Options()
	opts.Smooth = AutoSmoothing
	if err := q.SetOptions(opts); err != nil {
		t.Fatal(err)
	}
	if _, err := q.Quantize(f.model); !errors.Is(err, ErrNoData) || !strings.Contains(fmt.Sprint(err), "a.weight") {
		t.Errorf("without observed channels: %v", err)
	}
	for _, s := range []Smoothing{-0.5, 1.5, Smoothing(math.NaN())} {
		var option *OptionError
		if _, err := New(Options{Smooth: s}).Calib(f.model); !errors.As(err, &option) || option.Field != "Smooth" {
			t.Errorf("%v: %v", s, err)
		}
	}
	for _, text := range []string{"", "0", "-1", "2", "NaN", "half"} {
		var s Smoothing
		if err := s.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is %v", text, s)
		}
	}
	for _, s := range []Smoothing{NoSmoothing, AutoSmoothing, 0.25, 1} {
		var got Smoothing
		if err := got.UnmarshalText([]byte(s.String())); err != nil || got != s {
			t.Errorf("%v is read as %v, %v", s, got, err)
		}
	}
	state := string(marshal(t, f.calibrated(t, Options{Smooth: AutoSmoothing})))
	for from, to := range map[string]string{
		`"channels":{"a.weight":{"config":{"kind":"minmax"`: `"channels":{"a.weight":{"config":{"kind":"moving-average"`,
		`"smooth":"auto"`: `"smooth":"always"`,
	} {
		if bad := strings.Replace(state, from, to, 1); bad == state {
			t.Errorf("the state has no %s", from)
		} else if err := json.Unmarshal([]byte(bad), New(Options{})); err == nil {
			t.Errorf("a state with %s is accepted", to)
		}
	}
	few := reread(t, f.calibrated(t, Options{Smooth: AutoSmoothing}))
	few.channels["a.weight"] = &rangeObserver{base: base{name: "a.weight", config: channelConfig(2), batches: 1}, lo: []float32{-1}, hi: []float32{1}}
	if _, err := few.Quantize(f.model); !errors.Is(err, ErrMismatch) {
		t.Errorf("a state of other channels: %v", err)
	}
}
