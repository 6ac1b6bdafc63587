package quantize

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/ops/int8"
	"github.com/octet-ml/octet/tensor"
)

// TestFitPair compares with all integers there are, for inputs of 8 bits and fewer.
func TestFitPair(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 3000 {
		least, largest := int8.PairLimits([]int{255, 255, 200, 140}[i%4])
		p := &weightPairs{least: float64(least), largest: float64(largest)}
		u0, u1 := r.NormFloat64()*90, r.NormFloat64()*90
		cost := func(q0, q1 float64) float64 { return (q0-u0)*(q0-u0) + (q1-u1)*(q1-u1) }
		best := math.Inf(1)
		for a := -128; a <= 127; a++ {
			for b := -128; b <= 127; b++ {
				if max(a, 0)+max(b, 0) <= largest && min(a, 0)+min(b, 0) >= least {
					best = min(best, cost(float64(a), float64(b)))
				}
			}
		}
		q0, q1 := p.fit(u0, u1, -128, 127)
		if p.exceeded(q0, q1) != 0 || max(q0, q1) > 127 || min(q0, q1) < -128 || cost(q0, q1) > best*(1+1e-9) {
			t.Fatalf("%v and %v become %v and %v: %v, the best is %v", u0, u1, q0, q1, cost(q0, q1), best)
		}
	}
}

// TestPairSafeScales compares the search on small channels with all integers for all scales that it tries, and on long ones, where no
// scale fits all weights by chance, with a fine search.
func TestPairSafeScales(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for i := range 60 {
		size := 2 + i%5 // odd ones too, whose last weight is alone
		if i >= 40 {
			size = 200 + 2*i
		}
		x := make([]float32, size)
		for j := range x {
			x[j] = float32(r.NormFloat64())
			if size < 10 {
				x[j] = max(x[j], -x[j]) + 0.3
			}
		}
		testPairSafeScales(t, x)
	}
}

func testPairSafeScales(t *testing.T, x []float32) {
	t.Helper()
	size := len(x)
	p := &weightPairs{order: int8.WeightPairs(ops.Linear{}, []int{1, size}), least: -128, largest: 128}
	w, _ := tensor.FromSlice(x, 1, size)
	observer, _ := ObserverConfig{Kind: MinMax, Spec: channelSymmetricS8}.New("w")
	if err := observer.Observe(w); err != nil {
		t.Fatal(err)
	}
	q, _ := observer.QParams()
	observed := q.Scale[0]
	found := p.scales(w, q).Scale[0]
	cost := func(scale float32) float64 { return bestOfPairs(x, scale) }
	if size > 10 {
		search := pairScale{p, append(x, 0)[:size+size%2], -128, 127}
		cost = func(scale float32) float64 { c, _ := search.cost(scale, math.Inf(1)); return c }
	}
	least, safe := cost(observed), observed
	for j := 0; j+1 < size; j += 2 {
		if x[j]*x[j+1] > 0 {
			safe = max(safe, float32(math.Abs(float64(x[j]+x[j+1])))/127)
		}
	}
	steps, slack := scaleSteps(size), 1e-6
	if size > 10 {
		steps, slack = 5000, 0.03
	}
	for k := range steps + 1 {
		least = min(least, cost(observed+(safe-observed)*float32(k)/float32(steps)))
	}
	if got := cost(found); found < observed || got > least*(1+slack) {
		t.Errorf("%d weights: scale %v becomes %v with error %v, the least is %v", size, observed, found, got, least)
	}
	if cost(observed) > 1.1*least && found == observed {
		t.Errorf("%d weights keep the scale %v with error %v, another one has %v", size, observed, cost(observed), least)
	}
}

