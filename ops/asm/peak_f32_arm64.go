//go:build !purego

package asm

func init() {
	peakF32Table = append(peakF32Table, PeakF32{Info: Info{Op: "peak_f32", Tier: NEON}, ops: 2 * 4 * 24, run: peakF32NEON})
}

//go:noescape
func peakF32NEON(rounds int) float32
