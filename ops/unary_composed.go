package ops

import (
	"sync"

	"github.com/octet-ml/octet/ops/asm"
)

// composedLen is how many values of a row functions that are made of kernels compute at a time.
const composedLen = 512

var composedBuffers = sync.Pool{New: func() any { return new([composedLen]float32) }}

// composedRow returns a function that kernels in assembly and a short loop compute, nil where it is none or the tier has no such kernels: there the
// definition in float64 is as fast, and tables of integers are made of it.
func composedRow(op Unary, tier asm.Tier) func(dst, src []float32) {
	if asm.UnaryF32For(asm.UnaryTanh, tier).Tier == asm.Generic {
		return nil
	}
	a, b := float32(op.Alpha), float32(op.Beta)
	tanh, softplus := asm.UnaryF32For(asm.UnaryTanh, tier), asm.UnaryF32For(asm.UnarySoftplus, tier)
	switch op.Fn {
	case LogSigmoid: // -softplus(-x)
		return composed(-1, []*asm.UnaryF32{softplus}, func(dst, _, t []float32) {
			for i, v := range t {
				dst[i] = -v
			}
		})
	case Softplus:
		return composed(a, []*asm.UnaryF32{softplus}, func(dst, src, t []float32) {
			for i, v := range t {
				if x := src[i]; a*x > b {
					dst[i] = x
				} else {
					dst[i] = v / a
				}
			}
		})
	case Mish:
		return composed(1, []*asm.UnaryF32{softplus, tanh}, func(dst, src, t []float32) {
			for i, v := range t {
				dst[i] = src[i] * v
			}
		})
	case ELU:
		return exponentialUnit(tanh, 1, 1, a)
	case SELU:
		return exponentialUnit(tanh, 1, seluScale, seluScale*seluAlpha)
	case CELU:
		if a > 0 {
			return exponentialUnit(tanh, 1/a, 1, a)
		}
	}
	return nil
}

// composed returns a function of x that loop makes of x and of what the kernels, in turn, make of factor*x.
func composed(factor float32, kernels []*asm.UnaryF32, loop func(dst, src, t []float32)) func(dst, src []float32) {
	return func(dst, src []float32) {
		buffer := composedBuffers.Get().(*[composedLen]float32)
		defer composedBuffers.Put(buffer)
		for len(src) > 0 {
			n := min(len(src), composedLen)
			t := buffer[:n]
			for i, x := range src[:n] {
				t[i] = factor * x
			}
			for _, k := range kernels {
				k.Run(t, t, 0, 0)
			}
			loop(dst[:n], src[:n], t)
			dst, src = dst[n:], src[n:]
		}
	}
}

// exponentialUnit returns the function positive*x above 0 and negative*(e^(factor*x) - 1) elsewhere. With t = tanh(factor*x/2) the difference is 2t/(1-t), which
// loses nothing near 0, and t is not above 0.
func exponentialUnit(tanh *asm.UnaryF32, factor, positive, negative float32) func(dst, src []float32) {
	return composed(factor/2, []*asm.UnaryF32{tanh}, func(dst, src, t []float32) {
		for i, v := range t {
			if x := src[i]; x > 0 {
				dst[i] = positive * x
			} else {
				dst[i] = negative * (2 * v / (1 - v))
			}
		}
	})
}
