//go:build !purego

package asm

func init() {
	peakF32Table = append(peakF32Table,
		PeakF32{Info: Info{Op: "peak_f32", Tier: AVX2}, ops: 2 * 8 * 12, run: peakF32AVX2},
		PeakF32{Info: Info{Op: "peak_f32", Tier: AVX512}, ops: 2 * 16 * 12, run: peakF32AVX512},
	)
}

//go:noescape
func peakF32AVX2(rounds int) float32

//go:noescape
func peakF32AVX512(rounds int) float32
