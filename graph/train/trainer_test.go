package train

import (
	"bytes"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// small is a network with a convolution, batch norm, a pooling and a linear layer.
type small struct{}

func (small) Class() string { return "Small" }

func (small) Forward(c *nn.Context, x ...*graph.Value) *graph.Value {
	v := c.Call("conv", nn.Conv2d{In: 2, Out: 6, Kernel: 3, Padding: 1, NoBias: true}, x[0])
	v = c.Call("bn", nn.BatchNorm2d{Features: 6}, v)
	v = c.Call("relu", nn.ReLU{}, v)
	v = c.Call("pool", nn.AdaptiveAvgPool2d{Size: 1}, v)
	v = c.Apply(ops.Flatten{Start: 1, End: -1}, v)
	return c.Call("fc", nn.Linear{In: 6, Out: 3}, v)
}

func smallModel(t testing.TB) *graph.Graph {
	t.Helper()
	g, err := nn.BuildRandom(nn.Architecture{
		Name: "small", Inputs: []nn.Input{{Name: "x", DType: tensor.Float32, Shape: []int{1, 2, 5, 5}}}, Root: small{},
	}, 1)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// batch returns images whose class is the channel and sign of a pattern in them.
func batch(t testing.TB, n int, seed uint64) (x, labels *tensor.Tensor) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 0))
	x, err := tensor.New(tensor.Float32, n, 2, 5, 5)
	if err != nil {
		t.Fatal(err)
	}
	if labels, err = tensor.New(tensor.Int64, n); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		class := rng.IntN(3)
		labels.Int64s()[i] = int64(class)
		for j := range 50 {
			v := rng.NormFloat64() * 0.3
			switch {
			case class == 0 && j < 25 && j%2 == 0, class == 1 && j >= 25 && j%5 < 2:
				v++
			case class == 2 && j%5 == 4:
				v--
			}
			x.Float32s()[i*50+j] = float32(v)
		}
	}
	return x, labels
}

func newTrainer(t testing.TB, opts Options) (*Float, *Trainer) {
	t.Helper()
	m, err := FromGraph(smallModel(t))
	if err != nil {
		t.Fatal(err)
	}
	if opts.Loss == nil {
		opts.Loss = CrossEntropy
	}
	tr, err := New(m, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tr.Close)
	return m, tr
}

func steps(t testing.TB, tr *Trainer, n int) (first, last float64) {
	t.Helper()
	for range n {
		x, y := batch(t, 16, uint64(tr.Steps()))
		loss, err := tr.Step(context.Background(), x, y)
		if err != nil {
			t.Fatal(err)
		}
		if first == 0 {
			first = loss
		}
		last = loss
	}
	return first, last
}

// TestTrainerLearns trains with each optimizer, with batch norm's statistics of the batch and the running ones.
func TestTrainerLearns(t *testing.T) {
	for name, o := range map[string]Optimizer{
		"sgd":      SGD{LR: 0.1},
		"momentum": SGD{LR: 0.03, Momentum: 0.9, WeightDecay: 1e-3},
		"nesterov": SGD{LR: 0.03, Momentum: 0.9, Nesterov: true},
		"adam":     Adam{LR: 0.02},
		"adamw":    Adam{LR: 0.02, WeightDecay: 0.01, Decoupled: true},
	} {
		for _, freeze := range []int{0, Never} {
			m, tr := newTrainer(t, Options{Optimizer: o, FreezeBatchNorm: freeze, ClipNorm: 10, Schedule: WarmUp(3, Cosine(60, 0.1))})
			first, last := steps(t, tr, 60)
			if !(last < 0.5*first) {
				t.Errorf("%s, batch norm frozen at step %d: loss went from %v to %v", name, freeze, first, last)
			}
			x, y := batch(t, 100, 1000)
			out, err := tr.Run(context.Background(), x)
			if err != nil {
				t.Fatal(err)
			}
			if right := correct(out[0], y); right < 85 {
				t.Errorf("%s, batch norm frozen at step %d: %d of 100 right", name, freeze, right)
			}
			// The float model that is left gives the same.
			s, err := m.Snapshot().Compile(graph.Options{Threads: 1})
			if err != nil {
				t.Fatal(err)
			}
			got, err := s.Run(context.Background(), x)
			s.Close()
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range got[0].Float32s() {
				if math.Abs(float64(v-out[0].Float32s()[i])) > 1e-4 {
					t.Fatalf("the snapshot gives %v, the trainer %v", v, out[0].Float32s()[i])
				}
			}
		}
	}
}

