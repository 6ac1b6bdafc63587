//go:build !purego

package asm

//go:noescape
func dwconvU8S8AVX2(args *DWConvU8S8Args)

//go:noescape
func dwconvU8S8AVX512(args *DWConvU8S8Args)

//go:noescape
func dwconvU8S8AVX512VNNI(args *DWConvU8S8Args)

//go:noescape
func dwconv3x3U8S8AVX512VNNI(args *DWConvU8S8Args)

// dwconvWindowU8S8AVX512VNNI takes the kernel for the window's size.
func dwconvWindowU8S8AVX512VNNI(args *DWConvU8S8Args) {
	if args.KS == 9 {
		dwconv3x3U8S8AVX512VNNI(args)
	} else {
		dwconvU8S8AVX512VNNI(args)
	}
}

func init() {
	dwconvU8S8Table = append(dwconvU8S8Table, DWConvU8S8{
		Info:    Info{Op: "dwconv_u8s8", Tier: AVX2, NR: 32},
		run:     dwconvU8S8AVX2,
		overlap: true,
		narrow:  8,
		wide:    true,
		group:   2,
	}, DWConvU8S8{
		Info:  Info{Op: "dwconv_u8s8", Tier: AVX512, NR: 64},
		run:   dwconvU8S8AVX512,
		wide:  true,
		group: 2,
	}, DWConvU8S8{
		Info:    Info{Op: "dwconv_u8s8", Tier: AVX512VNNI, NR: 64},
		run:     dwconvWindowU8S8AVX512VNNI,
		group:   4,
		columns: true,
	})
}
