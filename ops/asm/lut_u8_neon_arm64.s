//go:build !purego

#include "textflag.h"
#include "tail_arm64.h"

// func lutU8NEON(dst, src *uint8, n int, table *[256]uint8)
TEXT ·lutU8NEON(SB), NOSPLIT, $16-32
	// The table in V16-V31, of which a lookup takes four: bytes beyond them leave 0 or what is there. V4: 64.
	// R1: dst, R2: src, R3: bytes left; R4: those of a tail, which is looked up on the stack, R5: where it goes.
	MOVD   dst+0(FP), R1
	MOVD   src+8(FP), R2
	MOVD   n+16(FP), R3
	MOVD   table+24(FP), R6
	VLD1.P 64(R6), [V16.B16, V17.B16, V18.B16, V19.B16]
	VLD1.P 64(R6), [V20.B16, V21.B16, V22.B16, V23.B16]
	VLD1.P 64(R6), [V24.B16, V25.B16, V26.B16, V27.B16]
	VLD1   (R6), [V28.B16, V29.B16, V30.B16, V31.B16]
	VMOVI  $64, V4.B16
	MOVD   ZR, R4
	SUBS   $16, R3, R3
	BLT    tail

block:
	VLD1.P 16(R2), [V0.B16]
	VTBL   V0.B16, [V16.B16, V17.B16, V18.B16, V19.B16], V1.B16
	VSUB   V4.B16, V0.B16, V0.B16
	VTBX   V0.B16, [V20.B16, V21.B16, V22.B16, V23.B16], V1.B16
	VSUB   V4.B16, V0.B16, V0.B16
	VTBX   V0.B16, [V24.B16, V25.B16, V26.B16, V27.B16], V1.B16
	VSUB   V4.B16, V0.B16, V0.B16
	VTBX   V0.B16, [V28.B16, V29.B16, V30.B16, V31.B16], V1.B16
	VST1.P [V1.B16], 16(R1)
	CBNZ   R4, tailDone
	SUBS   $16, R3, R3
	BGE    block

tail:
	ADDS $16, R3, R4
	BEQ  done
	MOVD R1, R5
	MOVD $bytes-16(SP), R7
	COPYTAIL(R2, R7, R4, R8, V0, s16, s8, s4, s2, s1, sCopied)
	MOVD $bytes-16(SP), R2
	MOVD $bytes-16(SP), R1
	B    block

tailDone:
	MOVD $bytes-16(SP), R1
	COPYTAIL(R1, R5, R4, R8, V0, d16, d8, d4, d2, d1, dCopied)

done:
	RET
