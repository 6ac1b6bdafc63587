package quantize

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// shardData are batches whose ranges grow, shrink, and are constant.
func shardData(t *testing.T, batches int) [][]*tensor.Tensor {
	t.Helper()
	var data [][]*tensor.Tensor
	for n := range batches {
		x := randomInput(t, uint64(n+1), 2, 3, 16, 16)
		for i := range x.Float32s() {
			switch n {
			case 0, 5:
				x.Float32s()[i] = 0.25 // constant
			default:
				x.Float32s()[i] *= 1 + float32(n*7%5)/3
			}
		}
		data = append(data, []*tensor.Tensor{x})
	}
	return data
}

// runBatches calibrates on batches.
func runBatches(t *testing.T, q *Quantizer, m *graph.Graph, data [][]*tensor.Tensor) {
	t.Helper()
	c, err := q.Calib(m)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, x := range data {
		if _, err := c.Run(context.Background(), x...); err != nil {
			t.Fatal(err)
		}
	}
}

func marshal(t *testing.T, q *Quantizer) []byte {
	t.Helper()
	data, err := json.Marshal(q)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// reread returns the quantizer that a file of q's state gives.
func reread(t *testing.T, q *Quantizer) *Quantizer {
	t.Helper()
	r := New(Options{})
	if err := json.Unmarshal(marshal(t, q), r); err != nil {
		t.Fatal(err)
	}
	return r
}

// calibrateShards runs the n shards of data, each from what begin gives, the last first, through files, and merges them.
func calibrateShards(t *testing.T, m *graph.Graph, data [][]*tensor.Tensor, n int, begin func() *Quantizer) *Quantizer {
	t.Helper()
	var parts []*Quantizer
	for i := n - 1; i >= 0; i-- {
		s := Shard{i, n}
		q := begin()
		if err := q.Shard(s, 2*len(data), 2); err != nil {
			t.Fatal(err)
		}
		from, to := s.Range(len(data))
		runBatches(t, q, m, data[from:to])
		parts = append(parts, reread(t, q))
	}
	merged, err := MergeShards(parts...)
	if err != nil {
		t.Fatal(err)
	}
	return reread(t, merged)
}

// TestShards compares the bytes of the state that shards give with those of one run, for all observers, and counts the passes.
func TestShards(t *testing.T) {
	m := build(t, []int{2, 3, 16, 16}, mobile)
	data := shardData(t, 6)
	for _, kind := range Kinds() {
		whole := observing(kind)
		runBatches(t, whole, m, data)
		want := marshal(t, whole)
		for _, n := range []int{1, 2, 3, 7} { // of seven shards one has no batches
			merged := calibrateShards(t, m, data, n, func() *Quantizer { return observing(kind) })
			passes := 1
			if p := merged.Part(); p != nil {
				if _, err := merged.Quantize(m); !isShardError(err) {
					t.Errorf("%s: quantizing after the first pass: %v", kind, err)
				}
				first := merged
				merged = calibrateShards(t, m, data, n, func() *Quantizer { return reread(t, first) })
				passes++
			}
			if wantPasses := map[Kind]int{Histogram: 2}[kind]; passes != max(wantPasses, 1) {
				t.Errorf("%s: %d passes", kind, passes)
			}
			if have := marshal(t, merged); !bytes.Equal(have, want) {
				t.Errorf("%s: %d shards give another state than one run:\n%.300s\n%.300s", kind, n, have, want)
			}
		}
	}
}

// TestShardsOfMoments compares the bytes of what shards give with those of one run where weights are rounded by what data says:
// moments are sums, whose bits depend on no order. So do those of parts that are merged. Ranges of channels in front of depthwise layers are among the bytes.
func TestShardsOfMoments(t *testing.T) {
	m := build(t, []int{2, 3, 16, 16}, func(c *nn.Context, x *graph.Value) *graph.Value {
		v := c.Call("conv", nn.Conv2d{In: 3, Out: 4, Kernel: 3, Stride: 2}, x)
		v = c.Call("depthwise", nn.Conv2d{In: 4, Out: 4, Kernel: 3, Stride: 2, Groups: 4}, c.Call("relu", nn.ReLU{}, v))
		return c.Call("fc", nn.Linear{In: 36, Out: 5}, c.Apply(ops.Flatten{Start: 1, End: -1}, v))
	})
	data := shardData(t, 6)
	for _, opts := range []Options{
		{Rounding: Learned, CorrectBias: true}, {CorrectBias: true}, {Rounding: Learned, Activation: &ObserverConfig{Kind: Histogram, Spec: affineU8}}, {Dynamic: true, Rounding: Learned},
	} {
		whole := New(opts)
		runBatches(t, whole, m, data)
		want := marshal(t, whole)
		for _, n := range []int{1, 3, 7} {
			merged := calibrateShards(t, m, data, n, func() *Quantizer { return New(opts) })
			if merged.Part() != nil {
				first := merged
				merged = calibrateShards(t, m, data, n, func() *Quantizer { return reread(t, first) })
			}
			if have := marshal(t, merged); !bytes.Equal(have, want) {
				t.Errorf("%+v: %d shards give another state than one run", opts, n)
			}
		}
		if opts.Activation != nil {
			continue // parts have other histograms
		}
		parts := []*Quantizer{New(opts), New(opts)}
		runBatches(t, parts[0], m, data[4:])
		runBatches(t, parts[1], m, data[:4])
		if err := parts[0].Merge(reread(t, parts[1])); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(marshal(t, parts[0]), want) {
			t.Errorf("%+v: two parts give another state than one run", opts)
		}
	}
}

func isShardError(err error) bool {
	_, ok := errors.AsType[*ShardError](err)
	return ok
}

// TestShardRange checks that shards follow each other and have all batches.
func TestShardRange(t *testing.T) {
	for _, batches := range []int{0, 1, 5, 64, 1 << 30} {
		for _, n := range []int{1, 2, 3, 7, 1000} {
			end, least, most := 0, batches, 0
			for i := range n {
				from, to := Shard{i, n}.Range(batches)
				if from != end {
					t.Fatalf("shard %d/%d of %d begins at %d, not %d", i, n, batches, from, end)
				}
				end, least, most = to, min(least, to-from), max(most, to-from)
			}
			if end != batches || most-least > 1 {
				t.Errorf("%d shards of %d end at %d and have %d to %d", n, batches, end, least, most)
			}
		}
	}
	for text, want := range map[string]Shard{"0/1": {0, 1}, "3/4": {3, 4}} {
		if s, err := ParseShard(text); err != nil || s != want {
			t.Errorf("%q is %v: %v", text, s, err)
		}
	}
	for _, text := range []string{"", "1", "4/4", "-1/4", "0/0", "a/4", "0/9999999", "1/2/3", "0/ 4"} {
		if s, err := ParseShard(text); !isShardError(err) {
			t.Errorf("%q is %v: %v", text, s, err)
		}
	}
}

// TestShardRefusals checks that shards that do not make one calibration are refused, and what cannot be cut.
func TestShardRefusals(t *testing.T) {
	m := build(t, []int{2, 3, 16, 16}, mobile)
	data := shardData(t, 4)
	part := func(kind Kind, s Shard, samples int) *Quantizer {
		q := observing(kind)
		if err := q.Shard(s, samples, 2); err != nil {
			t.Fatal(err)
		}
		from, to := s.Range(len(data))
		runBatches(t, q, m, data[from:to])
		return reread(t, q)
	}
	a, b := part(MinMax, Shard{0, 2}, 8), part(MinMax, Shard{1, 2}, 8)
	other := build(t, []int{2, 3, 16, 16}, chain)
	for what, parts := range map[string][]*Quantizer{
		"missing":   {a},
		"twice":     {a, a},
		"other cut": {a, part(MinMax, Shard{1, 3}, 8)},
		"samples":   {a, part(MinMax, Shard{1, 2}, 9)},
		"whole":     {a, observing(MinMax)},
		"none":      {},
	} {
		if _, err := MergeShards(parts...); !isShardError(err) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := MergeShards(a, part(MSE, Shard{1, 2}, 8)); !errors.Is(err, ErrMismatch) {
		t.Errorf("other observers: %v", err)
	}
	if err := a.Merge(b); !isShardError(err) {
		t.Errorf("merged as calibrations: %v", err)
	}
	if _, err := a.Quantize(m); !isShardError(err) {
		t.Errorf("quantized from a shard: %v", err)
	}
	if _, err := a.Calib(m); !isShardError(err) {
		t.Errorf("a shard continued: %v", err)
	}
	foreign := observing(MinMax)
	if err := foreign.Shard(Shard{1, 2}, 8, 2); err != nil {
		t.Fatal(err)
	}
	if _, err := foreign.Calib(other); err != nil {
		t.Fatal(err)
	}
	if _, err := MergeShards(a, foreign); !errors.Is(err, ErrMismatch) {
		t.Errorf("shards of two models: %v", err)
	}
	for _, opts := range []Options{{Dynamic: true}} {
		if err := New(opts).Shard(Shard{0, 2}, 8, 2); !isShardError(err) {
			t.Errorf("%+v: %v", opts, err)
		}
	}
	observed := observing(MinMax)
	runBatches(t, observed, m, data)
	if err := observed.Shard(Shard{0, 2}, 8, 2); !isShardError(err) {
		t.Errorf("after a calibration: %v", err)
	}
}

// TestSecondPass checks that a second pass over other data, or with other options, is refused.
func TestSecondPass(t *testing.T) {
	m := build(t, []int{2, 3, 16, 16}, mobile)
	data := shardData(t, 4)
	first := calibrateShards(t, m, data, 2, func() *Quantizer { return observing(Histogram) })
	for what, s := range map[string]func(q *Quantizer) error{
		"other cut":   func(q *Quantizer) error { return q.Shard(Shard{0, 3}, 8, 2) },
		"other batch": func(q *Quantizer) error { return q.Shard(Shard{0, 2}, 8, 4) },
	} {
		if err := s(reread(t, first)); !isShardError(err) {
			t.Errorf("%s: %v", what, err)
		}
	}
	q := reread(t, first)
	if err := q.Shard(Shard{0, 2}, 8, 2); err != nil {
		t.Fatal(err)
	}
	c, err := q.Calib(m)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Run(context.Background(), data[3]...); !isShardError(err) || !strings.Contains(err.Error(), "first pass") {
		t.Errorf("other data: %v", err)
	}
	q = reread(t, first)
	if err := q.Shard(Shard{0, 2}, 8, 2); err != nil {
		t.Fatal(err)
	}
	if _, err := q.Calib(m, WithBits(7, 7)); !isShardError(err) {
		t.Errorf("other options: %v", err)
	}
}

// TestHostileShards reads states of shards that no shard wrote.
func TestHostileShards(t *testing.T) {
	config := `{"kind":"histogram","spec":{"dtype":"uint8","scheme":"per_tensor_affine","quant_min":0,"quant_max":255}}`
	state := func(shard, value string) string {
		return fmt.Sprintf(`{"version":3,"shard":%s,"backend":"native","device":"x86","activation":%s,"values":{"x":{"config":%s,%s}}}`, shard, config, config, value)
	}
	good, ranges := `{"index":0,"count":2,"samples":4,"batch":2,"pass":1}`, `"batches":1,"partials":{"min":[0],"max":[1]}`
	if err := json.Unmarshal([]byte(state(good, ranges)), New(Options{})); err != nil {
		t.Fatalf("a good state: %v", err)
	}
	for what, s := range map[string]string{
		"no shard":    state(`null`, ranges),
		"index":       state(`{"index":2,"count":2,"samples":4,"batch":2,"pass":1}`, ranges),
		"count":       state(`{"index":0,"count":2000000000,"samples":4,"batch":2,"pass":1}`, ranges),
		"pass":        state(`{"index":0,"count":2,"samples":4,"batch":2,"pass":3}`, ranges),
		"batch":       state(`{"index":0,"count":2,"samples":4,"batch":0,"pass":1}`, ranges),
		"no partials": state(good, `"batches":0`),
		"range":       state(good, `"batches":1,"partials":{"min":[2],"max":[1]}`),
		"lengths":     state(good, `"batches":1,"partials":{"min":[0],"max":[1],"lengths":[1,-1,1]}`),
		"sum":         state(good, `"batches":1,"partials":{"min":[0],"max":[1],"lengths":[0]}`),
		"bins":        state(good, `"batches":1,"partials":{"min":[0],"max":[1],"counts":["AAAA"]}`),
		"batches":     state(good, `"batches":9,"partials":{"min":[0],"max":[1]}`),
		"version":     strings.Replace(state(good, ranges), `"version":3`, `"version":2`, 1),
	} {
		if err := json.Unmarshal([]byte(s), New(Options{})); err == nil {
			t.Errorf("%s: %s is accepted", what, s)
		}
	}
}
