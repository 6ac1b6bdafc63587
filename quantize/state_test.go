package quantize

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/tensor"
)

// observeBatches calibrates on the batches of the given numbers.
func observeBatches(t *testing.T, q *Quantizer, m *graph.Graph, numbers ...uint64) {
	t.Helper()
	c, err := q.Calib(m)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, n := range numbers {
		x := randomInput(t, n, 2, 3, 16, 16)
		for i := range x.Float32s() {
			x.Float32s()[i] *= 1 + float32(n)/4 // so that later batches widen the ranges
		}
		if _, err := c.Run(context.Background(), x); err != nil {
			t.Fatal(err)
		}
	}
}

func activations(t *testing.T, q *Quantizer, m *graph.Graph) map[string]*tensor.QParams {
	t.Helper()
	p, err := q.Parameters(m)
	if err != nil {
		t.Fatal(err)
	}
	return p.Activations
}

func observing(kind Kind) *Quantizer {
	return New(Options{Activation: &ObserverConfig{Kind: kind, Spec: affineU8}})
}

// TestResume checks that a calibration that is stopped, saved and continued
// gives what one without a break does.
func TestResume(t *testing.T) {
	m := build(t, []int{1, 3, 16, 16}, mobile)
	for _, kind := range Kinds() {
		whole, first := observing(kind), observing(kind)
		observeBatches(t, whole, m, 1, 2, 3, 4)
		observeBatches(t, first, m, 1, 2)
		path := filepath.Join(t.TempDir(), "state.json")
		if err := first.Save(path); err != nil {
			t.Fatal(err)
		}
		second, err := LoadQuantizer(path)
		if err != nil {
			t.Fatal(err)
		}
		observeBatches(t, second, m, 3, 4)
		got := activations(t, second, m)
		for name, want := range activations(t, whole, m) {
			if !got[name].Equal(want) {
				t.Errorf("%s: %q is %v after a break, %v without", kind, name, got[name], want)
			}
		}
	}
}

// TestCalibrationMemory checks that what is kept does not grow with the data.
func TestCalibrationMemory(t *testing.T) {
	m := build(t, []int{1, 3, 16, 16}, mobile)
	for _, kind := range Kinds() {
		q := New(Options{Activation: &ObserverConfig{Kind: kind, Spec: affineU8}, CorrectBias: true})
		c, err := q.Calib(m)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		heap := func(batches int) uint64 {
			x := randomInput(t, 1, 4, 3, 16, 16)
			for range batches {
				if _, err := c.Run(context.Background(), x); err != nil {
					t.Fatal(err)
				}
			}
			runtime.GC()
			var s runtime.MemStats
			runtime.ReadMemStats(&s)
			return s.HeapAlloc
		}
		few := heap(5)
		if many := heap(100); many > few+64<<10 {
			t.Errorf("%s: %d bytes after 5 batches, %d after 100 more", kind, few, many)
		}
	}
}

// TestMergeParts checks that a calibration in parts gives what one pass does:
// exactly, for Histogram within the width of its bins. MovingAverage depends on the order.
func TestMergeParts(t *testing.T) {
	m := build(t, []int{1, 3, 16, 16}, mobile)
	for _, kind := range []Kind{MinMax, Histogram, Percentile, Entropy, MSE} {
		whole, a, b, c := observing(kind), observing(kind), observing(kind), observing(kind)
		observeBatches(t, whole, m, 1, 2, 3, 4)
		observeBatches(t, a, m, 1, 2)
		observeBatches(t, b, m, 3, 4)
		for _, part := range []*Quantizer{a, b} {
			if err := c.Merge(part); err != nil {
				t.Fatal(err)
			}
		}
		got := activations(t, c, m)
		for name, want := range activations(t, whole, m) {
			g := got[name]
			// A bin is an eighth of a step, and the range has two ends.
			if kind == Histogram && math.Abs(float64(g.Scale[0])/float64(want.Scale[0])-1) < 0.02 && max(g.ZeroPoint[0]-want.ZeroPoint[0], want.ZeroPoint[0]-g.ZeroPoint[0]) <= 4 {
				continue
			}
			if !g.Equal(want) {
				t.Errorf("%s: %q is %v in parts, %v at once", kind, name, g, want)
			}
		}
	}
}

func TestMergeMismatch(t *testing.T) {
	m := build(t, []int{1, 3, 16, 16}, mobile)
	a, b := observing(MinMax), observing(Histogram)
	observeBatches(t, a, m, 1)
	observeBatches(t, b, m, 1)
	before, _ := json.Marshal(a)
	if err := a.Merge(b); !errors.Is(err, ErrMismatch) {
		t.Errorf("merging a histogram into a range: %v", err)
	}
	if after, _ := json.Marshal(a); string(after) != string(before) {
		t.Error("a failed merge changed the quantizer")
	}
	if err := New(Options{}).Merge(New(Options{})); err == nil {
		t.Error("merging two empty calibrations is accepted")
	}
}

