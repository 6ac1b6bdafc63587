//go:build !purego

package asm

func init() {
	igemmF32Table = append(igemmF32Table,
		IGemmF32{
			Info: Info{Op: "igemm_f32", Tier: AVX2, MR: 6, NR: 16, KR: 1}, run: igemmF32AVX2,
			blockMin: 16, stepCols: 16, stepDepth: 4, gaps: true,
		},
		IGemmF32{
			Info: Info{Op: "igemm_f32", Tier: AVX512, MR: 8, NR: 16, KR: 1}, run: igemmF32AVX512,
			blockMin: 32, stepCols: 48, stepDepth: 2, gaps: true,
		},
	)
}

//go:noescape
func igemmF32AVX2(args *IGemmF32Args)

//go:noescape
func igemmF32AVX512(args *IGemmF32Args)
