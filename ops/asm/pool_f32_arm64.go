//go:build !purego

package asm

func init() {
	poolF32Table = append(poolF32Table,
		PoolF32{Info: Info{Op: "pool_f32", Tier: NEON}, max: maxPoolF32NEON, average: averagePoolF32NEON, weighted: weightedPoolF32NEON})
}

//go:noescape
func maxPoolF32NEON(args *PoolF32Args)

//go:noescape
func averagePoolF32NEON(args *PoolF32Args)

//go:noescape
func weightedPoolF32NEON(args *PoolF32Args)
