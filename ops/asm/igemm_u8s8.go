package asm

import (
	"math"
	"unsafe"
)

// IGemmU8S8Args describes one call of an indirect u8 x s8 matrix
// multiplication with a quantizing epilogue: the inner part of an int8
// convolution or linear layer. It computes M rows (output pixels) by N
// columns (output channels).
//
// Row m of the left matrix is the concatenation, over s in [0, KS), of the KC
// bytes at A[s*MR+m]; a convolution points them at input pixels and, outside
// the image, at a row that holds the zero point. So nothing is copied.
type IGemmU8S8Args struct {
	A  *unsafe.Pointer // KS x MR pointers to KC bytes each; rows from M on repeat a valid row
	KS int             // number of positions, at least 1
	KC int             // bytes at each pointer, a multiple of 4
	B  *int8           // packed weights of these columns, see PackB
	M  int             // rows, 1 to MR
	N  int             // columns, at least 1

	Bias  *int32   // one per column: bias less input zero point x sum of the column's weights
	ASum  *int32   // MR sums of each row of A, or nil when all weight zero points are 0
	WZero *int32   // one weight zero point per column; nil with ASum
	Mult  *float32 // one multiplier per column: s_x*s_w/s_y

	Res       *uint8  // residual of row 0, or nil
	ResStride int     // bytes between rows of the residual
	ResZero   int32   // zero point of the residual
	ResMult   float32 // s_r/s_y

	Zero   int32 // zero point of the output
	Lo, Hi int32 // bounds of the output, within 0 and 255: the range of the dtype, narrowed by ReLU or ReLU6

	C       unsafe.Pointer // row 0 of the output: uint8 for Run, int32 for Accumulate
	CStride int            // bytes between rows of the output

	Scratch unsafe.Pointer // ScratchBytes(KS, KC) bytes, aligned to 64; may be nil when that is 0
}

// IGemmU8S8 is a kernel of that operation.
//
// With acc the exact int32, which the caller guarantees not to overflow, the result of element (m, n) is
//
//	acc = sum over k of A[m][k]*B[k][n] + Bias[n] - ASum[m]*WZero[n]
//	t   = float32(acc) * Mult[n]
//	t   = t + float32(r[m][n]-ResZero) * ResMult            when Res is set
//	C   = roundToEven(min(max(t, Lo-Zero), Hi-Zero)) + Zero
//
// with every float32 operation rounded on its own (no fused multiply-add).
// Bias, WZero and Mult are read up to N rounded up to NR. Nothing outside the
// KC bytes of a pointer is read and nothing outside the M x N outputs is
// written; Res may be C.
type IGemmU8S8 struct {
	Info
	run        func(args *IGemmU8S8Args)
	accumulate func(args *IGemmU8S8Args)
	scratch    func(ks, kc int) int // nil: none
}

// Run computes the quantized outputs.
func (k *IGemmU8S8) Run(args *IGemmU8S8Args) { k.run(args) }

// Accumulate stores acc itself, as int32, into C; Mult, Res and the fields
// after it are not used.
func (k *IGemmU8S8) Accumulate(args *IGemmU8S8Args) { k.accumulate(args) }

// ScratchBytes returns the scratch memory one call needs.
func (k *IGemmU8S8) ScratchBytes(ks, kc int) int {
	if k.scratch == nil {
		return 0
	}
	return k.scratch(ks, kc)
}

// PackedBytes returns the size of packed weights for n columns.
func (k *IGemmU8S8) PackedBytes(ks, kc, n int) int { return roundUp(n, k.NR) * ks * kc }

// PackB arranges weights as the kernel reads them: panels of NR columns; in a panel, for
// each position and each group of KR depths, NR columns of KR values. The weight
// of column n, position s and depth c is w[(n*ks+s)*kc+c]; kc is a multiple of 4.
// Columns from n on are 0.
func (k *IGemmU8S8) PackB(dst, w []int8, ks, kc, n int) {
	depth := ks * kc
	for n0 := 0; n0 < n; n0 += k.NR {
		panel := dst[n0*depth:][:k.NR*depth]
		if n-n0 < k.NR {
			clear(panel)
		}
		for j := range min(k.NR, n-n0) {
			column := w[(n0+j)*depth:][:depth]
			switch k.KR {
			case 4:
				packColumn[uint32](panel, column, j, k.NR)
			case 2:
				packColumn[uint16](panel, column, j, k.NR)
			default:
				for d := 0; d < depth; d += k.KR {
					copy(panel[(d*k.NR)+j*k.KR:][:k.KR], column[d:])
				}
			}
		}
	}
}

