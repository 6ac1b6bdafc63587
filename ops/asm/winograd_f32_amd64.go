//go:build !purego

package asm

func init() {
	winograd2F32Table = append(winograd2F32Table,
		WinogradF32{Info: Info{Op: "winograd2_f32", Tier: AVX2}, T: 2, input: winograd2InputAVX2, output: winograd2OutputAVX2},
		WinogradF32{Info: Info{Op: "winograd2_f32", Tier: AVX512}, T: 2, input: winograd2InputAVX512, output: winograd2OutputAVX512},
	)
	winograd4F32Table = append(winograd4F32Table,
		WinogradF32{Info: Info{Op: "winograd4_f32", Tier: AVX2}, T: 4, input: winograd4InputAVX2, output: winograd4OutputAVX2},
		WinogradF32{Info: Info{Op: "winograd4_f32", Tier: AVX512}, T: 4, input: winograd4InputAVX512, output: winograd4OutputAVX512},
	)
}

//go:noescape
func winograd2InputAVX2(args *WinogradF32Args)

//go:noescape
func winograd2OutputAVX2(args *WinogradF32Args)

//go:noescape
func winograd4InputAVX2(args *WinogradF32Args)

//go:noescape
func winograd4OutputAVX2(args *WinogradF32Args)

//go:noescape
func winograd2InputAVX512(args *WinogradF32Args)

//go:noescape
func winograd2OutputAVX512(args *WinogradF32Args)

//go:noescape
func winograd4InputAVX512(args *WinogradF32Args)

//go:noescape
func winograd4OutputAVX512(args *WinogradF32Args)
