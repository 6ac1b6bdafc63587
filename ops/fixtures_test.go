package ops

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/octet-ml/octet/internal/fixture"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// fixtureOps builds the operator of a case from the attributes it records.
var fixtureOps = map[string]func(json.RawMessage) (Op, error){
	"argmax":          decodeOp[ArgMax],
	"addmm":           decodeOp[AddMM],
	"arange":          decodeOp[Arange],
	"fft":             decodeOp[FFT],
	"rfft":            decodeOp[RFFT],
	"stft":            decodeOp[STFT],
	"pad_mode":        decodeOp[PadMode],
	"unfold":          decodeOp[Unfold],
	"fold":            decodeOp[Fold],
	"pixel_shuffle":   decodeOp[PixelShuffle],
	"channel_shuffle": decodeOp[ChannelShuffle],
	"one_hot":         decodeOp[OneHot],
	"expand":          decodeOp[Expand],
	"flip":            decodeOp[Flip],
	"full":            decodeOp[Full],
	"gather":          decodeOp[Gather],
	"interpolate":     decodeOp[Interpolate],
	"index":           decodeOp[Index],
	"index_put":       decodeOp[IndexPut],
	"numel":           decodeOp[NumelOf],
	"reshape_to":      decodeOp[ReshapeTo],
	"rnn":             decodeOp[RNN],
	"roll":            decodeOp[Roll],
	"scatter":         decodeOp[Scatter],
	"shape":           decodeOp[ShapeOf],
	"size":            decodeOp[SizeOf],
	"slice_to":        decodeOp[SliceTo],
	"stack":           decodeOp[Stack],
	"tile":            decodeOp[Tile],
	"triangle":        decodeOp[Trilu],
	"windows":         decodeOp[SlidingWindow],
	"attention":       decodeOp[Attention],
	"diagonal":        decodeOp[Diagonal],
	"einsum":          decodeOp[Einsum],
	"binary":          decodeOp[Binary],
	"conv_transpose":  decodeOp[ConvTranspose],
	"cast":            decodeOp[Cast],
	"cumulative":      decodeOp[PrefixScan],
	"embedding":       decodeOp[Embedding],
	"group_norm":      decodeOp[GroupNorm],
	"index_select":    decodeOp[IndexSelect],
	"instance_norm":   decodeOp[InstanceNorm],
	"layer_norm":      decodeOp[LayerNorm],
	"matmul":          decodeOp[MatMul],
	"reduce":          decodeOp[Reduce],
	"softmax":         decodeOp[Softmax],
	"sort":            decodeOp[Sort],
	"topk":            decodeOp[TopK],
	"unary":           decodeOp[Unary],
	"where":           decodeOp[Where],
}

func decodeOp[T Op](attr json.RawMessage) (Op, error) {
	var op T
	err := fixture.Decode(attr, &op)
	return op, err
}

// recorded is a case that testdata/gen/gen.py made.
type recorded struct {
	Op    string
	Attr  json.RawMessage
	In    []fixture.Tensor
	Out   []fixture.Tensor
	Err   string  // what PyTorch says, where it refuses
	Tol   float64 // relative and absolute
	Known []int   // inputs whose values Infer needs
}

func TestPyTorchParity(t *testing.T) {
	pool := NewPool(2)
	defer pool.Close()
	tiers := []asm.Tier{asm.Generic}
	if best := asm.Best(); best != asm.Generic {
		tiers = append(tiers, best)
	}
	for _, family := range families(t) {
		t.Run(family, func(t *testing.T) {
			for i, f := range fixture.Read[recorded](t, "testdata/"+family+".json.gz") {
				t.Run(fmt.Sprint(i), func(t *testing.T) { runFixture(t, f, tiers, pool) })
			}
		})
	}
}