// bestOfPairs is the least error of safe integers of a scale: of all for the first weight of a pair, and the nearest that they leave for the second.
func bestOfPairs(x []float32, scale float32) float64 {
	sum, size := 0.0, len(x)
	for a := 0; a < size; a += 2 {
		best := math.Inf(1)
		for q0 := -128.0; q0 <= 127; q0++ {
			d0 := float64(x[a]) - q0*float64(scale)
			d1 := 0.0
			if a+1 < size {
				q1 := math.RoundToEven(float64(x[a+1]) / float64(scale))
				q1 = min(max(q1, -128-min(q0, 0)), 128-max(q0, 0), 127)
				d1 = float64(x[a+1]) - q1*float64(scale)
			}
			best = min(best, d0*d0+d1*d1)
		}
		sum += best
	}
	return sum
}

// TestPairSafeBits compares scales and integers with recorded ones: all CPUs, and any number of threads, give the same.
func TestPairSafeBits(t *testing.T) {
	const outs, channels = 40, 9
	r := rand.New(rand.NewPCG(7, 8))
	w, _ := tensor.New(tensor.Float32, outs, channels, 3, 3)
	for i := range w.Float32s() {
		w.Float32s()[i] = float32(r.IntN(2001)-1000) / 1000 * float32(1+i%channels)
	}
	p := &weightPairs{order: int8.WeightPairs(ops.Conv{}, w.Shape()), least: -128, largest: 128}
	observer, _ := ObserverConfig{Kind: MinMax, Spec: channelSymmetricS8}.New("w")
	if err := observer.Observe(w); err != nil {
		t.Fatal(err)
	}
	q, _ := observer.QParams()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, threads := range []int{1, 3} {
		runtime.GOMAXPROCS(threads)
		found := p.scales(w, q)
		integers, err := p.projected(w, found).Quantize(found)
		if err != nil {
			t.Fatal(err)
		}
		h := sha256.New()
		_ = binary.Write(h, binary.LittleEndian, found.Scale)
		_ = binary.Write(h, binary.LittleEndian, integers.Int8s())
		if got := fmt.Sprintf("%x", h.Sum(nil)[:8]); got != "71ba7b70afbe84aa" {
			t.Errorf("%d threads: digest %s", threads, got)
		}
	}
}

// safeModel has every kind of layer with pairs, of weights that are not safe by themselves: images of few channels, groups, odd channels,
// dilation, one dimension, windows of one row, a depthwise layer, and linear layers of even and odd depth.
func safeModel(t testing.TB) *graph.Graph {
	pairOf := func(v int) []int { return []int{v, v} }
	w := writer{t, graph.New()}
	conv := func(name string, x *graph.Value, seed uint64, op ops.Conv, shape ...int) *graph.Value {
		op.Groups, op.Act = max(op.Groups, 1), ops.ActReLU
		return w.add(module(name), op, x, w.constant(name+".weight", seed, 0.2, shape...))
	}
	square := func(stride, padding, dilation, groups int) ops.Conv {
		return ops.Conv{Stride: pairOf(stride), Padding: pairOf(padding), Dilation: pairOf(dilation), Groups: groups}
	}
	x := w.g.Input("x", tensor.Float32, 2, 3, 12, 12)
	v := conv("stem", x, 1, square(1, 1, 1, 1), 20, 3, 3, 3)
	v = conv("down", v, 2, square(2, 1, 1, 1), 21, 20, 3, 3)
	v = conv("odd", v, 3, square(1, 0, 1, 1), 24, 21, 1, 1)
	v = conv("dilated", v, 4, square(1, 2, 2, 1), 24, 24, 3, 3)
	v = conv("grouped", v, 5, square(1, 1, 1, 3), 24, 8, 3, 3)
	v = conv("odd groups", v, 6, square(1, 1, 1, 8), 40, 3, 3, 3)
	v = conv("depthwise", v, 7, square(1, 1, 1, 40), 40, 1, 3, 3)
	v = conv("row", v, 8, ops.Conv{Stride: pairOf(1), Padding: []int{0, 2}, Dilation: pairOf(1)}, 18, 40, 1, 5)
	v = w.add(graph.Scope{}, ops.Flatten{Start: 2, End: -1}, v)
	v = conv("line", v, 9, ops.Conv{Stride: []int{1}, Padding: []int{1}, Dilation: []int{1}}, 17, 18, 3)
	v = w.add(module("even"), ops.Linear{Act: ops.ActReLU}, v, w.constant("even.weight", 10, 0.2, 31, 36))
	v = w.add(module("fc"), ops.Linear{HasBias: true}, v, w.constant("fc.weight", 11, 0.2, 19, 31), w.constant("fc.bias", 12, 0.2, 19))
	w.g.SetOutputs(v)
	return w.g
}

