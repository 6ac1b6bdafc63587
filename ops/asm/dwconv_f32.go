package asm

import "unsafe"

// DWConvF32Args describes one call of a float32 depthwise convolution of an NHWC
// image: P output pixels of C channels, each the sum of KS taps. Tap s of pixel p is the C
// values at A[p*AStep+s]; taps outside the image point at a row of zeros. With AStep
// less than KS neighbouring pixels share pointers: when taps go column by
// column, KH*stride is the step along a row of a KH x KW window.
type DWConvF32Args struct {
	A     *unsafe.Pointer
	AStep int // pointers from a pixel's first tap to that of the next
	P     int // output pixels, at least 1
	KS    int // taps, at least 1
	C     int // channels, at least 1

	W      *float32 // KS rows of C weights, in the order of the taps
	Bias   *float32 // one per channel
	Lo, Hi float32  // bounds of the output: -Inf and +Inf without an activation

	Out       *float32 // pixel 0 of the output
	OutStride int      // bytes between its pixels
}

// DWConvF32 is a kernel of that operation:
//
//	acc = Bias[c] + sum over s of A[p][s][c]*W[s][c], in order of s; tiers with fused multiply-add use it
//	Out = min(max(acc, Lo), Hi); a NaN stays a NaN
//
// Nothing outside the C values of a pointer or of a row is read or written. A call
// goes over all its pixels for some channels, then for the next; for the pixels to be
// in cache again by then, one call should take one row of the image.
type DWConvF32 struct {
	Info
	run func(args *DWConvF32Args)
}

// Run computes the outputs.
func (k *DWConvF32) Run(args *DWConvF32Args) { k.run(args) }

// DWConvF32For returns the kernel for a CPU of the given tier.
func DWConvF32For(tier Tier) *DWConvF32 { return pick(dwconvF32Table, tier) }

var dwconvF32Table = []DWConvF32{{
	Info: Info{Op: "dwconv_f32", Tier: Generic, MR: 1, NR: 1},
	run:  dwconvF32Generic,
}}

func dwconvF32Generic(p *DWConvF32Args) {
	a := unsafe.Slice(p.A, (p.P-1)*p.AStep+p.KS)
	w := unsafe.Slice(p.W, p.KS*p.C)
	bias := unsafe.Slice(p.Bias, p.C)
	for i := range p.P {
		out := unsafe.Slice((*float32)(unsafe.Add(unsafe.Pointer(p.Out), i*p.OutStride)), p.C)
		copy(out, bias)
		for s, tap := range a[i*p.AStep:][:p.KS] {
			ws := w[s*p.C:][:p.C]
			for c, x := range unsafe.Slice((*float32)(tap), p.C) {
				out[c] += float32(x * ws[c])
			}
		}
		for c, v := range out {
			out[c] = clampF32(v, p.Lo, p.Hi)
		}
	}
}

// clampF32 bounds v; a NaN stays a NaN.
func clampF32(v, lo, hi float32) float32 {
	if v < lo {
		v = lo
	}
	if v > hi {
		v = hi
	}
	return v
}
