package asm

import (
	"fmt"
	"math"
	"testing"
)

// sameF32 reports whether both are the same number, zeros of either sign being so, or NaN.
func sameF32(a, b float32) bool { return a == b || a != a && b != b }

// specialF32 returns n values, some of them special.
func specialF32(s []float32, seed uint64) []float32 {
	rnd := newRand(seed)
	for i := range s {
		switch rnd.IntN(12) {
		case 0:
			s[i] = float32(math.Inf(1))
		case 1:
			s[i] = float32(math.Inf(-1))
		case 2:
			s[i] = float32(math.NaN())
		case 3:
			s[i] = 0
		default:
			s[i] = float32(rnd.NormFloat64())
		}
	}
	return s
}

// columnSizes are the row lengths that tests of row kernels go over.
func columnSizes() []int {
	sizes := []int{100, 129}
	for n := 1; n <= 4*16+17; n++ {
		if !quick() || n%5 == 1 {
			sizes = append(sizes, n)
		}
	}
	return sizes
}

func TestBinaryF32(t *testing.T) {
	var mem [3]*guarded
	for i := range mem {
		mem[i] = newGuarded(t, 1<<14)
	}
	for op := range numBinary {
		t.Run(op.String(), func(t *testing.T) {
			forEachKernel(t, binaryF32Tables[op], func(t *testing.T, k *BinaryF32) {
				for _, cols := range columnSizes() {
					for form, f := range []struct {
						rows, bStride int
						scalar        bool
					}{{1, 0, false}, {3, 4 * (cols + 2), false}, {3, 0, false}, {3, 0, true}, {3, 4, true}} {
						testBinaryF32(t, op, k, &mem, f.rows, cols, f.bStride, f.scalar, form)
					}
				}
				k.Run(&BinaryF32Args{Cols: 3})
				k.Run(&BinaryF32Args{Rows: 3})
				x := make([]float32, 50)
				args := BinaryF32Args{Dst: &x[0], A: &x[0], B: &x[0], Rows: 1, Cols: 50}
				checkNoAllocs(t, func() { k.Run(&args) })
			})
		})
	}
}

func testBinaryF32(t *testing.T, op BinaryOp, k *BinaryF32, mem *[3]*guarded, rows, cols, bStride int, scalar bool, form int) {
	t.Helper()
	aStride, dstStride := cols+1, cols+3
	bLen := (rows-1)*bStride/4 + cols
	if scalar {
		bLen = (rows-1)*bStride/4 + 1
	}
	a := specialF32(atEnd[float32](mem[0], (rows-1)*aStride+cols), uint64(cols))
	b := specialF32(atEnd[float32](mem[1], bLen), uint64(form))
	dst := atEnd[float32](mem[2], (rows-1)*dstStride+cols)
	fillSentinel(dst)
	k.Run(&BinaryF32Args{
		Dst: &dst[0], A: &a[0], B: &b[0], DstStride: 4 * dstStride, AStride: 4 * aStride, BStride: bStride,
		Rows: rows, Cols: cols, BScalar: scalar,
	})
	for r := range rows {
		for c := range cols {
			x, y := a[r*aStride+c], b[r*bStride/4]
			if !scalar {
				y = b[r*bStride/4+c]
			}
			want := [numBinary]float32{x + y, x - y, x * y, x / y, y - x, y / x}[op]
			if got := dst[r*dstStride+c]; !sameF32(got, want) {
				t.Fatalf("%d columns, form %d: %s(%v, %v) at row %d column %d is %v, want %v", cols, form, op, x, y, r, c, got, want)
			}
		}
	}
	checkStridedSentinels(t, fmt.Sprintf("%s of %d columns, form %d", op, cols, form), asBytes(dst), rows, 4*cols, 4*dstStride)
}

func BenchmarkBinaryF32(b *testing.B) {
	for op := range numBinary {
		b.Run(op.String(), func(b *testing.B) {
			benchEachKernel(b, binaryF32Tables[op], func(b *testing.B, k *BinaryF32) {
				x, y := make([]float32, 4096), make([]float32, 4096)
				for i := range x {
					x[i], y[i] = float32(i), float32(2*i+1)
				}
				args := BinaryF32Args{Dst: &x[0], A: &x[0], B: &y[0], Rows: 1, Cols: len(x)}
				b.SetBytes(4 * 4096)
				for b.Loop() {
					k.Run(&args)
				}
			})
		})
	}
}
