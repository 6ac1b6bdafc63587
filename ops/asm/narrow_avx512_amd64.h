// FIRSTLANES sets mask to the first n of 16 lanes, n a register in [0, 16].
#define FIRSTLANES(n, tmp, mask) \
	MOVL  $-1, tmp; \
	BZHIL n, tmp, tmp; \
	KMOVW tmp, mask

// NARROW16 adds zero to 16 rounded int32 in z, bounds them from below by lo and stores the lanes of the mask as
// bytes. A value that was too low to convert is the smallest int32 and ends at the bound.
#define NARROW16(z, zero, lo, mask, mem) \
	VPADDD    zero, z, z; \
	VPMAXSD   lo, z, z; \
	VPMOVUSDB z, mask, mem

// CHANNELS64 sets K5 to the channels of a block of 64 that exist, n the channels left.
#define CHANNELS64(n, tmp) \
	MOVL    $64, tmp; \
	CMPQ    n, tmp; \
	CMOVQGT tmp, n; \
	MOVQ    $-1, tmp; \
	BZHIQ   n, tmp, tmp; \
	KMOVQ   tmp, K5

// NARROW64 multiplies 64 accumulators in Z0 to Z3, which unpacking bytes within 128-bit lanes has left, and
// makes bytes of them in Z0, in order. Z28: Hi-Zero, Z29: Zero as words, Z30: Lo as bytes.
#define NARROW64(m0, m1, m2, m3) \
	VCVTDQ2PS Z0, Z0; \
	VCVTDQ2PS Z1, Z1; \
	VCVTDQ2PS Z2, Z2; \
	VCVTDQ2PS Z3, Z3; \
	VMULPS    m0, Z0, Z0; \
	VMULPS    m1, Z1, Z1; \
	VMULPS    m2, Z2, Z2; \
	VMULPS    m3, Z3, Z3; \
	VMINPS    Z28, Z0, Z0; \
	VMINPS    Z28, Z1, Z1; \
	VMINPS    Z28, Z2, Z2; \
	VMINPS    Z28, Z3, Z3; \
	VCVTPS2DQ Z0, Z0; \
	VCVTPS2DQ Z1, Z1; \
	VCVTPS2DQ Z2, Z2; \
	VCVTPS2DQ Z3, Z3; \
	VPACKSSDW Z1, Z0, Z0; \
	VPACKSSDW Z3, Z2, Z2; \
	VPADDSW   Z29, Z0, Z0; \
	VPADDSW   Z29, Z2, Z2; \
	VPACKUSWB Z2, Z0, Z0; \
	VPMAXUB   Z30, Z0, Z0

// LANES loads 64 values of 4 bytes from AX in the order of the accumulators, the
// transpose of their 4 x 4 groups of four. K1 to K4 mask the values that exist.
#define LANES(c0, c1, c2, c3) \
	VMOVDQU32.Z 0(AX)(R10*4), K1, Z4; \
	VMOVDQU32.Z 64(AX)(R10*4), K2, Z5; \
	VMOVDQU32.Z 128(AX)(R10*4), K3, Z6; \
	VMOVDQU32.Z 192(AX)(R10*4), K4, Z7; \
	VSHUFI32X4  $0x88, Z5, Z4, Z8; \
	VSHUFI32X4  $0xdd, Z5, Z4, Z9; \
	VSHUFI32X4  $0x88, Z7, Z6, Z10; \
	VSHUFI32X4  $0xdd, Z7, Z6, Z11; \
	VSHUFI32X4  $0x88, Z10, Z8, c0; \
	VSHUFI32X4  $0x88, Z11, Z9, c1; \
	VSHUFI32X4  $0xdd, Z10, Z8, c2; \
	VSHUFI32X4  $0xdd, Z11, Z9, c3
