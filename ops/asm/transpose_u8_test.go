package asm

import (
	"fmt"
	"testing"
)

func TestTransposeU8(t *testing.T) {
	forEachKernel(t, transposeU8Table, func(t *testing.T, k *TransposeU8) {
		rng := newRand(51)
		gs, gd := newGuarded(t, 1<<13), newGuarded(t, 1<<13)
		for m := 1; m <= 35; m++ {
			for n := 1; n <= 67; n++ {
				p := TransposeU8Args{M: m, N: n, SrcStride: n + rng.IntN(3), Pad: m, Fill: uint8(rng.Uint32())}
				if rng.IntN(2) == 0 {
					p.Pad = roundUp(m, 4)
				}
				p.DstStride = p.Pad
				if rng.IntN(2) == 0 {
					p.DstStride += rng.IntN(3)
				}
				src := atEnd[uint8](gs, (m-1)*p.SrcStride+n)
				for i := range src {
					src[i] = uint8(rng.Uint32())
				}
				dst := atEnd[uint8](gd, (n-1)*p.DstStride+p.Pad)
				fillSentinel(dst)
				p.Src, p.Dst = &src[0], &dst[0]

				k.Run(&p)

				for j := range n {
					for i := range p.Pad {
						want := p.Fill
						if i < m {
							want = src[i*p.SrcStride+j]
						}
						if got := dst[j*p.DstStride+i]; got != want {
							t.Fatalf("%+v: result (%d, %d) = %d, want %d", p, j, i, got, want)
						}
					}
				}
				checkStridedSentinels(t, p, dst, n, p.Pad, p.DstStride)
			}
		}
		src, dst := make([]uint8, 4*64), make([]uint8, 4*64)
		p := TransposeU8Args{M: 3, N: 64, Src: &src[0], SrcStride: 64, Dst: &dst[0], DstStride: 4, Pad: 4}
		checkNoAllocs(t, func() { k.Run(&p) })
	})
}

func BenchmarkTransposeU8(b *testing.B) {
	for _, s := range [][2]int{{3, 50176}, {64, 3136}, {3136, 64}} {
		b.Run(fmt.Sprintf("%dx%d", s[0], s[1]), func(b *testing.B) {
			benchEachKernel(b, transposeU8Table, func(b *testing.B, k *TransposeU8) {
				m, n, pad := s[0], s[1], s[0]
				p := TransposeU8Args{M: m, N: n, Src: &aligned(m * n)[0], SrcStride: n, Dst: &aligned(pad * n)[0], DstStride: pad, Pad: pad}
				b.SetBytes(int64(m*n + pad*n))
				for b.Loop() {
					k.Run(&p)
				}
			})
		})
	}
}
