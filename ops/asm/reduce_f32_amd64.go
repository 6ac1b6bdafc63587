//go:build !purego

package asm

func init() {
	reduceF32Table = append(reduceF32Table,
		ReduceF32{Info: Info{Op: "reduce_f32", Tier: AVX2}, rowSum: rowSumF32AVX2, colSum: colSumF32AVX2},
		ReduceF32{Info: Info{Op: "reduce_f32", Tier: AVX512}, rowSum: rowSumF32AVX512, colSum: colSumF32AVX512},
	)
}

//go:noescape
func rowSumF32AVX2(args *ReduceF32Args)

//go:noescape
func colSumF32AVX2(args *ReduceF32Args)

//go:noescape
func rowSumF32AVX512(args *ReduceF32Args)

//go:noescape
func colSumF32AVX512(args *ReduceF32Args)
