//go:build !purego

package asm

func init() {
	transposeF32Table = append(transposeF32Table,
		TransposeF32{Info: Info{Op: "transpose_f32", Tier: NEON, MR: 8, NR: 8}, blocks: transposeF32NEON, rgb: transposeRGBF32NEON})
}

//go:noescape
func transposeF32NEON(dst, src *float32, rows, cols, dstStride, srcStride int)

//go:noescape
func transposeRGBF32NEON(dst, src *float32, cols, srcStride int)
