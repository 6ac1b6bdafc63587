package quantize

import (
	"math"
	"math/rand/v2"
	"testing"
)

// expand is growth.add as PyTorch writes it: on the whole grid of steps.
func (g growth) expand(counts, old []float32) {
	grid := make([]float64, histogramBins*g.rate)
	for i := range histogramBins * histogramUpsample {
		if at := g.start + int64(i); at < int64(len(grid)) {
			grid[at] = float64(old[i/histogramUpsample])
		}
	}
	sum, before := 0.0, float32(0)
	for i := range counts {
		for _, v := range grid[int64(i)*g.rate : int64(i+1)*g.rate] {
			sum += v
		}
		counts[i] += float32((sum - float64(before)) / histogramUpsample)
		before = float32(sum)
	}
}

func TestHistogramGrowth(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for round := range 20 {
		lo, hi := float32(-r.Float64()), float32(r.Float64())
		newLo := lo - float32(r.IntN(2))*float32(r.ExpFloat64())
		newHi := hi + float32(r.IntN(2))*float32(r.ExpFloat64())
		g := growTo(lo, hi, newLo, newHi)
		if g.hi < newHi-1e-6*(newHi-newLo) || g.rate < histogramUpsample || g.start < 0 {
			t.Fatalf("round %d: %v to %v becomes %v to %v: %+v", round, lo, hi, newLo, newHi, g)
		}
		old := make([]float32, histogramBins)
		for i := range old {
			old[i] = float32(r.IntN(100))
		}
		got, want := make([]float32, histogramBins), make([]float32, histogramBins)
		for i := range got {
			got[i] = float32(r.IntN(3))
		}
		copy(want, got)
		g.add(got, old, false)
		g.expand(want, old)
		sameBits(t, "counts", got, want)
	}
}

// Growth beyond what PyTorch has memory for, or float32 arithmetic for, must keep
// the number of values and the range.
func TestHistogramExtremeGrowth(t *testing.T) {
	for _, tt := range []struct{ small, large []float32 }{
		{[]float32{0, 1e-3}, []float32{0, 1e9}},
		{[]float32{0, 1e-30}, []float32{-5, 1e8}},
		{[]float32{-1e-45, 1e-45}, []float32{-1e38, 1e38}},
		{[]float32{1, 1.0000001}, []float32{-1e30, 1e34}},
		{[]float32{-1e33, 1e33}, []float32{-1e38, 1e38}},
		{[]float32{-1e-40, 1e-40}, []float32{-1e-39, 1e-39}},
	} {
		o := newObserver(t, ObserverConfig{Kind: Histogram, Spec: affineU8})
		observe(t, o, []int{2}, tt.small...)
		observe(t, o, []int{2}, tt.large...)
		s := o.State()
		lo, hi, _ := minMax(tt.large)
		if s.Min[0] != lo || s.Max[0] < hi || float64(s.Max[0]) > float64(hi)+0.01*(float64(hi)-float64(lo)) {
			t.Errorf("%v, %v: range %v to %v", tt.small, tt.large, s.Min[0], s.Max[0])
		}
		total := float32(0)
		for _, c := range s.Counts {
			total += c
		}
		if math.Abs(float64(total-4)) > 1e-3 {
			t.Errorf("%v, %v: %v values of 4", tt.small, tt.large, total)
		}
		q := qparams(t, o)
		if err := q.Validate([]int{2}); err != nil {
			t.Errorf("%v, %v: %v", tt.small, tt.large, err)
		}
	}
}

func TestHistogramMergeOfConstants(t *testing.T) {
	c := ObserverConfig{Kind: Histogram, Spec: affineU8}
	a, b, d := newObserver(t, c), newObserver(t, c), newObserver(t, c)
	observe(t, a, []int{3}, 2, 2, 2)
	observe(t, b, []int{2}, 2, 2)
	observe(t, d, []int{4}, 0, 1, 3, 4)
	for _, o := range []Observer{b, d} {
		if err := a.Merge(o); err != nil {
			t.Fatal(err)
		}
	}
	s := a.State()
	if s.Min[0] != 0 || s.Max[0] != 4 || s.Batches != 3 {
		t.Fatalf("range %v to %v of %d batches", s.Min, s.Max, s.Batches)
	}
	for bin, want := range map[int]float32{0: 1, 512: 1, 1024: 5, 1536: 1, 2047: 1} {
		if s.Counts[bin] != want {
			t.Errorf("bin %d holds %v values, want %v", bin, s.Counts[bin], want)
		}
	}
}

// floorDiv must be exact where the float32 quotient rounds up to an integer.
func TestFloorDiv(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	wrong := 0
	for range 100_000 {
		b := float32(r.Float64() + 1e-3)
		n := float32(r.IntN(255) + 1)
		a := math.Nextafter32(n*b, 0)
		want := n
		if float64(a) < float64(n)*float64(b) { // both sides exact
			want = n - 1
		}
		if got := floorDiv(a, b, 255); got != want {
			t.Fatalf("floorDiv(%v, %v) = %v, want %v", a, b, got, want)
		}
		if float32(math.Floor(float64(a/b))) != want {
			wrong++
		}
	}
	if wrong == 0 {
		t.Error("no case in which plain float32 division is wrong")
	}
}

func TestSumFloat32(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for _, n := range []int{0, 1, 3, 7, 8, 9, 31, 32, 33, 63, 100, 511, 512, 513, 1000, 2048, 5000, 70000} {
		x := make([]float32, n)
		want := 0.0
		for i := range x {
			x[i] = float32(r.IntN(200)) // exact in any order
			want += float64(x[i])
		}
		if got := sumFloat32(x); float64(got) != want {
			t.Errorf("sum of %d values = %v, want %v", n, got, want)
		}
	}
}
