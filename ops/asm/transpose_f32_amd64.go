//go:build !purego

package asm

func init() {
	transposeF32Table = append(transposeF32Table,
		TransposeF32{Info: Info{Op: "transpose_f32", Tier: AVX2, MR: 8, NR: 8}, blocks: transposeF32AVX2, rgb: transposeRGBF32AVX2},
	)
}

//go:noescape
func transposeF32AVX2(dst, src *float32, rows, cols, dstStride, srcStride int)

//go:noescape
func transposeRGBF32AVX2(dst, src *float32, cols, srcStride int)
