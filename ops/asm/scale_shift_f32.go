package asm

// ScaleShiftF32Args describes one call over a matrix of Rows x Cols, in NHWC
// the pixels and channels.
type ScaleShiftF32Args struct {
	Dst, Src             *float32
	DstStride, SrcStride int      // bytes between rows
	Scale, Shift         *float32 // one per column
	Rows, Cols           int      // at least 1
	Lo, Hi               float32  // bounds of the output: -Inf and +Inf without an activation
}

// ScaleShiftF32 is a kernel of the scale and shift per channel that batch
// normalization is at inference:
//
//	Dst[r][c] = min(max(Src[r][c]*Scale[c] + Shift[c], Lo), Hi); a NaN stays a NaN
//
// Tiers with fused multiply-add use it. Dst may be Src.
type ScaleShiftF32 struct {
	Info
	run func(args *ScaleShiftF32Args)
}

// Run computes the outputs.
func (k *ScaleShiftF32) Run(args *ScaleShiftF32Args) { k.run(args) }

// ScaleShiftF32For returns the kernel for a CPU of the given tier.
func ScaleShiftF32For(tier Tier) *ScaleShiftF32 { return pick(scaleShiftF32Table, tier) }

var scaleShiftF32Table = []ScaleShiftF32{{
	Info: Info{Op: "scale_shift_f32", Tier: Generic},
	run:  scaleShiftF32Generic,
}}

func scaleShiftF32Generic(p *ScaleShiftF32Args) {
	scale, shift := rowF32(p.Scale, 0, p.Cols), rowF32(p.Shift, 0, p.Cols)
	for r := range p.Rows {
		dst := rowF32(p.Dst, r*p.DstStride, p.Cols)
		for i, x := range rowF32(p.Src, r*p.SrcStride, p.Cols) {
			dst[i] = clampF32(float32(x*scale[i])+shift[i], p.Lo, p.Hi)
		}
	}
}
