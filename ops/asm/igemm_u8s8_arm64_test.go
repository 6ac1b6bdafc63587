//go:build !purego

package asm

import "testing"

// TestPackedFlags checks which blocks of four columns are marked for the loop that adds every product on its own, for each pair of
// depths whose products meet in 16 bits.
func TestPackedFlags(t *testing.T) {
	const depth, columns = 36, 11
	for column := range columns {
		for d := range depth {
			for e := range depth {
				w := make([]int8, columns*depth)
				w[column*depth+d], w[column*depth+e] = -128, -128
				head := make([]int8, 80)
				packSumsAndFlags(head, w, depth)
				for block := range 4 {
					meet := d/16 == e/16 && (d-e == 8 || e-d == 8)
					if got, want := head[64+4*block] != 0, meet && block == column/4; got != want {
						t.Fatalf("weights %d and %d of column %d: block %d marked %v, want %v", d, e, column, block, got, want)
					}
				}
			}
		}
	}
}
