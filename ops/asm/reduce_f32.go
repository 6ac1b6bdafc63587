package asm

// ReduceF32Args describes one reduction of a matrix of Rows x Cols.
type ReduceF32Args struct {
	Dst       *float32 // Rows values for RowSum, Cols values for ColSum
	Src       *float32
	SrcStride int // bytes between rows
	Rows      int // at least 1
	Cols      int // at least 1
}

// ReduceF32 is a kernel of two reductions:
//
//	RowSum: Dst[r] = sum over c of Src[r][c]; in an order that the tier and Cols fix
//	ColSum: Dst[c] = 0 + Src[0][c] + Src[1][c] + ..., in this order
//
// A column sum over the pixels of an NHWC image is global average pooling, less the division.
type ReduceF32 struct {
	Info
	rowSum, colSum func(args *ReduceF32Args)
}

// RowSum computes the sum of each row.
func (k *ReduceF32) RowSum(args *ReduceF32Args) { k.rowSum(args) }

// ColSum computes the sum of each column.
func (k *ReduceF32) ColSum(args *ReduceF32Args) { k.colSum(args) }

// ReduceF32For returns the kernel for a CPU of the given tier.
func ReduceF32For(tier Tier) *ReduceF32 { return pick(reduceF32Table, tier) }

var reduceF32Table = []ReduceF32{{
	Info:   Info{Op: "reduce_f32", Tier: Generic},
	rowSum: rowSumF32Generic,
	colSum: colSumF32Generic,
}}

func rowSumF32Generic(p *ReduceF32Args) {
	dst := rowF32(p.Dst, 0, p.Rows)
	for r := range dst {
		sum := float32(0)
		for _, x := range rowF32(p.Src, r*p.SrcStride, p.Cols) {
			sum += x
		}
		dst[r] = sum
	}
}

func colSumF32Generic(p *ReduceF32Args) {
	dst := rowF32(p.Dst, 0, p.Cols)
	clear(dst)
	for r := range p.Rows {
		for c, x := range rowF32(p.Src, r*p.SrcStride, p.Cols) {
			dst[c] += x
		}
	}
}
