//go:build !purego

package asm

func init() {
	layerNormF32Table = append(layerNormF32Table, LayerNormF32{Info: Info{Op: "layernorm_f32", Tier: NEON}, run: layerNormF32NEON})
}

//go:noescape
func layerNormF32NEON(args *LayerNormF32Args)
