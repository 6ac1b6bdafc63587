package asm

// PeakU8S8 measures a limit of the machine: it does nothing but the exact
// multiply-accumulates of bytes that the kernels of its tier use, in registers, as
// many at once as a core can hold in flight.
type PeakU8S8 struct {
	Info
	ops int // operations per round, a multiply-accumulate being two
	run func(rounds int) int32
}

// Run runs the given number of rounds and returns the operations they held, a
// multiply-accumulate being two.
func (k *PeakU8S8) Run(rounds int) int {
	k.run(rounds)
	return rounds * k.ops
}

// PeakU8S8For returns the measurement for a CPU of the given tier.
func PeakU8S8For(tier Tier) *PeakU8S8 { return pick(peakU8S8Table, tier) }

var peakU8S8Table = []PeakU8S8{{
	Info: Info{Op: "peak_u8s8", Tier: Generic},
	ops:  16,
	run:  peakU8S8Generic,
}}

func peakU8S8Generic(rounds int) int32 {
	var a, b, c, d, e, f, g, h int32
	const x, y = 113, 1
	for range rounds {
		a = a*x + y
		b = b*x + y
		c = c*x + y
		d = d*x + y
		e = e*x + y
		f = f*x + y
		g = g*x + y
		h = h*x + y
	}
	return a + b + c + d + e + f + g + h
}
