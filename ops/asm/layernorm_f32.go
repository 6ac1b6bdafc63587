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
// Sums, differences and what is normalized are float64, Gamma and Beta are applied in float32: no mean is so large, and no two
// values are so far apart, that it spoils a row, and a constant row gives Beta. The two sums are taken one after the other, of a row that the first has
// brought into cache: a single pass over sums of squares cancels where the mean is far from 0. Each sum is 16 sums, that
// of column c in sum c mod 16, whose halves are added until one is left: so all tiers give the same bits. Dst may be Src.
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
		var sums [16]float64
		for c, x := range src {
			sums[c%16] += float64(x)
		}
		mean := sum16(sums) / float64(p.Cols)
		sums = [16]float64{}
		for c, x := range src {
			d := float64(x) - mean
			sums[c%16] += float64(d * d)
		}
		rstd := 1 / math.Sqrt(sum16(sums)/float64(p.Cols)+float64(p.Eps))
		for c, x := range src {
			v := float32((float64(x) - mean) * rstd)
			if p.Gamma != nil {
				v = float32(v * rowF32(p.Gamma, 0, p.Cols)[c])
			}
			if p.Beta != nil {
				v += rowF32(p.Beta, 0, p.Cols)[c]
			}
			dst[c] = v
		}
	}
}

// sum16 adds the upper half to the lower one until one is left.
func sum16(s [16]float64) float64 {
	for n := 8; n > 0; n /= 2 {
		for i := range n {
			s[i] += s[n+i]
		}
	}
	return s[0]
}
