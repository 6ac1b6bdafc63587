//go:build !purego

package asm

func init() {
	dwconvF32Table = append(dwconvF32Table,
		DWConvF32{Info: Info{Op: "dwconv_f32", Tier: AVX2, MR: 4, NR: 16}, run: dwconvF32AVX2},
		DWConvF32{Info: Info{Op: "dwconv_f32", Tier: AVX512, MR: 4, NR: 32}, run: dwconvF32AVX512},
	)
}

//go:noescape
func dwconvF32AVX2(args *DWConvF32Args)

//go:noescape
func dwconvF32AVX512(args *DWConvF32Args)
