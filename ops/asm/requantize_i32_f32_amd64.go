//go:build !purego

package asm

func init() {
	requantizeI32F32Table = append(requantizeI32F32Table,
		RequantizeI32F32{Info: Info{Op: "requantize_i32_f32", Tier: AVX2}, run: requantizeI32F32AVX2},
		RequantizeI32F32{Info: Info{Op: "requantize_i32_f32", Tier: AVX512}, run: requantizeI32F32AVX512},
	)
}

//go:noescape
func requantizeI32F32AVX2(args *RequantizeI32F32Args)

//go:noescape
func requantizeI32F32AVX512(args *RequantizeI32F32Args)
