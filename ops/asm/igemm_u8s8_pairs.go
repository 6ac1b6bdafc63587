package asm

// IGemmU8S8PairsFor returns the kernel of the same operation, rows and panels as g that adds products of two neighbouring
// depths in int16, for weights and rows of which PairsFit holds; nil where there is none, or none that is quicker than g. Panels take
// the same bytes, so those of both kinds can lie side by side.
func IGemmU8S8PairsFor(g *IGemmU8S8) *IGemmU8S8 {
	for i := range igemmU8S8PairsTable {
		if k := &igemmU8S8PairsTable[i]; k.Tier == g.Tier && k.Tier != Generic {
			return k
		}
	}
	return nil
}

// The plain Go row adds in int32, as that of IGemmU8S8.
var igemmU8S8PairsTable = []IGemmU8S8{{
	Info: Info{Op: "igemm_u8s8_pairs", Tier: Generic, MR: igemmU8S8GenericMR, NR: igemmU8S8GenericNR, KR: 4},
	run:  igemmU8S8Generic, stepCols: igemmU8S8GenericNR, gaps: true,
}}

// PairsFit reports whether x0*w[d] + x1*w[d+1] fits an int16 for every even depth d and all values from 0 to most: the largest
// sum is that of the positive weights of a pair, the smallest that of its negative ones. len(w) is even.
func PairsFit(w []int8, most int) bool {
	for ; len(w) >= 2; w = w[2:] {
		a, b := int(w[0]), int(w[1])
		if (max(a, 0)+max(b, 0))*most > 1<<15-1 || (min(a, 0)+min(b, 0))*most < -1<<15 {
			return false
		}
	}
	return true
}
