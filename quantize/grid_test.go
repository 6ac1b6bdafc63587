package quantize

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/octet-ml/octet/tensor"
)

// spreadValues returns values of very different magnitudes and signs.
func spreadValues(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64() * math.Exp(4*r.NormFloat64()))
	}
	return x
}

func TestGridDoesNotDependOnOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for round := range 50 {
		x := spreadValues(r, 400)
		if round%3 == 0 {
			for i := range x {
				x[i] = 1e6 + x[i]*1e-3
			}
		}
		var whole, small grid
		lo, hi, _ := minMax(x)
		whole.widen(lo, hi)
		whole.add(countAll(x))
		r.Shuffle(len(x), func(i, j int) { x[i], x[j] = x[j], x[i] })
		for len(x) > 0 {
			n := min(1+r.IntN(40), len(x))
			lo, hi, _ := minMax(x[:n])
			small.widen(lo, hi)
			small.add(countAll(x[:n]))
			x = x[n:]
		}
		if fmt.Sprint(whole) != fmt.Sprint(small) {
			t.Fatalf("round %d: batches give another grid: %v at 2^%d, %v at 2^%d", round, whole.first, whole.exponent, small.first, small.exponent)
		}
	}
}

// Bins must be as narrow as the range allows, and hold what they say.
func TestGridBins(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	for range 50 {
		x := spreadValues(r, 300)
		lo, hi, _ := minMax(x)
		var g grid
		g.widen(lo, hi)
		g.add(countAll(x))
		if used := gridIndex(hi, g.exponent) - gridIndex(lo, g.exponent) + 1; used > gridBins || used <= gridBins/2-1 {
			t.Fatalf("%v to %v takes %d bins", lo, hi, used)
		}
		total := 0.0
		g.bins(func(from, to, count float64) {
			n := 0
			for _, v := range x {
				if v := float64(v); v >= from && (v < to || v == to && to == float64(hi)) {
					n++
				}
			}
			if float64(n) != count {
				t.Fatalf("%v of %v values in %v to %v", count, n, from, to)
			}
			total += count
		})
		if total != float64(len(x)) {
			t.Fatalf("%v values of %d", total, len(x))
		}
	}
}

func TestPercentile(t *testing.T) {
	const n = 100_000
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(i)/n*4 - 1 // -1 to 3
	}
	for _, tt := range []struct{ percentile, lo, hi float64 }{{100, -1, 3}, {99, -0.96, 2.96}, {75, 0, 2}} {
		o := newObserver(t, ObserverConfig{Kind: Percentile, Spec: affineU8, Percentile: tt.percentile})
		observe(t, o, []int{n}, x...)
		g := &o.(*gridObserver).grid
		lo, hi := g.quantile(1-tt.percentile/100), g.quantile(tt.percentile/100)
		if math.Abs(float64(lo)-tt.lo) > 1e-3 || math.Abs(float64(hi)-tt.hi) > 1e-3 {
			t.Errorf("percentile %v: %v to %v, want %v to %v", tt.percentile, lo, hi, tt.lo, tt.hi)
		}
		if want, _, _ := affineU8.scaleAndZero(lo, hi); qparams(t, o).Scale[0] != want {
			t.Errorf("percentile %v: scale %v, want %v", tt.percentile, qparams(t, o).Scale[0], want)
		}
	}
}

// squaredError returns the mean square error that quantizing costs.
func squaredError(t *testing.T, q *tensor.QParams, x []float32) float64 {
	t.Helper()
	out := make([]float32, len(x))
	if err := fakeQuantize(out, x, []int{len(x)}, q); err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for i := range x {
		d := float64(out[i]) - float64(x[i])
		sum += d * d
	}
	return sum / float64(len(x))
}

func TestMSEFindsTheLeastError(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for _, tt := range []struct {
		name  string
		spec  Spec
		value func() float32
	}{
		{"normal, 4 bits symmetric", symmetricS8.WithBits(4), func() float32 { return float32(r.NormFloat64()) }},
		{"normal, 4 bits", affineU8.WithBits(4), func() float32 { return float32(r.NormFloat64()) }},
		{"exponential, 4 bits", affineU8.WithBits(4), func() float32 { return float32(r.ExpFloat64()) }},
		{"skewed, 3 bits", affineU8.WithBits(3), func() float32 { return float32(r.ExpFloat64() + 0.2*r.NormFloat64()) }},
		{"outliers, 8 bits", affineU8, func() float32 {
			if r.IntN(5000) == 0 {
				return 60
			}
			return float32(r.NormFloat64())
		}},
	} {
		x := make([]float32, 20_000)
		for i := range x {
			x[i] = tt.value()
		}
		o := newObserver(t, ObserverConfig{Kind: MSE, Spec: tt.spec})
		observe(t, o, []int{len(x)}, x...)
		got := squaredError(t, qparams(t, o), x)
		// By brute force over ranges a twentieth apart.
		least := math.Inf(1)
		lo, hi, _ := minMax(x)
		lo = min(lo, 0)
		for i := range 20 {
			for j := range 20 {
				q, err := tt.spec.qparams([]float32{lo * float32(20-i) / 20}, []float32{hi * float32(20-j) / 20})
				if err != nil {
					t.Fatal(err)
				}
				least = min(least, squaredError(t, q, x))
			}
		}
		if got > least*1.02 {
			t.Errorf("%s: error %v, brute force finds %v", tt.name, got, least)
		}
	}
}