func correct(logits, labels *tensor.Tensor) int {
	n, right := logits.Dim(1), 0
	for i, want := range labels.Int64s() {
		best := 0
		for j, v := range logits.Float32s()[i*n : (i+1)*n] {
			if v > logits.Float32s()[i*n+best] {
				best = j
			}
		}
		if int64(best) == want {
			right++
		}
	}
	return right
}

// values returns the bytes of all parameters.
func values(params []*Parameter) []byte {
	var b []byte
	for _, p := range params {
		b = append(b, p.Value.Bytes()...)
	}
	return b
}

// TestTrainerSameBits checks that parameters do not depend on the number of threads.
func TestTrainerSameBits(t *testing.T) {
	var want []byte
	for _, threads := range []int{1, 2, 5} {
		_, tr := newTrainer(t, Options{Optimizer: Adam{LR: 0.01}, FreezeBatchNorm: 6, ClipNorm: 1, Session: graph.Options{Threads: threads}})
		steps(t, tr, 10)
		got := values(tr.Parameters())
		if want == nil {
			want = got
		}
		if !bytes.Equal(got, want) {
			t.Errorf("parameters with %d threads differ from those with one", threads)
		}
	}
}

func TestTrainerAllocatesNothing(t *testing.T) {
	_, tr := newTrainer(t, Options{Optimizer: SGD{LR: 0.01, Momentum: 0.9}, Session: graph.Options{Threads: 1}})
	x, y := batch(t, 8, 1)
	in := []*tensor.Tensor{x, y}
	step := func() {
		if _, err := tr.Step(context.Background(), in...); err != nil {
			t.Fatal(err)
		}
	}
	step()
	if n := testing.AllocsPerRun(5, step); n != 0 {
		t.Errorf("%v allocations per step", n)
	}
}

func TestTrainerFreezes(t *testing.T) {
	_, tr := newTrainer(t, Options{
		Optimizer: SGD{LR: 0.05, WeightDecay: 0.1}, FreezeBatchNorm: 2,
		Groups: []Group{{Match: OfKind(Norm), Frozen: true}, {Match: func(p *Parameter) bool { return p.Name == "fc.bias" }, Rate: 0.5}},
	})
	before := make(map[string][]byte)
	record := func() {
		for _, p := range tr.Parameters() {
			before[p.Name] = bytes.Clone(p.Value.Bytes())
		}
	}
	changed := func() map[string]bool {
		c := make(map[string]bool)
		for _, p := range tr.Parameters() {
			if !bytes.Equal(before[p.Name], p.Value.Bytes()) {
				c[p.Name] = true
			}
		}
		return c
	}
	check := func(want ...string) {
		t.Helper()
		got := changed()
		for _, name := range want {
			if !got[name] {
				t.Errorf("%s did not change", name)
			}
			delete(got, name)
		}
		for name := range got {
			t.Errorf("%s changed", name)
		}
	}
	record()
	steps(t, tr, 1)
	check("conv.weight", "fc.weight", "fc.bias", "bn.running_mean", "bn.running_var")
	steps(t, tr, 1)
	record()
	steps(t, tr, 1)
	check("conv.weight", "fc.weight", "fc.bias")
	for _, p := range tr.Parameters() {
		p.Frozen = p.Name != "fc.bias"
	}
	record()
	steps(t, tr, 1)
	check("fc.bias")
}

