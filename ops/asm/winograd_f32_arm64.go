//go:build !purego

package asm

func init() {
	winograd2F32Table = append(winograd2F32Table,
		WinogradF32{Info: Info{Op: "winograd2_f32", Tier: NEON}, T: 2, input: winograd2InputNEON, output: winograd2OutputNEON})
	winograd4F32Table = append(winograd4F32Table,
		WinogradF32{Info: Info{Op: "winograd4_f32", Tier: NEON}, T: 4, input: winograd4InputNEON, output: winograd4OutputNEON})
}

//go:noescape
func winograd2InputNEON(args *WinogradF32Args)

//go:noescape
func winograd2OutputNEON(args *WinogradF32Args)

//go:noescape
func winograd4InputNEON(args *WinogradF32Args)

//go:noescape
func winograd4OutputNEON(args *WinogradF32Args)