// layerPairs returns what the pairs of a converted layer come to: how many exceed the limits, and how many are at one.
func layerPairs(t testing.TB, n *graph.Node, most int) (exceeded, at int) {
	t.Helper()
	var float ops.Op
	switch op := n.Op.(type) {
	case int8.Conv:
		float = ops.Conv(op.ConvAttributes)
	case int8.Linear:
		float = ops.Linear(op.LinearAttributes)
	case int8.DynamicLinear:
		float = ops.Linear(op.LinearAttributes)
	default:
		return 0, 0
	}
	weight := n.Inputs[1].Const
	w, order := weight.Contiguous().Int8s(), int8.WeightPairs(float, weight.Shape())
	size := len(w) / weight.Dim(0)
	for o := range weight.Dim(0) {
		row := w[o*size:]
		for i := 0; i < len(order); i += 2 {
			a, b := int(row[order[i]]), 0
			if order[i+1] >= 0 {
				b = int(row[order[i+1]])
			}
			positive, negative := max(a, 0)+max(b, 0), min(a, 0)+min(b, 0)
			if positive*most > math.MaxInt16 || negative*most < math.MinInt16 {
				exceeded++
			}
			if positive == 128 || negative == -128 {
				at++
			}
		}
	}
	return exceeded, at
}

// modelPairs adds up layerPairs.
func modelPairs(t testing.TB, g *graph.Graph, most int) (exceeded, at int) {
	t.Helper()
	for _, n := range g.Nodes {
		e, a := layerPairs(t, n, most)
		exceeded, at = exceeded+e, at+a
	}
	return exceeded, at
}

// TestPairSafe quantizes every kind of layer in every way: no pair exceeds 16 bits, where the same without the option has many.
func TestPairSafe(t *testing.T) {
	m, x := safeModel(t), randomInput(t, 5, 8, 3, 12, 12)
	weights := func(s Spec) *ObserverConfig { return &ObserverConfig{Kind: MinMax, Spec: s} }
	for name, opts := range map[string]Options{
		"native":               {},
		"learned":              {Rounding: Learned},
		"learned and centered": {Rounding: Learned, CorrectBias: true},
		"corrected":            {CorrectBias: true},
		"equalized":            {Equalize: true},
		"dynamic":              {Dynamic: true},
		"one scale":            {Weight: weights(symmetricS8)},
		"one scale, learned":   {Weight: weights(symmetricS8), Rounding: Learned},
		"disc":                 {Backend: DISC, Device: X86},
		"disc on arm":          {Backend: DISC, Device: AArch64},
		"fbgemm":               {Backend: FBGEMM},
	} {
		t.Run(name, func(t *testing.T) {
			plain, safe := New(opts), New(opts)
			calibrate(t, plain, m, &dataset{batches: [][]*tensor.Tensor{{x}}})
			calibrate(t, safe, m, &dataset{batches: [][]*tensor.Tensor{{x}}}, WithPairSafeWeights())
			free, _ := modelPairs(t, quantized(t, plain, m), 255)
			g := quantized(t, safe, m)
			exceeded, at := modelPairs(t, g, 255)
			if free == 0 || exceeded != 0 || at == 0 {
				t.Errorf("%d pairs exceed 16 bits without the option, %d with it, and %d are at the limit", free, exceeded, at)
			}
			want := run(t, m, x)[0].Contiguous().Float32s()
			if s := sumsOf(want, run(t, g, x)[0].Contiguous().Float32s()).sqnr(); s < 15 {
				t.Errorf("the output has %.1f dB", s)
			}
			checkPairKernels(t, g)
			for _, l := range safe.Report().Layers {
				if l.SafePanels != l.Panels || (l.Panels == 0) != (l.Precision != "int8" || l.Name == "depthwise" || !strings.HasPrefix(l.Op, "conv") && l.Op != "linear") {
					t.Errorf("%s, %s, %s: %d of %d panels are safe", l.Name, l.Op, l.Precision, l.SafePanels, l.Panels)
				}
			}
		})
	}
}

