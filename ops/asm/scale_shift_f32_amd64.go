//go:build !purego

package asm

func init() {
	scaleShiftF32Table = append(scaleShiftF32Table,
		ScaleShiftF32{Info: Info{Op: "scale_shift_f32", Tier: AVX2}, run: scaleShiftF32AVX2},
		ScaleShiftF32{Info: Info{Op: "scale_shift_f32", Tier: AVX512}, run: scaleShiftF32AVX512},
	)
}

//go:noescape
func scaleShiftF32AVX2(args *ScaleShiftF32Args)

//go:noescape
func scaleShiftF32AVX512(args *ScaleShiftF32Args)
