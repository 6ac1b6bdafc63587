package asm

import "math"

// SoftmaxF32Args describes one softmax over each row of a matrix of Rows x Cols.
type SoftmaxF32Args struct {
	Dst, Src             *float32
	DstStride, SrcStride int      // bytes between rows
	Rows, Cols           int      // at least 1
	Scale                float32  // factor of the input: 1, or 1/sqrt(d) in attention
	Mask                 *float32 // added to the scaled input, or nil; -Inf removes an element
	MaskStride           int      // bytes between rows of the mask, 0 for one row for all
}

// SoftmaxF32 is a kernel of that operation, torch.softmax(src*scale + mask, -1):
//
//	t[c]   = Src[r][c]*Scale + Mask[r][c]
//	Dst[c] = exp(t[c] - max t) / sum over c of exp(t[c] - max t)
//
// As in PyTorch a row that is all -Inf or holds NaN or +Inf becomes NaN. In the assembly tiers the
// error is a few ulp and what rounding t and t - max makes of exp; their sum is taken in float32, in an order
// that the tier and Cols fix. Dst may be Src.
type SoftmaxF32 struct {
	Info
	run func(args *SoftmaxF32Args)
}

// Run computes the outputs.
func (k *SoftmaxF32) Run(args *SoftmaxF32Args) { k.run(args) }

// SoftmaxF32For returns the kernel for a CPU of the given tier.
func SoftmaxF32For(tier Tier) *SoftmaxF32 { return pick(softmaxF32Table, tier) }

var softmaxF32Table = []SoftmaxF32{{
	Info: Info{Op: "softmax_f32", Tier: Generic},
	run:  softmaxF32Generic,
}}

func softmaxF32Generic(p *SoftmaxF32Args) {
	for r := range p.Rows {
		dst := rowF32(p.Dst, r*p.DstStride, p.Cols)
		largest := float32(math.Inf(-1))
		for c, x := range rowF32(p.Src, r*p.SrcStride, p.Cols) {
			t := float32(x * p.Scale)
			if p.Mask != nil {
				t += rowF32(p.Mask, r*p.MaskStride, p.Cols)[c]
			}
			dst[c] = t
			largest = max(largest, t)
		}
		sum := 0.0
		for c, t := range dst {
			e := math.Exp(float64(t - largest))
			dst[c] = float32(e)
			sum += e
		}
		for c, e := range dst {
			dst[c] = float32(float64(e) / sum)
		}
	}
}
