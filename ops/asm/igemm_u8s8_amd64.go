//go:build !purego

package asm

//go:noescape
func igemmU8S8AVX2(args *IGemmU8S8Args, output igemmOutput)

//go:noescape
func igemmU8S8PairsAVX2(args *IGemmU8S8Args, output igemmOutput)

//go:noescape
func igemmU8S8AVXVNNI(args *IGemmU8S8Args, output igemmOutput)

//go:noescape
func igemmU8S8AVX512(args *IGemmU8S8Args, output igemmOutput)

//go:noescape
func igemmU8S8AVX512VNNI(args *IGemmU8S8Args, output igemmOutput)

func init() {
	igemmU8S8PairsTable = append(igemmU8S8PairsTable, IGemmU8S8{
		Info: Info{Op: "igemm_u8s8_pairs", Tier: AVX2, MR: 6, NR: 16, KR: 4},
		run:  igemmU8S8PairsAVX2,
		gaps: true, stepCols: 16,
		scratch: func(ks, kc int) int { return 384 },
	})
	igemmU8S8Table = append(igemmU8S8Table, IGemmU8S8{
		Info: Info{Op: "igemm_u8s8", Tier: AVX2, MR: 6, NR: 16, KR: 2},
		run:  igemmU8S8AVX2,
		gaps: true, stepCols: 16,
		scratch: func(ks, kc int) int { return roundUp(384+6*(2*ks*kc+64), 64) },
	}, IGemmU8S8{
		Info: Info{Op: "igemm_u8s8", Tier: AVXVNNI, MR: 6, NR: 16, KR: 4},
		run:  igemmU8S8AVXVNNI,
		gaps: true, stepCols: 16,
		scratch: func(ks, kc int) int { return 384 },
	}, IGemmU8S8{
		Info: Info{Op: "igemm_u8s8", Tier: AVX512, MR: 6, NR: 16, KR: 2},
		run:  igemmU8S8AVX512,
		gaps: true, stepCols: 64,
		scratch: func(ks, kc int) int { return roundUp(6*256+6*(2*ks*kc+64), 64) },
	}, IGemmU8S8{
		Info: Info{Op: "igemm_u8s8", Tier: AVX512VNNI, MR: 6, NR: 16, KR: 4},
		run:  igemmU8S8AVX512VNNI,
		gaps: true, stepCols: 64,
		scratch: func(ks, kc int) int { return 6 * 256 },
	})
}
