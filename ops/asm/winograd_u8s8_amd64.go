//go:build !purego

package asm

func init() {
	// The transformations of a tile size: those of weights that are packed by two depths and by four.
	type forms struct {
		input                   func(args *WinogradInputArgs)
		weights, weightsOfQuads func(args *WinogradWeightsArgs)
		output                  func(args *WinogradOutputArgs, output igemmOutput)
	}
	avx2 := [3]forms{
		{winograd2InputU8AVX2, winograd2WeightsS8AVX2, winograd2WeightsQuadsAVX2, winograd2OutputS32AVX2},
		{winograd4InputU8AVX2, winograd4WeightsS8AVX2, winograd4WeightsQuadsAVX2, winograd4OutputS32AVX2},
		{winograd1DInputU8AVX2, winograd1DWeightsS8AVX2, winograd1DWeightsQuadsAVX2, winograd1DOutputS32AVX2},
	}
	avx512 := [3]forms{
		{winograd2InputU8AVX512, winograd2WeightsS8AVX512, winograd2WeightsQuadsAVX512, winograd2OutputS32AVX512},
		{winograd4InputU8AVX512, winograd4WeightsS8AVX512, winograd4WeightsQuadsAVX512, winograd4OutputS32AVX512},
		{winograd1DInputU8AVX512, winograd1DWeightsS8AVX512, winograd1DWeightsQuadsAVX512, winograd1DOutputS32AVX512},
	}
	for _, row := range []struct {
		tier             Tier
		mr, kr, channels int
		forms            [3]forms
		multiply         func(args *WinogradMultiplyArgs)
	}{
		{AVX2, 6, 2, 16, avx2, winogradMultiplyS16AVX2},
		{AVXVNNI, 6, 4, 16, avx2, winogradMultiplyS16AVXVNNI},
		{AVX512, 12, 2, 32, avx512, winogradMultiplyS16AVX512},
		{AVX512VNNI, 12, 4, 32, avx512, winogradMultiplyS16AVX512VNNI},
	} {
		for i, table := range []*[]WinogradU8S8{&winograd2U8S8Table, &winograd4U8S8Table, &winograd1DU8S8Table} {
			f, plain := row.forms[i], (*table)[0]
			weights := f.weights
			if row.kr == 4 {
				weights = f.weightsOfQuads
			}
			*table = append(*table, WinogradU8S8{
				Info: Info{Op: plain.Op, Tier: row.tier, MR: row.mr, NR: 16, KR: 2}, T: plain.T, line: plain.line, packed: row.kr,
				inputChannels: row.channels, input: f.input, weights: weights, multiply: row.multiply, output: f.output,
			})
		}
	}
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
func winograd2WeightsQuadsAVX2(args *WinogradWeightsArgs)

//go:noescape
func winograd4WeightsQuadsAVX2(args *WinogradWeightsArgs)

//go:noescape
func winogradMultiplyS16AVX2(args *WinogradMultiplyArgs)

//go:noescape
func winogradMultiplyS16AVXVNNI(args *WinogradMultiplyArgs)

//go:noescape
func winogradMultiplyS16AVX512(args *WinogradMultiplyArgs)

//go:noescape
func winogradMultiplyS16AVX512VNNI(args *WinogradMultiplyArgs)

//go:noescape
func winograd2OutputS32AVX2(args *WinogradOutputArgs, output igemmOutput)

//go:noescape
func winograd4OutputS32AVX2(args *WinogradOutputArgs, output igemmOutput)

//go:noescape
func winograd2InputU8AVX512(args *WinogradInputArgs)

//go:noescape
func winograd4InputU8AVX512(args *WinogradInputArgs)

//go:noescape
func winograd2WeightsS8AVX512(args *WinogradWeightsArgs)

//go:noescape
func winograd4WeightsS8AVX512(args *WinogradWeightsArgs)

//go:noescape
func winograd2WeightsQuadsAVX512(args *WinogradWeightsArgs)

//go:noescape
func winograd4WeightsQuadsAVX512(args *WinogradWeightsArgs)

//go:noescape
func winograd2OutputS32AVX512(args *WinogradOutputArgs, output igemmOutput)

//go:noescape
func winograd4OutputS32AVX512(args *WinogradOutputArgs, output igemmOutput)

//go:noescape
func winograd1DInputU8AVX2(args *WinogradInputArgs)

//go:noescape
func winograd1DWeightsS8AVX2(args *WinogradWeightsArgs)

//go:noescape
func winograd1DWeightsQuadsAVX2(args *WinogradWeightsArgs)

//go:noescape
func winograd1DOutputS32AVX2(args *WinogradOutputArgs, output igemmOutput)

//go:noescape
func winograd1DInputU8AVX512(args *WinogradInputArgs)

//go:noescape
func winograd1DWeightsS8AVX512(args *WinogradWeightsArgs)

//go:noescape
func winograd1DWeightsQuadsAVX512(args *WinogradWeightsArgs)

//go:noescape
func winograd1DOutputS32AVX512(args *WinogradOutputArgs, output igemmOutput)
