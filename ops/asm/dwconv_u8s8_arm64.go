//go:build !purego

package asm

import (
	"slices"
	"unsafe"
)

//go:noescape
func dwconvU8S8NEON(args *DWConvU8S8Args)

//go:noescape
func dwconv3x3U8S8NEON(args *DWConvU8S8Args)

//go:noescape
func dwconvU8S8DotProd(args *DWConvU8S8Args)

//go:noescape
func dwconv3x3U8S8DotProd(args *DWConvU8S8Args)

func init() {
	dwconvU8S8Table = append(dwconvU8S8Table,
		dwconvSigned(NEON, 2, dwconvU8S8NEON, dwconv3x3U8S8NEON),
		dwconvSigned(DotProd, 4, dwconvU8S8DotProd, dwconv3x3U8S8DotProd))
}

// dwconvSigned returns the row of kernels that multiply signed bytes, group taps at a time, 16 channels in a block; fewer channels
// than a block has are left to plain Go.
func dwconvSigned(tier Tier, group int, run, run3x3 func(*DWConvU8S8Args)) DWConvU8S8 {
	const nr = 16
	return DWConvU8S8{
		Info: Info{Op: "dwconv_u8s8", Tier: tier, NR: nr},
		run: func(p *DWConvU8S8Args) {
			switch {
			case p.C < nr:
				dwconvU8S8Generic(p)
			case p.KS == 9:
				run3x3(p)
			default:
				run(p)
			}
		},
		order: &dwconvU8S8Order{
			bytes: func(ks, c int) int {
				if c < nr {
					return ks * c
				}
				return ceil(c, nr) * nr * (4 + len(dwconvSignedTaps(ks, group)))
			},
			pack: func(dst, w []int8, ks, c int) {
				if c < nr {
					copy(dst, w)
					return
				}
				taps := dwconvSignedTaps(ks, group)
				size := nr * (4 + len(taps))
				for c0 := 0; c0 < c; c0 += nr {
					first := min(c0, c-nr) // the last block may overlap the one before
					packDWConvSigned(dst[c0/nr*size:][:size], w[first*ks:][:nr*ks], ks, group, taps)
				}
			},
		},
	}
}

// dwconvSignedTaps returns the taps in the order in which their weights lie, -1 for weights of 0. Those of the columns of a 3 x 3
// window come four at a time, or as pairs: of each column the first two, then the third ones.
func dwconvSignedTaps(ks, group int) []int {
	if ks == 9 && group == 4 {
		return []int{0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1}
	}
	if ks == 9 {
		return []int{0, 1, 3, 4, 6, 7, 2, 5, 8}
	}
	taps := make([]int, 0, ks+group)
	for s := range roundUp(ks, group) {
		if s >= ks {
			s = -1
		}
		taps = append(taps, s)
	}
	return taps
}

// packDWConvSigned packs the weights of a block: for each channel 128 times their sum, as int32, then for each group of taps the
// channels, whose weights lie side by side.
func packDWConvSigned(dst, w []int8, ks, group int, taps []int) {
	channels := len(w) / ks
	sums := unsafe.Slice((*int32)(unsafe.Pointer(unsafe.SliceData(dst))), channels)
	clear(sums)
	dst = dst[4*channels:]
	for part := range slices.Chunk(taps, group) {
		for c := range channels {
			for i, s := range part {
				v := int8(0)
				if s >= 0 {
					v = w[c*ks+s]
				}
				dst[c*len(part)+i] = v
				sums[c] += 128 * int32(v)
			}
		}
		dst = dst[len(part)*channels:]
	}
}
