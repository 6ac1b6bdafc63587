//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "igemm_f32_avx2_amd64.h"

// ROWGROUPS is one depth of a row: BX is the byte offset of the group that columns 0-7 belong to, BP that of columns 8-15.
#define ROWGROUPS(a, r, v0, v1) \
	VBROADCASTSS a(r)(BX*1), Y14 \
	VBROADCASTSS a(r)(BP*1), Y15 \
	VFMADD231PS  Y12, Y14, v0    \
	VFMADD231PS  Y13, Y15, v1

// STEP6GROUPS is one depth of six rows by one panel at b beyond SI.
#define STEP6GROUPS(a, b) \
	VMOVUPS b(SI), Y12         \
	VMOVUPS b+32(SI), Y13      \
	ROWGROUPS(a, R8, Y0, Y1)   \
	ROWGROUPS(a, R9, Y2, Y3)   \
	ROWGROUPS(a, R10, Y4, Y5)  \
	ROWGROUPS(a, R11, Y6, Y7)  \
	ROWGROUPS(a, R12, Y8, Y9)  \
	ROWGROUPS(a, R13, Y10, Y11)

// func igemmGroupsF32AVX2(args *IGemmF32Args)
//
// DI args, SI panel, R14 byte offset of the panel's columns, R15 columns left.
// In the depth loop: AX the offsets of a position's rows, CX positions left, R8-R13 the rows, BX and
// BP the byte offsets into them of both groups, DX depths left.
TEXT ·igemmGroupsF32AVX2(SB), NOSPLIT, $88-8
	MOVQ args+0(FP), DI
	MOVQ $0, ROW
	FIRSTTILE(BP, fill, walking)

tile:
	STARTTILE(part, repeat, started)
	MOVQ IGemmF32Args_B(DI), SI
	MOVQ IGemmF32Args_N(DI), R15
	XORQ R14, R14

panel:
	ZERO12
	MOVQ offsets-32(SP), AX
	MOVQ IGemmF32Args_KS(DI), CX

position:
	PIXEL(0, AX, R8)
	PIXEL(1, AX, R9)
	PIXEL(2, AX, R10)
	PIXEL(3, AX, R11)
	PIXEL(4, AX, R12)
	PIXEL(5, AX, R13)
	ADDQ $24, AX

	// Four bytes of Groups for the 32 of eight columns; the last eight have one more, which nothing is read by.
	MOVQ    R14, BX
	SHRQ    $3, BX
	ADDQ    IGemmF32Args_Groups(DI), BX
	MOVLQSX 4(BX), BP
	MOVLQSX (BX), BX
	MOVQ    IGemmF32Args_KC(DI), DX
	CMPQ    R15, $8
	JLE     narrow
	SUBQ    $4, DX
	JLT     rest

depth4:
	STEP6GROUPS(0, 0)
	STEP6GROUPS(4, 64)
	STEP6GROUPS(8, 128)
	STEP6GROUPS(12, 192)
	ADDQ $256, SI
	ADDQ $16, BX
	ADDQ $16, BP
	SUBQ $4, DX
	JGE  depth4

rest:
	ADDQ $4, DX
	JZ   next

depth1:
	STEP6GROUPS(0, 0)
	ADDQ $64, SI
	ADDQ $4, BX
	ADDQ $4, BP
	DECQ DX
	JNZ  depth1

next:
	DECQ CX
	JNZ  position

	// Bias, residual, bounds and store.
	EPILOGUE
	CMPQ R15, $16
	JLT  tail
	STORE16(Y0, Y1, nores0)
	STORE16(Y2, Y3, nores1)
	STORE16(Y4, Y5, nores2)
	STORE16(Y6, Y7, nores3)
	STORE16(Y8, Y9, nores4)
	STORE16(Y10, Y11, nores5)

stored:
	ADDQ IGemmF32Args_BGap(DI), SI
	ADDQ $64, R14
	SUBQ $16, R15
	JGT  panel
	ADDQ $TILEROWS, ROW
	NEXTTILE(tile, strided, done)

done:
	VZEROUPPER
	RET

tail:
	LEAQ    tailMask16<>+64(SB), AX
	MOVQ    R15, BX
	NEGQ    BX
	VMOVUPS (AX)(BX*4), Y12
	VMOVUPS 32(AX)(BX*4), Y13
	STORETAIL(Y0, Y1, tail0)
	STORETAIL(Y2, Y3, tail1)
	STORETAIL(Y4, Y5, tail2)
	STORETAIL(Y6, Y7, tail3)
	STORETAIL(Y8, Y9, tail4)
	STORETAIL(Y10, Y11, tail5)
	JMP     stored

narrow:
	// At most eight columns are left: half the work.
	STEP6X8(0, 0)
	ADDQ $64, SI
	ADDQ $4, BX
	DECQ DX
	JNZ  narrow
	JMP  next
