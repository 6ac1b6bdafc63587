package quantize

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/graph/train"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// normalizedNet has batch norm behind every kind of convolution, and a residual.
func normalizedNet(c *nn.Context, x *graph.Value) *graph.Value {
	block := func(name string, conv nn.Conv2d, v *graph.Value) *graph.Value {
		return c.Call(name+"_bn", nn.BatchNorm2d{Features: conv.Out}, c.Call(name, conv, v))
	}
	v := c.Call("relu1", nn.ReLU{}, block("stem", nn.Conv2d{In: 3, Out: 8, Kernel: 3, Padding: 1, NoBias: true}, x))
	y := c.Call("relu2", nn.ReLU6{}, block("depthwise", nn.Conv2d{In: 8, Out: 8, Kernel: 3, Padding: 1, Groups: 8}, v))
	y = block("pointwise", nn.Conv2d{In: 8, Out: 8, Kernel: 1, NoBias: true}, y)
	v = c.Call("relu3", nn.ReLU{}, c.Apply(ops.Binary{Fn: ops.Add}, y, v))
	v = c.Call("relu4", nn.ReLU{}, block("last", nn.Conv2d{In: 8, Out: 12, Kernel: 3, Stride: 2}, v))
	v = c.Call("pool", nn.AdaptiveAvgPool2d{Size: 1}, v)
	return c.Call("fc", nn.Linear{In: 12, Out: 4}, c.Apply(ops.Flatten{Start: 1, End: -1}, v))
}

// qatFixture is a calibrated quantizer of normalizedNet, with data whose targets are
// the outputs of another network.
type qatFixture struct {
	model     *graph.Graph
	q         *Quantizer
	x, target *tensor.Tensor
}

func newQATFixture(t testing.TB, opts Options) *qatFixture {
	t.Helper()
	return newQATFixtureOf(t, opts, normalizedNet)
}

