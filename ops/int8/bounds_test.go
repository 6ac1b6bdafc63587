package int8

import (
	"fmt"
	"math"
	"testing"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// TestBounds goes through ranges and zero points, inside the range and outside it: the interval
// is never empty, holds only integers in use or the zero point, and is the one that the deployed forward has.
func TestBounds(t *testing.T) {
	ends := []int32{0, 1, 7, 64, 100, 127, 128, 200, 254, 255}
	for _, lowest := range ends {
		for _, highest := range ends {
			if lowest >= highest {
				continue
			}
			for zero := range int32(256) {
				for _, scale := range []float32{1e-3, 0.05, 40} {
					q := tensor.PerTensor(tensor.Uint8, scale, zero)
					q.Min, q.Max = lowest, highest
					checkBounds(t, q)
				}
			}
		}
	}
}

func checkBounds(t *testing.T, q *tensor.QParams) {
	t.Helper()
	zero := q.ZeroPoint[0]
	for _, act := range []ops.Activation{ops.NoActivation, ops.ActReLU, ops.ActReLU6} {
		lo, hi := Bounds(q, act)
		if lo > hi || lo < q.Min || hi > max(q.Max, zero) || act != ops.NoActivation && lo < zero {
			t.Fatalf("%v of %v gives %d to %d", act, q, lo, hi)
		}
	}
}

// TestBinaryOutsideRange computes all pairs of integers on every tier, for outputs whose zero point
// lies inside, above and below the integers in use.
func TestBinaryOutsideRange(t *testing.T) {
	qa, qb := tensor.PerTensor(tensor.Uint8, 0.031, 100), tensor.PerTensor(tensor.Uint8, 0.012, 7)
	a, b := all256(t, qa, 256, 1), all256(t, qb, 1, 256)
	for _, out := range []struct{ zero, lo, hi int32 }{{90, 0, 255}, {120, 0, 100}, {255, 0, 254}, {40, 60, 200}, {0, 1, 255}, {60, 0, 60}} {
		y := tensor.PerTensor(tensor.Uint8, 0.02, out.zero)
		y.Min, y.Max = out.lo, out.hi
		for _, act := range []ops.Activation{ops.NoActivation, ops.ActReLU, ops.ActReLU6} {
			for _, op := range []ops.Op{Add{Act: act, Out: y}, Mul{Act: act, Out: y}, Min{Act: act, Out: y}} {
				t.Run(fmt.Sprintf("%s/%v/%v", op.Name(), act, out), func(t *testing.T) { checkPairs(t, op, act, y, a, b) })
			}
		}
	}
}

func all256(t *testing.T, q *tensor.QParams, shape ...int) *tensor.Tensor {
	t.Helper()
	v := make([]uint8, 256)
	for i := range v {
		v[i] = uint8(i)
	}
	x, err := tensor.FromSlice(v, shape...)
	if err != nil {
		t.Fatal(err)
	}
	return x.WithQParams(q)
}

// checkPairs computes what docs/numerics.md says in float64 from rounded float32 products.
func checkPairs(t *testing.T, op ops.Op, act ops.Activation, y *tensor.QParams, a, b *tensor.Tensor) {
	t.Helper()
	qa, qb, zero := a.QParams(), b.QParams(), float64(y.ZeroPoint[0])
	ma, mb := float32(float64(qa.Scale[0])/float64(y.Scale[0])), float32(float64(qb.Scale[0])/float64(y.Scale[0]))
	lo, hi := float64(y.Min), float64(y.Max)
	if act != ops.NoActivation {
		lo = max(lo, zero)
	}
	if act == ops.ActReLU6 {
		hi = min(hi, math.RoundToEven(6/float64(y.Scale[0]))+zero)
	}
	hi = max(hi, lo)
	for _, tier := range asm.Supported() {
		out, err := ops.Eval(op, tier, nil, a, b)
		if err != nil {
			t.Fatal(err)
		}
		for i, got := range out[0].Uint8s() {
			va, vb := float32(int32(i/256)-qa.ZeroPoint[0]), float32(int32(i%256)-qb.ZeroPoint[0])
			var v float32
			switch op.(type) {
			case Mul:
				v = float32(va*vb) * Multiplier(qa.Scale[0], qb.Scale[0], y.Scale[0])
			case Min:
				v = min(float32(va*ma), float32(vb*mb))
			default:
				v = float32(va*ma) + float32(vb*mb)
			}
			if want := min(max(math.RoundToEven(float64(v))+zero, lo), hi); float64(got) != want {
				t.Fatalf("%v: %d and %d give %d, want %v", tier, i/256, i%256, got, want)
			}
		}
	}
}
