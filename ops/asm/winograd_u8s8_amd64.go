//go:build !purego

package asm

func init() {
	winograd2U8S8Table = append(winograd2U8S8Table, WinogradU8S8{
		Info: Info{Op: "winograd2_u8s8", Tier: AVX2, MR: 6, NR: 16, KR: 2}, T: 2, packed: 2, inputChannels: 16,
		input: winograd2InputU8AVX2, weights: winograd2WeightsS8AVX2, multiply: winogradMultiplyS16AVX2, output: winograd2OutputS32AVX2,
	})
	winograd4U8S8Table = append(winograd4U8S8Table, WinogradU8S8{
		Info: Info{Op: "winograd4_u8s8", Tier: AVX2, MR: 6, NR: 16, KR: 2}, T: 4, packed: 2, inputChannels: 16,
		input: winograd4InputU8AVX2, weights: winograd4WeightsS8AVX2, multiply: winogradMultiplyS16AVX2, output: winograd4OutputS32AVX2,
	})
}

//go:noescape
func winograd2InputU8AVX2(args *WinogradInputArgs)

//go:noescape
func winograd4InputU8AVX2(args *WinogradInputArgs)

//go:noescape
func winograd2WeightsS8AVX2(args *WinogradWeightsArgs)

//go:noescape
func winograd4WeightsS8AVX2(args *WinogradWeightsArgs)

//go:noescape
func winogradMultiplyS16AVX2(args *WinogradMultiplyArgs)

//go:noescape
func winograd2OutputS32AVX2(args *WinogradOutputArgs, output igemmOutput)

//go:noescape
func winograd4OutputS32AVX2(args *WinogradOutputArgs, output igemmOutput)
