package asm

import (
	"math"
	"unsafe"
)

// BinaryU8Args describes an elementwise operation of two quantized M x N
// matrices. A row stride of 0 repeats one row: the broadcast over pixels of
// squeeze-and-excite.
type BinaryU8Args struct {
	M, N int // rows and columns, each at least 1

	A, B             *uint8 // row 0 of the operands
	AStride, BStride int    // bytes between rows
	AZero, BZero     int32  // zero points
	AMult, BMult     float32

	Zero   int32 // zero point of the output
	Lo, Hi int32 // bounds of the output, within 0 and 255

	C       *uint8 // row 0 of the output; may be A or B, with their strides
	CStride int
}

// BinaryU8 is a kernel of an operation on two quantized matrices. With t, which
// the operation defines, the result is
//
//	C = roundToEven(min(max(t, Lo-Zero), Hi-Zero)) + Zero
//
// Every float32 operation is rounded on its own; t must be finite. Nothing outside
// the M x N elements is read or written.
type BinaryU8 struct {
	Info
	run func(args *BinaryU8Args)
}

// Run computes the outputs.
func (k *BinaryU8) Run(args *BinaryU8Args) { k.run(args) }

// AddU8For returns the kernel for a CPU of the given tier of
//
//	t = float32(a-AZero)*AMult + float32(b-BZero)*BMult
//
// where AMult is s_a/s_y and BMult s_b/s_y.
func AddU8For(tier Tier) *BinaryU8 { return pick(addU8Table, tier) }

// MulU8For returns the kernel for a CPU of the given tier of
//
//	t = float32((a-AZero)*(b-BZero)) * AMult
//
// where AMult is s_a*s_b/s_y. BMult is not used.
func MulU8For(tier Tier) *BinaryU8 { return pick(mulU8Table, tier) }

// MinU8For returns the kernel for a CPU of the given tier of
//
//	t = min(float32(a-AZero)*AMult, float32(b-BZero)*BMult)
//
// where AMult is s_a/s_y and BMult s_b/s_y.
func MinU8For(tier Tier) *BinaryU8 { return pick(minU8Table, tier) }

// MaxU8For returns the kernel for a CPU of the given tier of
//
//	t = max(float32(a-AZero)*AMult, float32(b-BZero)*BMult)
//
// where AMult is s_a/s_y and BMult s_b/s_y.
func MaxU8For(tier Tier) *BinaryU8 { return pick(maxU8Table, tier) }

var addU8Table = []BinaryU8{{
	Info: Info{Op: "add_u8", Tier: Generic},
	run: func(p *BinaryU8Args) {
		binaryU8Generic(p, func(a, b int32) float32 {
			return float32(float32(a)*p.AMult) + float32(float32(b)*p.BMult)
		})
	},
}}

var mulU8Table = []BinaryU8{{
	Info: Info{Op: "mul_u8", Tier: Generic},
	run: func(p *BinaryU8Args) {
		binaryU8Generic(p, func(a, b int32) float32 { return float32(a*b) * p.AMult })
	},
}}

var minU8Table = []BinaryU8{{
	Info: Info{Op: "min_u8", Tier: Generic},
	run: func(p *BinaryU8Args) {
		binaryU8Generic(p, func(a, b int32) float32 { return min(float32(a)*p.AMult, float32(b)*p.BMult) })
	},
}}

var maxU8Table = []BinaryU8{{
	Info: Info{Op: "max_u8", Tier: Generic},
	run: func(p *BinaryU8Args) {
		binaryU8Generic(p, func(a, b int32) float32 { return max(float32(a)*p.AMult, float32(b)*p.BMult) })
	},
}}

func binaryU8Generic(p *BinaryU8Args, op func(a, b int32) float32) {
	lo, hi := float32(p.Lo-p.Zero), float32(p.Hi-p.Zero)
	for m := range p.M {
		a := unsafe.Slice((*uint8)(unsafe.Add(unsafe.Pointer(p.A), m*p.AStride)), p.N)
		b := unsafe.Slice((*uint8)(unsafe.Add(unsafe.Pointer(p.B), m*p.BStride)), p.N)
		c := unsafe.Slice((*uint8)(unsafe.Add(unsafe.Pointer(p.C), m*p.CStride)), p.N)
		for i := range c {
			t := min(max(op(int32(a[i])-p.AZero, int32(b[i])-p.BZero), lo), hi)
			c[i] = uint8(int32(math.RoundToEven(float64(t))) + p.Zero)
		}
	}
}
