package quantize

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// separable has depthwise convolutions behind others: one behind a batch norm and a leaky ReLU, two that take the same value, and one behind an
// addition, which no factors pass.
func separable(c *nn.Context, x *graph.Value) *graph.Value {
	depthwise := nn.Conv2d{In: 8, Out: 8, Kernel: 3, Padding: 1, Groups: 8}
	x = c.Call("stem", nn.Conv2d{In: 3, Out: 8, Kernel: 3, Padding: 1}, x)
	x = c.Apply(ops.Unary{Fn: ops.LeakyReLU, Alpha: 0.1}, c.Call("bn", nn.BatchNorm2d{Features: 8}, x))
	x = c.Call("dw1", depthwise, x)
	x = c.Apply(ops.Unary{Fn: ops.ReLU}, c.Call("pw", nn.Conv2d{In: 8, Out: 8, Kernel: 1}, x))
	x = c.Apply(ops.Binary{Fn: ops.Add}, c.Call("dw2", depthwise, x), c.Call("dw3", depthwise, x))
	x = c.Call("dw4", depthwise, x)
	return c.Call("last", nn.Conv2d{In: 8, Out: 4, Kernel: 1}, x)
}

// newSeparable returns it with channels of which the ranges differ by up to 60 times.
func newSeparable(t testing.TB) *smoothedFixture {
	f := &smoothedFixture{model: build(t, []int{2, 3, 12, 12}, separable), calib: &dataset{}, test: &dataset{}}
	for _, v := range f.model.Constants() {
		var by []float32
		switch v.Name {
		case "bn.weight", "bn.bias", "pw.weight", "pw.bias":
			by = []float32{1, 0.02, 0.3, 4, 0.1, 0.05, 1, 0.5}
		case "dw1.weight", "dw2.weight", "dw3.weight":
			by = []float32{1, 50, 3, 0.25, 10, 20, 1, 2}
		default:
			continue
		}
		v.Const = scaledAlong(v.Const, 0, by, false)
	}
	for i := range uint64(6) {
		f.calib.batches = append(f.calib.batches, []*tensor.Tensor{randomInput(t, i+1, 2, 3, 12, 12)})
		f.test.batches = append(f.test.batches, []*tensor.Tensor{randomInput(t, i+100, 2, 3, 12, 12)})
	}
	return f
}

// TestDepthwise equalizes channels in front of depthwise convolutions: the prepared model computes the same, and int8 loses less, with each way
// of rounding. Nothing changes in training, and where parameters are known otherwise.
func TestDepthwise(t *testing.T) {
	f := newSeparable(t)
	native := *Native
	native.EqualizeDepthwise = false
	for _, opts := range []Options{{}, {CorrectBias: true}, {Rounding: Learned, CorrectBias: true}, {Smooth: AutoSmoothing}, {Equalize: true}} {
		plain := opts
		plain.Backend = &native
		without := f.sqnr(t, quantized(t, f.calibrated(t, plain), f.model))
		q := f.calibrated(t, opts)
		p, err := q.prepare(f.model, nil)
		if err != nil {
			t.Fatal(err)
		}
		if same := f.sqnr(t, p.graph); same < 110 || len(p.inputFactor) != 3 {
			t.Errorf("%+v: the prepared model is another: %.1f dB, with %d layers changed", opts, same, len(p.inputFactor))
		}
		if with := f.sqnr(t, reloaded(t, quantized(t, q, f.model))); with < without+3 && !(opts.Equalize && with > without-1) {
			t.Errorf("%+v: %.1f dB with equal channels, %.1f dB without", opts, with, without)
		} else {
			t.Logf("%.1f dB with equal channels, %.1f without", with, without)
		}
		if _, err := q.AMP(f.model); err != nil {
			t.Error(err)
		}
	}
	q := f.calibrated(t, Options{})
	name := ""
	for n := range q.values {
		if strings.HasPrefix(n, "pw") {
			name = n
		}
	}
	fixed, err := q.observedParameters(name)
	if err != nil {
		t.Fatal(err)
	}
	for what, change := range map[string]func(q *Quantizer) []Override{
		"fixed":    func(q *Quantizer) []Override { q.opts.Fixed = map[string]*tensor.QParams{name: fixed}; return nil },
		"excluded": func(q *Quantizer) []Override { q.Exclude("dw2"); return nil },
	} {
		q := f.calibrated(t, Options{})
		p, err := q.prepare(f.model, change(q))
		if err != nil {
			t.Fatal(err)
		}
		if len(p.inputFactor) != 1 {
			t.Errorf("%s: %d layers have other channels, want the first alone", what, len(p.inputFactor))
		}
	}
	q = f.calibrated(t, Options{})
	if _, err := q.QAT(f.model); err != nil {
		t.Fatal(err)
	}
	if p, err := q.prepare(f.model, nil); err != nil || len(p.inputFactor) > 0 {
		t.Errorf("in training: %v, %d layers have other channels", err, len(p.inputFactor))
	}
}

// TestDepthwiseParts resumes and merges calibrations, to the byte, and takes those of older versions, which have not observed channels.
func TestDepthwiseParts(t *testing.T) {
	f := newSeparable(t)
	want := marshal(t, f.calibrated(t, Options{}))
	if !bytes.Contains(want, []byte(`"channels"`)) {
		t.Fatalf("the state has no channels: %s", want)
	}
	first, second := New(Options{}), New(Options{})
	runBatches(t, first, f.model, f.calib.batches[:3])
	resumed := reread(t, first)
	runBatches(t, resumed, f.model, f.calib.batches[3:])
	if got := marshal(t, resumed); !bytes.Equal(got, want) {
		t.Error("resumed, the state is another")
	}
	old := reread(t, first)
	clear(old.channels)
	older := reread(t, old)
	runBatches(t, second, f.model, f.calib.batches[3:])
	if err := first.Merge(reread(t, second)); err != nil {
		t.Fatal(err)
	}
	if got := marshal(t, first); !bytes.Equal(got, want) {
		t.Error("merged, the state is another")
	}
	runBatches(t, old, f.model, f.calib.batches[3:])
	if err := second.Merge(older); err != nil {
		t.Fatal(err)
	}
	native := *Native
	native.EqualizeDepthwise = false
	plain := f.sqnr(t, quantized(t, f.calibrated(t, Options{Backend: &native}), f.model))
	for what, q := range map[string]*Quantizer{"resumed": old, "merged": second} {
		if len(q.channels) > 0 {
			t.Errorf("%s: an older state has channels of a part: %v", what, q.channels)
		}
		if s := f.sqnr(t, quantized(t, q, f.model)); s != plain {
			t.Errorf("%s: %.1f dB, without channels %.1f", what, s, plain)
		}
	}
	few := reread(t, resumed)
	for name := range few.channels {
		few.channels[name] = &rangeObserver{base: base{name: name, config: channelConfig(1), batches: 1}, lo: []float32{-1}, hi: []float32{1}}
	}
	if _, err := few.Quantize(f.model); !errors.Is(err, ErrMismatch) {
		t.Errorf("a state of other channels: %v", err)
	}
}
