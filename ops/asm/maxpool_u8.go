package asm

import "unsafe"

// MaxPoolU8Args describes one call of an indirect maximum over pixels: P output
// pixels of C channels.
type MaxPoolU8Args struct {
	A     *unsafe.Pointer // tap s of output pixel p is the C bytes at A[p*AStep+s]
	AStep int             // pointers from one output pixel to the next
	KS    int             // taps, at least 1; taps outside the image are not listed
	C     int             // channels, at least 1
	P     int             // output pixels, at least 1

	Out       *uint8 // output pixel 0
	OutStride int    // bytes between output pixels
}

// MaxPoolU8 is a kernel of
//
//	Out[p][c] = max over s of A[p][s][c]
//
// Nothing outside the C bytes of a tap is read and nothing outside the P x C
// outputs is written. Out must not overlap the taps.
type MaxPoolU8 struct {
	Info
	run func(args *MaxPoolU8Args)
}

// Run computes the outputs.
func (k *MaxPoolU8) Run(args *MaxPoolU8Args) { k.run(args) }

// MaxPoolU8For returns the kernel for a CPU of the given tier.
func MaxPoolU8For(tier Tier) *MaxPoolU8 { return pick(maxpoolU8Table, tier) }

var maxpoolU8Table = []MaxPoolU8{{
	Info: Info{Op: "maxpool_u8", Tier: Generic},
	run:  maxpoolU8Generic,
}}

func maxpoolU8Generic(p *MaxPoolU8Args) {
	a := unsafe.Slice(p.A, (p.P-1)*p.AStep+p.KS)
	for i := range p.P {
		taps := a[i*p.AStep:][:p.KS]
		out := unsafe.Slice((*uint8)(unsafe.Add(unsafe.Pointer(p.Out), i*p.OutStride)), p.C)
		copy(out, unsafe.Slice((*uint8)(taps[0]), p.C))
		for _, tap := range taps[1:] {
			for c, v := range unsafe.Slice((*uint8)(tap), p.C) {
				out[c] = max(out[c], v)
			}
		}
	}
}
