//go:build !purego

package asm

func init() {
	reduceF32Table = append(reduceF32Table,
		ReduceF32{Info: Info{Op: "reduce_f32", Tier: NEON}, rowSum: rowSumF32NEON, colSum: colSumF32NEON})
}

//go:noescape
func rowSumF32NEON(args *ReduceF32Args)

//go:noescape
func colSumF32NEON(args *ReduceF32Args)
