//go:build !purego

package asm

func init() {
	softmaxF32Table = append(softmaxF32Table,
		SoftmaxF32{Info: Info{Op: "softmax_f32", Tier: AVX2}, run: softmaxF32AVX2},
		SoftmaxF32{Info: Info{Op: "softmax_f32", Tier: AVX512}, run: softmaxF32AVX512},
	)
}

//go:noescape
func softmaxF32AVX2(args *SoftmaxF32Args)

//go:noescape
func softmaxF32AVX512(args *SoftmaxF32Args)
