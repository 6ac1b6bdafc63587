package asm

import "unsafe"

// TransposeU8Args describes the transpose of a matrix of M x N bytes: of C x HW planes
// into HW x C pixels or back.
type TransposeU8Args struct {
	M, N int // rows and columns of the source, each at least 1

	Src       *uint8
	SrcStride int // bytes between rows
	Dst       *uint8
	DstStride int // bytes between rows of the result

	Pad  int   // bytes written per row of the result, of which those from M on are Fill; M or more
	Fill uint8 // what channels that do not exist hold
}

// TransposeU8 is a kernel of
//
//	Dst[j][i] = Src[i][j]  for i < M
//	Dst[j][i] = Fill       for M <= i < Pad
//
// Nothing outside the M x N and N x Pad bytes is read or written. Dst must
// not overlap Src.
type TransposeU8 struct {
	Info
	run func(args *TransposeU8Args)
}

// Run writes the result.
func (k *TransposeU8) Run(args *TransposeU8Args) { k.run(args) }

// TransposeU8For returns the kernel for a CPU of the given tier.
func TransposeU8For(tier Tier) *TransposeU8 { return pick(transposeU8Table, tier) }

var transposeU8Table = []TransposeU8{{
	Info: Info{Op: "transpose_u8", Tier: Generic},
	run:  transposeU8Generic,
}}

func transposeU8Generic(p *TransposeU8Args) {
	for i := range p.M {
		src := unsafe.Slice((*uint8)(unsafe.Add(unsafe.Pointer(p.Src), i*p.SrcStride)), p.N)
		dst := unsafe.Add(unsafe.Pointer(p.Dst), i)
		for j, v := range src {
			*(*uint8)(unsafe.Add(dst, j*p.DstStride)) = v
		}
	}
	transposeU8Fill(p)
}

// transposeU8Fill writes the bytes that no row of the source provides.
func transposeU8Fill(p *TransposeU8Args) {
	if p.Pad == p.M {
		return
	}
	for j := range p.N {
		fill := unsafe.Slice((*uint8)(unsafe.Add(unsafe.Pointer(p.Dst), j*p.DstStride+p.M)), p.Pad-p.M)
		for i := range fill {
			fill[i] = p.Fill
		}
	}
}
