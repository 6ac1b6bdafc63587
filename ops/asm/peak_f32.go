package asm

// PeakF32 measures a limit of the machine: it does nothing but float32
// multiply-adds in registers, as many at once as a core of its tier can hold in flight.
type PeakF32 struct {
	Info
	ops int // floating-point operations per round, a multiply-add being two
	run func(rounds int) float32
}

// Run runs the given number of rounds and returns the floating-point
// operations they held, a multiply-add being two.
func (k *PeakF32) Run(rounds int) int {
	k.run(rounds)
	return rounds * k.ops
}

// PeakF32For returns the measurement for a CPU of the given tier.
func PeakF32For(tier Tier) *PeakF32 { return pick(peakF32Table, tier) }

var peakF32Table = []PeakF32{{
	Info: Info{Op: "peak_f32", Tier: Generic},
	ops:  16,
	run:  peakF32Generic,
}}

func peakF32Generic(rounds int) float32 {
	var a, b, c, d, e, f, g, h float32
	const x, y = 0.5, 1
	for range rounds {
		a = float32(a*x) + y
		b = float32(b*x) + y
		c = float32(c*x) + y
		d = float32(d*x) + y
		e = float32(e*x) + y
		f = float32(f*x) + y
		g = float32(g*x) + y
		h = float32(h*x) + y
	}
	return a + b + c + d + e + f + g + h
}
