//go:build !purego

package asm

func init() {
	igemmF32Table = append(igemmF32Table, IGemmF32{
		Info: Info{Op: "igemm_f32", Tier: NEON, MR: 6, NR: 16, KR: 1}, run: igemmF32NEON,
		blockMin: 16, stepCols: 16, stepDepth: 8, gaps: true,
	})
}

//go:noescape
func igemmF32NEON(args *IGemmF32Args)
