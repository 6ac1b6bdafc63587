package asm

import (
	"math"
	"unsafe"
)

// IGemmU8S8Args describes one call of an indirect u8 x s8 matrix
// multiplication: the inner part of an int8 convolution or linear layer. It
// computes M rows (output pixels) by N columns (output channels), in tiles of MR rows.
//
// Row m of the left matrix is the concatenation, over s in [0, KS), of the KC
// bytes that begin Offsets[(m/MR*KS+s)*MR+m%MR] bytes behind A; a convolution has
// them at input pixels and, outside the image, negative, which stands for the
// bytes at Pad. So nothing is copied.
type IGemmU8S8Args struct {
	A       unsafe.Pointer // what Offsets count from
	Offsets *int32         // for whole tiles, the rows from M on repeating valid ones; nil with KS 1: row m begins at m*AStride
	AStride int            // bytes between rows, below MaxStride
	Pad     unsafe.Pointer // KC bytes that hold the zero point; may be nil when no offset is negative
	KS      int            // number of positions, at least 1
	KC      int            // bytes at each position, a multiple of 4
	B       *int8          // packed weights of these columns, see PackB
	BGap    int            // bytes between the end of a panel's KS positions and the next panel, where panels hold more of them
	M       int            // rows, at least 1
	N       int            // columns, at least 1

	Bias  *int32 // one per column: bias less input zero point x sum of the column's weights
	ASum  *int32 // of each row of A the sum, or whatever WZero is to be multiplied with; nil without WZero
	WZero *int32 // one weight zero point per column, or nil

	Mult     *float32 // one multiplier per column: s_x*s_w/s_y for a quantized output, s_x*s_w for a float32 one
	PreBias  *float32 // one per column, in units of the accumulators, added to their float32 form, or nil
	RowScale *float32 // of each row a further multiplier, for a float32 output only, or nil
	PostBias *float32 // one per column, added to a float32 output, or nil

	Res       unsafe.Pointer // residual of row 0, of the output's type, or nil
	ResStride int            // bytes between rows of the residual
	ResZero   int32          // zero point of a uint8 residual
	ResMult   float32        // its s_r/s_y

	Zero             int32   // zero point of the uint8 output
	Lo, Hi           int32   // bounds of the uint8 output, within 0 and 255: the range of the dtype, narrowed by ReLU or ReLU6
	FloatLo, FloatHi float32 // bounds of the float32 output

	C       unsafe.Pointer // row 0 of the output
	CStride int            // bytes between rows of the output

	Next, NextEnd unsafe.Pointer // weights that a later call reads, to be brought near meanwhile, or nil
	NextStep      int            // bytes of them per step of the inner loop; Ahead sets the three

	Scratch unsafe.Pointer // ScratchBytes(KS, KC) bytes, aligned to 64; may be nil when that is 0
}

// igemmOutput says what becomes of the accumulators.
type igemmOutput uint8

const (
	outputUint8 igemmOutput = iota
	outputInt32
	outputFloat32
)

// IGemmU8S8 is a kernel of that operation. Of the exact int32, which the
// caller guarantees not to overflow,
//
//	acc = sum over k of A[m][k]*B[k][n] + Bias[n] - ASum[m]*WZero[n]
//
// it stores what the method says, with every float32 operation rounded on its
// own (no fused multiply-add). Bias, WZero, Mult, PreBias and PostBias are read up to N
// rounded up to NR. Nothing outside the KC bytes of a position is read and nothing outside
// the M x N outputs is written; Res may be C.
type IGemmU8S8 struct {
	Info
	run      func(args *IGemmU8S8Args, output igemmOutput)
	scratch  func(ks, kc int) int // nil: none
	gaps     bool                 // it takes BGap
	order    igemmU8S8Order       // of the weights in a panel
	stepCols int                  // columns of one step of the inner loop, in which Ahead's weights come nearer by four depths
}