func newQATFixtureOf(t testing.TB, opts Options, net func(*nn.Context, *graph.Value) *graph.Value) *qatFixture {
	t.Helper()
	build := func(seed uint64) *graph.Graph {
		m, err := nn.BuildRandom(nn.Architecture{
			Name: "normalized", Inputs: []nn.Input{{Name: "x", DType: tensor.Float32, Shape: []int{1, 3, 9, 9}}}, Root: root(net),
		}, seed)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	f := &qatFixture{model: build(1), q: New(opts)}
	rng := rand.New(rand.NewPCG(3, 3))
	var err error
	if f.x, err = tensor.New(tensor.Float32, 16, 3, 9, 9); err != nil {
		t.Fatal(err)
	}
	for i := range f.x.Float32s() {
		f.x.Float32s()[i] = float32(rng.NormFloat64())
	}
	teacher, err := build(2).Compile(graph.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer teacher.Close()
	out, err := teacher.Run(context.Background(), f.x)
	if err != nil {
		t.Fatal(err)
	}
	f.target = out[0]
	f.settle(t)
	calib, err := f.q.Calib(f.model)
	if err != nil {
		t.Fatal(err)
	}
	defer calib.Close()
	if _, err := calib.Run(context.Background(), f.x); err != nil {
		t.Fatal(err)
	}
	return f
}

// settle gives the model the running statistics of the data, which random ones are far from.
func (f *qatFixture) settle(t testing.TB) {
	t.Helper()
	m, err := train.FromGraph(f.model)
	if err != nil {
		t.Fatal(err)
	}
	tr, err := train.New(m, train.Options{Loss: train.MeanSquaredError, Optimizer: train.SGD{}, FreezeBatchNorm: train.Never})
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	f.steps(t, tr, 60)
	f.model = m.Snapshot()
}

func (f *qatFixture) qat(t testing.TB, overrides ...Override) *QAT {
	t.Helper()
	a, err := f.q.QAT(f.model, overrides...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	return a
}

// scales is the group of the observers' parameters, whose rates have to be small.
var scales = train.Group{Match: train.OfKind(train.Scale, train.ZeroPoint), Rate: 0.01, NoDecay: true}

func (f *qatFixture) trainer(t testing.TB, a *QAT, opts train.Options) *train.Trainer {
	t.Helper()
	opts.Loss = train.MeanSquaredError
	if opts.Optimizer == nil {
		opts.Optimizer = train.SGD{LR: 0.02, Momentum: 0.9}
	}
	opts.Groups = append(opts.Groups, scales)
	opts.Session = f.q.opts.Session
	tr, err := train.New(a, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tr.Close)
	return tr
}

func (f *qatFixture) steps(t testing.TB, tr *train.Trainer, n int) (first, last float64) {
	t.Helper()
	for i := range n {
		loss, err := tr.Step(context.Background(), f.x, f.target)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = loss
		}
		last = loss
	}
	return first, last
}

// sameAsConverted fails unless the proxy gives the bits of the converted model.
func (f *qatFixture) sameAsConverted(t *testing.T, a *QAT, when string) {
	t.Helper()
	s, err := quantized(t, f.q, f.model).Compile(graph.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got, want := mustRun(t, a.Run, f.x), mustRun(t, s.Run, f.x); !bytes.Equal(got.Bytes(), want.Bytes()) {
		t.Errorf("%s: the proxy gives %v, the converted model %v", when, got.Float32s()[:4], want.Float32s()[:4])
	}
}

// TestQATBatchNorm trains with the statistics of the batch, then with the running ones, and checks that
// the loss falls, that the running statistics follow, and that evaluation is the converted model's.
func TestQATBatchNorm(t *testing.T) {
	for _, bits := range []int{8, 4} {
		act, weight := affineU8.WithBits(bits), channelSymmetricS8.WithBits(bits)
		f := newQATFixture(t, Options{Activation: &ObserverConfig{Kind: MinMax, Spec: act}, Weight: &ObserverConfig{Kind: MinMax, Spec: weight}})
		a := f.qat(t)
		f.sameAsConverted(t, a, "before")
		tr := f.trainer(t, a, train.Options{FreezeBatchNorm: 15})
		first, _ := f.steps(t, tr, 15)
		f.sameAsConverted(t, a, "with live batch norm")
		_, last := f.steps(t, tr, 15)
		f.sameAsConverted(t, a, "with frozen batch norm")
		if !(last < 0.5*first) {
			t.Errorf("%d bits: the loss went from %v to %v", bits, first, last)
		}
	}
}

// TestQATStatistics compares running statistics and gradients of a proxy of 8 bits, batch norm
// using the statistics of the batch, with those of float training.
func TestQATStatistics(t *testing.T) {
	f := newQATFixture(t, Options{})
	a := f.qat(t)
	float, err := train.FromGraph(f.model)
	if err != nil {
		t.Fatal(err)
	}
	ft, err := train.New(float, train.Options{Loss: train.MeanSquaredError, Optimizer: train.SGD{LR: 1e-9}, FreezeBatchNorm: train.Never})
	if err != nil {
		t.Fatal(err)
	}
	defer ft.Close()
	for _, l := range a.weights {
		// At half a step beyond the last integer, the largest weight would have no gradient.
		for i := range l.scale.Value.Float32s() {
			l.scale.Value.Float32s()[i] *= 1.01
		}
	}
	qt := f.trainer(t, a, train.Options{Optimizer: train.SGD{LR: 1e-9}, FreezeBatchNorm: train.Never})
	_, want, err := ft.Gradients(context.Background(), f.x, f.target)
	if err != nil {
		t.Fatal(err)
	}
	_, got, err := qt.Gradients(context.Background(), f.x, f.target)
	if err != nil {
		t.Fatal(err)
	}
	f.steps(t, ft, 3)
	f.steps(t, qt, 3)
	for i, p := range float.Parameters() {
		q := a.params[i]
		if p.Name != q.Name {
			t.Fatalf("parameter %d is %s and %s", i, p.Name, q.Name)
		}
		if p.Kind == train.Buffer {
			largest := 0.0
			for _, v := range p.Value.Float32s() {
				largest = max(largest, math.Abs(float64(v)))
			}
			for j, v := range p.Value.Float32s() {
				if d := math.Abs(float64(v - q.Value.Float32s()[j])); d > 0.02*largest {
					t.Errorf("%s[%d] is %v, in float %v", p.Name, j, q.Value.Float32s()[j], v)
				}
			}
			continue
		}
		// Batch norm takes the bias in front of it out again: its gradient is rounding, or none.
		if p.Name == "depthwise.bias" || p.Name == "last.bias" {
			continue
		}
		if c := sumsOf(want[p.Name].Float32s(), got[p.Name].Float32s()).cosine(); c < 0.75 {
			t.Errorf("the gradient of %s has the cosine %v with float's", p.Name, c)
		}
	}
}

// TestQATSameBits checks that training does not depend on the number of threads.
func TestQATSameBits(t *testing.T) {
	var want []byte
	for _, threads := range []int{1, 3} {
		f := newQATFixture(t, Options{Session: graph.Options{Threads: threads}})
		tr := f.trainer(t, f.qat(t), train.Options{FreezeBatchNorm: 2, ClipNorm: 1})
		f.steps(t, tr, 5)
		var got []byte
		for _, p := range tr.Parameters() {
			got = append(got, p.Value.Bytes()...)
		}
		if want != nil && !bytes.Equal(got, want) {
			t.Errorf("parameters with %d threads differ from those with one", threads)
		}
		want = got
	}
}

// TestQATRecompute checks that computing values again changes no bit, with batch norm's statistics of the batch and
// then with frozen ones, in the arithmetic that is deployed and in that of the toolkit.
func TestQATRecompute(t *testing.T) {
	for _, backend := range []*Backend{Native, FBGEMM} {
		var want []byte
		arena := 0
		for _, r := range []graph.Recompute{graph.KeepAll, graph.SmallestArena} {
			f := newQATFixture(t, Options{Backend: backend, Session: graph.Options{Threads: 2}})
			tr := f.trainer(t, f.qat(t), train.Options{FreezeBatchNorm: 2, ClipNorm: 1, Recompute: r})
			var got []byte
			for range 4 {
				_, loss := f.steps(t, tr, 1)
				got = binary.LittleEndian.AppendUint64(got, math.Float64bits(loss))
			}
			for _, p := range tr.Parameters() {
				got = append(got, p.Value.Bytes()...)
			}
			if r == graph.KeepAll {
				want, arena = got, tr.Memory().Arena
				continue
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%v: losses or parameters differ", backend)
			}
			if got := tr.Memory().Arena; got >= arena {
				t.Errorf("%v: an arena of %d bytes, %d without", backend, got, arena)
			}
		}
	}
}

func TestQATAllocatesNothing(t *testing.T) {
	f := newQATFixture(t, Options{Session: graph.Options{Threads: 1}})
	tr := f.trainer(t, f.qat(t), train.Options{})
	in := []*tensor.Tensor{f.x, f.target}
	step := func() {
		if _, err := tr.Step(context.Background(), in...); err != nil {
			t.Fatal(err)
		}
	}
	step()
	if n := testing.AllocsPerRun(3, step); n != 0 {
		t.Errorf("%v allocations per step", n)
	}
}

// TestQATFreezesObservers checks that scales and zero points stay after the given step, and
// that symmetric zero points are always 0 and scales positive.
func TestQATFreezesObservers(t *testing.T) {
	f := newQATFixture(t, Options{})
	tr := f.trainer(t, f.qat(t), train.Options{FreezeObservers: 2, Optimizer: train.SGD{LR: 10}})
	observers := func() []byte {
		var b []byte
		for _, p := range tr.Parameters() {
			if p.Kind == train.Scale || p.Kind == train.ZeroPoint {
				b = append(b, p.Value.Bytes()...)
			}
		}
		return b
	}
	before := observers()
	f.steps(t, tr, 2)
	after := observers()
	if bytes.Equal(before, after) {
		t.Error("the observers do not learn")
	}
	for _, l := range f.q.learned.weights {
		for i, z := range l.zero.Value.Float32s() {
			if z != 0 || l.scale.Value.Float32s()[i] < epsilon {
				t.Errorf("%s: scale %v, zero point %v", l.scale.Name, l.scale.Value.Float32s()[i], z)
			}
		}
	}
	f.steps(t, tr, 2)
	if !bytes.Equal(after, observers()) {
		t.Error("frozen observers have changed")
	}
}

func TestQATNeedsCalibration(t *testing.T) {
	f := newQATFixture(t, Options{})
	if _, err := New(Options{}).QAT(f.model); !errors.Is(err, ErrNoData) {
		t.Errorf("without calibration: %v", err)
	}
}

// TestQATTwice checks that a second proxy begins where the first one ended, and that the model is not changed.
func TestQATTwice(t *testing.T) {
	f := newQATFixture(t, Options{})
	was := f.model.Constants()[0].Const.Clone()
	first := f.qat(t)
	f.steps(t, f.trainer(t, first, train.Options{}), 3)
	out := mustRun(t, first.Run, f.x)
	if again := mustRun(t, f.qat(t).Run, f.x); !bytes.Equal(out.Bytes(), again.Bytes()) {
		t.Error("the second proxy begins elsewhere")
	}
	if !bytes.Equal(was.Bytes(), f.model.Constants()[0].Const.Bytes()) {
		t.Error("training changed the model")
	}
}

// TestQATDetach checks that training leaves alone what is in front of a Detach, which is quantized as what it takes.
func TestQATDetach(t *testing.T) {
	for _, backend := range []*Backend{Native, FBGEMM} {
		f := newQATFixtureOf(t, Options{Backend: backend, Session: graph.Options{Threads: 1}}, func(c *nn.Context, x *graph.Value) *graph.Value {
			v := c.Call("relu1", nn.ReLU{}, c.Call("stem", nn.Conv2d{In: 3, Out: 8, Kernel: 3}, x))
			v = c.Call("last", nn.Conv2d{In: 8, Out: 12, Kernel: 3}, c.Apply(ops.Detach{}, v))
			v = c.Call("pool", nn.AdaptiveAvgPool2d{Size: 1}, v)
			return c.Call("fc", nn.Linear{In: 12, Out: 4}, c.Apply(ops.Flatten{Start: 1, End: -1}, v))
		})
		a := f.qat(t)
		tr := f.trainer(t, a, train.Options{})
		was := make(map[string][]byte)
		for _, p := range tr.Parameters() {
			was[p.Name] = bytes.Clone(p.Value.Bytes())
		}
		f.steps(t, tr, 2)
		for _, p := range tr.Parameters() {
			if same := bytes.Equal(p.Value.Bytes(), was[p.Name]); strings.HasSuffix(p.Name, ".weight") && same != (p.Name == "stem.weight") {
				t.Errorf("%s: %s stays: %v", backend.Name, p.Name, same)
			}
		}
		f.sameAsConverted(t, a, backend.Name)
		for _, n := range quantized(t, f.q, f.model).Nodes {
			if n.Op.Name() == "detach" && n.Outputs[0].Type.Q == nil && backend == Native { // of which FBGEMM quantizes layers alone
				t.Errorf("%s: the value behind detach is %v", backend.Name, n.Outputs[0].Type)
			}
		}
	}
}

// TestQATStepCancelled ends the context of a step behind every node: parameters, statistics and the optimizer's state
// are those of whole steps, in the deployed arithmetic and in the toolkit's.
func TestQATStepCancelled(t *testing.T) {
	for _, backend := range []*Backend{Native, FBGEMM} {
		state := func(tr *train.Trainer) []byte {
			var b []byte
			for _, p := range tr.Parameters() {
				b = append(b, p.Value.Bytes()...)
			}
			return b
		}
		var behind func(graph.StepTrace)
		trainer := func(trace func(graph.StepTrace)) (*qatFixture, *train.Trainer) {
			f := newQATFixture(t, Options{Backend: backend, Session: graph.Options{Threads: 2}})
			f.q.opts.Session.Trace = trace
			return f, f.trainer(t, f.qat(t), train.Options{FreezeBatchNorm: train.Never, ClipNorm: 1})
		}
		f, whole := trainer(nil)
		_, disturbed := trainer(func(s graph.StepTrace) { behind(s) })
		nodes, made, want := 1, 0, state(whole)
		for last := 0; last < nodes; last++ {
			ctx, cancel := context.WithCancel(context.Background())
			seen := 0
			behind = func(s graph.StepTrace) {
				if seen++; s.Index == last {
					cancel()
				}
			}
			switch _, err := disturbed.Step(ctx, f.x, f.target); {
			case err == nil:
				f.steps(t, whole, 1)
				made, nodes, want = made+1, seen, state(whole)
			case errors.Is(err, context.Canceled):
				nodes = max(nodes, seen+1)
			default:
				t.Fatal(err)
			}
			if !bytes.Equal(state(disturbed), want) {
				t.Fatalf("%v: the context ended behind node %d, after %d steps", backend, last, whole.Steps())
			}
		}
		behind = func(graph.StepTrace) {}
		f.steps(t, disturbed, 1) // with the optimizer's state
		if f.steps(t, whole, 1); !bytes.Equal(state(disturbed), state(whole)) {
			t.Errorf("%v: a later step differs", backend)
		}
		if made < 10 || nodes-made < 40 {
			t.Errorf("%v: of steps with %d nodes %d were made", backend, nodes, made)
		}
	}
}