// A normal distribution in 4 bits is best clipped near 2.6 standard deviations
// (Banner et al., Post training 4-bit quantization, 2019).
func TestMSEClipsNormal(t *testing.T) {
	o := newObserver(t, ObserverConfig{Kind: MSE, Spec: symmetricS8.WithBits(4)})
	observe(t, o, []int{200_000}, normal(rand.New(rand.NewPCG(4, 4)), 200_000)...)
	if clip := qparams(t, o).Scale[0] * 7.5; clip < 2.4 || clip > 2.8 {
		t.Errorf("clipped at %v standard deviations", clip)
	}
}

// divergence is leastDivergence's cost by its definition.
func divergence(g *grid, s Spec, lo, hi float32) float64 {
	qmin, qmax := s.Range()
	levels := int(qmax) - int(qmin) + 1
	width := math.Ldexp(1, g.exponent)
	p, q := make([]float64, gridBins), make([]float64, gridBins)
	level := make([]int, gridBins)
	first, last, total := -1, -1, 0.0
	for i, c := range g.counts {
		level[i] = -1
		total += float64(c)
		at := (float64(g.first+int64(i)) + 0.5) * width
		inside := (at >= float64(lo) || lo <= g.lo) && (at < float64(hi) || hi >= g.hi)
		if c == 0 || !inside {
			continue
		}
		if first < 0 {
			first = i
		}
		last = i
		level[i] = min(max(int((at-float64(lo))/(float64(hi)-float64(lo))*float64(levels)), 0), levels-1)
	}
	sums, filled, inside := make([]float64, levels), make([]float64, levels), 0.0
	for i, c := range g.counts {
		switch k := level[i]; {
		case k >= 0:
			p[i] += float64(c)
			sums[k] += float64(c)
			filled[k]++
			inside += float64(c)
		case i < first:
			p[first] += float64(c)
		case i > last:
			p[last] += float64(c)
		}
	}
	sum := 0.0
	for i := range p {
		if p[i] > 0 {
			q[i] = sums[level[i]] / filled[level[i]] / inside
			sum += p[i] / total * math.Log(p[i]/total/q[i])
		}
	}
	return sum
}

// TestEntropyHoldsClusters checks that values far from 0 that lie close together, as those of a gate, are in the range, though one is below them.
func TestEntropyHoldsClusters(t *testing.T) {
	x := normal(rand.New(rand.NewPCG(1, 2)), 10_000)
	for i := range x {
		x[i] = 0.5 + 0.02*x[i]
	}
	x[0] = 0.07
	o := newObserver(t, ObserverConfig{Kind: Entropy, Spec: affineU8})
	observe(t, o, []int{len(x)}, x...)
	q, err := o.QParams()
	if err != nil {
		t.Fatal(err)
	}
	if top := q.Scale[0] * float32(255-q.ZeroPoint[0]); top < 0.5 {
		t.Errorf("the range ends at %v, below half of the values", top)
	}
}

func TestEntropyFindsTheLeastDivergence(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	for _, spec := range []Spec{symmetricS8, affineU8, affineU8.WithBits(4)} {
		x := normal(r, 30_000)
		x[7], x[8] = 40, -15
		o := newObserver(t, ObserverConfig{Kind: Entropy, Spec: spec})
		observe(t, o, []int{len(x)}, x...)
		g := &o.(*gridObserver).grid
		lo, hi := g.leastDivergence(spec)
		if lo < -12 || hi > 20 {
			t.Errorf("%v: range %v to %v keeps single outliers", spec, lo, hi)
		}
		got := divergence(g, spec, lo, hi)
		wideLo, wideHi := g.around(spec)
		for i := range 100 {
			l, h := wideLo*float32(128-i)/128, wideHi*float32(128-i)/128
			if d := divergence(g, spec, l, h); d < got*(1-1e-9) && float64(h-l) >= math.Ldexp(256, g.exponent) {
				t.Errorf("%v: divergence %v for %v to %v, %v for %v to %v", spec, got, lo, hi, d, l, h)
				break
			}
		}
	}
}

func TestQuantileOfFewValues(t *testing.T) {
	var g grid
	x := []float32{1, 2, 3, 4}
	g.widen(1, 4)
	g.add(countAll(x))
	for _, share := range []float64{0, 1} {
		if v := g.quantile(share); !slices.Contains(x, v) {
			t.Errorf("quantile %v = %v", share, v)
		}
	}
}
