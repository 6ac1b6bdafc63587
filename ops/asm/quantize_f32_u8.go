package asm

import (
	"math"
	"unsafe"
)

// QuantizeF32U8Args describes the quantization of N floats.
type QuantizeF32U8Args struct {
	N    int
	X    *float32
	Q    *uint8
	Inv  float32 // 1/scale, finite
	Zero int32   // zero point, within 0 and 255

	Lo, Hi int32 // bounds, within 0 and 255
}

// QuantizeF32U8 is a kernel of
//
//	Q = roundToEven(min(max(x*Inv, Lo-Zero), Hi-Zero)) + Zero
//
// A product that is NaN counts as 0; infinities become Lo or Hi. Nothing
// outside the N elements is read or written.
type QuantizeF32U8 struct {
	Info
	run func(args *QuantizeF32U8Args)
}

// Run computes the outputs.
func (k *QuantizeF32U8) Run(args *QuantizeF32U8Args) { k.run(args) }

// QuantizeF32U8For returns the kernel for a CPU of the given tier.
func QuantizeF32U8For(tier Tier) *QuantizeF32U8 { return pick(quantizeF32U8Table, tier) }

var quantizeF32U8Table = []QuantizeF32U8{{
	Info: Info{Op: "quantize_f32_u8", Tier: Generic},
	run:  quantizeF32U8Generic,
}}

func quantizeF32U8Generic(p *QuantizeF32U8Args) {
	x, q := unsafe.Slice(p.X, p.N), unsafe.Slice(p.Q, p.N)
	lo, hi := float32(p.Lo-p.Zero), float32(p.Hi-p.Zero)
	for i, v := range x {
		t := v * p.Inv
		if t != t {
			t = 0
		}
		t = min(max(t, lo), hi)
		q[i] = uint8(int32(math.RoundToEven(float64(t))) + p.Zero)
	}
}
