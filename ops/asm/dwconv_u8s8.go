package asm

import (
	"math"
	"unsafe"
)

// DWConvU8S8Args describes one call of an indirect u8 x s8 depthwise
// convolution with a quantizing epilogue: P output pixels of C channels, each
// channel the weighted sum of the same channel of KS input pixels.
type DWConvU8S8Args struct {
	A     *unsafe.Pointer // tap s of output pixel p is the C bytes at A[p*AStep+s]
	AStep int             // pointers from one output pixel to the next: KS, or less where pixels share taps
	KS    int             // taps, at least 1
	C     int             // channels, at least 1
	P     int             // output pixels, at least 1
	W     *int8           // packed weights, see PackW

	Bias *int32   // one per channel: bias less input zero point x sum of the channel's weights
	Mult *float32 // one multiplier per channel: s_x*s_w/s_y; float32(acc)*Mult is below 2^31 in magnitude

	Zero   int32 // zero point of the output
	Lo, Hi int32 // bounds of the output, within 0 and 255

	Out       *uint8 // output pixel 0
	OutStride int    // bytes between output pixels
}

// DWConvU8S8 is a kernel of that operation. With acc exact in int32, which any
// KS up to 65793 is, channel c of pixel p is
//
//	acc = sum over s of A[p][s][c]*W[s][c] + Bias[c]
//	Out = roundToEven(min(max(float32(acc)*Mult[c], Lo-Zero), Hi-Zero)) + Zero
//
// Bias and Mult are read up to C rounded up to NR. Nothing outside the C bytes of a tap
// is read and nothing outside the P x C outputs is written. Out must not
// overlap the taps.
type DWConvU8S8 struct {
	Info
	run     func(args *DWConvU8S8Args)
	overlap bool // the last block of channels ends at channel C and overlaps the one before
	narrow  int  // channels of a block when there are fewer than NR; 0: NR
	wide    bool // weights are int16
	group   int  // taps whose weights lie together; the last group is filled up with zeros
	columns bool // nine taps are three groups of three, those of the columns of a 3 x 3 window
	order   *dwconvU8S8Order
}

// dwconvU8S8Order is how a kernel wants weights that the order PackW describes does not say.
type dwconvU8S8Order struct {
	bytes func(ks, c int) int
	pack  func(dst, w []int8, ks, c int)
}

// taps returns how many of a window's taps lie together.
func (k *DWConvU8S8) taps(ks int) int {
	if k.columns && ks == 9 {
		return 3
	}
	return k.group
}

// Run computes the outputs.
func (k *DWConvU8S8) Run(args *DWConvU8S8Args) { k.run(args) }

// block returns the channels of a block of weights.
func (k *DWConvU8S8) block(c int) int {
	if k.narrow > 0 && c < k.NR {
		return k.narrow
	}
	return k.NR
}

// PackedBytes returns the size of packed weights.
func (k *DWConvU8S8) PackedBytes(ks, c int) int {
	if k.order != nil {
		return k.order.bytes(ks, c)
	}
	n := roundUp(c, k.block(c)) * ceil(ks, k.taps(ks)) * k.group
	if k.wide {
		n *= 2
	}
	return n
}

// PackW arranges weights as the kernel reads them; the weight of channel c and
// tap s is w[c*ks+s]. For each block of NR channels and each group of taps,
// channels come in the order in which unpacking bytes within 128-bit lanes leaves them:
// for j in 0 to 3, lane l holds channels 16*l+4*j to 16*l+4*j+3. The generic
// kernel has no lanes and narrow blocks have one: these keep the order. A kernel may have an order of its own.
func (k *DWConvU8S8) PackW(dst, w []int8, ks, c int) {
	if k.order != nil {
		k.order.pack(dst, w, ks, c)
		return
	}
	i := 0
	nr, taps := k.block(c), k.taps(ks)
	for c0 := 0; c0 < c; c0 += nr {
		first := c0
		if k.overlap && c >= nr {
			first = min(c0, c-nr)
		}
		for s0 := 0; s0 < ks; s0 += taps {
			for x := range nr {
				if nr >= 32 { // x counts j, lane, channel
					x = x/4%(nr/16)*16 + x/(nr/4)*4 + x%4
				}
				for s := s0; s < s0+k.group; s++ {
					var v int8
					if first+x < c && s < min(s0+taps, ks) {
						v = w[(first+x)*ks+s]
					}
					dst[i] = v
					i++
					if k.wide {
						dst[i] = v >> 7
						i++
					}
				}
			}
		}
	}
}

// DWConvU8S8For returns the kernel for a CPU of the given tier.
func DWConvU8S8For(tier Tier) *DWConvU8S8 { return pick(dwconvU8S8Table, tier) }

var dwconvU8S8Table = []DWConvU8S8{{
	Info:  Info{Op: "dwconv_u8s8", Tier: Generic, NR: 1},
	run:   dwconvU8S8Generic,
	group: 1,
}}

// dwconvU8S8Generic computes four channels at a time, which share the taps' pointers.
func dwconvU8S8Generic(p *DWConvU8S8Args) {
	w := unsafe.Slice(p.W, p.C*p.KS)
	a := unsafe.Slice(p.A, (p.P-1)*p.AStep+p.KS)
	for i := range p.P {
		taps, c := a[i*p.AStep:][:p.KS], 0
		for ; c+4 <= p.C; c += 4 {
			var sum0, sum1, sum2, sum3 int32
			w0, w1, w2, w3 := w[c*p.KS:][:len(taps)], w[(c+1)*p.KS:][:len(taps)], w[(c+2)*p.KS:][:len(taps)], w[(c+3)*p.KS:][:len(taps)]
			for s, tap := range taps {
				x := (*[4]uint8)(unsafe.Add(tap, c))
				sum0 += int32(x[0]) * int32(w0[s])
				sum1 += int32(x[1]) * int32(w1[s])
				sum2 += int32(x[2]) * int32(w2[s])
				sum3 += int32(x[3]) * int32(w3[s])
			}
			p.finish(i, c, sum0)
			p.finish(i, c+1, sum1)
			p.finish(i, c+2, sum2)
			p.finish(i, c+3, sum3)
		}
		for ; c < p.C; c++ {
			var sum int32
			for s, tap := range taps {
				sum += int32(*(*uint8)(unsafe.Add(tap, c))) * int32(w[c*p.KS+s])
			}
			p.finish(i, c, sum)
		}
	}
}

// finish makes the output of pixel i and channel c from its sum of products.
func (p *DWConvU8S8Args) finish(i, c int, sum int32) {
	t := float32(sum+*at(p.Bias, c)) * *at(p.Mult, c)
	t = min(max(t, float32(p.Lo-p.Zero)), float32(p.Hi-p.Zero))
	*at(p.Out, i*p.OutStride+c) = uint8(int32(math.RoundToEven(float64(t))) + p.Zero)
}
