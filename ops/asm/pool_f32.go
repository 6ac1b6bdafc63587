package asm

import (
	"math"
	"unsafe"
)

// PoolF32Args describes one call of a pooling of an NHWC image: P output pixels
// of C channels, each from KS taps; tap s of pixel p is the C values at
// A[p*AStep+s]. Taps outside the image point at a row of -Inf for the maximum, of zeros
// for the average.
type PoolF32Args struct {
	A     *unsafe.Pointer
	AStep int      // pointers from a pixel's first tap to that of the next
	P     int      // output pixels, at least 1
	KS    int      // taps, at least 1
	C     int      // channels, at least 1
	Div   *float32 // for the sums: P divisors, which padding and ceil mode make differ

	Weights *float32 // for the weighted sum: KS for each of P pixels

	Out       *float32 // pixel 0 of the output
	OutStride int      // bytes between its pixels
}

// PoolF32 is a kernel of poolings and of interpolation:
//
//	Max:      Out[p][c] = the largest of A[p][s][c], NaN if any is
//	Average:  Out[p][c] = (0 + A[p][0][c] + A[p][1][c] + ...) / Div[p]
//	Weighted: Out[p][c] = (0 + Weights[p][0]*A[p][0][c] + ...) / Div[p], each product rounded
//
// the same bits on every tier but for the sign of a zero and the payload of a NaN. Nothing
// outside the C values of a pointer or of an output pixel is read or written. A tap may be the output pixel itself.
type PoolF32 struct {
	Info
	max, average, weighted func(args *PoolF32Args)
}

// Max computes the maximum.
func (k *PoolF32) Max(args *PoolF32Args) { k.max(args) }

// Average computes the average.
func (k *PoolF32) Average(args *PoolF32Args) { k.average(args) }

// Weighted computes the weighted sum.
func (k *PoolF32) Weighted(args *PoolF32Args) { k.weighted(args) }

// PoolF32For returns the kernel for a CPU of the given tier.
func PoolF32For(tier Tier) *PoolF32 { return pick(poolF32Table, tier) }

var poolF32Table = []PoolF32{{
	Info:     Info{Op: "pool_f32", Tier: Generic},
	max:      maxPoolF32Generic,
	average:  averagePoolF32Generic,
	weighted: weightedPoolF32Generic,
}}

func maxPoolF32Generic(p *PoolF32Args) {
	a := unsafe.Slice(p.A, (p.P-1)*p.AStep+p.KS)
	for i := range p.P {
		out := rowF32(p.Out, i*p.OutStride, p.C)
		for c := range out {
			out[c] = float32(math.Inf(-1))
		}
		for _, tap := range a[i*p.AStep:][:p.KS] {
			for c, x := range unsafe.Slice((*float32)(tap), p.C) {
				out[c] = max(out[c], x)
			}
		}
	}
}

func averagePoolF32Generic(p *PoolF32Args) {
	a := unsafe.Slice(p.A, (p.P-1)*p.AStep+p.KS)
	for i := range p.P {
		out := rowF32(p.Out, i*p.OutStride, p.C)
		clear(out)
		for _, tap := range a[i*p.AStep:][:p.KS] {
			for c, x := range unsafe.Slice((*float32)(tap), p.C) {
				out[c] += x
			}
		}
		div := unsafe.Slice(p.Div, p.P)[i]
		for c := range out {
			out[c] /= div
		}
	}
}

// weightedPoolF32Generic goes from channel to channel, since a tap may be the output.
func weightedPoolF32Generic(p *PoolF32Args) {
	a := unsafe.Slice(p.A, (p.P-1)*p.AStep+p.KS)
	for i := range p.P {
		out, weights, div := rowF32(p.Out, i*p.OutStride, p.C), rowF32(p.Weights, 4*i*p.KS, p.KS), unsafe.Slice(p.Div, p.P)[i]
		taps := a[i*p.AStep:][:p.KS]
		for c := range out {
			sum := float32(0)
			for s, w := range weights {
				sum += float32(w * unsafe.Slice((*float32)(taps[s]), p.C)[c])
			}
			out[c] = sum / div
		}
	}
}
