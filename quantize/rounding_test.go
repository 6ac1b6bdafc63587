package quantize

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// correlated returns the mean products of rows with correlated elements.
func correlated(r *rand.Rand, size, rows int) []float32 {
	c := make([]float32, size*size)
	x := make([]float64, size)
	for range rows {
		common := r.NormFloat64()
		for i := range x {
			x[i] = (0.5*r.NormFloat64() + common) * math.Exp(float64(i%3))
		}
		for i := range x {
			for j := range x {
				c[i*size+j] += float32(x[i] * x[j] / float64(rows))
			}
		}
	}
	return c
}

func quadratic(q, u []float64, c []float32) float64 {
	sum := 0.0
	for i := range q {
		for j := range q {
			sum += (q[i] - u[i]) * (q[j] - u[j]) * float64(c[i*len(q)+j])
		}
	}
	return sum
}

// TestRoundLearned compares with the best of all choices, and with rounding to
// the nearest integers.
func TestRoundLearned(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	const size, outs = 10, 40
	c := correlated(r, size, 200)
	u := make([]float64, outs*size)
	for i := range u {
		u[i] = r.NormFloat64() * 3
	}
	q := roundLearned(u, outs, size, c, -8, 7, nil)
	learned, nearest, optimal := 0.0, 0.0, 0.0
	for o := range outs {
		row, got := u[o*size:(o+1)*size], q[o*size:(o+1)*size]
		for i, v := range got {
			if v != math.Trunc(v) || v < -8 || v > 7 || math.Abs(v-min(max(row[i], -8), 7)) >= 1 {
				t.Fatalf("weight %v is rounded to %v", row[i], v)
			}
		}
		near, best, choice := make([]float64, size), math.Inf(1), make([]float64, size)
		for i, v := range row {
			near[i] = min(max(math.RoundToEven(v), -8), 7)
		}
		for bits := range 1 << size {
			for i, v := range row {
				choice[i] = min(max(math.Floor(v)+float64(bits>>i&1), -8), 7)
			}
			best = min(best, quadratic(choice, row, c))
		}
		mine := quadratic(got, row, c)
		if n := quadratic(near, row, c); mine > n+1e-9 {
			t.Errorf("output %d: error %v, the nearest integers have %v", o, mine, n)
		}
		learned, nearest, optimal = learned+mine, nearest+quadratic(near, row, c), optimal+best
	}
	if learned > 1.15*optimal || nearest < 3*optimal {
		t.Errorf("error %v, the nearest integers have %v, the best choices %v", learned, nearest, optimal)
	}
}

func TestCholesky(t *testing.T) {
	const n = 12
	c := correlated(rand.New(rand.NewPCG(2, 2)), n, 100)
	m := make([]float64, n*n)
	for i, v := range c {
		m[i] = float64(v)
	}
	for i := range n {
		m[i*n+i]++
	}
	inv := inverse(cholesky(m, n), n)
	for i := range n {
		for j := range n {
			sum := 0.0
			for k := range n {
				sum += m[i*n+k] * inv[k*n+j]
			}
			if want := map[bool]float64{true: 1}[i == j]; math.Abs(sum-want) > 1e-8 {
				t.Fatalf("(m * inverse)[%d, %d] = %v", i, j, sum)
			}
		}
	}
	m[0] = -1
	if cholesky(m, n) != nil {
		t.Error("a matrix that is not positive definite has a factor")
	}
}

// momentsModel has layers whose inputs lie in images, in groups, and in rows.
func momentsModel(c *nn.Context, x *graph.Value) *graph.Value {
	v := c.Call("a", nn.Conv2d{In: 4, Out: 6, Kernel: 3, Stride: 2, Padding: 1, NoBias: true}, x)
	v = c.Call("b", nn.Conv2d{In: 6, Out: 8, Kernel: 2, Groups: 2}, v)
	v = c.Call("r", nn.ReLU{}, v)
	v = c.Apply(ops.Flatten{Start: 1, End: -1}, v)
	return c.Call("fc", nn.Linear{In: 32, Out: 5}, v)
}

