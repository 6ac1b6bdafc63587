package asm

import "unsafe"

// LutU8 is a kernel that maps every byte through a table of 256: dst[i] =
// table[src[i]]. Any function of one quantized activation is such a table. dst
// may be src; nothing outside the n bytes is read or written.
type LutU8 struct {
	Info
	run func(dst, src *uint8, n int, table *[256]uint8)
}

// Run maps src into dst, which has the same length.
func (k *LutU8) Run(dst, src []uint8, table *[256]uint8) {
	k.run(unsafe.SliceData(dst[:len(src)]), unsafe.SliceData(src), len(src), table)
}

// LutU8For returns the kernel for a CPU of the given tier.
func LutU8For(tier Tier) *LutU8 { return pick(lutU8Table, tier) }

var lutU8Table = []LutU8{{
	Info: Info{Op: "lut_u8", Tier: Generic},
	run: func(dst, src *uint8, n int, table *[256]uint8) {
		out := unsafe.Slice(dst, n)
		for i, v := range unsafe.Slice(src, n) {
			out[i] = table[v]
		}
	},
}}
