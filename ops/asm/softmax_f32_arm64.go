//go:build !purego

package asm

func init() {
	softmaxF32Table = append(softmaxF32Table, SoftmaxF32{Info: Info{Op: "softmax_f32", Tier: NEON}, run: softmaxF32NEON})
}

//go:noescape
func softmaxF32NEON(args *SoftmaxF32Args)
