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

// TestBinary compares sums, differences, products, minima and maxima with the definition in docs/numerics.md,
// bit for bit, on every tier.
func TestBinary(t *testing.T) {
	qa, qb := tensor.PerTensor(tensor.Uint8, 0.031, 100), tensor.PerTensor(tensor.Uint8, 0.012, 7)
	y := tensor.PerTensor(tensor.Uint8, 0.02, 90)
	for _, c := range []struct {
		a, b tensor.Shape
		act  ops.Activation
	}{
		{tensor.Shape{5}, tensor.Shape{5}, ops.NoActivation},
		{tensor.Shape{2, 3, 50, 70}, tensor.Shape{2, 3, 50, 70}, ops.ActReLU},
		{tensor.Shape{2, 9, 8, 24}, tensor.Shape{2, 1, 1, 24}, ops.NoActivation},
		{tensor.Shape{3, 1, 1, 5}, tensor.Shape{3, 2, 7, 5}, ops.ActReLU6},
		{tensor.Shape{2, 6, 5, 4}, tensor.Shape{1, 6, 1, 1}, ops.NoActivation},
		{tensor.Shape{2, 6, 5, 4}, tensor.Shape{2, 6, 1, 1}, ops.NoActivation},
		{tensor.Shape{2, 300, 100}, tensor.Shape{1, 1, 100}, ops.ActReLU},
		{tensor.Shape{4, 3}, tensor.Shape{1, 1}, ops.NoActivation},
		{tensor.Shape{4, 1}, tensor.Shape{1, 5}, ops.NoActivation},
		{tensor.Shape{2, 1, 3, 1, 4}, tensor.Shape{1, 5, 1, 6, 1}, ops.NoActivation},
		{tensor.Shape{1, 1}, tensor.Shape{1, 1}, ops.NoActivation},
		{tensor.Shape{0, 3}, tensor.Shape{0, 3}, ops.NoActivation},
	} {
		rng := rand.New(rand.NewPCG(1, 2))
		a, b := quantized(rng, qa, c.a...), quantized(rng, qb, c.b...)
		for _, op := range []ops.Op{int8.Add{Act: c.act, Out: y}, int8.Mul{Act: c.act, Out: y}, int8.Min{Act: c.act, Out: y}, int8.Sub{Act: c.act, Out: y}, int8.Max{Act: c.act, Out: y}} {
			t.Run(fmt.Sprintf("%s/%v,%v", op.Name(), c.a, c.b), func(t *testing.T) {
				for _, tier := range asm.Supported() {
					for _, threads := range []int{1, 2} {
						pool := ops.NewPool(threads)
						defer pool.Close()
						out, err := ops.Eval(op, tier, pool, a, b)
						if err != nil {
							t.Fatal(err)
						}
						checkBinary(t, op, c.act, a, b, out[0])
					}
				}
			})
		}
	}
}

func checkBinary(t *testing.T, op ops.Op, act ops.Activation, a, b, out *tensor.Tensor) {
	t.Helper()
	shape, err := tensor.Broadcast(a.Shape(), b.Shape())
	if err != nil || !out.Shape().Equal(shape) {
		t.Fatalf("the result has shape %v, want %v", out.Shape(), shape)
	}
	qa, qb, y := a.QParams(), b.QParams(), out.QParams()
	lo, hi := int8.Bounds(y, act)
	for i, got := range out.Uint8s() {
		va := int32(at(a, shape, i)) - qa.ZeroPoint[0]
		vb := int32(at(b, shape, i)) - qb.ZeroPoint[0]
		ma, mb := float32(float64(qa.Scale[0])/float64(y.Scale[0])), float32(float64(qb.Scale[0])/float64(y.Scale[0]))
		var v float32
		switch op.(type) {
		case int8.Mul:
			v = float32(va*vb) * int8.Multiplier(qa.Scale[0], qb.Scale[0], y.Scale[0])
		case int8.Min:
			v = min(float32(va)*ma, float32(vb)*mb)
		case int8.Max:
			v = max(float32(va)*ma, float32(vb)*mb)
		case int8.Sub:
			v = float32(float32(va)*ma) - float32(float32(vb)*mb)
		default:
			v = float32(float32(va)*ma) + float32(float32(vb)*mb)
		}
		want := min(max(math.RoundToEven(float64(v))+float64(y.ZeroPoint[0]), float64(lo)), float64(hi))
		if float64(got) != want {
			t.Fatalf("element %d is %d, want %v", i, got, want)
		}
	}
}

// at returns what an operand contributes to element i of a result of the given shape.
func at(x *tensor.Tensor, shape tensor.Shape, i int) uint8 {
	index, stride := 0, 1
	for d := len(shape) - 1; d >= 0; d-- {
		if x.Dim(d) != 1 {
			index += i % shape[d] * stride
		}
		i /= shape[d]
		stride *= x.Dim(d)
	}
	return x.Uint8s()[index]
}