// TestMoments compares with sums by definition, from the gathered inputs of
// torch.nn.functional.unfold.
func TestMoments(t *testing.T) {
	m := build(t, []int{1, 4, 6, 6}, momentsModel)
	q := New(Options{Rounding: Learned})
	d := &dataset{batches: [][]*tensor.Tensor{{randomInput(t, 1, 5, 4, 6, 6)}, {randomInput(t, 2, 3, 4, 6, 6)}}}
	calibrate(t, q, m, d)
	want := &moments{groups: 1, size: 36, sum: make([]float64, 36), second: make([]float32, 36*36)}
	g := graph.New()
	y, err := g.Add1(graph.Scope{}, ops.Unfold{Kernel: []int{3, 3}, Stride: []int{2, 2}, Padding: []int{1, 1}, Dilation: []int{1, 1}}, g.Input("x", tensor.Float32, 1, 4, 6, 6))
	if err != nil {
		t.Fatal(err)
	}
	g.SetOutputs(y)
	for _, b := range d.batches {
		columns := run(t, g, b...)[0] // [N, 36, positions]
		n, p := columns.Dim(0), columns.Dim(2)
		x := columns.Float32s()
		for s := range n * p {
			at := func(i int) float32 { return x[(s/p*36+i)*p+s%p] }
			for i := range 36 {
				want.sum[i] += float64(at(i))
				for j := range 36 {
					want.second[i*36+j] += at(i) * at(j)
				}
			}
			want.rows++
		}
	}
	got := q.moments["a.weight"].moments()
	if got.rows != want.rows || got.groups != 1 || got.size != 36 {
		t.Fatalf("%d rows of %d in %d groups, want %d", got.rows, got.size, got.groups, want.rows)
	}
	for i, v := range want.sum {
		if math.Abs(v-got.sum[i]) > 1e-4 {
			t.Errorf("sum %d is %v, want %v", i, got.sum[i], v)
		}
	}
	for i, v := range want.second {
		if math.Abs(float64(v-got.second[i])) > 1e-3 {
			t.Fatalf("product %d is %v, want %v", i, got.second[i], v)
		}
	}
	if b, fc := q.moments["b.weight"], q.moments["fc.weight"]; b.groups != 2 || b.size != 12 || b.rows != 8*4 || fc.groups != 1 || fc.size != 32 || fc.rows != 8 {
		t.Errorf("b has %d rows of %d in %d groups, fc %d of %d", b.rows, b.size, b.groups, fc.rows, fc.size)
	}
}

// TestMomentsOfManyBatches counts no more batches than sums can have, and goes on.
func TestMomentsOfManyBatches(t *testing.T) {
	m := build(t, []int{1, 4, 6, 6}, momentsModel)
	q := New(Options{Rounding: Learned})
	calibrate(t, q, m, &dataset{batches: [][]*tensor.Tensor{{randomInput(t, 1, 5, 4, 6, 6)}}})
	want := q.moments["fc.weight"].rows
	for _, sums := range q.moments {
		sums.sum.vectors, sums.products.vectors = maxVectors, maxVectors
	}
	calibrate(t, q, m, &dataset{batches: [][]*tensor.Tensor{{randomInput(t, 2, 3, 4, 6, 6)}}})
	if got := q.moments["fc.weight"].rows; got != want {
		t.Errorf("%d rows, want %d", got, want)
	}
	if _, err := q.Quantize(m); err != nil {
		t.Error(err)
	}
}

