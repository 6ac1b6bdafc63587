//go:build !purego

package asm

//go:noescape
func igemmGroupsF32AVX2(args *IGemmF32Args)

func init() {
	igemmGroupsF32Table = append(igemmGroupsF32Table, IGemmF32{
		Info: Info{Op: "igemm_groups_f32", Tier: AVX2, MR: 6, NR: 16, KR: 1}, run: igemmGroupsF32AVX2,
		blockMin: 16, stepCols: 16, stepDepth: 4, gaps: true,
	})
}