// checkPairKernels compiles the model for CPUs without dot products of bytes, of which the kernels say how many panels they add by pairs.
func checkPairKernels(t *testing.T, g *graph.Graph) {
	t.Helper()
	if !slices.Contains(asm.Supported(), asm.AVX2) {
		t.Skip("this CPU has no AVX2")
	}
	s, err := g.Compile(graph.Options{CPU: asm.AVX2.String()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	layers := 0
	for _, line := range strings.Split(s.Plan(), "\n") {
		if _, after, ok := strings.Cut(line, " panels summed by pairs"); ok {
			layers++
			_, counts, _ := strings.Cut(line[:len(line)-len(after)], "x16, ")
			var have, of int
			if fmt.Sscanf(counts, "%d of %d", &have, &of); have != of || of == 0 {
				t.Errorf("%q: not all panels are safe", line)
			}
		}
	}
	if layers == 0 {
		t.Errorf("no panel is summed by pairs:\n%s", s.Plan())
	}
}

// TestPairSafeFewBits checks that the constraint is that of the integers in use: it changes nothing where no pair could exceed it.
func TestPairSafeFewBits(t *testing.T) {
	m, x := safeModel(t), randomInput(t, 5, 8, 3, 12, 12)
	for _, bits := range [][2]int{{7, 8}, {8, 7}, {8, 4}, {2, 8}} {
		var files [2]string
		for i, overrides := range [][]Override{{WithBits(bits[0], bits[1])}, {WithBits(bits[0], bits[1]), WithPairSafeWeights()}} {
			q := New(Options{})
			calibrate(t, q, m, &dataset{batches: [][]*tensor.Tensor{{x}}}, overrides...)
			g := quantized(t, q, m)
			if e, _ := modelPairs(t, g, 1<<bits[0]-1); e != 0 {
				t.Errorf("%d and %d bits: %d pairs exceed 16 bits", bits[0], bits[1], e)
			}
			for _, v := range g.Constants() {
				files[i] += string(v.Const.Contiguous().Bytes()) + fmt.Sprint(v.Type.Q)
			}
		}
		if files[0] != files[1] {
			t.Errorf("%d and %d bits: the option changes weights that are safe", bits[0], bits[1])
		}
	}
}

// TestPairSafeBlocks rounds rows that are cut into blocks, some in the middle of a pair.
func TestPairSafeBlocks(t *testing.T) {
	if testing.Short() {
		t.Skip("the products of a row of 4097 inputs take one goroutine long")
	}
	const channels = wholeRow/3 + 1
	w := writer{t, graph.New()}
	x := w.g.Input("x", tensor.Float32, 1, channels, 9)
	conv := ops.Conv{Stride: []int{1}, Padding: []int{0}, Dilation: []int{1}, Groups: 1}
	weight := w.constant("a.weight", 1, 0.01, 4, channels, 3)
	for i, v := range weight.Const.Float32s() {
		if v = max(v, -v); i%3 == 0 { // large ones at the tap where blocks begin
			v *= 2
		}
		weight.Const.Float32s()[i] = v
	}
	w.g.SetOutputs(w.add(module("a"), conv, x, weight))
	in := randomInput(t, 4, 8, channels, 9)
	q := New(Options{Rounding: Learned})
	calibrate(t, q, w.g, &dataset{batches: [][]*tensor.Tensor{{in}}}, WithPairSafeWeights())
	exceeded, at := modelPairs(t, quantized(t, q, w.g), 255)
	if exceeded != 0 || at == 0 {
		t.Errorf("%d pairs exceed 16 bits, %d are at the limit", exceeded, at)
	}
}

// TestRoundLearnedPairs compares with the best of all integers that leave pairs safe.
func TestRoundLearnedPairs(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	const size, outs = 6, 60
	c := correlated(r, size, 200)
	p := &weightPairs{order: []int32{0, 3, 1, 4, 2, 5}, least: -4, largest: 4}
	u := make([]float64, outs*size)
	for i := range u {
		u[i] = r.NormFloat64() * 2
	}
	unit := func(o, i int) float64 { return u[o*size+i] }
	q := roundLearned(u, outs, size, c, -4, 3, p.block(0, size, unit))
	learned, nearest, optimal := 0.0, 0.0, 0.0
	for o := range outs {
		row, got := u[o*size:(o+1)*size], q[o*size:(o+1)*size]
		near, choice, best := make([]float64, size), make([]float64, size), math.Inf(1)
		for i := range 3 {
			if p.exceeded(got[i], got[i+3]) != 0 {
				t.Fatalf("a pair of %v becomes %v and %v", row, got[i], got[i+3])
			}
			near[i], near[i+3] = p.fit(row[i], row[i+3], -4, 3)
		}
		for code := range 1 << (3 * size) {
			ok := true
			for i := range choice {
				choice[i] = float64(code>>(3*i)&7) - 4
				ok = ok && (i < 3 || p.exceeded(choice[i-3], choice[i]) == 0)
			}
			if ok {
				best = min(best, quadratic(choice, row, c))
			}
		}
		learned, nearest, optimal = learned+quadratic(got, row, c), nearest+quadratic(near, row, c), optimal+best
	}
	if learned > 1.5*optimal || nearest < 1.5*learned {
		t.Errorf("error %v, the nearest safe integers have %v, the best ones %v", learned, nearest, optimal)
	}
}

// TestPairSafeSpec checks what is refused, and that a saved state keeps the option.
func TestPairSafeSpec(t *testing.T) {
	for _, spec := range []Spec{
		{DType: tensor.Uint8, Scheme: tensor.PerTensorAffine, PairSafe: true},
		{DType: tensor.Int8, Scheme: tensor.PerChannelAffine, PairSafe: true},
		{DType: tensor.Int32, Scheme: tensor.PerTensorSymmetric, PairSafe: true},
	} {
		if err := spec.Validate(); err == nil || !strings.Contains(err.Error(), "pair-safe") {
			t.Errorf("%v: %v", spec, err)
		}
	}
	m := build(t, []int{2, 3, 12, 12}, func(c *nn.Context, x *graph.Value) *graph.Value {
		return c.Call("conv", nn.Conv2d{In: 3, Out: 8, Kernel: 3}, x)
	})
	var option *OptionError
	if _, err := New(Options{Backend: Reference}).Calib(m, WithPairSafeWeights()); !errors.As(err, &option) || option.Field != "Weight" {
		t.Errorf("affine weights: %v", err)
	}
	activation := ObserverConfig{Kind: MinMax, Spec: Spec{DType: tensor.Int8, Scheme: tensor.PerTensorSymmetric, PairSafe: true}}
	if _, err := New(Options{}).Calib(m, WithActivation(activation)); !errors.As(err, &option) || option.Field != "Activation" {
		t.Errorf("activations: %v", err)
	}
	q := New(Options{})
	c, err := q.Calib(m, WithPairSafeWeights())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Run(context.Background(), randomInput(t, 1, 2, 3, 12, 12)); err != nil {
		t.Fatal(err)
	}
	state, err := json.Marshal(q)
	if err != nil {
		t.Fatal(err)
	}
	again := New(Options{})
	if err := json.Unmarshal(state, again); err != nil {
		t.Fatal(err)
	}
	if !again.Options().Weight.Spec.PairSafe {
		t.Errorf("the state has %v", again.Options().Weight.Spec)
	}
	if e, _ := modelPairs(t, quantized(t, again, m), 255); e != 0 {
		t.Errorf("%d pairs exceed 16 bits", e)
	}
}
