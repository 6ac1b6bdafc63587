package train

import (
	"bytes"
	"context"
	"math"
	"runtime"
	"strings"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// residual is a small network with batch norm and two residual blocks.
type residual struct{}

func (residual) Class() string { return "Residual" }

func (residual) Forward(c *nn.Context, x ...*graph.Value) *graph.Value {
	const width = 8
	conv := func(name string, in int, v *graph.Value) *graph.Value {
		v = c.Call(name, nn.Conv2d{In: in, Out: width, Kernel: 3, Padding: 1, NoBias: true}, v)
		return c.Call(name+"_bn", nn.BatchNorm2d{Features: width}, v)
	}
	relu := func(name string, v *graph.Value) *graph.Value { return c.Call(name, nn.ReLU{}, v) }
	v := relu("relu", conv("stem", 2, x[0]))
	for _, name := range []string{"a", "b", "c"} {
		y := relu(name+"_relu1", conv(name+"1", width, v))
		y = conv(name+"2", width, y)
		v = relu(name+"_relu2", c.Apply(ops.Binary{Fn: ops.Add}, y, v))
	}
	v = c.Call("pool", nn.AdaptiveAvgPool2d{Size: 1}, v)
	return c.Call("fc", nn.Linear{In: width, Out: 3}, c.Apply(ops.Flatten{Start: 1, End: -1}, v))
}

func residualTrainer(t testing.TB, opts Options) *Trainer {
	t.Helper()
	g, err := nn.BuildRandom(nn.Architecture{
		Name: "residual", Inputs: []nn.Input{{Name: "x", DType: tensor.Float32, Shape: []int{1, 2, 5, 5}}}, Root: residual{},
	}, 1)
	if err != nil {
		t.Fatal(err)
	}
	m, err := FromGraph(g)
	if err != nil {
		t.Fatal(err)
	}
	opts.Loss = CrossEntropy
	tr, err := New(m, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tr.Close)
	return tr
}

// TestRecomputeSameBits trains with batch norm in training mode, then frozen, and with some parameters frozen: losses,
// gradients, parameters and running statistics are the same with and without recomputation, whose arena is smaller.
func TestRecomputeSameBits(t *testing.T) {
	for name, opts := range map[string]Options{
		"all":    {Optimizer: SGD{LR: 0.05, Momentum: 0.9}, FreezeBatchNorm: 4, ClipNorm: 1},
		"frozen": {Optimizer: Adam{LR: 0.01}, FreezeBatchNorm: Never, Groups: []Group{{Match: func(p *Parameter) bool { return strings.HasPrefix(p.Name, "b") }, Frozen: true}}},
	} {
		var wantLoss []float64
		var want []byte
		arena := 0
		for _, r := range []graph.Recompute{graph.KeepAll, 200 << 10, graph.SmallestArena} {
			opts.Recompute = r
			tr := residualTrainer(t, opts)
			var losses []float64
			for range 6 {
				_, loss := steps(t, tr, 1)
				losses = append(losses, loss)
			}
			got := values(tr.Parameters())
			x, y := batch(t, 16, 99)
			_, grads, err := tr.Gradients(context.Background(), x, y)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range tr.Parameters() {
				if d := grads[p.Name]; d != nil {
					got = append(got, d.Bytes()...)
				}
			}
			m := tr.Memory()
			switch {
			case r == graph.KeepAll:
				wantLoss, want, arena = losses, got, m.Arena
				continue
			case r == graph.SmallestArena && 3*m.Arena > 2*arena, r > graph.SmallestArena && m.Arena > int(r):
				t.Errorf("%s: an arena of %d bytes with a target of %d, %d without", name, m.Arena, r, arena)
			}
			for i, l := range losses {
				if math.Float64bits(l) != math.Float64bits(wantLoss[i]) {
					t.Errorf("%s, target %d: loss %v at step %d, %v without", name, r, l, i, wantLoss[i])
				}
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s, target %d: other parameters or gradients", name, r)
			}
		}
	}
}

func TestRecomputeAllocatesNothing(t *testing.T) {
	tr := residualTrainer(t, Options{Optimizer: SGD{LR: 0.01}, FreezeBatchNorm: Never, Recompute: graph.SmallestArena, Session: graph.Options{Threads: 1}})
	if m := tr.Memory(); m.Arena != 0 || m.Parameters == 0 || m.Moments != 0 {
		t.Errorf("memory before the first step: %+v", m)
	}
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

func TestRecomputeRefuses(t *testing.T) {
	m, err := FromGraph(smallModel(t))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New(m, Options{Loss: CrossEntropy, Optimizer: SGD{LR: 1}, Recompute: -5}); err == nil || !strings.Contains(err.Error(), "Options.Recompute") {
		t.Errorf("a negative target: %v", err)
	}
}

// TestPhaseMemory checks that the memory of the steps before batch norm is frozen does not stay behind.
func TestPhaseMemory(t *testing.T) {
	heap := func() int {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int(m.HeapAlloc)
	}
	tr := residualTrainer(t, Options{Optimizer: SGD{LR: 0.01}, FreezeBatchNorm: 1, Session: graph.Options{Threads: 1}})
	x, y := batch(t, 512, 1)
	before, arena := heap(), 0
	for range 2 {
		if _, err := tr.Step(context.Background(), x, y); err != nil {
			t.Fatal(err)
		}
		arena = max(arena, tr.Memory().Arena)
	}
	if grown := heap() - before; arena < 4<<20 || grown > arena*3/2 {
		t.Errorf("the heap has grown by %d bytes, the arena is %d", grown, arena)
	}
}
