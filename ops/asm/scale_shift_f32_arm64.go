//go:build !purego

package asm

func init() {
	scaleShiftF32Table = append(scaleShiftF32Table, ScaleShiftF32{Info: Info{Op: "scale_shift_f32", Tier: NEON}, run: scaleShiftF32NEON})
}

//go:noescape
func scaleShiftF32NEON(args *ScaleShiftF32Args)
