//go:build !purego

package asm

func init() {
	poolF32Table = append(poolF32Table,
		PoolF32{Info: Info{Op: "pool_f32", Tier: AVX2}, max: maxPoolF32AVX2, average: averagePoolF32AVX2, weighted: weightedPoolF32AVX2},
		PoolF32{Info: Info{Op: "pool_f32", Tier: AVX512}, max: maxPoolF32AVX512, average: averagePoolF32AVX512, weighted: weightedPoolF32AVX512},
	)
}

//go:noescape
func maxPoolF32AVX2(args *PoolF32Args)

//go:noescape
func averagePoolF32AVX2(args *PoolF32Args)

//go:noescape
func maxPoolF32AVX512(args *PoolF32Args)

//go:noescape
func averagePoolF32AVX512(args *PoolF32Args)

//go:noescape
func weightedPoolF32AVX2(args *PoolF32Args)

//go:noescape
func weightedPoolF32AVX512(args *PoolF32Args)
