//go:build !purego

package asm

func init() {
	minmaxF32Table = append(minmaxF32Table, MinMaxF32{Info: Info{Op: "minmax_f32", Tier: NEON}, run: minmaxF32NEON})
}

//go:noescape
func minmaxF32NEON(x *float32, n int) (lo, hi float32, nan bool)
