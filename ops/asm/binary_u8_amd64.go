//go:build !purego

package asm

//go:noescape
func addU8AVX2(args *BinaryU8Args)

//go:noescape
func mulU8AVX2(args *BinaryU8Args)

//go:noescape
func minU8AVX2(args *BinaryU8Args)

//go:noescape
func maxU8AVX2(args *BinaryU8Args)

//go:noescape
func addU8AVX512(args *BinaryU8Args)

//go:noescape
func mulU8AVX512(args *BinaryU8Args)

//go:noescape
func minU8AVX512(args *BinaryU8Args)

//go:noescape
func maxU8AVX512(args *BinaryU8Args)

func init() {
	addU8Table = append(addU8Table,
		BinaryU8{Info: Info{Op: "add_u8", Tier: AVX2}, run: addU8AVX2},
		BinaryU8{Info: Info{Op: "add_u8", Tier: AVX512}, run: addU8AVX512})
	mulU8Table = append(mulU8Table,
		BinaryU8{Info: Info{Op: "mul_u8", Tier: AVX2}, run: mulU8AVX2},
		BinaryU8{Info: Info{Op: "mul_u8", Tier: AVX512}, run: mulU8AVX512})
	minU8Table = append(minU8Table,
		BinaryU8{Info: Info{Op: "min_u8", Tier: AVX2}, run: minU8AVX2},
		BinaryU8{Info: Info{Op: "min_u8", Tier: AVX512}, run: minU8AVX512})
	maxU8Table = append(maxU8Table,
		BinaryU8{Info: Info{Op: "max_u8", Tier: AVX2}, run: maxU8AVX2},
		BinaryU8{Info: Info{Op: "max_u8", Tier: AVX512}, run: maxU8AVX512})
}
