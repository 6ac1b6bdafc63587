package asm

import (
	"math"
	"unsafe"
)

// HistogramTables is over how many tables a kernel spreads its counts: one that
// has just been stored to may not be loaded from at once.
const HistogramTables = 4

// HistogramF32Args describes one call of a histogram kernel.
type HistogramF32Args struct {
	X             *float32 // finite values
	N             int
	Sub, Mul, Div float32
	First, Bins   int32   // Bins is at least 1
	Counts        *uint32 // HistogramTables tables of Stride entries, to which is added
	Stride        int     // at least Bins
}

// HistogramF32 is a kernel that counts in which of Bins bins values lie:
//
//	bin = min(max(floor((x-Sub)*Mul/Div) - First, 0), Bins-1)
//
// Every operation on floats is rounded on its own, and floors beyond the int32
// are undefined but lead to some bin. The count of a bin is the sum of its entries in all
// tables; in which of them a value is counted is not defined.
type HistogramF32 struct {
	Info
	run func(args *HistogramF32Args)
}

// Run counts.
func (k *HistogramF32) Run(args *HistogramF32Args) { k.run(args) }

// HistogramF32For returns the kernel for a CPU of the given tier.
func HistogramF32For(tier Tier) *HistogramF32 { return pick(histogramF32Table, tier) }

var histogramF32Table = []HistogramF32{{
	Info: Info{Op: "histogram_f32", Tier: Generic},
	run:  histogramF32Generic,
}}

func histogramF32Generic(p *HistogramF32Args) {
	counts := unsafe.Slice(p.Counts, HistogramTables*p.Stride)
	for i, x := range unsafe.Slice(p.X, p.N) {
		t := float32(float32(x-p.Sub)*p.Mul) / p.Div
		bin := int32(math.Floor(float64(t))) - p.First
		counts[i%HistogramTables*p.Stride+int(min(max(bin, 0), p.Bins-1))]++
	}
}
