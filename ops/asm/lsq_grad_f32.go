package asm

import "unsafe"

// LSQGradF32Args describes the backward pass of a learnable fake-quantize, and of an activation
// in front of it, over N values that share parameters.
type LSQGradF32Args struct {
	N     int      // at least 1
	X     *float32 // the input of the activation
	DY    *float32 // the gradient of the quantized output
	DX    *float32 // the gradient of X; may be DY
	Scale float32  // not 0
	Zero  float32  // zero point, whole
	// Lo and Hi bound the integers; ActLo and ActHi are the activation's, -Inf and +Inf without one.
	Lo, Hi, ActLo, ActHi float32

	inverse, below, above float32
	scale, zero           [8]float64 // sums, by lane
}

// LSQGradF32 is a kernel of that: with
//
//	x = min(max(X, ActLo), ActHi)    n = roundToEven(x/Scale) + Zero
//
// where the quotient is the product with float32(1/Scale),
//
//	Lo <= n <= Hi:  DX = DY, 0 unless ActLo < X < ActHi   dScale += DY * (n - Zero - x/Scale)
//	n < Lo:         DX = 0                                dScale += DY * (Lo - Zero)            dZero -= DY * Scale
//	n > Hi:         DX = 0                                dScale += DY * (Hi - Zero)            dZero -= DY * Scale
//
// The difference in the first line is n*Scale - x rounded once, over Scale. Sums are float64, in an order that
// depends on the tier. A NaN in X has DX 0 and adds nothing.
type LSQGradF32 struct {
	Info
	run func(args *LSQGradF32Args)
}

// Run writes DX and returns the sums.
func (k *LSQGradF32) Run(args *LSQGradF32Args) (dScale, dZero float64) {
	args.inverse = 1 / args.Scale
	args.below, args.above = (args.Lo-args.Zero)*args.Scale, (args.Hi-args.Zero)*args.Scale
	args.scale, args.zero = [8]float64{}, [8]float64{}
	k.run(args)
	for i := range args.scale {
		dScale += args.scale[i]
		dZero += args.zero[i]
	}
	return dScale / float64(args.Scale), -dZero * float64(args.Scale)
}

// LSQGradF32For returns the kernel for a CPU of the given tier.
func LSQGradF32For(tier Tier) *LSQGradF32 { return pick(lsqGradF32Table, tier) }

var lsqGradF32Table = []LSQGradF32{{
	Info: Info{Op: "lsq_grad_f32", Tier: Generic},
	run:  lsqGradF32Generic,
}}

func lsqGradF32Generic(p *LSQGradF32Args) {
	xs, dys, dxs := unsafe.Slice(p.X, p.N), unsafe.Slice(p.DY, p.N), unsafe.Slice(p.DX, p.N)
	for i, v := range xs {
		dy, dx := dys[i], float32(0)
		x := clampF32(v, p.ActLo, p.ActHi)
		k := roundF32(float32(x * p.inverse))
		n := k + p.Zero
		lost := float32(float64(float64(k)*float64(p.Scale)) - float64(x))
		switch {
		case n >= p.Lo && n <= p.Hi:
			if p.ActLo < v && v < p.ActHi {
				dx = dy
			}
		case n < p.Lo:
			lost = p.below
			p.zero[0] += float64(dy)
		case n > p.Hi:
			lost = p.above
			p.zero[0] += float64(dy)
		default:
			lost = 0
		}
		p.scale[0] += float64(float32(dy * lost))
		dxs[i] = dx
	}
}
