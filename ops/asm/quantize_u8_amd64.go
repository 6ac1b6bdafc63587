//go:build !purego

package asm

//go:noescape
func quantizeF32U8AVX2(args *QuantizeF32U8Args)

//go:noescape
func dequantizeU8F32AVX2(args *DequantizeU8F32Args)

//go:noescape
func lutU8AVX2(dst, src *uint8, n int, table *[256]uint8)

//go:noescape
func quantizeF32U8AVX512(args *QuantizeF32U8Args)

//go:noescape
func dequantizeU8F32AVX512(args *DequantizeU8F32Args)

//go:noescape
func lutU8AVX512(dst, src *uint8, n int, table *[256]uint8)

func init() {
	quantizeF32U8Table = append(quantizeF32U8Table,
		QuantizeF32U8{Info: Info{Op: "quantize_f32_u8", Tier: AVX2}, run: quantizeF32U8AVX2},
		QuantizeF32U8{Info: Info{Op: "quantize_f32_u8", Tier: AVX512}, run: quantizeF32U8AVX512})
	dequantizeU8F32Table = append(dequantizeU8F32Table,
		DequantizeU8F32{Info: Info{Op: "dequantize_u8_f32", Tier: AVX2}, run: dequantizeU8F32AVX2},
		DequantizeU8F32{Info: Info{Op: "dequantize_u8_f32", Tier: AVX512}, run: dequantizeU8F32AVX512})
	lutU8Table = append(lutU8Table,
		LutU8{Info: Info{Op: "lut_u8", Tier: AVX2}, run: lutU8AVX2},
		LutU8{Info: Info{Op: "lut_u8", Tier: AVX512}, run: lutU8AVX512})
}