// packColumn spreads a column of weights over its panel, in groups as wide as T.
func packColumn[T uint16 | uint32](panel, column []int8, j, nr int) {
	var group T
	size := int(unsafe.Sizeof(group))
	src := unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(column))), len(column)/size)
	dst := unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(panel))), len(panel)/size)[j:]
	for i, v := range src {
		dst[i*nr] = v
	}
}

// IGemmU8S8For returns the kernel for a CPU of the given tier.
func IGemmU8S8For(tier Tier) *IGemmU8S8 { return pick(igemmU8S8Table, tier) }

var igemmU8S8Table = []IGemmU8S8{{
	Info:       Info{Op: "igemm_u8s8", Tier: Generic, MR: 4, NR: 8, KR: 4},
	run:        igemmU8S8Generic,
	accumulate: igemmU8S8AccumulateGeneric,
}}

const (
	igemmU8S8GenericMR = 4
	igemmU8S8GenericNR = 8
)

func igemmU8S8Generic(p *IGemmU8S8Args) {
	bias := unsafe.Slice(p.Bias, p.N)
	mult := unsafe.Slice(p.Mult, p.N)
	lo, hi := float32(p.Lo-p.Zero), float32(p.Hi-p.Zero)
	igemmU8S8Tiles(p, bias, func(m, n int, acc int32) {
		t := float32(acc) * mult[n]
		if p.Res != nil {
			r := *(*uint8)(unsafe.Add(unsafe.Pointer(p.Res), m*p.ResStride+n))
			t += float32(float32(int32(r)-p.ResZero) * p.ResMult)
		}
		q := int32(math.RoundToEven(float64(min(max(t, lo), hi)))) + p.Zero
		*(*uint8)(unsafe.Add(p.C, m*p.CStride+n)) = uint8(q)
	})
}

func igemmU8S8AccumulateGeneric(p *IGemmU8S8Args) {
	igemmU8S8Tiles(p, unsafe.Slice(p.Bias, p.N), func(m, n int, acc int32) {
		*(*int32)(unsafe.Add(p.C, m*p.CStride+4*n)) = acc
	})
}

// igemmU8S8Tiles computes the accumulators of all M x N elements.
func igemmU8S8Tiles(p *IGemmU8S8Args, bias []int32, store func(m, n int, acc int32)) {
	const mr, nr = igemmU8S8GenericMR, igemmU8S8GenericNR
	a := unsafe.Slice(p.A, p.KS*mr)
	b := unsafe.Slice(p.B, roundUp(p.N, nr)*p.KS*p.KC)
	for n0 := 0; n0 < p.N; n0 += nr {
		panel := b[n0*p.KS*p.KC:][:nr*p.KS*p.KC]
		for m := 0; m < p.M; m++ {
			var acc [nr]int32
			w := panel
			for s := 0; s < p.KS; s++ {
				x := unsafe.Slice((*uint8)(a[s*mr+m]), p.KC)
				for ; len(x) >= 4; x, w = x[4:], w[4*nr:] {
					x0, x1, x2, x3 := int32(x[0]), int32(x[1]), int32(x[2]), int32(x[3])
					for j := range acc {
						q := w[4*j : 4*j+4 : 4*j+4]
						acc[j] += x0*int32(q[0]) + x1*int32(q[1]) + x2*int32(q[2]) + x3*int32(q[3])
					}
				}
			}
			for j := 0; j < min(nr, p.N-n0); j++ {
				v := acc[j] + bias[n0+j]
				if p.ASum != nil {
					v -= unsafe.Slice(p.ASum, p.M)[m] * unsafe.Slice(p.WZero, p.N)[n0+j]
				}
				store(m, n0+j, v)
			}
		}
	}
}
