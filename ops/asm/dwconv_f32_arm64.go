//go:build !purego

package asm

func init() {
	dwconvF32Table = append(dwconvF32Table, DWConvF32{Info: Info{Op: "dwconv_f32", Tier: NEON, MR: 4, NR: 16}, run: dwconvF32NEON})
}

//go:noescape
func dwconvF32NEON(args *DWConvF32Args)
