//go:build !purego

package asm

// CPUs without AVX-512 have 256 KiB of second-level cache or more, those with it
// 512 KiB or, mostly, 1 MiB and more.
func init() {
	igemmF32Table = append(igemmF32Table,
		IGemmF32{
			Info: Info{Op: "igemm_f32", Tier: AVX2, MR: 6, NR: 16, KR: 1}, run: igemmF32AVX2,
			blockBytes: 192 << 10, blockMin: 16,
		},
		IGemmF32{
			Info: Info{Op: "igemm_f32", Tier: AVX512, MR: 8, NR: 16, KR: 1}, run: igemmF32AVX512,
			blockBytes: 576 << 10, blockMin: 32,
		},
	)
}

//go:noescape
func igemmF32AVX2(args *IGemmF32Args)

//go:noescape
func igemmF32AVX512(args *IGemmF32Args)
