//go:build !purego

package asm

func init() {
	neon := [numUnary]func(dst, src *float32, n int, p, q float32){
		UnaryClamp:       clampF32NEON,
		UnaryLeakyReLU:   leakyReLUF32NEON,
		UnaryHardSwish:   hardSwishF32NEON,
		UnaryHardSigmoid: hardSigmoidF32NEON,
		UnaryExp:         expF32NEON,
		UnaryLog:         logF32NEON,
		UnarySigmoid:     sigmoidF32NEON,
		UnarySiLU:        siluF32NEON,
		UnaryTanh:        tanhF32NEON,
		UnaryErf:         erfF32NEON,
		UnaryGELU:        geluF32NEON,
		UnaryGELUTanh:    geluTanhF32NEON,
		UnarySoftplus:    softplusF32NEON,
	}
	for op := range numUnary {
		unaryF32Tables[op] = append(unaryF32Tables[op], UnaryF32{Info: Info{Op: op.String(), Tier: NEON}, run: neon[op]})
	}
}

//go:noescape
func clampF32NEON(dst, src *float32, n int, p, q float32)

//go:noescape
func leakyReLUF32NEON(dst, src *float32, n int, p, q float32)

//go:noescape
func hardSwishF32NEON(dst, src *float32, n int, p, q float32)

//go:noescape
func hardSigmoidF32NEON(dst, src *float32, n int, p, q float32)

//go:noescape
func expF32NEON(dst, src *float32, n int, p, q float32)

//go:noescape
func logF32NEON(dst, src *float32, n int, p, q float32)

//go:noescape
func sigmoidF32NEON(dst, src *float32, n int, p, q float32)

//go:noescape
func siluF32NEON(dst, src *float32, n int, p, q float32)

//go:noescape
func tanhF32NEON(dst, src *float32, n int, p, q float32)

//go:noescape
func erfF32NEON(dst, src *float32, n int, p, q float32)

//go:noescape
func geluF32NEON(dst, src *float32, n int, p, q float32)

//go:noescape
func geluTanhF32NEON(dst, src *float32, n int, p, q float32)

//go:noescape
func softplusF32NEON(dst, src *float32, n int, p, q float32)
