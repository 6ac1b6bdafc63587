package ops_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// TestInPlace runs operators with their output in the memory of each input that may be overwritten, on every
// tier, with sizes that leave tails, and compares with memory of its own.
func TestInPlace(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	random := func(shape ...int) *tensor.Tensor {
		x, err := tensor.New(tensor.Float32, shape...)
		if err != nil {
			t.Fatal(err)
		}
		for i := range x.Float32s() {
			x.Float32s()[i] = float32(r.NormFloat64())
		}
		return x
	}
	positive := func(n int) *tensor.Tensor {
		x := random(n)
		for i, v := range x.Float32s() {
			x.Float32s()[i] = v*v + 0.1
		}
		return x
	}
	type run struct {
		op ops.InPlacer
		in []*tensor.Tensor
	}
	var runs []run
	for _, c := range []int{1, 3, 8, 37} {
		x, dy := random(2, c, 5, 7), random(2, c, 5, 7)
		for _, fn := range []ops.BinaryFn{ops.Add, ops.Sub, ops.Mul, ops.Div} {
			for _, act := range []ops.Activation{ops.NoActivation, ops.ActReLU} {
				op := ops.Binary{Fn: fn, Act: act}
				runs = append(runs, run{op, []*tensor.Tensor{x, dy}}, run{op, []*tensor.Tensor{x, random(c, 1, 1)}}, run{op, []*tensor.Tensor{random(5, 1), dy}}, run{op, []*tensor.Tensor{x, random(1)}})
			}
		}
		runs = append(runs, run{ops.ClampGrad{Lo: 0, Hi: 6}, []*tensor.Tensor{x, dy}})
		for _, batch := range []bool{false, true} {
			runs = append(runs,
				run{ops.BatchNormGrad{Eps: 1e-5, Batch: batch}, []*tensor.Tensor{x, dy, random(c), random(c), positive(c)}},
				run{ops.BatchNormGrad{Eps: 1e-5, Batch: batch, NHWC: true}, []*tensor.Tensor{random(2, 5, 7, c), random(2, 5, 7, c), random(c), random(c), positive(c)}})
		}
	}
	pool := ops.NewPool(2)
	defer pool.Close()
	for _, tier := range asm.Supported() {
		for i, c := range runs {
			t.Run(fmt.Sprintf("%v/%d/%s", tier, i, c.op.Name()), func(t *testing.T) { testInPlace(t, c.op, tier, pool, c.in) })
		}
	}
}

func testInPlace(t *testing.T, op ops.InPlacer, tier asm.Tier, pool *ops.Pool, in []*tensor.Tensor) {
	var types []ops.Type
	for _, x := range in {
		types = append(types, ops.Type{DType: x.DType(), Shape: x.Shape()})
	}
	want, err := ops.Eval(op, tier, pool, in...)
	if err != nil {
		t.Fatal(err)
	}
	inputs := op.InPlace(types)
	if len(inputs) == 0 {
		t.Fatal("no input may be overwritten")
	}
	outTypes, err := op.Infer(types)
	if err != nil {
		t.Fatal(err)
	}
	k, err := op.Prepare(&ops.Prepare{In: types, Out: outTypes, Tier: tier, Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range inputs {
		if len(in[i].Bytes()) != len(want[0].Bytes()) {
			continue
		}
		args := append([]*tensor.Tensor(nil), in...)
		args[i] = in[i].Clone()
		out := []*tensor.Tensor{args[i]}
		for _, o := range want[1:] {
			out = append(out, o.Clone())
		}
		if err := ops.RunKernel(k, pool, args, out); err != nil {
			t.Fatal(err)
		}
		for j, o := range out {
			if !bytes.Equal(o.Bytes(), want[j].Bytes()) {
				t.Errorf("over input %d: output %d differs", i, j)
			}
		}
	}
}
