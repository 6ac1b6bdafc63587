package quantize

import (
	"strings"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// deepModel has two linear layers of so many inputs.
func deepModel(t testing.TB, depth int) *graph.Graph {
	w := writer{t, graph.New()}
	x := w.g.Input("x", tensor.Float32, 2, depth)
	a := w.add(module("a"), ops.Linear{Act: ops.ActReLU}, x, w.constant("a.weight", 1, 0.01, 8, depth))
	// All weights at one end: the largest sums that there are.
	ends := w.constant("b.weight", 2, 1, 8, depth)
	for i := range ends.Const.Float32s() {
		ends.Const.Float32s()[i] = 0.01
	}
	b := w.add(module("b"), ops.Linear{}, x, ends)
	c := w.add(module("c"), ops.Linear{}, w.add(graph.Scope{}, ops.Binary{Fn: ops.Add}, a, b), w.constant("c.weight", 3, 1, 4, 8))
	w.g.SetOutputs(c)
	return w.g
}

// TestLayersThatOverflow leaves layers float whose accumulators could overflow, with the reason, for all ways to quantize, and
// no others.
func TestLayersThatOverflow(t *testing.T) {
	for _, c := range []struct {
		depth int
		int8  string // layers that can be int8
	}{{5000, "a b c"}, {20000, "a b c"}, {40000, "a c"}, {131072, "a c"}} {
		m := deepModel(t, c.depth)
		x := randomInput(t, 4, 16, c.depth)
		for i := range x.Float32s() {
			x.Float32s()[i] = max(x.Float32s()[i], 0)
		}
		for _, opts := range []Options{{}, {Backend: Reference}, {Backend: DISC}, {Rounding: Learned, CorrectBias: true}, {Dynamic: true}} {
			if opts.Rounding == Learned && (c.depth > 5000 || testing.Short()) {
				continue // takes minutes, or seconds
			}
			r, _, _ := compareOn(t, New(opts), m, x)
			var got []string
			for _, l := range r.Layers {
				switch {
				case l.Op != "linear":
				case l.Precision == "int8":
					got = append(got, l.Name)
				case !strings.Contains(l.Reason, "overflow"):
					t.Errorf("%d inputs, %+v: %s is float because %q", c.depth, opts, l.Name, l.Reason)
				}
			}
			if opts.Backend != Reference && strings.Join(got, " ") != c.int8 {
				t.Errorf("%d inputs, %+v: int8 are %v, want %s", c.depth, opts, got, c.int8)
			}
			if out := r.Layers[len(r.Layers)-1]; out.Measured.SQNR < 30 {
				t.Errorf("%d inputs, %+v: the output has %v dB", c.depth, opts, out.Measured.SQNR)
			}
		}
		q := New(Options{})
		calibrate(t, q, m, &dataset{batches: [][]*tensor.Tensor{{x}}})
		trainOneStep(t, q, m, x)
		run(t, quantized(t, q, m), x)
	}
}

// TestLearnedRoundingInBlocks checks that memory grows with the length of a row, and that rounding
// in blocks helps.
func TestLearnedRoundingInBlocks(t *testing.T) {
	if testing.Short() {
		t.Skip("the products of a row of 4596 inputs take one goroutine long")
	}
	if got := productsOf(1 << 16); got != 1<<16*rowBlock {
		t.Errorf("a row of 65536 has %d products", got)
	}
	const depth = wholeRow + 500
	w := writer{t, graph.New()}
	x := w.g.Input("x", tensor.Float32, 2, depth)
	w.g.SetOutputs(w.add(module("a"), ops.Linear{}, x, w.constant("a.weight", 1, 0.01, 8, depth)))
	in := randomInput(t, 4, 64, depth)
	for i, v := range in.Float32s() {
		in.Float32s()[i] = v + float32(i%3) // what they have in common is what rounding can use
	}
	sqnr := func(r Rounding) Decibel {
		report, _, _ := compareOn(t, New(Options{Rounding: r, Weight: &ObserverConfig{Kind: MinMax, Spec: channelSymmetricS8.WithBits(4)}}), w.g, in)
		return report.Layers[0].Measured.SQNR
	}
	if nearest, learned := sqnr(Nearest), sqnr(Learned); learned < nearest+3 {
		t.Errorf("learned rounding gives %v dB, nearest %v", learned, nearest)
	}
}
