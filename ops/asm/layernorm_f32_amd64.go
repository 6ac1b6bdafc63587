//go:build !purego

package asm

func init() {
	layerNormF32Table = append(layerNormF32Table,
		LayerNormF32{Info: Info{Op: "layernorm_f32", Tier: AVX2}, run: layerNormF32AVX2},
		LayerNormF32{Info: Info{Op: "layernorm_f32", Tier: AVX512}, run: layerNormF32AVX512},
	)
}

//go:noescape
func layerNormF32AVX2(args *LayerNormF32Args)

//go:noescape
func layerNormF32AVX512(args *LayerNormF32Args)
