package asm

import (
	"math"
	"unsafe"
)

// AvgPoolU8Args describes one call of an average over pixels: P output pixels of
// C channels. The taps are given by pointers or, when A is nil, by strides, as a
// global average needs them.
type AvgPoolU8Args struct {
	A     *unsafe.Pointer // tap s of output pixel p is the C bytes at A[p*AStep+s]
	AStep int             // pointers from one output pixel to the next

	Base        *uint8 // without A, tap s of output pixel p is at Base + p*PixelStride + s*TapStride
	PixelStride int    // bytes
	TapStride   int    // bytes

	KS int // taps, 1 to 1<<23; taps outside the image are not listed
	C  int // channels, at least 1
	P  int // output pixels, at least 1

	Offset int32   // KS x input zero point
	Mult   float32 // s_x/(s_y*divisor), finite

	Zero   int32 // zero point of the output
	Lo, Hi int32 // bounds of the output, within 0 and 255

	Out       *uint8 // output pixel 0
	OutStride int    // bytes between output pixels
}

// AvgPoolU8 is a kernel of
//
//	acc = sum over s of A[p][s][c] - Offset
//	Out = roundToEven(min(max(float32(acc)*Mult, Lo-Zero), Hi-Zero)) + Zero
//
// Nothing outside the C bytes of a tap is read and nothing outside the P x C
// outputs is written. Out must not overlap the taps.
type AvgPoolU8 struct {
	Info
	run func(args *AvgPoolU8Args)
}

// Run computes the outputs.
func (k *AvgPoolU8) Run(args *AvgPoolU8Args) { k.run(args) }

// AvgPoolU8For returns the kernel for a CPU of the given tier.
func AvgPoolU8For(tier Tier) *AvgPoolU8 { return pick(avgpoolU8Table, tier) }

var avgpoolU8Table = []AvgPoolU8{{
	Info: Info{Op: "avgpool_u8", Tier: Generic},
	run:  avgpoolU8Generic,
}}

func avgpoolU8Generic(p *AvgPoolU8Args) {
	tap := func(i, s int) unsafe.Pointer {
		if p.A == nil {
			return unsafe.Add(unsafe.Pointer(p.Base), i*p.PixelStride+s*p.TapStride)
		}
		return unsafe.Slice(p.A, (p.P-1)*p.AStep+p.KS)[i*p.AStep+s]
	}
	lo, hi := float32(p.Lo-p.Zero), float32(p.Hi-p.Zero)
	for i := range p.P {
		out := unsafe.Slice((*uint8)(unsafe.Add(unsafe.Pointer(p.Out), i*p.OutStride)), p.C)
		for c := range out {
			acc := -p.Offset
			for s := range p.KS {
				acc += int32(*(*uint8)(unsafe.Add(tap(i, s), c)))
			}
			t := min(max(float32(acc)*p.Mult, lo), hi)
			out[c] = uint8(int32(math.RoundToEven(float64(t))) + p.Zero)
		}
	}
}