// TestCorrectBias checks that correction takes the mean error out of a layer,
// which has no bias of its own.
func TestCorrectBias(t *testing.T) {
	m := build(t, []int{1, 4, 6, 6}, func(c *nn.Context, x *graph.Value) *graph.Value {
		return c.Call("a", nn.Conv2d{In: 4, Out: 6, Kernel: 3, Padding: 1, NoBias: true}, x)
	})
	x := randomInput(t, 3, 8, 4, 6, 6)
	for i := range x.Float32s() {
		x.Float32s()[i] += 2 // a mean, for errors of weights to shift
	}
	for _, backend := range []*Backend{Native, Reference} {
		shift := func(correct bool) float64 {
			obs, err := backend.Observers(X86)
			if err != nil {
				t.Fatal(err)
			}
			obs.Weight.Spec = obs.Weight.Spec.WithBits(4)
			_, float, quantized := compareOn(t, New(Options{Backend: backend, CorrectBias: correct, Weight: &obs.Weight}), m, x)
			sum := 0.0
			for o := range 6 {
				mean := 0.0
				for i := range 8 * 36 {
					at := (i/36*6+o)*36 + i%36
					mean += float64(quantized.Float32s()[at] - float.Float32s()[at])
				}
				sum += math.Abs(mean / (8 * 36))
			}
			return sum / 6
		}
		if plain, corrected := shift(false), shift(true); corrected > plain/5 {
			t.Errorf("%v: outputs are shifted by %v, without correction by %v", backend, corrected, plain)
		}
	}
}

// TestMomentsAreSaved checks that moments survive saving and add up when parts are merged.
func TestMomentsAreSaved(t *testing.T) {
	m := build(t, []int{1, 4, 6, 6}, momentsModel)
	opts := Options{Rounding: Learned, CorrectBias: true, Weight: &ObserverConfig{Kind: MinMax, Spec: channelSymmetricS8.WithBits(3)}}
	a, b, whole := New(opts), New(opts), New(opts)
	x, y := randomInput(t, 4, 5, 4, 6, 6), randomInput(t, 5, 7, 4, 6, 6)
	calibrate(t, a, m, &dataset{batches: [][]*tensor.Tensor{{x}}})
	calibrate(t, b, m, &dataset{batches: [][]*tensor.Tensor{{y}}})
	calibrate(t, whole, m, &dataset{batches: [][]*tensor.Tensor{{x}, {y}}})
	data, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	read := New(Options{})
	if err := json.Unmarshal(data, read); err != nil {
		t.Fatal(err)
	}
	if err := read.Merge(b); err != nil {
		t.Fatal(err)
	}
	got, want := run(t, quantized(t, read, m), x)[0].Float32s(), run(t, quantized(t, whole, m), x)[0].Float32s()
	sameBits(t, "outputs", got, want)
	opts.Rounding = Nearest
	if err := whole.SetOptions(opts); err != nil {
		t.Fatal(err)
	}
	if nearest := run(t, quantized(t, whole, m), x)[0].Float32s(); sumsOf(nearest, got).noise == 0 {
		t.Error("learned rounding changes nothing")
	}
	for _, bad := range []momentState{{}, {Groups: 1, Size: 1 << 30, Rows: 1}, {Groups: 1, Size: 1, Rows: 1, Sum: "AAAAAAAA8H8="}, {Groups: 1, Size: 2, Sum: "???"},
		{Groups: 1, Size: 1, Sums: &binnedState{Exponents: []int{0}, Units: make([]byte, 8)}}, {Groups: 1, Size: 1, Sums: &binnedState{Exponents: []int{1}, Units: make([]byte, 12)}},
		{Groups: 2, Size: 1, Sums: &binnedState{Exponents: []int{0}, Units: make([]byte, 12)}}, {Groups: 1, Size: 1, Sums: &binnedState{Exponents: []int{0}, Units: []byte{11: 1}}}} {
		if _, err := bad.moments(); err == nil {
			t.Errorf("%+v is accepted", bad)
		}
	}
}

