//go:build !purego

package asm

//go:noescape
func dequantizeI32F32AVX2(args *DequantizeI32F32Args)

//go:noescape
func minmaxF32AVX2(x *float32, n int) (lo, hi float32, nan bool)

//go:noescape
func dequantizeI32F32AVX512(args *DequantizeI32F32Args)

//go:noescape
func minmaxF32AVX512(x *float32, n int) (lo, hi float32, nan bool)

func init() {
	dequantizeI32F32Table = append(dequantizeI32F32Table,
		DequantizeI32F32{Info: Info{Op: "dequantize_i32_f32", Tier: AVX2}, run: dequantizeI32F32AVX2},
		DequantizeI32F32{Info: Info{Op: "dequantize_i32_f32", Tier: AVX512}, run: dequantizeI32F32AVX512})
	minmaxF32Table = append(minmaxF32Table,
		MinMaxF32{Info: Info{Op: "minmax_f32", Tier: AVX2}, run: minmaxF32AVX2},
		MinMaxF32{Info: Info{Op: "minmax_f32", Tier: AVX512}, run: minmaxF32AVX512})
}
