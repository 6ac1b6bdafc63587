//go:build !purego

package asm

//go:noescape
func requantizeI32F32NEON(args *RequantizeI32F32Args)

func init() {
	requantizeI32F32Table = append(requantizeI32F32Table, RequantizeI32F32{Info: Info{Op: "requantize_i32_f32", Tier: NEON}, run: requantizeI32F32NEON})
}