// TestResNet20FewBits checks the effect of rounding, correction and balancing on
// weights of 4 bits, where PyTorch's float32 has 932 right.
func TestResNet20FewBits(t *testing.T) {
	skipLong(t)
	m, test, calib := resnet20(t), cifar(t, "test.npz", 64), cifar(t, "calib.npz", 64)
	right := func(opts Options) int {
		opts.Weight = &ObserverConfig{Kind: MinMax, Spec: channelSymmetricS8.WithBits(4)}
		q := New(opts)
		calibrate(t, q, m, calib)
		return count(classes(t, quantized(t, q, m), test), test.labels)
	}
	plain, balanced, corrected, learned := right(Options{}), right(Options{Equalize: true}), right(Options{CorrectBias: true}), right(Options{Rounding: Learned})
	t.Logf("4-bit weights: %d right, %d balanced, %d with corrected biases, %d with learned rounding", plain, balanced, corrected, learned)
	if plain > 900 || balanced < plain+5 || corrected < plain+15 || learned < 920 {
		t.Errorf("4-bit weights: %d right, %d balanced, %d with corrected biases, %d with learned rounding", plain, balanced, corrected, learned)
	}
	// With 8 bits single images decide: the best of the options must have one less than float at most.
	var q *Quantizer
	best := 0
	for _, opts := range []Options{
		{Equalize: true},
		{Rounding: Learned, CorrectBias: true, Activation: &ObserverConfig{Kind: MinMax, Spec: affineU8}},
		{Equalize: true, Rounding: Learned, CorrectBias: true},
	} {
		q = New(opts)
		calibrate(t, q, m, calib)
		n := count(classes(t, quantized(t, q, m), test), test.labels)
		t.Logf("8-bit weights, balanced %v, corrected %v, rounding %v: %d right", opts.Equalize, opts.CorrectBias, opts.Rounding, n)
		best = max(best, n)
	}
	if best < 931 {
		t.Errorf("8-bit weights: %d right at best, want 931", best)
	}
	amp, err := q.AMP(m)
	if err != nil {
		t.Fatal(err)
	}
	defer amp.Close()
	if _, err := amp.Run(context.Background(), calib.batches[0]...); err != nil {
		t.Fatal(err)
	}
	for _, n := range amp.Noise() {
		if n.SQNR < 25 {
			t.Errorf("%s: %.1f dB", n.Name, n.SQNR)
		}
	}
}

// TestDynamicLearned rounds the weights of linear layers on data though their inputs are quantized while running: outputs lose less, and
// without data there is an error.
func TestDynamicLearned(t *testing.T) {
	m := build(t, []int{1, 32}, func(c *nn.Context, x *graph.Value) *graph.Value {
		v := c.Call("a", nn.Linear{In: 32, Out: 48}, x)
		return c.Call("b", nn.Linear{In: 48, Out: 16}, c.Call("r", nn.ReLU{}, v))
	})
	d := &dataset{batches: [][]*tensor.Tensor{{randomInput(t, 1, 64, 32)}, {randomInput(t, 2, 64, 32)}}}
	loss := func(o Options) float64 {
		q := New(o)
		if err := q.Calibrate(t.Context(), m, func(yield func([]*tensor.Tensor, error) bool) {
			for _, b := range d.batches {
				if !yield(b, nil) {
					return
				}
			}
		}, WithBits(8, 4)); err != nil {
			t.Fatal(err)
		}
		if len(q.values) != 0 {
			t.Errorf("%d activations are observed", len(q.values))
		}
		g := quantized(t, q, m)
		return sumsOf(run(t, g, d.batches[0]...)[0].Float32s(), run(t, m, d.batches[0]...)[0].Float32s()).sqnr()
	}
	nearest, learned := loss(Options{Dynamic: true}), loss(Options{Dynamic: true, Rounding: Learned, CorrectBias: true})
	if learned < nearest+1 {
		t.Errorf("learned rounding has %.2f dB, the nearest integers %.2f", learned, nearest)
	}
	if _, err := New(Options{Dynamic: true, Rounding: Learned}).Quantize(m); !errors.Is(err, ErrNoData) {
		t.Errorf("without data: %v", err)
	}
}
