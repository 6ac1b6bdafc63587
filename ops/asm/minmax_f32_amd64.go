//go:build !purego

package asm

//go:noescape
func minmaxF32AVX2(x *float32, n int) (lo, hi float32, nan bool)

//go:noescape
func minmaxF32AVX512(x *float32, n int) (lo, hi float32, nan bool)

func init() {
	minmaxF32Table = append(minmaxF32Table,
		MinMaxF32{Info: Info{Op: "minmax_f32", Tier: AVX2}, run: minmaxF32AVX2},
		MinMaxF32{Info: Info{Op: "minmax_f32", Tier: AVX512}, run: minmaxF32AVX512})
}
