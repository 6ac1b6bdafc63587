//go:build !purego

package asm

//go:noescape
func addU8NEON(args *BinaryU8Args)

//go:noescape
func mulU8NEON(args *BinaryU8Args)

//go:noescape
func minU8NEON(args *BinaryU8Args)

//go:noescape
func maxU8NEON(args *BinaryU8Args)

func init() {
	addU8Table = append(addU8Table, BinaryU8{Info: Info{Op: "add_u8", Tier: NEON}, run: addU8NEON})
	mulU8Table = append(mulU8Table, BinaryU8{Info: Info{Op: "mul_u8", Tier: NEON}, run: mulU8NEON})
	minU8Table = append(minU8Table, BinaryU8{Info: Info{Op: "min_u8", Tier: NEON}, run: minU8NEON})
	maxU8Table = append(maxU8Table, BinaryU8{Info: Info{Op: "max_u8", Tier: NEON}, run: maxU8NEON})
}
