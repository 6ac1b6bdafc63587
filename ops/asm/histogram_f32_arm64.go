//go:build !purego

package asm

func init() {
	histogramF32Table = append(histogramF32Table, HistogramF32{Info: Info{Op: "histogram_f32", Tier: NEON}, run: histogramF32NEON})
}

//go:noescape
func histogramF32NEON(args *HistogramF32Args)
