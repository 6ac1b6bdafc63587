package asm

import "unsafe"

// DequantizeU8F32Args describes the dequantization of N values.
type DequantizeU8F32Args struct {
	N     int
	Q     *uint8
	Y     *float32
	Zero  int32
	Scale float32
}

// DequantizeU8F32 is a kernel of
//
//	Y = float32(q-Zero) * Scale
//
// Nothing outside the N elements is read or written.
type DequantizeU8F32 struct {
	Info
	run func(args *DequantizeU8F32Args)
}

// Run computes the outputs.
func (k *DequantizeU8F32) Run(args *DequantizeU8F32Args) { k.run(args) }

// DequantizeU8F32For returns the kernel for a CPU of the given tier.
func DequantizeU8F32For(tier Tier) *DequantizeU8F32 { return pick(dequantizeU8F32Table, tier) }

var dequantizeU8F32Table = []DequantizeU8F32{{
	Info: Info{Op: "dequantize_u8_f32", Tier: Generic},
	run:  dequantizeU8F32Generic,
}}

func dequantizeU8F32Generic(p *DequantizeU8F32Args) {
	q, y := unsafe.Slice(p.Q, p.N), unsafe.Slice(p.Y, p.N)
	for i, v := range q {
		y[i] = float32(int32(v)-p.Zero) * p.Scale
	}
}
