//go:build !purego

package asm

func init() {
	lsqGradF32Table = append(lsqGradF32Table,
		LSQGradF32{Info: Info{Op: "lsq_grad_f32", Tier: AVX2}, run: lsqGradF32AVX2},
		LSQGradF32{Info: Info{Op: "lsq_grad_f32", Tier: AVX512}, run: lsqGradF32AVX512},
	)
}

//go:noescape
func lsqGradF32AVX2(args *LSQGradF32Args)

//go:noescape
func lsqGradF32AVX512(args *LSQGradF32Args)