// TestTrainerBounds checks that each step ends within a parameter's bounds.
func TestTrainerBounds(t *testing.T) {
	_, tr := newTrainer(t, Options{Optimizer: SGD{LR: 1}})
	for _, p := range tr.Parameters() {
		p.Lo, p.Hi = -0.2, 0.1
	}
	steps(t, tr, 1)
	for _, p := range tr.Parameters() {
		for _, v := range p.Value.Float32s() {
			if p.Kind != Buffer && (v < -0.2 || v > 0.1) {
				t.Fatalf("%s holds %v", p.Name, v)
			}
		}
	}
}

// TestTrainerNotFinite checks that a step with a NaN changes nothing, running statistics included.
func TestTrainerNotFinite(t *testing.T) {
	_, tr := newTrainer(t, Options{Optimizer: SGD{LR: 0.1}, FreezeBatchNorm: Never})
	steps(t, tr, 1)
	before := values(tr.Parameters())
	x, y := batch(t, 16, 1)
	x.Float32s()[7] = float32(math.NaN())
	if _, err := tr.Step(context.Background(), x, y); !errors.Is(err, ErrNotFinite) {
		t.Errorf("a NaN in the input: %v", err)
	}
	if !bytes.Equal(before, values(tr.Parameters())) {
		t.Error("the step changed parameters")
	}
	if tr.Steps() != 1 {
		t.Errorf("%d steps", tr.Steps())
	}
}

func TestTrainerRefuses(t *testing.T) {
	_, tr := newTrainer(t, Options{Optimizer: SGD{LR: 0.1}})
	x, y := batch(t, 4, 1)
	short, err := tensor.New(tensor.Int64, 3)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var input *graph.InputError
	for name, in := range map[string][]*tensor.Tensor{
		"no target": {x}, "too many": {x, y, y}, "swapped": {y, x}, "nothing": {}, "nil": {x, nil}, "short target": {x, short},
	} {
		if _, err := tr.Step(ctx, in...); !errors.As(err, &input) {
			t.Errorf("%s: %v", name, err)
		}
	}
	cancel()
	if _, err := tr.Step(ctx, x, y); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	m, err := FromGraph(smallModel(t))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New(m, Options{Optimizer: SGD{}}); err == nil {
		t.Error("no loss was accepted")
	}
	for _, p := range m.Parameters() {
		p.Frozen = true
	}
	frozen, err := New(m, Options{Loss: CrossEntropy, Optimizer: SGD{LR: 1}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := frozen.Step(context.Background(), x, y); err == nil || !strings.Contains(err.Error(), "no parameter") {
		t.Errorf("all parameters frozen: %v", err)
	}
}

// TestGradients compares the gradients of the trainer with difference quotients of its loss.
func TestGradients(t *testing.T) {
	_, tr := newTrainer(t, Options{Optimizer: SGD{LR: 0.1}, FreezeBatchNorm: Never})
	x, y := batch(t, 8, 3)
	loss := func() float64 {
		l, _, err := tr.Gradients(context.Background(), x, y)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	_, grads, err := tr.Gradients(context.Background(), x, y)
	if err != nil {
		t.Fatal(err)
	}
	if len(grads) != 5 {
		t.Errorf("%d gradients, want those of weights, biases and batch norm", len(grads))
	}
	for _, p := range tr.Parameters() {
		if p.Kind == Buffer {
			continue
		}
		v := p.Value.Float32s()
		was := v[0]
		const eps = 1e-2
		v[0] = was + eps
		up := loss()
		v[0] = was - eps
		down := loss()
		v[0] = was
		want := (up - down) / (2 * eps)
		if got := float64(grads[p.Name].Float32s()[0]); math.Abs(got-want) > 1e-3+2e-2*math.Abs(want) {
			t.Errorf("%s: gradient %v, difference quotient %v", p.Name, got, want)
		}
	}
}