// Ahead makes the call that args describes bring weights near that a later one reads.
func (k *IGemmU8S8) Ahead(args *IGemmU8S8Args, next []byte) {
	steps := ceil(args.M, k.MR) * ceil(args.N, k.stepCols) * args.KS * args.KC / 4
	args.Next, args.NextEnd, args.NextStep = ahead(next, steps)
}

// Run stores uint8:
//
//	t = (float32(acc) + PreBias[n]) * Mult[n]
//	t = t + float32(r[m][n]-ResZero) * ResMult            when Res is set
//	C = roundToEven(min(max(t, Lo-Zero), Hi-Zero)) + Zero
//
// The caller guarantees that t stays below 2^31 in magnitude.
func (k *IGemmU8S8) Run(args *IGemmU8S8Args) { k.compute(args, outputUint8) }

// Dequantize stores float32:
//
//	t = (float32(acc) + PreBias[n]) * (RowScale[m]*Mult[n]) + PostBias[n]
//	C = min(max(t + r[m][n], FloatLo), FloatHi)
//
// where what is nil is 0, and RowScale 1.
func (k *IGemmU8S8) Dequantize(args *IGemmU8S8Args) { k.compute(args, outputFloat32) }

// Accumulate stores acc itself, as int32.
func (k *IGemmU8S8) Accumulate(args *IGemmU8S8Args) { k.compute(args, outputInt32) }

// compute runs the kernel; one that takes no gap computes one panel at a time.
func (k *IGemmU8S8) compute(args *IGemmU8S8Args, output igemmOutput) {
	if args.BGap == 0 || k.gaps {
		k.run(args, output)
		return
	}
	size := 4
	if output == outputUint8 {
		size = 1
	}
	whole := *args
	for n0 := 0; n0 < whole.N; n0 += k.NR {
		*args = whole
		args.N, args.BGap, args.C = min(k.NR, whole.N-n0), 0, unsafe.Add(whole.C, size*n0)
		args.B = at(whole.B, n0*whole.KS*whole.KC+n0/k.NR*whole.BGap)
		if whole.Res != nil {
			args.Res = unsafe.Add(whole.Res, size*n0)
		}
		args.Bias, args.Mult, args.WZero = columnsFrom(whole.Bias, n0), columnsFrom(whole.Mult, n0), columnsFrom(whole.WZero, n0)
		args.PreBias, args.PostBias = columnsFrom(whole.PreBias, n0), columnsFrom(whole.PostBias, n0)
		k.run(args, output)
	}
	*args = whole
}

// columnsFrom returns what there is for the columns from n on, or nil.
func columnsFrom[T any](p *T, n int) *T {
	if p == nil {
		return nil
	}
	return at(p, n)
}

// ScratchBytes returns the scratch memory one call needs.
func (k *IGemmU8S8) ScratchBytes(ks, kc int) int {
	if k.scratch == nil {
		return 0
	}
	return k.scratch(ks, kc)
}

// igemmU8S8Order says what a kernel's panels of weights have besides the order that NR and KR give; all 0: nothing.
type igemmU8S8Order struct {
	step  int // depths are rounded up to a multiple of it, with weights of 0
	block int // columns that are side by side, of NR: the blocks of a panel follow each other
	head  int // bytes ahead of the weights, a multiple of NR
	pack  func(head, columns []int8, depth int)
}

// PanelBytes returns the size of NR columns of packed weights.
func (k *IGemmU8S8) PanelBytes(ks, kc int) int {
	return k.NR*roundUp(ks*kc, max(k.order.step, 1)) + k.order.head
}

// TakesGaps reports whether a call may read some of the positions that a panel holds, with BGap for the others.
func (k *IGemmU8S8) TakesGaps() bool { return k.order.step == 0 && k.order.head == 0 }

