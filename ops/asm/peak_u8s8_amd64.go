//go:build !purego

package asm

func init() {
	peakU8S8Table = append(peakU8S8Table,
		PeakU8S8{Info: Info{Op: "peak_u8s8", Tier: AVX2}, ops: 2 * 16 * 12, run: peakU8S8AVX2},
		PeakU8S8{Info: Info{Op: "peak_u8s8", Tier: AVXVNNI}, ops: 2 * 32 * 12, run: peakU8S8AVXVNNI},
		PeakU8S8{Info: Info{Op: "peak_u8s8", Tier: AVX512}, ops: 2 * 32 * 12, run: peakU8S8AVX512},
		PeakU8S8{Info: Info{Op: "peak_u8s8", Tier: AVX512VNNI}, ops: 2 * 64 * 12, run: peakU8S8AVX512VNNI},
	)
}

//go:noescape
func peakU8S8AVX2(rounds int) int32

//go:noescape
func peakU8S8AVXVNNI(rounds int) int32

//go:noescape
func peakU8S8AVX512(rounds int) int32

//go:noescape
func peakU8S8AVX512VNNI(rounds int) int32
