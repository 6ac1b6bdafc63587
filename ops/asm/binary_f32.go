package asm

import "unsafe"

// BinaryOp is an elementwise function of two float32.
type BinaryOp uint8

// The functions. NaN and infinities are those of IEEE 754.
const (
	BinaryAdd  BinaryOp = iota // a + b
	BinarySub                  // a - b
	BinaryMul                  // a * b
	BinaryDiv                  // a / b
	BinaryRSub                 // b - a, for a broadcast on the left
	BinaryRDiv                 // b / a
	numBinary
)

var binaryNames = [numBinary]string{"add_f32", "sub_f32", "mul_f32", "div_f32", "rsub_f32", "rdiv_f32"}

// String returns the name in the kernel table.
func (o BinaryOp) String() string { return binaryNames[o] }

// BinaryF32Args describes one call over a matrix of Rows x Cols. A BStride of 0
// applies one row of B to all, [C] to [..., C]; with BScalar one value of B stands for
// all columns of a row, so that BStride 0 is a scalar and BStride 4 is [R, 1].
type BinaryF32Args struct {
	Dst, A, B                   *float32
	DstStride, AStride, BStride int // bytes between rows
	Rows, Cols                  int // at least 0
	BScalar                     bool
}

// BinaryF32 is a kernel of one such function: Dst[r][c] = f(A[r][c], B[r][c]),
// the same bits on every tier. Dst may be A, or B where that is as large.
type BinaryF32 struct {
	Info
	vector, scalar func(args *BinaryF32Args)
}

// Run computes the outputs.
func (k *BinaryF32) Run(args *BinaryF32Args) {
	switch {
	case args.Rows == 0 || args.Cols == 0:
	case args.BScalar:
		k.scalar(args)
	default:
		k.vector(args)
	}
}

// BinaryF32For returns the kernel of a function for a CPU of the given tier.
func BinaryF32For(op BinaryOp, tier Tier) *BinaryF32 { return pick(binaryF32Tables[op], tier) }

var binaryF32Tables = [numBinary][]BinaryF32{
	BinaryAdd:  binaryGeneric(BinaryAdd, func(a, b float32) float32 { return a + b }),
	BinarySub:  binaryGeneric(BinarySub, func(a, b float32) float32 { return a - b }),
	BinaryMul:  binaryGeneric(BinaryMul, func(a, b float32) float32 { return a * b }),
	BinaryDiv:  binaryGeneric(BinaryDiv, func(a, b float32) float32 { return a / b }),
	BinaryRSub: binaryGeneric(BinaryRSub, func(a, b float32) float32 { return b - a }),
	BinaryRDiv: binaryGeneric(BinaryRDiv, func(a, b float32) float32 { return b / a }),
}

func binaryGeneric(op BinaryOp, f func(a, b float32) float32) []BinaryF32 {
	run := func(p *BinaryF32Args) {
		for r := range p.Rows {
			dst := rowF32(p.Dst, r*p.DstStride, p.Cols)
			a := rowF32(p.A, r*p.AStride, p.Cols)
			if p.BScalar {
				b := rowF32(p.B, r*p.BStride, 1)[0]
				for i, x := range a {
					dst[i] = f(x, b)
				}
				continue
			}
			for i, b := range rowF32(p.B, r*p.BStride, p.Cols) {
				dst[i] = f(a[i], b)
			}
		}
	}
	return []BinaryF32{{Info: Info{Op: op.String(), Tier: Generic}, vector: run, scalar: run}}
}

// rowF32 returns n values at the given number of bytes from p.
func rowF32(p *float32, bytes, n int) []float32 {
	return unsafe.Slice((*float32)(unsafe.Add(unsafe.Pointer(p), bytes)), n)
}
