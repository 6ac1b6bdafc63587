//go:build !purego

package asm

//go:noescape
func transposeU8AVX2(args *TransposeU8Args)

//go:noescape
func interleaveU8AVX2(args *TransposeU8Args)

//go:noescape
func interleave3U8AVX2(args *TransposeU8Args)

func init() {
	transposeU8Table = append(transposeU8Table, TransposeU8{
		Info: Info{Op: "transpose_u8", Tier: AVX2},
		run: func(p *TransposeU8Args) {
			switch {
			case p.N >= 16 && p.Pad == 4 && p.DstStride == 4:
				interleaveU8AVX2(p)
			case p.N >= 16 && p.M == 3 && p.Pad == 3 && p.DstStride == 3:
				interleave3U8AVX2(p)
			case p.N >= 16 && p.M >= 8:
				transposeU8AVX2(p)
				transposeU8Fill(p)
			default:
				transposeU8Generic(p)
			}
		},
	})
}
