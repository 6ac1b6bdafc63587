package asm

// TransposeF32 is a kernel that transposes a matrix of 4-byte elements; NCHW to
// NHWC is [C, HW] to [HW, C] of each image, and the reverse.
type TransposeF32 struct {
	Info
	// blocks transposes rows x cols, both multiples of MR; strides are in elements. nil: no such blocks
	blocks func(dst, src *float32, rows, cols, dstStride, srcStride int)
	// rgb transposes 3 rows into adjacent columns, a multiple of 8 of them. nil: none
	rgb func(dst, src *float32, cols, srcStride int)
}

// Run computes dst[c*dstStride+r] = src[r*srcStride+c] for r in [0, rows) and c in [0, cols).
// Strides are in elements. Nothing else is read or written; dst and src are apart.
func (k *TransposeF32) Run(dst, src []float32, rows, cols, dstStride, srcStride int) {
	// Columns of this many rows, whose cache lines are read in two halves, stay in the first-level cache.
	const chunk = 256
	if cols == 0 {
		return
	}
	if k.rgb != nil && rows == 3 && dstStride == 3 && cols >= 8 {
		n := cols - cols%8
		k.rgb(&dst[0], &src[0], n, srcStride)
		transposeF32Generic(dst[3*n:], src[n:], 3, cols-n, 3, srcStride)
		return
	}
	for r0 := 0; r0 < rows; r0 += chunk {
		n := min(chunk, rows-r0)
		r, c := 0, 0
		if k.blocks != nil && n >= k.MR && cols >= k.MR {
			r, c = n-n%k.MR, cols-cols%k.MR
			k.blocks(&dst[r0], &src[r0*srcStride], r, c, dstStride, srcStride)
		}
		if r > 0 && c < cols {
			transposeF32Generic(dst[c*dstStride+r0:], src[r0*srcStride+c:], r, cols-c, dstStride, srcStride)
		}
		if r < n {
			transposeF32Generic(dst[r0+r:], src[(r0+r)*srcStride:], n-r, cols, dstStride, srcStride)
		}
	}
}

// TransposeF32For returns the kernel for a CPU of the given tier.
func TransposeF32For(tier Tier) *TransposeF32 { return pick(transposeF32Table, tier) }

var transposeF32Table = []TransposeF32{{
	Info: Info{Op: "transpose_f32", Tier: Generic},
}}

func transposeF32Generic(dst, src []float32, rows, cols, dstStride, srcStride int) {
	for c := range cols {
		out := dst[c*dstStride:][:rows]
		for r := range out {
			out[r] = src[r*srcStride+c]
		}
	}
}
