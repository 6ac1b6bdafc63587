package quantize

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/octet-ml/octet/tensor"
)

var nan32 = float32(math.NaN())

// allConfigs is every kind with every spec it takes.
func allConfigs() []ObserverConfig {
	var configs []ObserverConfig
	for _, k := range Kinds() {
		for _, s := range []Spec{affineU8, symmetricS8, affineU8.WithBits(4)} {
			configs = append(configs, ObserverConfig{Kind: k, Spec: s})
		}
	}
	for _, k := range []Kind{MinMax, MovingAverage} {
		configs = append(configs, ObserverConfig{Kind: k, Spec: channelSymmetricS8})
	}
	return configs
}

func newObserver(t testing.TB, c ObserverConfig) Observer {
	t.Helper()
	o, err := c.New("value")
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func observe(t testing.TB, o Observer, shape []int, values ...float32) {
	t.Helper()
	x, err := tensor.FromSlice(values, shape...)
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Observe(x); err != nil {
		t.Fatal(err)
	}
}

func qparams(t testing.TB, o Observer) *tensor.QParams {
	t.Helper()
	q, err := o.QParams()
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func normal(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

func forEachConfig(t *testing.T, f func(t *testing.T, c ObserverConfig)) {
	for _, c := range allConfigs() {
		t.Run(c.String(), func(t *testing.T) { f(t, c) })
	}
}

func TestObserverNoData(t *testing.T) {
	forEachConfig(t, func(t *testing.T, c ObserverConfig) {
		o := newObserver(t, c)
		observe(t, o, []int{0, 3})
		_, err := o.QParams()
		var named *ObserverError
		if !errors.Is(err, ErrNoData) || !errors.As(err, &named) || named.Observer != "value" || named.Kind != c.Kind {
			t.Errorf("error %v, want ErrNoData naming the observer", err)
		}
	})
}

func TestObserverNotFinite(t *testing.T) {
	forEachConfig(t, func(t *testing.T, c ObserverConfig) {
		o := newObserver(t, c)
		observe(t, o, []int{1, 4}, -1, 0, 1, 2)
		before := o.State()
		for _, bad := range []float32{nan32, inf32, -inf32} {
			for at := range 9 {
				values := []float32{-9, 1, 2, 3, 4, 5, 6, 7, 9}
				values[at] = bad
				x, _ := tensor.FromSlice(values, 1, 9)
				err := o.Observe(x)
				var named *ObserverError
				if !errors.Is(err, ErrNotFinite) || !errors.As(err, &named) || named.Observer != "value" {
					t.Fatalf("%v at %d: error %v, want ErrNotFinite naming the observer", bad, at, err)
				}
			}
		}
		if after := o.State(); fmt.Sprint(after) != fmt.Sprint(before) {
			t.Error("a refused batch left a trace")
		}
	})
}

func TestObserverRefusesOtherTypes(t *testing.T) {
	forEachConfig(t, func(t *testing.T, c ObserverConfig) {
		o := newObserver(t, c)
		ints, _ := tensor.FromSlice([]int32{1, 2}, 1, 2)
		for _, x := range []*tensor.Tensor{nil, ints} {
			if err := o.Observe(x); !errors.Is(err, ErrMismatch) {
				t.Errorf("%v: error %v, want ErrMismatch", x, err)
			}
		}
	})
}

// A constant must come back: the end of a range, or the zero point itself.
func TestObserverConstant(t *testing.T) {
	forEachConfig(t, func(t *testing.T, c ObserverConfig) {
		for _, v := range []float32{1.5, -3, 1e-3, 1e9, -1e30, 0} {
			o := newObserver(t, c)
			for range 2 {
				observe(t, o, []int{1, 3}, v, v, v)
			}
			q := qparams(t, o)
			if err := q.Validate(tensor.Shape{1, 3}); err != nil {
				t.Fatalf("%v: %v", v, err)
			}
			out := make([]float32, 3)
			if err := fakeQuantize(out, []float32{v, v, v}, tensor.Shape{1, 3}, q); err != nil {
				t.Fatal(err)
			}
			// Symmetric ranges put a positive constant half a step beyond the last integer.
			if d := math.Abs(float64(out[0] - v)); d > float64(q.Scale[0])*0.5001 {
				t.Errorf("%v became %v with %v", v, out[0], q)
			}
			if v == 0 && q.Scale[0] != epsilon {
				t.Errorf("zeros have scale %v", q.Scale[0])
			}
		}
	})
}

// The largest ranges either work or are refused by name.
func TestObserverHugeRange(t *testing.T) {
	forEachConfig(t, func(t *testing.T, c ObserverConfig) {
		o := newObserver(t, c)
		x, _ := tensor.FromSlice([]float32{-math.MaxFloat32, 0, math.MaxFloat32}, 1, 3)
		err := o.Observe(x)
		var q *tensor.QParams
		if err == nil {
			q, err = o.QParams()
		}
		if errors.Is(err, ErrRange) {
			return
		}
		if err == nil {
			err = q.Validate(x.Shape())
		}
		if err != nil {
			t.Errorf("%v: error %v, want none or ErrRange", q, err)
		}
	})
}

func TestObserverStateRoundTrip(t *testing.T) {
	forEachConfig(t, func(t *testing.T, c ObserverConfig) {
		r := rand.New(rand.NewPCG(1, 2))
		o := newObserver(t, c)
		for batch := range 4 {
			data, err := json.Marshal(o.State())
			if err != nil {
				t.Fatal(err)
			}
			var s State
			if err := json.Unmarshal(data, &s); err != nil {
				t.Fatal(err)
			}
			resumed, err := s.NewObserver("value")
			if err != nil {
				t.Fatal(err)
			}
			x := normal(r, 300)
			for i := range x {
				x[i] *= float32(batch + 1)
			}
			observe(t, o, []int{3, 100}, x...)
			observe(t, resumed, []int{3, 100}, x...)
			if fmt.Sprint(resumed.State()) != fmt.Sprint(o.State()) {
				t.Fatalf("batch %d: the resumed observer differs", batch)
			}
			if !qparams(t, resumed).Equal(qparams(t, o)) {
				t.Fatalf("batch %d: %v after resuming, want %v", batch, qparams(t, resumed), qparams(t, o))
			}
		}
	})
}

// States come from files: those that no observer can be in must be refused.
func TestObserverRestoreRefuses(t *testing.T) {
	forEachConfig(t, func(t *testing.T, c ObserverConfig) {
		o := newObserver(t, c)
		observe(t, o, []int{1, 4}, -1, 0.5, 1, 3)
		want := fmt.Sprint(o.State())
		for name, damage := range map[string]func(*State){
			"config":      func(s *State) { s.Config.Spec = Spec{DType: tensor.Int8, Min: -7, Max: 7} },
			"batches":     func(s *State) { s.Batches = -1 },
			"no range":    func(s *State) { s.Min, s.Max = nil, nil },
			"half range":  func(s *State) { s.Max = nil },
			"no batches":  func(s *State) { s.Batches = 0 },
			"order":       func(s *State) { s.Min[0], s.Max[0] = 3, -1 },
			"nan":         func(s *State) { s.Min[0] = nan32 },
			"infinity":    func(s *State) { s.Max[0] = inf32 },
			"bins":        func(s *State) { s.Counts = append(s.Counts, 1) },
			"bin":         func(s *State) { s.Counts = slices.Repeat([]float32{nan32}, histogramBins) },
			"grid bins":   func(s *State) { s.GridCounts = nil },
			"grid counts": func(s *State) { s.GridCounts = slices.Repeat([]int64{-1}, len(s.GridCounts)) },
			"grid first":  func(s *State) { s.GridFirst = math.MaxInt64 },
			"grid width":  func(s *State) { s.GridExponent = -9999 },
		} {
			used := map[string]bool{"bins": c.Kind == Histogram, "bin": c.Kind == Histogram}
			grid := c.Kind == Percentile || c.Kind == Entropy || c.Kind == MSE
			for _, n := range []string{"grid bins", "grid counts", "grid first", "grid width"} {
				used[n] = grid
			}
			if applies, listed := used[name]; listed && !applies {
				continue
			}
			s := o.State()
			damage(&s)
			if err := o.Restore(s); !errors.Is(err, ErrMismatch) {
				t.Errorf("%s: error %v, want ErrMismatch", name, err)
			}
		}
		if got := fmt.Sprint(o.State()); got != want {
			t.Error("a refused state left a trace")
		}
	})
}

// Merging parts must equal one pass: exactly, but for Histogram and MovingAverage.
func TestObserverMerge(t *testing.T) {
	forEachConfig(t, func(t *testing.T, c ObserverConfig) {
		if c.Kind == MovingAverage {
			t.Skip("depends on the order of the batches: see TestMovingAverage")
		}
		r := rand.New(rand.NewPCG(3, 4))
		whole, parts := newObserver(t, c), []Observer{newObserver(t, c), newObserver(t, c), newObserver(t, c)}
		for batch := range 9 {
			x := normal(r, 4000)
			for i := range x {
				x[i] = x[i]*float32(1+batch%4) + 0.3
			}
			observe(t, whole, []int{8, 500}, x...)
			observe(t, parts[batch/3], []int{8, 500}, x...)
		}
		merged := newObserver(t, c)
		for _, p := range append(parts, newObserver(t, c)) {
			if err := merged.Merge(p); err != nil {
				t.Fatal(err)
			}
		}
		got, want := merged.State(), whole.State()
		if c.Kind != Histogram {
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Error("merged parts differ from one pass")
			}
			return
		}
		// One pass widens the range a little with each growth; a bin of either is
		// the resolution both cumulative distributions are compared at.
		bin := float64(want.Max[0]-want.Min[0]) / histogramBins
		if d := math.Abs(float64(got.Max[0] - want.Max[0])); got.Min[0] != want.Min[0] || d > 32*bin {
			t.Errorf("range %v to %v, want %v to %v", got.Min, got.Max, want.Min, want.Max)
		}
		total, below := 0.0, 0.0
		for _, n := range want.Counts {
			total += float64(n)
		}
		for i, n := range want.Counts {
			below += float64(n)
			edge := float64(want.Min[0]) + float64(i+1)*bin
			least, most := cumulative(got, edge-2*bin), cumulative(got, edge+2*bin)
			if below < least-0.001*total || below > most+0.001*total {
				t.Fatalf("%v values below %v, merged parts have %v to %v", below, edge, least, most)
			}
		}
		a, b := qparams(t, merged), qparams(t, whole)
		if d := math.Abs(float64(a.Scale[0]/b.Scale[0] - 1)); d > 0.02 {
			t.Errorf("scale %v, want %v", a.Scale[0], b.Scale[0])
		}
	})
}

// cumulative returns how many values of a histogram lie below at.
func cumulative(s State, at float64) float64 {
	width := float64(s.Max[0]-s.Min[0]) / histogramBins
	sum := 0.0
	for i, n := range s.Counts {
		share := (at - (float64(s.Min[0]) + float64(i)*width)) / width
		sum += float64(n) * min(max(share, 0), 1)
	}
	return sum
}

func TestObserverMergeRefuses(t *testing.T) {
	forEachConfig(t, func(t *testing.T, c ObserverConfig) {
		o := newObserver(t, c)
		other := newObserver(t, ObserverConfig{Kind: MinMax, Spec: symmetricS32})
		for _, p := range []Observer{nil, other} {
			if err := o.Merge(p); !errors.Is(err, ErrMismatch) {
				t.Errorf("error %v, want ErrMismatch", err)
			}
		}
	})
	c := ObserverConfig{Kind: MinMax, Spec: channelSymmetricS8}
	a, b := newObserver(t, c), newObserver(t, c)
	observe(t, a, []int{2, 1}, 1, 2)
	observe(t, b, []int{3, 1}, 1, 2, 3)
	if err := a.Merge(b); !errors.Is(err, ErrMismatch) {
		t.Errorf("merging 3 channels into 2: error %v", err)
	}
}

// Observing, merging and asking at the same time must neither race nor lose
// anything. Run with -race.
func TestObserverConcurrent(t *testing.T) {
	forEachConfig(t, func(t *testing.T, c ObserverConfig) {
		a, b := newObserver(t, c), newObserver(t, c)
		observe(t, a, []int{2, 2}, -1, 0, 1, 2)
		observe(t, b, []int{2, 2}, -1, 0, 1, 2)
		var wg sync.WaitGroup
		for g := range 4 {
			wg.Go(func() {
				x, _ := tensor.FromSlice(normal(rand.New(rand.NewPCG(uint64(g), 5)), 64), 2, 32)
				for range 4 {
					o, other := a, b
					if g%2 == 1 {
						o, other = b, a
					}
					if err := errors.Join(o.Observe(x), o.Merge(other)); err != nil {
						t.Error(err)
					}
					if _, err := o.QParams(); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		if n := a.State().Batches + b.State().Batches; n < 2+16+16 {
			t.Errorf("%d batches, at least 34 were observed or merged", n)
		}
	})
}

func TestPerChannel(t *testing.T) {
	values := []float32{1, 2, 3, 4, 5, 6, -7, -8, -9, 10, 11, 12} // [2, 2, 3]
	for _, tt := range []struct {
		axis   int
		lo, hi []float32
	}{
		{0, []float32{1, -9}, []float32{6, 12}},
		{1, []float32{-9, 4}, []float32{3, 12}},
		{2, []float32{-7, -8, -9}, []float32{10, 11, 12}},
	} {
		spec := channelSymmetricS8
		spec.Axis = tt.axis
		o := newObserver(t, ObserverConfig{Kind: MinMax, Spec: spec})
		observe(t, o, []int{2, 2, 3}, values...)
		s := o.State()
		sameBits(t, "min", s.Min, tt.lo)
		sameBits(t, "max", s.Max, tt.hi)
		q := qparams(t, o)
		if err := q.Validate(tensor.Shape{2, 2, 3}); err != nil {
			t.Errorf("axis %d: %v", tt.axis, err)
		}
	}
	o := newObserver(t, ObserverConfig{Kind: MinMax, Spec: channelSymmetricS8})
	observe(t, o, []int{2, 1}, 1, 2)
	three, _ := tensor.FromSlice([]float32{1, 2, 3}, 3, 1)
	scalar := tensor.Scalar(float32(1))
	for _, x := range []*tensor.Tensor{three, scalar} {
		if err := o.Observe(x); !errors.Is(err, ErrMismatch) {
			t.Errorf("%v: error %v, want ErrMismatch", x, err)
		}
	}
}

func TestObserveStridedView(t *testing.T) {
	x, _ := tensor.FromSlice([]float32{1, 100, -2, 100, 3, 100}, 3, 2)
	column, err := x.Slice(1, 0, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	o := newObserver(t, ObserverConfig{Kind: MinMax, Spec: affineU8})
	if err := o.Observe(column); err != nil {
		t.Fatal(err)
	}
	if s := o.State(); s.Min[0] != -2 || s.Max[0] != 3 {
		t.Errorf("range %v to %v, want -2 to 3", s.Min, s.Max)
	}
}

func TestMovingAverage(t *testing.T) {
	c := ObserverConfig{Kind: MovingAverage, Spec: affineU8, AveragingConstant: 0.25}
	o, p := newObserver(t, c), newObserver(t, c)
	observe(t, o, []int{2}, -4, 8)
	observe(t, o, []int{2}, 0, 4)
	if s := o.State(); s.Min[0] != -3 || s.Max[0] != 7 {
		t.Errorf("range %v to %v, want -3 to 7", s.Min, s.Max)
	}
	observe(t, p, []int{2}, -6, 1)
	if err := o.Merge(p); err != nil {
		t.Fatal(err)
	}
	if s := o.State(); s.Min[0] != -4 || s.Max[0] != 5 || s.Batches != 3 {
		t.Errorf("merged range %v to %v of %d batches, want -4 to 5 of 3", s.Min, s.Max, s.Batches)
	}
}

func TestObserverConfigValidate(t *testing.T) {
	for _, c := range []ObserverConfig{
		{Kind: "min-max", Spec: affineU8},
		{Kind: Histogram, Spec: channelSymmetricS8},
		{Kind: MSE, Spec: symmetricS32},
		{Kind: Percentile, Spec: affineU8, Percentile: 101},
		{Kind: Percentile, Spec: affineU8, Percentile: 10},
		{Kind: Percentile, Spec: affineU8, Percentile: math.NaN()},
		{Kind: MovingAverage, Spec: affineU8, AveragingConstant: 2},
		{Kind: MovingAverage, Spec: affineU8, AveragingConstant: nan32},
	} {
		var bad *ConfigError
		if _, err := c.New("x"); !errors.As(err, &bad) {
			t.Errorf("%+v: error %v, want a ConfigError", c, err)
		}
	}
	var spec *SpecError
	if _, err := (ObserverConfig{Kind: MinMax}).New("x"); !errors.As(err, &spec) {
		t.Errorf("error %v, want a SpecError", err)
	}
}
