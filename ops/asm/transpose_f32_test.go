package asm

import (
	"fmt"
	"testing"
)

func TestTransposeF32(t *testing.T) {
	in, outMem := newGuarded(t, 1<<20), newGuarded(t, 1<<20)
	forEachKernel(t, transposeF32Table, func(t *testing.T, k *TransposeF32) {
		sizes := []int{300}
		for n := 0; n <= 17; n++ {
			sizes = append(sizes, n)
		}
		for _, rows := range sizes {
			for _, cols := range sizes {
				testTransposeF32(t, k, in, outMem, rows, cols, rows+1)
				testTransposeF32(t, k, in, outMem, rows, cols, rows)
			}
		}
		src, dst := make([]float32, 900), make([]float32, 900)
		checkNoAllocs(t, func() { k.Run(dst, src, 30, 30, 30, 30) })
	})
}

func testTransposeF32(t *testing.T, k *TransposeF32, in, outMem *guarded, rows, cols, dstStride int) {
	t.Helper()
	srcStride := cols + 3
	src := atEnd[float32](in, max((rows-1)*srcStride+cols, 0))
	for i := range src {
		src[i] = float32(i)
	}
	dst := atEnd[float32](outMem, max((cols-1)*dstStride+rows, 0))
	fillSentinel(dst)
	k.Run(dst, src, rows, cols, dstStride, srcStride)
	if rows == 0 || cols == 0 {
		checkSentinel(t, "empty", dst)
		return
	}
	for r := range rows {
		for c := range cols {
			if got, want := dst[c*dstStride+r], src[r*srcStride+c]; got != want {
				t.Fatalf("%dx%d: row %d column %d is %v, want %v", rows, cols, r, c, got, want)
			}
		}
	}
	checkStridedSentinels(t, fmt.Sprintf("%dx%d", rows, cols), asBytes(dst), cols, 4*rows, 4*dstStride)
}

func TestIGemmF32Pack(t *testing.T) {
	in, outMem := newGuarded(t, 1<<16), newGuarded(t, 1<<16)
	forEachKernel(t, igemmF32Table, func(t *testing.T, k *IGemmF32) {
		for n := 1; n <= 2*k.NR+1; n++ {
			for _, depth := range []int{1, 2, 7, 8, 9, 16, 65} {
				for _, kn := range []bool{false, true} {
					rows, cols := n, depth
					if kn {
						rows, cols = depth, n
					}
					stride := cols + 1
					b := atEnd[float32](in, (rows-1)*stride+cols)
					for i := range b {
						b[i] = float32(i + 1)
					}
					dst := atEnd[float32](outMem, packedLen(k.NR, 1, depth, n))
					fillSentinel(dst)
					if kn {
						k.PackBKN(dst, b, depth, n, stride)
					} else {
						k.PackBNK(dst, b, depth, n, stride)
					}
					for i, got := range dst {
						j, d := i/(k.NR*depth)*k.NR+i%k.NR, i/k.NR%depth
						want := float32(0)
						switch {
						case j >= n:
						case kn:
							want = b[d*stride+j]
						default:
							want = b[j*stride+d]
						}
						if got != want {
							t.Fatalf("n %d depth %d kn %v: column %d depth %d is %v, want %v", n, depth, kn, j, d, got, want)
						}
					}
				}
			}
		}
		b, dst := make([]float32, 100*100), make([]float32, packedLen(k.NR, 1, 100, 100))
		checkNoAllocs(t, func() { k.PackBKN(dst, b, 100, 100, 100); k.PackBNK(dst, b, 100, 100, 100) })
	})
}

func BenchmarkTransposeF32(b *testing.B) {
	for _, s := range [][2]int{{64, 3136}, {3136, 64}, {3, 50176}, {512, 49}} {
		b.Run(fmt.Sprintf("%dx%d", s[0], s[1]), func(b *testing.B) {
			benchEachKernel(b, transposeF32Table, func(b *testing.B, k *TransposeF32) {
				src, dst := make([]float32, s[0]*s[1]), make([]float32, s[0]*s[1])
				for i := range src {
					src[i] = float32(i)
				}
				b.SetBytes(4 * int64(len(src)))
				for b.Loop() {
					k.Run(dst, src, s[0], s[1], s[0], s[1])
				}
			})
		})
	}
}

func BenchmarkIGemmF32Pack(b *testing.B) {
	for _, order := range []string{"nk", "kn"} {
		b.Run("128x64_"+order, func(b *testing.B) {
			benchEachKernel(b, igemmF32Table, func(b *testing.B, k *IGemmF32) {
				src, dst := make([]float32, 128*64), make([]float32, packedLen(k.NR, 1, 64, 128))
				b.SetBytes(4 * int64(len(src)))
				for b.Loop() {
					if order == "nk" {
						k.PackBNK(dst, src, 64, 128, 64)
					} else {
						k.PackBKN(dst, src, 64, 128, 128)
					}
				}
			})
		})
	}
}
