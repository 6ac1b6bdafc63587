//go:build !purego

package asm

//go:noescape
func quantizeF32U8NEON(args *QuantizeF32U8Args)

//go:noescape
func dequantizeU8F32NEON(args *DequantizeU8F32Args)

//go:noescape
func lutU8NEON(dst, src *uint8, n int, table *[256]uint8)

func init() {
	quantizeF32U8Table = append(quantizeF32U8Table, QuantizeF32U8{Info: Info{Op: "quantize_f32_u8", Tier: NEON}, run: quantizeF32U8NEON})
	dequantizeU8F32Table = append(dequantizeU8F32Table, DequantizeU8F32{Info: Info{Op: "dequantize_u8_f32", Tier: NEON}, run: dequantizeU8F32NEON})
	lutU8Table = append(lutU8Table, LutU8{Info: Info{Op: "lut_u8", Tier: NEON}, run: lutU8NEON})
}
