//go:build !purego

package asm

func init() {
	lsqGradF32Table = append(lsqGradF32Table, LSQGradF32{Info: Info{Op: "lsq_grad_f32", Tier: NEON}, run: lsqGradF32NEON})
}

//go:noescape
func lsqGradF32NEON(args *LSQGradF32Args)
