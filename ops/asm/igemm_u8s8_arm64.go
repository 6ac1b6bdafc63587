//go:build !purego

package asm

import "unsafe"

//go:noescape
func igemmU8S8DotProd(args *IGemmU8S8Args, output igemmOutput)

//go:noescape
func igemmU8S8NEON(args *IGemmU8S8Args, output igemmOutput)

//go:noescape
func igemmU8S8I8MM(args *IGemmU8S8Args, output igemmOutput)

func init() {
	// 384 bytes hold the sums of a tile, what follows its rows.
	scratch := func(rows int) func(ks, kc int) int {
		return func(ks, kc int) int { return roundUp(384+rows*roundUp(ks*kc, 16), 64) }
	}
	igemmU8S8Table = append(igemmU8S8Table, IGemmU8S8{
		Info: Info{Op: "igemm_u8s8", Tier: NEON, MR: 4, NR: 16, KR: 16},
		run:  igemmU8S8NEON, stepCols: 16, scratch: scratch(4),
		order: igemmU8S8NEONOrder,
	}, IGemmU8S8{
		Info: Info{Op: "igemm_u8s8", Tier: DotProd, MR: 6, NR: 16, KR: 4},
		run:  igemmU8S8DotProd, stepCols: 16, scratch: scratch(6),
		order: igemmU8S8Order{head: 64, pack: packWeightSums},
	}, IGemmU8S8{
		Info: Info{Op: "igemm_u8s8", Tier: I8MM, MR: 6, NR: 16, KR: 8},
		run:  igemmU8S8I8MM, stepCols: 16, scratch: scratch(6),
		order: igemmU8S8Order{step: 16, block: 16},
	})
}

// igemmU8S8NEONOrder is the order of panels with KR = 16.
var igemmU8S8NEONOrder = igemmU8S8Order{step: 16, block: 4, head: 80, pack: packSumsAndFlags}

// packWeightSums writes 128 times the sum of each column's weights, as int32: what is missing where 128 was subtracted from the
// other operand.
func packWeightSums(head, columns []int8, depth int) {
	sums := unsafe.Slice((*int32)(unsafe.Pointer(unsafe.SliceData(head))), len(head)/4)
	for j := 0; j*depth < len(columns); j++ {
		var sum int32
		for _, w := range columns[j*depth:][:depth] {
			sum += int32(w)
		}
		sums[j] = sum * 128
	}
}

// packSumsAndFlags writes, behind the sums, an int32 for each block of four columns that is not 0 where weights i and i+8 of
// 16 depths are both -128: the only ones whose products with two bytes can add up to more than 16 bits hold.
func packSumsAndFlags(head, columns []int8, depth int) {
	packWeightSums(head[:64], columns, depth)
	flags := head[64:]
	for j := 0; j*depth < len(columns); j++ {
		column := columns[j*depth:][:depth]
		for d := range max(depth-8, 0) {
			if d%16 < 8 && column[d] == -128 && column[d+8] == -128 {
				flags[j/4*4] = 1
			}
		}
	}
}
