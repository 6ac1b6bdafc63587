//go:build !purego

package asm

func init() {
	// The cores of the stronger tiers multiply bytes at twice the rate of what these kernels save.
	row := func(op string, t int) WinogradU8S8 {
		return WinogradU8S8{
			Info: Info{Op: op, Tier: NEON, MR: 6, NR: 16, KR: 1}, T: t, packed: 16, inputChannels: 16,
			order: igemmU8S8NEONOrder, multiply: winogradMultiplyS16NEON,
		}
	}
	two, four := row("winograd2_u8s8", 2), row("winograd4_u8s8", 4)
	two.input, two.weights, two.output = winograd2InputU8NEON, winograd2WeightsS8NEON, winograd2OutputS32NEON
	four.input, four.weights, four.output = winograd4InputU8NEON, winograd4WeightsS8NEON, winograd4OutputS32NEON
	winograd2U8S8Table = append(winograd2U8S8Table, two)
	winograd4U8S8Table = append(winograd4U8S8Table, four)
}

//go:noescape
func winograd2InputU8NEON(args *WinogradInputArgs)

//go:noescape
func winograd4InputU8NEON(args *WinogradInputArgs)

//go:noescape
func winograd2WeightsS8NEON(args *WinogradWeightsArgs)

//go:noescape
func winograd4WeightsS8NEON(args *WinogradWeightsArgs)

//go:noescape
func winogradMultiplyS16NEON(args *WinogradMultiplyArgs)

//go:noescape
func winograd2OutputS32NEON(args *WinogradOutputArgs, output igemmOutput)

//go:noescape
func winograd4OutputS32NEON(args *WinogradOutputArgs, output igemmOutput)
