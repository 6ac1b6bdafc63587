//go:build !purego

package asm

func init() {
	peakU8S8Table = append(peakU8S8Table,
		PeakU8S8{Info: Info{Op: "peak_u8s8", Tier: NEON}, ops: 2 * 16 * 8, run: peakU8S8NEON},
		PeakU8S8{Info: Info{Op: "peak_u8s8", Tier: DotProd}, ops: 2 * 16 * 16, run: peakU8S8DotProd},
		PeakU8S8{Info: Info{Op: "peak_u8s8", Tier: I8MM}, ops: 2 * 32 * 16, run: peakU8S8I8MM},
	)
}

//go:noescape
func peakU8S8NEON(rounds int) int32

//go:noescape
func peakU8S8DotProd(rounds int) int32

//go:noescape
func peakU8S8I8MM(rounds int) int32
