//go:build !purego

package asm

//go:noescape
func histogramF32AVX2(args *HistogramF32Args)

//go:noescape
func histogramF32AVX512(args *HistogramF32Args)

func init() {
	histogramF32Table = append(histogramF32Table,
		HistogramF32{Info: Info{Op: "histogram_f32", Tier: AVX2}, run: histogramF32AVX2},
		HistogramF32{Info: Info{Op: "histogram_f32", Tier: AVX512}, run: histogramF32AVX512})
}
