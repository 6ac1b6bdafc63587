//go:build !purego

package asm

//go:noescape
func transposeU8NEON(args *TransposeU8Args)

//go:noescape
func interleaveU8NEON(args *TransposeU8Args)

func init() {
	transposeU8Table = append(transposeU8Table, TransposeU8{
		Info: Info{Op: "transpose_u8", Tier: NEON},
		run: func(p *TransposeU8Args) {
			switch {
			case p.N >= 16 && p.Pad == p.DstStride && (p.Pad == 4 || p.Pad == 3 && p.M == 3):
				interleaveU8NEON(p)
			case p.N >= 16 && p.M >= 8:
				transposeU8NEON(p)
				transposeU8Fill(p)
			default:
				transposeU8Generic(p)
			}
		},
	})
}