// PackB arranges weights as the kernel reads them: panels of NR columns; in a panel, for
// each position and each group of KR depths, NR columns of KR values, and what else the kernel's order says. The weight
// of column n, position s and depth c is w[(n*ks+s)*kc+c]; kc is a multiple of 4.
// Columns from n on are 0.
func (k *IGemmU8S8) PackB(dst, w []int8, ks, kc, n int) {
	depth, size := ks*kc, k.PanelBytes(ks, kc)
	for n0 := 0; n0 < n; n0 += k.NR {
		panel := dst[n0/k.NR*size:][:size]
		columns := w[n0*depth:][:min(k.NR, n-n0)*depth]
		if k.NR*depth+k.order.head != size || len(columns) < k.NR*depth {
			clear(panel)
		}
		if k.order.pack != nil {
			k.order.pack(panel[:k.order.head], columns, depth)
		}
		k.packPanel(panel[k.order.head:], columns, depth)
	}
}

// packPanel arranges the columns of a panel.
func (k *IGemmU8S8) packPanel(panel, columns []int8, depth int) {
	switch {
	case k.KR == 4 && k.order.step <= 4:
		t := TransposeF32For(k.Tier)
		t.Run(words(panel), words(columns), len(columns)/max(depth, 1), depth/4, k.NR, depth/4)
	case k.KR == 2:
		for j := 0; j*depth < len(columns); j++ {
			packPairs(panel, columns[j*depth:][:depth], j, k.NR)
		}
	default:
		block := k.order.block
		rounded := roundUp(depth, k.order.step)
		for j := 0; j*depth < len(columns); j++ {
			column, to := columns[j*depth:][:depth], panel[j/block*block*rounded:]
			for d := 0; d < depth; d += k.KR {
				copy(to[d*block+j%block*k.KR:][:k.KR], column[d:])
			}
		}
	}
}

// packPairs spreads a column of weights over its panel, two at a time.
func packPairs(panel, column []int8, j, nr int) {
	src := unsafe.Slice((*uint16)(unsafe.Pointer(unsafe.SliceData(column))), len(column)/2)
	dst := unsafe.Slice((*uint16)(unsafe.Pointer(unsafe.SliceData(panel))), len(panel)/2)[j:]
	for i, v := range src {
		dst[i*nr] = v
	}
}

// words views weights four at a time, as elements to be moved.
func words(w []int8) []float32 {
	return unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(w))), len(w)/4)
}

// IGemmU8S8For returns the kernel for a CPU of the given tier.
func IGemmU8S8For(tier Tier) *IGemmU8S8 { return pick(igemmU8S8Table, tier) }

var igemmU8S8Table = []IGemmU8S8{{
	Info: Info{Op: "igemm_u8s8", Tier: Generic, MR: 4, NR: 8, KR: 4},
	run:  igemmU8S8Generic, stepCols: 8, gaps: true,
}}

const (
	igemmU8S8GenericMR = 4
	igemmU8S8GenericNR = 8
)

// igemmU8S8Generic computes two rows by four columns at a time: their sums fit the registers of most CPUs.
func igemmU8S8Generic(p *IGemmU8S8Args, output igemmOutput) {
	const mr, nr, columns = igemmU8S8GenericMR, igemmU8S8GenericNR, 4
	panel := nr*p.KS*p.KC + p.BGap
	for n := 0; n < p.N; n += columns {
		for m := 0; m < p.M; m += 2 {
			last := min(m+1, p.M-1) // m itself where one row is left
			var sums [2][columns]int32
			w := unsafe.Pointer(at(p.B, n/nr*panel+n%nr*4))
			for s := range p.KS {
				x := position(p.A, p.Offsets, p.AStride, p.Pad, p.KS, m, s, mr)
				y := position(p.A, p.Offsets, p.AStride, p.Pad, p.KS, last, s, mr)
				addProductsU8S8(&sums, x, y, unsafe.Add(w, s*nr*p.KC), p.KC)
			}
			for row := m; row <= last; row++ {
				for j := range min(columns, p.N-n) {
					p.finish(output, row, n+j, sums[row-m][j])
				}
			}
		}
	}
}

