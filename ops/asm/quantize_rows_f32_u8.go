package asm

import (
	"math"
	"unsafe"
)

// QuantizeRowsF32U8Args describes the dynamic quantization of M rows of N floats.
type QuantizeRowsF32U8Args struct {
	M, N int // rows and columns, each at least 1

	X       *float32 // row 0
	XStride int      // bytes between rows
	Q       *uint8   // row 0 of the result
	QStride int      // bytes between its rows

	Scale *float32 // receives the scale of each row
	Zero  *int32   // receives the zero point of each row

	row QuantizeF32U8Args // of the row at hand; here, a call allocates nothing
}

// QuantizeRowsF32U8 quantizes each row to its own range:
//
//	lo, hi = the smallest and largest of the row and 0, infinities being ±MaxFloat32
//	Scale  = float32((float64(hi)-float64(lo)) / 255), 1 when that is 0
//	Zero   = roundToEven(min(float64(-lo)/float64(Scale), 255))
//	Q      = what quantize_f32_u8 makes of x with 1/Scale, Zero, 0 and 255
//
// where 1/Scale, when it overflows, is MaxFloat32. NaN becomes Zero. Rows are
// made of the kernels minmax_f32 and quantize_f32_u8.
type QuantizeRowsF32U8 struct {
	minmax   *MinMaxF32
	quantize *QuantizeF32U8
}

// QuantizeRowsF32U8For returns the kernel for a CPU of the given tier.
func QuantizeRowsF32U8For(tier Tier) *QuantizeRowsF32U8 {
	return &QuantizeRowsF32U8{minmax: MinMaxF32For(tier), quantize: QuantizeF32U8For(tier)}
}

// Run quantizes the rows.
func (k *QuantizeRowsF32U8) Run(p *QuantizeRowsF32U8Args) {
	scale, zero := unsafe.Slice(p.Scale, p.M), unsafe.Slice(p.Zero, p.M)
	args := &p.row
	*args = QuantizeF32U8Args{N: p.N, Hi: 255}
	for m := range p.M {
		args.X = (*float32)(unsafe.Add(unsafe.Pointer(p.X), m*p.XStride))
		args.Q = (*uint8)(unsafe.Add(unsafe.Pointer(p.Q), m*p.QStride))
		lo, hi, _ := k.minmax.run(args.X, p.N)
		scale[m], zero[m] = rowQParams(lo, hi)
		args.Inv = min(1/scale[m], math.MaxFloat32)
		args.Zero = zero[m]
		k.quantize.run(args)
	}
}

// rowQParams returns the scale and zero point of values from lo to hi.
func rowQParams(lo, hi float32) (scale float32, zero int32) {
	l := max(min(float64(lo), 0), -math.MaxFloat32)
	h := min(max(float64(hi), 0), math.MaxFloat32)
	scale = float32((h - l) / 255)
	if scale == 0 {
		scale = 1
	}
	return scale, int32(math.RoundToEven(min(-l/float64(scale), 255)))
}
