package asm

import (
	"math"
	"testing"
)

// unaryExact is each function in float64 and the error the kernels may have, in
// units in the last place. A bound of 0 asks for the very float32 result.
var unaryExact = [numUnary]struct {
	f     func(x float64) float64
	bound float64
}{
	UnaryExp:      {math.Exp, 1},
	UnaryLog:      {math.Log, 1},
	UnarySigmoid:  {func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }, 1.5},
	UnarySiLU:     {func(x float64) float64 { return x / (1 + math.Exp(-x)) }, 1.75},
	UnaryTanh:     {math.Tanh, 1.5},
	UnaryErf:      {math.Erf, 1.5},
	UnaryGELU:     {func(x float64) float64 { return x * math.Erfc(-x/math.Sqrt2) / 2 }, 2.5},
	UnaryGELUTanh: {geluTanh64, 2.5},
	UnarySoftplus: {func(x float64) float64 { return max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }, 1.75},
}

// forEachUnary runs body for every function and row.
func forEachUnary(t *testing.T, body func(t *testing.T, op UnaryOp, k *UnaryF32)) {
	for op := range numUnary {
		t.Run(op.String(), func(t *testing.T) {
			forEachKernel(t, unaryF32Tables[op], func(t *testing.T, k *UnaryF32) { body(t, op, k) })
		})
	}
}

// ulps returns the error of got in units in the last place of want, at least 0x1p-142 over the bound.
func ulps(got float32, want, bound float64) float64 {
	switch {
	case math.IsNaN(want):
		if got == got {
			return math.Inf(1)
		}
		return 0
	case math.IsInf(float64(got), 0) || math.IsInf(float64(float32(want)), 0):
		if got == float32(want) {
			return 0
		}
		return math.Inf(1)
	}
	_, e := math.Frexp(want)
	ulp := max(math.Ldexp(1, e-24), 0x1p-142/bound)
	return math.Abs(float64(got)-want) / ulp
}

// TestUnaryF32Accuracy goes over the bit patterns of all float32 by a stride.
func TestUnaryF32Accuracy(t *testing.T) {
	stride := uint64(4093)
	if quick() {
		stride = 262139
	}
	const block = 1000
	src, dst := make([]float32, block), make([]float32, block)
	forEachUnary(t, func(t *testing.T, op UnaryOp, k *UnaryF32) {
		exact := unaryExact[op]
		if exact.f == nil {
			t.Skip("compared with plain Go in TestUnaryF32Plain")
		}
		worst, at := 0.0, float32(0)
		for bits := uint64(0); bits < 1<<32; {
			for i := range src {
				src[i] = math.Float32frombits(uint32(bits))
				bits += stride
			}
			k.Run(dst, src, 0, 0)
			for i, x := range src {
				if e := ulps(dst[i], exact.f(float64(x)), exact.bound); e > worst {
					worst, at = e, x
				}
			}
		}
		t.Logf("largest error %.3f ulp, at %v", worst, at)
		if worst > exact.bound {
			t.Errorf("error %.3f ulp at %v, want at most %v", worst, at, exact.bound)
		}
	})
}

// TestUnaryF32Plain compares with the plain Go kernel on special values: the
// simple functions bit for bit, the others by their bound.
func TestUnaryF32Plain(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	negZero := float32(math.Copysign(0, -1))
	src := []float32{
		0, negZero, 1, -1, inf, -inf, nan, 3, -3, 6, 2.5, -2.5, 1e-40, -1e-40, 0x1p-126, math.MaxFloat32, -math.MaxFloat32,
		88.72283, 88.72284, -103.9, -104, 1e-20, -1e-20, 0.625, -0.625, 16, -16, 20, 100, -100, 0.70710677, 1.4142135,
	}
	forEachUnary(t, func(t *testing.T, op UnaryOp, k *UnaryF32) {
		want, got := make([]float32, len(src)), make([]float32, len(src))
		UnaryF32For(op, Generic).Run(want, src, -0.5, 6)
		k.Run(got, src, -0.5, 6)
		for i, x := range src {
			if bound := unaryExact[op].bound; bound != 0 {
				if e := ulps(got[i], float64(want[i]), bound); e > bound+1 {
					t.Errorf("f(%v) = %v, want %v", x, got[i], want[i])
				}
			} else if got[i] != want[i] && !(got[i] != got[i] && want[i] != want[i]) {
				t.Errorf("f(%v) = %v, want %v", x, got[i], want[i])
			}
		}
	})
}

func TestUnaryF32Sizes(t *testing.T) {
	in, out := newGuarded(t, 4096), newGuarded(t, 4096)
	forEachUnary(t, func(t *testing.T, op UnaryOp, k *UnaryF32) {
		rnd := newRand(3)
		value := func() float32 { return max(float32(rnd.NormFloat64()), -4) + 5 } // positive, for the logarithm
		for n := 0; n <= 35; n++ {
			src, dst := atEnd[float32](in, n), atEnd[float32](out, n+1)
			for i := range src {
				src[i] = value()
			}
			fillSentinel(dst)
			k.Run(dst[1:], src, 0.25, 6)
			checkSentinel(t, "before the output", dst[:1])
			one := make([]float32, 1)
			for i, x := range src {
				one[0] = x
				k.Run(one, one, 0.25, 6)
				if dst[1+i] != one[0] {
					t.Fatalf("n %d: element %d is %v, alone it is %v", n, i, dst[1+i], one[0])
				}
			}
			short := dst[:n]
			fillSentinel(dst)
			k.Run(short, src, 0.25, 6)
			checkSentinel(t, "after the output", dst[n:])
			copy(short, src)
			want := append([]float32(nil), dst[:n]...)
			k.Run(want, src, 0.25, 6)
			k.Run(short, short, 0.25, 6)
			for i := range short {
				if short[i] != want[i] {
					t.Fatalf("n %d: in place, element %d is %v, want %v", n, i, short[i], want[i])
				}
			}
		}
		buf := make([]float32, 100)
		checkNoAllocs(t, func() { k.Run(buf, buf, 0, 1) })
	})
}

func BenchmarkUnaryF32(b *testing.B) {
	for op := range numUnary {
		b.Run(op.String(), func(b *testing.B) {
			benchEachKernel(b, unaryF32Tables[op], func(b *testing.B, k *UnaryF32) {
				src, dst := make([]float32, 4096), make([]float32, 4096)
				rnd := newRand(4)
				for i := range src {
					src[i] = float32(rnd.NormFloat64())
				}
				b.SetBytes(4 * 4096)
				for b.Loop() {
					k.Run(dst, src, 0, 6)
				}
			})
		})
	}
}
