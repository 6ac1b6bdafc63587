package asm

import "unsafe"

// DequantizeI32F32Args describes the dequantization of M x N accumulators of a matrix
// multiplication, for results that stay float32 and for rows quantized while running.
type DequantizeI32F32Args struct {
	M, N int // rows and columns, each at least 1

	Acc       *int32 // row 0
	AccStride int    // bytes between rows

	RowZero  *int32   // one zero point per row of the left matrix, or nil
	WSum     *int32   // sum of the weights of each column; nil with RowZero
	RowScale *float32 // one scale per row, or nil
	Mult     *float32 // one multiplier per column
	Bias     *float32 // one per column, or nil

	Y       *float32 // row 0; may be Acc with its stride
	YStride int      // bytes between rows
}

// DequantizeI32F32 is a kernel of
//
//	Y = float32(Acc[m][n]-RowZero[m]*WSum[n]) * (RowScale[m]*Mult[n]) + Bias[n]
//
// where what is nil is left out, and with every float32 operation rounded on its
// own (no fused multiply-add). Nothing outside the M x N elements and the N values
// per column is read or written.
type DequantizeI32F32 struct {
	Info
	run func(args *DequantizeI32F32Args)
}

// Run computes the outputs.
func (k *DequantizeI32F32) Run(args *DequantizeI32F32Args) { k.run(args) }

// DequantizeI32F32For returns the kernel for a CPU of the given tier.
func DequantizeI32F32For(tier Tier) *DequantizeI32F32 { return pick(dequantizeI32F32Table, tier) }

var dequantizeI32F32Table = []DequantizeI32F32{{
	Info: Info{Op: "dequantize_i32_f32", Tier: Generic},
	run:  dequantizeI32F32Generic,
}}

func dequantizeI32F32Generic(p *DequantizeI32F32Args) {
	mult := unsafe.Slice(p.Mult, p.N)
	for m := range p.M {
		acc := unsafe.Slice((*int32)(unsafe.Add(unsafe.Pointer(p.Acc), m*p.AccStride)), p.N)
		y := unsafe.Slice((*float32)(unsafe.Add(unsafe.Pointer(p.Y), m*p.YStride)), p.N)
		for n, v := range acc {
			if p.RowZero != nil {
				v -= unsafe.Slice(p.RowZero, p.M)[m] * unsafe.Slice(p.WSum, p.N)[n]
			}
			scale := mult[n]
			if p.RowScale != nil {
				scale = unsafe.Slice(p.RowScale, p.M)[m] * scale
			}
			t := float32(float32(v) * scale)
			if p.Bias != nil {
				t += unsafe.Slice(p.Bias, p.N)[n]
			}
			y[n] = t
		}
	}
}
