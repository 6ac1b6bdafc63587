package quantize

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// compareOn calibrates on x and compares on it.
func compareOn(t *testing.T, q *Quantizer, m *graph.Graph, x *tensor.Tensor) (r *Report, float, quantized *tensor.Tensor) {
	t.Helper()
	calibrate(t, q, m, &dataset{batches: [][]*tensor.Tensor{{x}}})
	c, err := q.Compare(m)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	f, i, err := c.Run(context.Background(), x)
	if err != nil {
		t.Fatal(err)
	}
	if int8, float, err := c.Latency(context.Background(), x); err != nil || int8 <= 0 || float <= 0 {
		t.Fatalf("%v and %v ms: %v", int8, float, err)
	}
	return c.Report(), f[0], i[0]
}

// TestCompare checks that both models of a comparison are those that run
// alone, and what it reports of each operator and value.
func TestCompare(t *testing.T) {
	m := build(t, []int{1, 3, 16, 16}, mobile)
	x := randomInput(t, 5, 4, 3, 16, 16)
	for _, backend := range []*Backend{Native, FBGEMM, DISC} {
		q := New(Options{Backend: backend})
		r, float, quantized := compareOn(t, q, m, x)
		g, err := q.Quantize(m)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(float.Bytes(), run(t, m, x)[0].Bytes()) || !bytes.Equal(quantized.Bytes(), run(t, g, x)[0].Bytes()) {
			t.Errorf("%v: the outputs are not those of the models alone", backend)
		}
		last := r.Layers[len(r.Layers)-1]
		if s := sumsOf(float.Float32s(), quantized.Float32s()); math.Abs(s.sqnr()-float64(last.Measured.SQNR)) > 1e-9 || math.Abs(s.cosine()-last.Measured.Cosine) > 1e-12 {
			t.Errorf("%v: the last layer has %+v, its output %v dB", backend, last.Measured, s.sqnr())
		}
		for _, l := range r.Layers {
			if isLayerName(l.Op) && (l.Precision != "int8" || l.Measured.SQNR < 15 || l.Measured.Cosine < 0.98 || l.FloatBytes < 3*l.Bytes || len(l.Inputs) != 1) {
				t.Errorf("%v: %+v, %+v", backend, l, l.Measured)
			}
			if isLayerName(l.Op) && (l.Measured.Ms <= 0 || l.Measured.FloatMs <= 0) {
				t.Errorf("%v: %s takes %v and %v ms", backend, l.Name, l.Measured.Ms, l.Measured.FloatMs)
			}
		}
		for _, v := range r.Values {
			total := int64(0)
			for _, c := range v.Histogram.Counts {
				total += c
			}
			if total == 0 || len(v.Histogram.Counts) > histogramShown || v.Least > v.Greatest || v.Clipped > 0.05 {
				t.Errorf("%v: %+v with %d values", backend, v, total)
			}
		}
		if _, err := json.Marshal(r); err != nil {
			t.Error(err)
		}
	}
}

func isLayerName(op string) bool { return op == "conv2d" || op == "linear" }

// TestClipping compares the rates with counts by definition, for a range that is too narrow.
func TestClipping(t *testing.T) {
	m := build(t, []int{1, 8}, func(c *nn.Context, x *graph.Value) *graph.Value {
		x = c.Call("a", nn.Linear{In: 8, Out: 8}, x)
		return c.Call("b", nn.Linear{In: 8, Out: 8}, x)
	})
	x := randomInput(t, 6, 50, 8)
	q := tensor.PerTensor(tensor.Uint8, 0.01, 100)
	r, _, _ := compareOn(t, New(Options{Fixed: map[string]*tensor.QParams{"x": q}}), m, x)
	clipped, saturated := 0, 0
	for _, v := range x.Float32s() {
		i := q.Quantize(v, 0)
		if i == 0 || i == 255 {
			saturated++
		}
		if n := math.RoundToEven(float64(v*100)) + 100; n < 0 || n > 255 {
			clipped++
		}
	}
	for _, v := range r.Values {
		if v.Name == "x" && (math.Abs(v.Clipped*400-float64(clipped)) > 1 || v.Saturated*400 != float64(saturated) || clipped < 20) {
			t.Errorf("%v clipped and %v saturated, want %d and %d of 400", v.Clipped*400, v.Saturated*400, clipped, saturated)
		}
	}
}

// TestPairSaturation compares with a count over all outputs of a convolution.
func TestPairSaturation(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	conv := ops.Conv{Stride: []int{2, 1}, Padding: []int{1, 2}, Dilation: []int{1, 2}, Groups: 2}
	x, _ := tensor.New(tensor.Uint8, 2, 6, 5, 6)
	w, _ := tensor.New(tensor.Int8, 4, 3, 3, 2)
	for i := range x.Uint8s() {
		x.Uint8s()[i] = uint8(r.IntN(256))
	}
	for i := range w.Int8s() {
		w.Int8s()[i] = int8(r.IntN(256) - 128)
	}
	x = x.WithQParams(tensor.PerTensor(tensor.Uint8, 1, 200))
	oh, ow := (5+2-2-1)/2+1, (6+4-2-1)/1+1
	hits := 0
	for i := range 2 * 4 * oh * ow {
		ox, oy, o, n := i%ow, i/ow%oh, i/(ow*oh)%4, i/(ow*oh*4)
		hit := false
		// Tap by tap, the channels of each side by side.
		for depth := 0; depth < 18; depth += 2 {
			product := func(depth int) int32 {
				tap, c, v := depth/3, depth%3, int32(200)
				y, xx := oy*2-1+tap/2, ox-2+tap%2*2
				if y >= 0 && y < 5 && xx >= 0 && xx < 6 {
					v = int32(x.Uint8s()[((n*6+o/2*3+c)*5+y)*6+xx])
				}
				return v * int32(w.Int8s()[(o*3+c)*6+tap])
			}
			if s := product(depth) + product(depth+1); s > math.MaxInt16 || s < math.MinInt16 {
				hit = true
			}
		}
		if hit {
			hits++
		}
	}
	last, err := x.Permute(0, 2, 3, 1)
	if err != nil {
		t.Fatal(err)
	}
	count := &pairCount{}
	for _, nhwc := range []bool{false, true} {
		in := x
		if nhwc {
			in = last.Contiguous().WithQParams(x.QParams())
		}
		k, err := pairOp{to: count, conv: &conv, weight: w, nhwc: nhwc}.Prepare(&ops.Prepare{In: []ops.Type{ops.TypeOf(in)}, Tier: asm.Generic, Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		if err := ops.RunKernel(k, nil, []*tensor.Tensor{in}, nil); err != nil {
			t.Fatal(err)
		}
	}
	if want := int64(2 * hits); count.hits != want || count.outputs != int64(2*2*4*oh*ow) || hits < 10 {
		t.Errorf("%d of %d outputs, want %d", count.hits, count.outputs, want)
	}
}