// families lists the files of fixtures.
func families(t *testing.T) []string {
	t.Helper()
	files, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, file := range files {
		if name, ok := strings.CutSuffix(file.Name(), ".json.gz"); ok {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		t.Fatal("no fixtures")
	}
	return names
}

func runFixture(t *testing.T, f recorded, tiers []asm.Tier, pool *Pool) {
	build := fixtureOps[f.Op]
	if build == nil {
		t.Fatalf("no operator %q", f.Op)
	}
	op, err := build(f.Attr)
	if err != nil {
		t.Fatalf("%s %s: %v", f.Op, f.Attr, err)
	}
	in, want := fixture.Tensors(t, f.In), fixture.Tensors(t, f.Out)
	if laster, ok := op.(ChannelsLaster); ok && WantsChannelsLast(laster) && f.Err == "" {
		op = moveChannelsLast(t, laster, in, want)
	}
	known, types := make([]Type, len(f.In)), make([]Type, len(f.In))
	for i := range f.In {
		known[i] = TypeOf(in[i])
		types[i] = known[i]
		if !slices.Contains(f.Known, i) {
			types[i].Known = nil
		}
	}
	describe := fmt.Sprintf("%s %s %v", op.Name(), f.Attr, types)
	folded, inferErr := op.Infer(known)
	if f.Err != "" {
		checkRefused(t, describe, op, f, in, types, inferErr, pool)
		return
	}
	if inferErr != nil {
		t.Fatalf("%s: %v", describe, inferErr)
	}
	out, err := op.Infer(types)
	if err != nil {
		t.Fatalf("%s: %v", describe, err)
	}
	if len(out) != len(f.Out) {
		t.Fatalf("%s: %d outputs, want %d", describe, len(out), len(f.Out))
	}
	for _, tier := range tiers {
		one := runOp(t, op, tier, nil, types, out, in)
		two := runOp(t, op, tier, pool, types, out, in)
		for i, w := range want {
			compare(t, fmt.Sprintf("%s output %d on %v", describe, i, tier), one[i], w, f.Tol)
			if !bytes.Equal(one[i].Bytes(), two[i].Bytes()) {
				t.Errorf("%s output %d: results differ with two threads", describe, i)
			}
			if k := folded[i].Known; k != nil {
				compare(t, fmt.Sprintf("%s folded output %d", describe, i), k, w, f.Tol)
			}
		}
	}
}

// moveChannelsLast permutes inputs and outputs for an operator that computes
// only channels-last, which it returns.
func moveChannelsLast(t *testing.T, op ChannelsLaster, in, out []*tensor.Tensor) Op {
	t.Helper()
	types := make([]Type, len(in))
	for i, x := range in {
		types[i] = TypeOf(x)
	}
	last, inputs, ok := op.ChannelsLast(types)
	if !ok {
		t.Fatalf("%s %v is not channels-last", op.Name(), types)
	}
	for _, i := range inputs {
		in[i] = toChannelsLast(t, in[i])
	}
	for i := range out {
		out[i] = toChannelsLast(t, out[i])
	}
	return last
}

// checkRefused checks that the operator refuses what PyTorch refuses, when it
// infers types or, for values, when it runs.
func checkRefused(t *testing.T, describe string, op Op, f recorded, in []*tensor.Tensor, types []Type, inferErr error, pool *Pool) {
	t.Helper()
	if inferErr != nil {
		var shape *ShapeError
		if !errors.As(inferErr, &shape) {
			t.Errorf("%s: error %v is not a *ShapeError", describe, inferErr)
		}
		return
	}
	out, err := op.Infer(types)
	if err != nil {
		t.Fatalf("%s: refused only without values: %v", describe, err)
	}
	k, err := op.Prepare(&Prepare{In: types, Out: out, Threads: pool.Threads()})
	if err != nil {
		t.Fatal(err)
	}
	if err := RunKernel(k, pool, in, newOutputs(t, out)); err == nil {
		t.Errorf("%s: no error; PyTorch says %q", describe, f.Err)
	} else if value := (*ValueError)(nil); !errors.As(err, &value) {
		t.Errorf("%s: error %v is not a *ValueError", describe, err)
	}
}

// newOutputs returns tensors that hold what a kernel must not leave there.
func newOutputs(t *testing.T, types []Type) []*tensor.Tensor {
	t.Helper()
	out := make([]*tensor.Tensor, len(types))
	for i, o := range types {
		x, err := tensor.New(o.DType, o.Shape...)
		if err != nil {
			t.Fatal(err)
		}
		if o.DType != tensor.Bool {
			fill(x.Bytes(), 0xa5)
		}
		out[i] = x
	}
	return out
}

func runOp(t *testing.T, op Op, tier asm.Tier, pool *Pool, types, out []Type, in []*tensor.Tensor) []*tensor.Tensor {
	t.Helper()
	k, err := op.Prepare(&Prepare{In: types, Out: out, Tier: tier, Threads: pool.Threads()})
	if err != nil {
		t.Fatalf("%s: %v", op.Name(), err)
	}
	c := dirtyCall(k, pool)
	c.In, c.Out = in, newOutputs(t, out)
	if err := k.Run(c); err != nil {
		t.Fatalf("%s %v: %v", op.Name(), types, err)
	}
	return c.Out
}

// dirtyCall returns a call whose memory holds what no kernel may count on.
func dirtyCall(k *Kernel, pool *Pool) *Call {
	dirty := func(n int) []byte {
		b := tensor.AlignedBytes(n)
		fill(b, 0xa5)
		return b
	}
	c := &Call{Scratch: dirty(k.Scratch), Pool: pool, Workers: make([]Worker, pool.Threads()), Context: context.Background()}
	for i := range c.Workers {
		c.Workers[i] = Worker{Scratch: dirty(k.WorkerScratch), Pointers: make([]unsafe.Pointer, k.WorkerPointers)}
	}
	return c
}

// compare checks type, shape and elements. Two NaN are equal; the sign of zero
// does not count.
func compare(t *testing.T, what string, got, want *tensor.Tensor, tol float64) {
	t.Helper()
	if got.DType() != want.DType() || !got.Shape().Equal(want.Shape()) {
		t.Fatalf("%s: got %v, want %v", what, got, want)
	}
	switch want.DType() {
	case tensor.Float16:
		tol = max(tol, 1e-3)
	case tensor.BFloat16:
		tol = max(tol, 8e-3)
	}
	if !want.DType().IsFloat() {
		if !bytes.Equal(got.Bytes(), want.Bytes()) {
			g, w := doubles(t, got), doubles(t, want)
			t.Errorf("%s: got %v, want %v", what, g[:min(len(g), 40)], w[:min(len(w), 40)])
		}
		return
	}
	w := doubles(t, want)
	for i, g := range doubles(t, got) {
		if g == w[i] || g != g && w[i] != w[i] {
			continue
		}
		if d := math.Abs(g - w[i]); !(d <= tol*math.Max(1, math.Abs(w[i]))) || math.IsInf(w[i], 0) {
			t.Errorf("%s: element %d is %v, want %v", what, i, g, w[i])
			return
		}
	}
}

func doubles(t *testing.T, x *tensor.Tensor) []float64 {
	t.Helper()
	d, err := x.To(tensor.Float64)
	if err != nil {
		t.Fatal(err)
	}
	return tensor.Data[float64](d)
}
