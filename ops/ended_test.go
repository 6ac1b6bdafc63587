package ops

import (
	"bytes"
	"context"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/octet-ml/octet/internal/fixture"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// withoutTasks are the operators that look at no context: they go over their elements once, or, as einsum of nothing to add up and
// cast to the same type, copy them.
var withoutTasks = []string{
	"arange", "assign", "detach", "fill", "full", "index_put", "item", "non_zero", "numel", "one_hot", "pad", "range", "reshape", "reshape_to", "row_order", "scatter", "scatter_nd", "shape", "size", "slice_to",
	"expand", "tile", "index", "windows", "embedding", "index_select", "cast", "einsum",
}

// TestEndedContext runs the operators of all fixtures with a context that has ended. What they write then is what they would compute past a deadline:
// nothing, but for those that withoutTasks names.
func TestEndedContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	stopped := make(map[string]bool)
	for _, family := range families(t) {
		for _, f := range fixture.Read[recorded](t, "testdata/"+family+".json.gz") {
			if f.Err != "" {
				continue
			}
			op, err := fixtureOps[f.Op](f.Attr)
			if err != nil {
				t.Fatal(err)
			}
			in, want := fixture.Tensors(t, f.In), fixture.Tensors(t, f.Out)
			if laster, ok := op.(ChannelsLaster); ok && WantsChannelsLast(laster) {
				op = moveChannelsLast(t, laster, in, want)
			}
			types := make([]Type, len(in))
			for i, x := range in {
				types[i] = TypeOf(x)
				if !slices.Contains(f.Known, i) {
					types[i].Known = nil
				}
			}
			out, err := op.Infer(types)
			if err != nil {
				t.Fatal(err)
			}
			k, err := op.Prepare(&Prepare{In: types, Out: out, Tier: asm.Generic, Threads: 1})
			if err != nil {
				t.Fatal(err)
			}
			c := dirtyCall(k, nil)
			c.In, c.Out, c.Context = in, newOutputs(t, out), ctx
			if k.Interruptible {
				c.Done = ctx.Done()
			}
			_ = k.Run(c) // an error is as good
			left, all := 0, 0
			for _, y := range c.Out {
				if y.DType() != tensor.Bool {
					left, all = left+bytes.Count(y.Bytes(), []byte{0xa5}), all+len(y.Bytes())
				}
			}
			empty := slices.ContainsFunc(in, func(x *tensor.Tensor) bool { return x.Numel() == 0 }) // then there is nothing to compute but zeros
			written := left < all/2
			if written && !empty && !slices.Contains(withoutTasks, f.Op) {
				t.Errorf("%s %s of %v computes past the end of its context", f.Op, f.Attr, types)
			}
			stopped[f.Op] = stopped[f.Op] || !written
		}
	}
	for _, name := range []string{"matmul", "attention", "conv_transpose", "sort", "topk", "rfft", "fft", "stft", "interpolate", "softmax", "layer_norm", "cumulative", "rnn", "einsum", "reduce", "unary", "binary", "gather"} {
		if !stopped[name] {
			t.Errorf("%s did not stop, or no fixture has it", name)
		}
	}
}

// TestLinalgStops counts how often the algorithms on one matrix look whether they are to go on: each row, and not once more when they are not.
func TestLinalgStops(t *testing.T) {
	const n, after = 40, 5
	r := rand.New(rand.NewPCG(1, 1))
	matrix := func() []float64 {
		a := make([]float64, n*n)
		for i := range a {
			a[i] = r.NormFloat64()
		}
		for i := range n {
			a[i*(n+1)] += n // positive definite where one triangle counts
		}
		return a
	}
	full := func() []float64 { return make([]float64, 2*n*n) }
	for name, run := range map[string]func(stop func() bool){
		"lu":       func(stop func() bool) { factorLU(matrix(), n, n, make([]int32, n), stop) },
		"cholesky": func(stop func() bool) { factorCholesky(matrix(), n, stop) },
		"qr":       func(stop func() bool) { factorQR(matrix(), n, n, full()[:n], full()[:n], stop) },
		"q":        func(stop func() bool) { makeQ(full()[:n*n], n, matrix(), n, n, full()[:n], full()[:n], stop) },
		"eigh":     func(stop func() bool) { jacobiEigh(matrix(), full()[:n*n], n, stop) },
		"svd":      func(stop func() bool) { jacobiSVD(matrix(), full()[:n*n], n, n, stop) },
		"exp":      func(stop func() bool) { exponential(matrix(), n, full(), stop) },
		"solve":    func(stop func() bool) { (&triangle{t: matrix(), n: n}).solve(matrix(), n, stop) },
	} {
		looks := 0
		run(func() bool { looks++; return false })
		if looks < n {
			t.Errorf("%s looks %d times in %d rows", name, looks, n)
		}
		looks = 0
		run(func() bool { looks++; return looks > after })
		// exp looks once more in each product that is left.
		if most := after + 1; looks > most && name != "exp" || looks > 100 {
			t.Errorf("%s looks %d times where it is told to stop after %d", name, looks, after)
		}
	}
}

// TestSortStops sorts a long line whose context ends: comparisons come to an end at once.
func TestSortStops(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	c := &Call{Context: ctx, Done: ctx.Done()}
	compared := 0
	order := untilEnded(c, func(a, b ranked) int {
		if compared++; compared == longLine/2 {
			cancel()
		}
		return int(a.index - b.index)
	})
	line := make([]ranked, 2*longLine)
	r := rand.New(rand.NewPCG(1, 1))
	for i := range line {
		line[i].index = r.Int64N(1 << 30)
	}
	slices.SortFunc(line, order)
	if compared > longLine {
		t.Errorf("%d elements were compared after the context had ended", compared-longLine/2)
	}
}
