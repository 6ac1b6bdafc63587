package asm

import "math"

// LayerNormF32Args describes one layer normalization over each row of a matrix of Rows x Cols.
type LayerNormF32Args struct {
	Dst, Src             *float32
	DstStride, SrcStride int      // bytes between rows
	Rows, Cols           int      // at least 1
	Gamma, Beta          *float32 // one per column, each or nil for ones and zeros
	Eps                  float32
}

// LayerNormF32 is a kernel of that operation, torch.nn.functional.layer_norm over the last dimension:
//
//	mean = sum of Src[r][c] / Cols
//	var  = sum of (Src[r][c] - mean)^2 / Cols
//	Dst  = (Src - mean) * (1/sqrt(var + Eps)) * Gamma[c] + Beta[c]
//
// The two sums are taken one after the other, of a row that the first has brought into cache: a single pass
// over sums of squares cancels where the mean is far from 0. The assembly tiers add in
// float32, in an order that the tier and Cols fix, and first subtract the row's first value from each: so the
// error of the mean is relative to the deviations, not to the mean, and a constant row gives Beta. Dst may be Src.
type LayerNormF32 struct {
	Info
	run func(args *LayerNormF32Args)
}

// Run computes the outputs.
func (k *LayerNormF32) Run(args *LayerNormF32Args) { k.run(args) }

// LayerNormF32For returns the kernel for a CPU of the given tier.
func LayerNormF32For(tier Tier) *LayerNormF32 { return pick(layerNormF32Table, tier) }

var layerNormF32Table = []LayerNormF32{{
	Info: Info{Op: "layernorm_f32", Tier: Generic},
	run:  layerNormF32Generic,
}}

func layerNormF32Generic(p *LayerNormF32Args) {
	for r := range p.Rows {
		src := rowF32(p.Src, r*p.SrcStride, p.Cols)
		dst := rowF32(p.Dst, r*p.DstStride, p.Cols)
		mean, variance := 0.0, 0.0
		for _, x := range src {
			mean += float64(x)
		}
		mean /= float64(p.Cols)
		for _, x := range src {
			variance += (float64(x) - mean) * (float64(x) - mean)
		}
		variance /= float64(p.Cols)
		rstd := 1 / math.Sqrt(variance+float64(p.Eps))
		for c, x := range src {
			v := (float64(x) - mean) * rstd
			if p.Gamma != nil {
				v *= float64(rowF32(p.Gamma, 0, p.Cols)[c])
			}
			if p.Beta != nil {
				v += float64(rowF32(p.Beta, 0, p.Cols)[c])
			}
			dst[c] = float32(v)
		}
	}
}
