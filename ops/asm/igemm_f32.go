package asm

import "unsafe"

// IGemmF32Args describes one call of an indirect float32 matrix
// multiplication: the inner part of a convolution or linear layer. It computes
// M rows (output pixels) by N columns (output channels). Where rows are is said as in IGemmU8S8Args: row m is the
// concatenation, over s in [0, KS), of the KC values that begin Offsets[(m/MR*KS+s)*MR+m%MR]
// bytes behind A, or of those at Pad where that is negative.
type IGemmF32Args struct {
	A       unsafe.Pointer // what Offsets count from
	Offsets *int32         // for whole tiles, the rows from M on repeating valid ones; nil with KS 1: row m begins at m*AStride
	AStride int            // bytes between rows, below MaxStride
	Pad     unsafe.Pointer // KC zeros; may be nil when no offset is negative
	KS      int            // number of positions, at least 1
	KC      int            // values at each position, at least 1
	B       *float32       // packed weights of these columns, see PackB
	BGap    int            // bytes between the end of a panel's KS positions and the next panel, where panels hold more of them
	Groups  *int32         // see IGemmGroupsF32For, nil in other calls
	M       int            // rows, at least 1
	N       int            // columns, at least 1

	Bias      *float32 // one per column
	Res       *float32 // residual of row 0, or nil
	ResStride int      // bytes between rows of the residual
	Lo, Hi    float32  // bounds of the output: -Inf and +Inf without an activation, 0 and 6 for ReLU6

	C       *float32 // row 0 of the output
	CStride int      // bytes between rows of the output

	Next, NextEnd unsafe.Pointer // weights that a later call reads, to be brought near meanwhile, or nil
	NextStep      int            // bytes of them per step of the inner loop; Ahead sets the three
}

// MaxStride bounds the bytes between rows that the igemm kernels take.
const MaxStride = 1 << 28

// IGemmF32 is a kernel of that operation:
//
//	acc = sum over k of A[m][k]*B[k][n], in order of k; tiers with fused multiply-add use it
//	C   = min(max(acc + Bias[n] + Res[m][n], Lo), Hi); a NaN stays a NaN
//
// Bias is read up to N rounded up to NR. Nothing outside the KC values of a
// position is read and nothing outside the M x N outputs is written; Res may be C.
//
// A call reads the packed weights once per tile of MR rows, so the caller keeps
// them near: it runs all rows over a block of BlockN columns, then the next
// block. With at most MR rows there is nothing to reuse, and one call takes all columns.
type IGemmF32 struct {
	Info
	run       func(args *IGemmF32Args)
	blockMin  int  // columns of the widest tile: a block is no narrower
	stepCols  int  // columns and
	stepDepth int  // depth of one step of the inner loop, in which Ahead's weights come nearer
	gaps      bool // it takes BGap
}

// Ahead makes the call that args describes bring weights near that a later one reads.
func (k *IGemmF32) Ahead(args *IGemmF32Args, next []byte) {
	steps := ceil(args.M, k.MR) * ceil(args.N, k.stepCols) * args.KS * ceil(args.KC, k.stepDepth)
	args.Next, args.NextEnd, args.NextStep = ahead(next, steps)
}

// Run computes the outputs.
func (k *IGemmF32) Run(args *IGemmF32Args) {
	if args.BGap == 0 || k.gaps {
		k.run(args)
		return
	}
	// A kernel that takes no gap computes one panel at a time.
	whole := *args
	for n0 := 0; n0 < whole.N; n0 += k.NR {
		args.N, args.BGap, args.Bias, args.C = min(k.NR, whole.N-n0), 0, at(whole.Bias, n0), at(whole.C, n0)
		args.B = (*float32)(unsafe.Add(unsafe.Pointer(whole.B), n0/k.NR*(4*k.NR*whole.KS*whole.KC+whole.BGap)))
		if whole.Res != nil {
			args.Res = at(whole.Res, n0)
		}
		k.run(args)
	}
	*args = whole
}

// BlockN returns how many columns, a multiple of NR, one call should take
// at this depth, for their packed weights to stay in a core's second-level cache
// while the calls for all rows reuse them.
func (k *IGemmF32) BlockN(ks, kc int) int {
	return max(WeightBlock()/(4*ks*kc)/k.NR*k.NR, k.blockMin)
}

// PackB arranges weights as the kernel reads them: panels of NR columns; in a
// panel, for each depth, NR columns. The weight of column n, position s and depth
// c is w[(n*ks+s)*kc+c]. Columns from n on are 0.
func (k *IGemmF32) PackB(dst, w []float32, ks, kc, n int) { k.PackBNK(dst, w, ks*kc, n, ks*kc) }

// PackBNK is PackB for a matrix of n rows of depth values, stride elements apart, such as the keys of
// attention: column j of the product is row j of b. Quick enough to pack while running.
func (k *IGemmF32) PackBNK(dst, b []float32, depth, n, stride int) {
	t := TransposeF32For(k.Tier)
	for n0 := 0; n0 < n; n0 += k.NR {
		panel := dst[n0*depth:][:k.NR*depth]
		columns := min(k.NR, n-n0)
		if columns < k.NR {
			clear(panel)
		}
		t.Run(panel, b[n0*stride:], columns, depth, k.NR, stride)
	}
}

