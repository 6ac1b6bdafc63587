package int8_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/ops/int8"
	"github.com/octet-ml/octet/tensor"
)

// TestDynamicLinear compares with the definition, bit for bit, on every tier,
// for one and two threads.
func TestDynamicLinear(t *testing.T) {
	for _, c := range []struct {
		rows, k, n                int
		bias, residual, perTensor bool
		act                       ops.Activation
	}{
		{1, 1, 1, false, false, false, ops.NoActivation},
		{1, 64, 100, true, false, false, ops.NoActivation},
		{3, 5, 17, true, false, true, ops.ActReLU},
		{7, 130, 65, false, true, false, ops.ActReLU6},
		{13, 96, 200, true, true, true, ops.NoActivation},
		{40, 256, 320, true, true, false, ops.ActReLU},
		{2, 0, 3, true, false, false, ops.NoActivation},
	} {
		t.Run(fmt.Sprintf("%+v", c), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(11, 12))
			floats := func(shape ...int) *tensor.Tensor {
				x, _ := tensor.New(tensor.Float32, shape...)
				for i := range x.Float32s() {
					x.Float32s()[i] = float32(rng.NormFloat64())
				}
				return x
			}
			wq := &tensor.QParams{DType: tensor.Int8, Scheme: tensor.PerChannelSymmetric, Min: -128, Max: 127}
			for range c.n {
				wq.Scale, wq.ZeroPoint = append(wq.Scale, 0.001+0.004*rng.Float32()), append(wq.ZeroPoint, 0)
			}
			if c.perTensor {
				wq = tensor.PerTensor(tensor.Int8, 0.003, 0)
			}
			x, w := floats(c.rows, c.k), quantized(rng, wq, c.n, c.k)
			op := int8.DynamicLinear{LinearAttributes: ops.LinearAttributes{HasBias: c.bias, HasResidual: c.residual, Act: c.act}}
			in := []*tensor.Tensor{x, w}
			var bias, residual []float32
			if c.bias {
				in = append(in, floats(c.n))
				bias = in[2].Float32s()
			}
			if c.residual {
				in = append(in, floats(c.rows, c.n))
				residual = in[len(in)-1].Float32s()
			}

			want := make([]float32, c.rows*c.n)
			lo, hi := c.act.Bounds()
			for r := range c.rows {
				q, scale, zero := make([]uint8, max(c.k, 1)), []float32{0}, []int32{0}
				if c.k > 0 {
					args := asm.QuantizeRowsF32U8Args{M: 1, N: c.k, X: &x.Float32s()[r*c.k], Q: &q[0], Scale: &scale[0], Zero: &zero[0]}
					asm.QuantizeRowsF32U8For(asm.Generic).Run(&args)
				}
				for n := range c.n {
					acc := int32(0)
					for k := range c.k {
						acc += (int32(q[k]) - zero[0]) * (int32(w.Int8s()[n*c.k+k]) - wq.ZeroPoint[n%len(wq.ZeroPoint)])
					}
					y := float32(float32(acc) * float32(scale[0]*wq.Scale[n%len(wq.Scale)]))
					if bias != nil {
						y += bias[n]
					}
					if residual != nil {
						y += residual[r*c.n+n]
					}
					want[r*c.n+n] = min(max(y, lo), hi)
				}
			}
			for _, tier := range asm.Supported() {
				for _, threads := range []int{1, 2} {
					pool := ops.NewPool(threads)
					defer pool.Close()
					constant := make([]ops.Type, len(in))
					for i := range in {
						constant[i] = ops.TypeOf(in[i])
					}
					constant[0].Known = nil
					out, err := op.Infer(constant)
					if err != nil {
						t.Fatal(err)
					}
					k, err := op.Prepare(&ops.Prepare{In: constant, Out: out, Tier: tier, Threads: threads})
					if err != nil {
						t.Fatal(err)
					}
					got, _ := tensor.New(tensor.Float32, c.rows, c.n)
					if err := ops.RunKernel(k, pool, in, []*tensor.Tensor{got}); err != nil {
						t.Fatal(err)
					}
					for i, v := range got.Float32s() {
						if math.Float32bits(v+0) != math.Float32bits(want[i]+0) {
							t.Fatalf("%v, %d threads: element %d is %v, want %v", tier, threads, i, v, want[i])
						}
					}
				}
			}
		})
	}
}

// TestDynamicLinearFusesFunctions checks an activation that follows the kernel.
func TestDynamicLinearFusesFunctions(t *testing.T) {
	rng := rand.New(rand.NewPCG(13, 14))
	x, _ := tensor.New(tensor.Float32, 9, 40)
	for i := range x.Float32s() {
		x.Float32s()[i] = float32(rng.NormFloat64())
	}
	w := quantized(rng, tensor.PerTensor(tensor.Int8, 0.01, 0), 33, 40)
	plain := int8.DynamicLinear{}
	fused, ok := plain.FuseActivation(ops.ActGELU)
	if !ok {
		t.Fatal("GELU does not fuse")
	}
	for _, tier := range asm.Supported() {
		eval := func(op ops.Op, in ...*tensor.Tensor) *tensor.Tensor {
			out, err := ops.Eval(op, tier, nil, in...)
			if err != nil {
				t.Fatal(err)
			}
			return out[0]
		}
		want := eval(ops.Unary{Fn: ops.GELU}, eval(plain, x, w)).Float32s()
		for i, v := range eval(fused, x, w).Float32s() {
			if v != want[i] {
				t.Fatalf("%v: element %d is %v, want %v", tier, i, v, want[i])
			}
		}
	}
}