// addProductsU8S8 adds the products of kc values at x and at y with four columns of a panel, whose weights begin at w: of each four
// depths 16 bytes, column by column, and then as many of the panel's other columns.
func addProductsU8S8(sums *[2][4]int32, x, y, w unsafe.Pointer, kc int) {
	x0, x1, x2, x3 := sums[0][0], sums[0][1], sums[0][2], sums[0][3]
	y0, y1, y2, y3 := sums[1][0], sums[1][1], sums[1][2], sums[1][3]
	for i := 0; i < kc; i += 4 {
		a, b, q := (*[4]uint8)(unsafe.Add(x, i)), (*[4]uint8)(unsafe.Add(y, i)), (*[16]int8)(unsafe.Add(w, igemmU8S8GenericNR*i))

		u, v := int32(a[0]), int32(b[0])
		w0, w1, w2, w3 := int32(q[0]), int32(q[4]), int32(q[8]), int32(q[12])
		x0, x1, x2, x3 = x0+u*w0, x1+u*w1, x2+u*w2, x3+u*w3
		y0, y1, y2, y3 = y0+v*w0, y1+v*w1, y2+v*w2, y3+v*w3

		u, v = int32(a[1]), int32(b[1])
		w0, w1, w2, w3 = int32(q[1]), int32(q[5]), int32(q[9]), int32(q[13])
		x0, x1, x2, x3 = x0+u*w0, x1+u*w1, x2+u*w2, x3+u*w3
		y0, y1, y2, y3 = y0+v*w0, y1+v*w1, y2+v*w2, y3+v*w3

		u, v = int32(a[2]), int32(b[2])
		w0, w1, w2, w3 = int32(q[2]), int32(q[6]), int32(q[10]), int32(q[14])
		x0, x1, x2, x3 = x0+u*w0, x1+u*w1, x2+u*w2, x3+u*w3
		y0, y1, y2, y3 = y0+v*w0, y1+v*w1, y2+v*w2, y3+v*w3

		u, v = int32(a[3]), int32(b[3])
		w0, w1, w2, w3 = int32(q[3]), int32(q[7]), int32(q[11]), int32(q[15])
		x0, x1, x2, x3 = x0+u*w0, x1+u*w1, x2+u*w2, x3+u*w3
		y0, y1, y2, y3 = y0+v*w0, y1+v*w1, y2+v*w2, y3+v*w3
	}
	*sums = [2][4]int32{{x0, x1, x2, x3}, {y0, y1, y2, y3}}
}

// finish makes the output of row m and column n from its sum of products.
func (p *IGemmU8S8Args) finish(output igemmOutput, m, n int, acc int32) {
	acc += *at(p.Bias, n)
	if p.ASum != nil {
		acc -= *at(p.ASum, m) * *at(p.WZero, n)
	}
	c := unsafe.Add(p.C, m*p.CStride)
	if output == outputInt32 {
		*at((*int32)(c), n) = acc
		return
	}
	t := float32(acc)
	if p.PreBias != nil {
		t += *at(p.PreBias, n)
	}
	mult := *at(p.Mult, n)
	if output == outputUint8 {
		t = float32(t * mult)
		if p.Res != nil {
			r := *(*uint8)(unsafe.Add(p.Res, m*p.ResStride+n))
			t += float32(float32(int32(r)-p.ResZero) * p.ResMult)
		}
		t = min(max(t, float32(p.Lo-p.Zero)), float32(p.Hi-p.Zero))
		*at((*uint8)(c), n) = uint8(int32(math.RoundToEven(float64(t))) + p.Zero)
		return
	}
	if p.RowScale != nil {
		mult *= *at(p.RowScale, m)
	}
	post := float32(0)
	if p.PostBias != nil {
		post = *at(p.PostBias, n)
	}
	t = float32(t*mult) + post
	if p.Res != nil {
		t += *at((*float32)(unsafe.Add(p.Res, m*p.ResStride)), n)
	}
	*at((*float32)(c), n) = min(max(t, p.FloatLo), p.FloatHi)
}