// PackBKN is PackB for a matrix of depth rows of n values, stride elements apart, such as the values
// of attention: column j of the product is column j of b.
func (k *IGemmF32) PackBKN(dst, b []float32, depth, n, stride int) {
	for n0 := 0; n0 < n; n0 += k.NR {
		panel := dst[n0*depth:][:k.NR*depth]
		columns := min(k.NR, n-n0)
		if columns == 16 && k.NR == 16 {
			for d := range depth {
				*(*[16]float32)(panel[16*d:]) = *(*[16]float32)(b[d*stride+n0:])
			}
			continue
		}
		for d := range depth {
			row := panel[d*k.NR:][:k.NR]
			copy(row, b[d*stride+n0:][:columns])
			clear(row[columns:])
		}
	}
}

// IGemmF32For returns the kernel for a CPU of the given tier.
func IGemmF32For(tier Tier) *IGemmF32 { return pick(igemmF32Table, tier) }

var igemmF32Table = []IGemmF32{{
	Info: Info{Op: "igemm_f32", Tier: Generic, MR: 4, NR: igemmF32GenericNR, KR: 1},
	run:  igemmF32Generic, blockMin: igemmF32GenericNR, stepCols: igemmF32GenericNR, stepDepth: 1, gaps: true,
}}

const igemmF32GenericNR = 8

// igemmF32Generic computes two rows by four columns at a time: their sums fit the registers of most CPUs.
func igemmF32Generic(p *IGemmF32Args) {
	const mr, nr, columns = 4, igemmF32GenericNR, 4
	panel := nr*p.KS*p.KC + p.BGap/4
	for n := 0; n < p.N; n += columns {
		for m := 0; m < p.M; m += 2 {
			last := min(m+1, p.M-1) // m itself where one row is left
			var sums [2][columns]float32
			w := unsafe.Pointer(at(p.B, n/nr*panel+n%nr))
			for s := range p.KS {
				x := position(p.A, p.Offsets, p.AStride, p.Pad, p.KS, m, s, mr)
				y := position(p.A, p.Offsets, p.AStride, p.Pad, p.KS, last, s, mr)
				addProductsF32(&sums, x, y, unsafe.Add(w, s*4*nr*p.KC), p.KC)
			}
			for row := m; row <= last; row++ {
				for j := range min(columns, p.N-n) {
					p.finish(row, n+j, sums[row-m][j])
				}
			}
		}
	}
}

// addProductsF32 adds, in order of depth, the products of kc values at x and at y with four columns of a panel, whose weights begin at w.
func addProductsF32(sums *[2][4]float32, x, y, w unsafe.Pointer, kc int) {
	x0, x1, x2, x3 := sums[0][0], sums[0][1], sums[0][2], sums[0][3]
	y0, y1, y2, y3 := sums[1][0], sums[1][1], sums[1][2], sums[1][3]
	for i := 0; i < kc; i++ {
		u, v, q := *(*float32)(unsafe.Add(x, 4*i)), *(*float32)(unsafe.Add(y, 4*i)), (*[4]float32)(unsafe.Add(w, 4*igemmF32GenericNR*i))
		w0, w1, w2, w3 := q[0], q[1], q[2], q[3]
		x0, x1, x2, x3 = x0+float32(u*w0), x1+float32(u*w1), x2+float32(u*w2), x3+float32(u*w3)
		y0, y1, y2, y3 = y0+float32(v*w0), y1+float32(v*w1), y2+float32(v*w2), y3+float32(v*w3)
	}
	*sums = [2][4]float32{{x0, x1, x2, x3}, {y0, y1, y2, y3}}
}

// finish makes the output of row m and column n from its sum of products.
func (p *IGemmF32Args) finish(m, n int, sum float32) {
	v := sum + *at(p.Bias, n)
	if p.Res != nil {
		v += *at((*float32)(unsafe.Add(unsafe.Pointer(p.Res), m*p.ResStride)), n)
	}
	*at((*float32)(unsafe.Add(unsafe.Pointer(p.C), m*p.CStride)), n) = clampF32(v, p.Lo, p.Hi)
}

// position returns where row m at position s of ks begins, for tiles of mr rows.
func position(a unsafe.Pointer, offsets *int32, stride int, pad unsafe.Pointer, ks, m, s, mr int) unsafe.Pointer {
	if offsets == nil {
		return unsafe.Add(a, m*stride)
	}
	offset := *at(offsets, (m/mr*ks+s)*mr+m%mr)
	if offset < 0 {
		return pad
	}
	return unsafe.Add(a, int(offset))
}

// at returns the address of element i behind p.
func at[T any](p *T, i int) *T {
	return (*T)(unsafe.Add(unsafe.Pointer(p), i*int(unsafe.Sizeof(*p))))
}