// TestStateKeepsOptions checks that what fallbacks excluded and what is fixed is saved.
func TestStateKeepsOptions(t *testing.T) {
	fixed := tensor.PerTensor(tensor.Uint8, 0.5, 9)
	q := New(Options{Backend: DISC, Device: AArch64, Fixed: map[string]*tensor.QParams{"stem": fixed}, Weight: &ObserverConfig{Kind: MinMax, Spec: channelSymmetricS8.WithBits(4)}})
	q.Exclude("head", "project")
	data, err := json.Marshal(q)
	if err != nil {
		t.Fatal(err)
	}
	var r Quantizer
	if err := json.Unmarshal(data, &r); err != nil {
		t.Fatal(err)
	}
	o := r.Options()
	if o.Backend != DISC || o.Device != AArch64 || !slices.Equal(o.Filter.ExcludeNames, []string{"head", "project"}) ||
		!o.Fixed["stem"].Equal(fixed) || o.Weight.Spec != channelSymmetricS8.WithBits(4) {
		t.Errorf("read %+v from %s", o, data)
	}
	if again, err := json.Marshal(&r); err != nil || string(again) != string(data) {
		t.Errorf("written again as %s: %v", again, err)
	}
}

// TestFixed checks that given parameters are used in place of observed ones, and
// that names of no value are refused.
func TestFixed(t *testing.T) {
	m := build(t, []int{1, 3, 16, 16}, mobile)
	fixed := tensor.PerTensor(tensor.Uint8, 0.5, 9)
	q := New(Options{Fixed: map[string]*tensor.QParams{"stem": fixed}})
	observeBatches(t, q, m, 1)
	if p := activations(t, q, m); !p["stem"].Equal(fixed) || p["head"] != nil && p["head"].Equal(fixed) {
		t.Errorf("parameters %v", p)
	}
	q = New(Options{Fixed: map[string]*tensor.QParams{"stam": fixed}})
	var unknown *UnknownNameError
	if _, err := q.Calib(m); !errors.As(err, &unknown) || !slices.Contains(unknown.Near, "stem") {
		t.Errorf("a name of no value: %v", err)
	}
	q = New(Options{Fixed: map[string]*tensor.QParams{"stem": {DType: tensor.Uint8}}})
	var option *OptionError
	if _, err := q.Calib(m); !errors.As(err, &option) {
		t.Errorf("parameters without a scale: %v", err)
	}
}

func TestHostileState(t *testing.T) {
	for _, s := range []string{
		`{}`, `{"version":3}`, `{"version":-1}`, `[]`, `{"version":1,"backend":"nonesuch","device":"x86"}`, `{"version":1,"backend":"native","device":"vax"}`,
		`{"version":1,"backend":"native","device":"x86","activation":{"kind":"nonesuch"}}`,
		`{"version":1,"backend":"native","device":"x86","fixed":{"x":{"DType":"u8"}}}`,
		`{"version":1,"backend":"native","device":"x86","values":{"x":{"config":{"kind":"minmax","spec":{"dtype":"uint8","scheme":"per_tensor_affine","quant_min":0,"quant_max":255}},"batches":1,"min":[2],"max":[1]}}}`,
		`{"version":1,"backend":"native","device":"x86","values":{"x":{"config":{"kind":"mse","spec":{"dtype":"uint8","scheme":"per_tensor_affine","quant_min":0,"quant_max":255}},"batches":1,"min":[0],"max":[1],"grid_counts":[1],"grid_exponent":-2000000000}}}`,
	} {
		q := New(Options{Backend: DISC})
		if err := json.Unmarshal([]byte(s), q); err == nil {
			t.Errorf("%s is accepted", s)
		} else if q.Options().Backend != DISC {
			t.Errorf("%s: refused with %v, but it changed the quantizer", s, err)
		}
	}
}

// FuzzState reads states that no quantizer wrote. What is accepted must be written and read again as the same.
func FuzzState(f *testing.F) {
	for _, kind := range Kinds() {
		q := observing(kind)
		o, err := q.opts.Activation.New("x")
		if err != nil {
			f.Fatal(err)
		}
		x, _ := tensor.FromSlice([]float32{-1, 0.5, 3}, 3)
		if err := o.Observe(x); err != nil {
			f.Fatal(err)
		}
		q.values["x"] = o
		data, err := json.Marshal(q)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(data))
		f.Add(strings.Replace(string(data), `"batches":1`, `"batches":0`, 1))
	}
	f.Fuzz(func(t *testing.T, s string) {
		q := New(Options{})
		if json.Unmarshal([]byte(s), q) != nil {
			return
		}
		for _, o := range q.values {
			_, _ = o.QParams()
		}
		data, err := json.Marshal(q)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(data, New(Options{})); err != nil {
			t.Fatalf("%s is refused: %v", data, err)
		}
	})
}
