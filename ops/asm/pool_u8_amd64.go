//go:build !purego

package asm

//go:noescape
func maxpoolU8AVX2(args *MaxPoolU8Args)

//go:noescape
func avgpoolU8AVX2(args *AvgPoolU8Args)

//go:noescape
func maxpoolU8AVX512(args *MaxPoolU8Args)

//go:noescape
func avgpoolU8AVX512(args *AvgPoolU8Args)

func init() {
	maxpoolU8Table = append(maxpoolU8Table,
		MaxPoolU8{Info: Info{Op: "maxpool_u8", Tier: AVX2}, run: maxpoolU8AVX2},
		MaxPoolU8{Info: Info{Op: "maxpool_u8", Tier: AVX512}, run: maxpoolU8AVX512})
	avgpoolU8Table = append(avgpoolU8Table,
		AvgPoolU8{Info: Info{Op: "avgpool_u8", Tier: AVX2}, run: avgpoolU8AVX2},
		AvgPoolU8{Info: Info{Op: "avgpool_u8", Tier: AVX512}, run: avgpoolU8AVX512})
}
