//go:build !purego

package asm

func init() {
	avx2 := [numUnary]func(dst, src *float32, n int, p, q float32){
		UnaryClamp:       clampF32AVX2,
		UnaryLeakyReLU:   leakyReLUF32AVX2,
		UnaryHardSwish:   hardSwishF32AVX2,
		UnaryHardSigmoid: hardSigmoidF32AVX2,
		UnaryExp:         expF32AVX2,
		UnaryLog:         logF32AVX2,
		UnarySigmoid:     sigmoidF32AVX2,
		UnarySiLU:        siluF32AVX2,
		UnaryTanh:        tanhF32AVX2,
		UnaryErf:         erfF32AVX2,
		UnaryGELU:        geluF32AVX2,
		UnaryGELUTanh:    geluTanhF32AVX2,
		UnarySoftplus:    softplusF32AVX2,
	}
	avx512 := [numUnary]func(dst, src *float32, n int, p, q float32){
		UnaryClamp:       clampF32AVX512,
		UnaryLeakyReLU:   leakyReLUF32AVX512,
		UnaryHardSwish:   hardSwishF32AVX512,
		UnaryHardSigmoid: hardSigmoidF32AVX512,
		UnaryExp:         expF32AVX512,
		UnaryLog:         logF32AVX512,
		UnarySigmoid:     sigmoidF32AVX512,
		UnarySiLU:        siluF32AVX512,
		UnaryTanh:        tanhF32AVX512,
		UnaryErf:         erfF32AVX512,
		UnaryGELU:        geluF32AVX512,
		UnaryGELUTanh:    geluTanhF32AVX512,
		UnarySoftplus:    softplusF32AVX512,
	}
	for op := range numUnary {
		unaryF32Tables[op] = append(unaryF32Tables[op],
			UnaryF32{Info: Info{Op: op.String(), Tier: AVX2}, run: avx2[op]},
			UnaryF32{Info: Info{Op: op.String(), Tier: AVX512}, run: avx512[op]},
		)
	}
}

//go:noescape
func clampF32AVX2(dst, src *float32, n int, p, q float32)

//go:noescape
func leakyReLUF32AVX2(dst, src *float32, n int, p, q float32)

//go:noescape
func hardSwishF32AVX2(dst, src *float32, n int, p, q float32)

//go:noescape
func hardSigmoidF32AVX2(dst, src *float32, n int, p, q float32)

//go:noescape
func expF32AVX2(dst, src *float32, n int, p, q float32)

//go:noescape
func logF32AVX2(dst, src *float32, n int, p, q float32)

//go:noescape
func sigmoidF32AVX2(dst, src *float32, n int, p, q float32)

//go:noescape
func siluF32AVX2(dst, src *float32, n int, p, q float32)

//go:noescape
func tanhF32AVX2(dst, src *float32, n int, p, q float32)

//go:noescape
func erfF32AVX2(dst, src *float32, n int, p, q float32)

//go:noescape
func geluF32AVX2(dst, src *float32, n int, p, q float32)

//go:noescape
func geluTanhF32AVX2(dst, src *float32, n int, p, q float32)

//go:noescape
func softplusF32AVX2(dst, src *float32, n int, p, q float32)

//go:noescape
func clampF32AVX512(dst, src *float32, n int, p, q float32)

//go:noescape
func leakyReLUF32AVX512(dst, src *float32, n int, p, q float32)

//go:noescape
func hardSwishF32AVX512(dst, src *float32, n int, p, q float32)

//go:noescape
func hardSigmoidF32AVX512(dst, src *float32, n int, p, q float32)

//go:noescape
func expF32AVX512(dst, src *float32, n int, p, q float32)

//go:noescape
func logF32AVX512(dst, src *float32, n int, p, q float32)

//go:noescape
func sigmoidF32AVX512(dst, src *float32, n int, p, q float32)

//go:noescape
func siluF32AVX512(dst, src *float32, n int, p, q float32)

//go:noescape
func tanhF32AVX512(dst, src *float32, n int, p, q float32)

//go:noescape
func erfF32AVX512(dst, src *float32, n int, p, q float32)

//go:noescape
func geluF32AVX512(dst, src *float32, n int, p, q float32)

//go:noescape
func geluTanhF32AVX512(dst, src *float32, n int, p, q float32)

//go:noescape
func softplusF32AVX512(dst, src *float32, n int, p, q float32)
