// The body of the kernels of MR x 16 tiles, included in their TEXT. Per tile, the bytes of its rows go to scratch in the order in which
// the kernel reads them, signed where it takes them so; then each panel of 16 columns is multiplied and finished. A kernel defines
//
//	TILEROWS           rows of a tile
//	GROUP, GROUPSTRIDE bytes of a row that are side by side in scratch, and bytes between such groups of a row
//	ROWAT(r, at)       where row r begins
//	STARTROWS          sets what COPY16 needs
//	COPY16             moves 16 bytes from R16 to R12 and advances both; spoils R20, R21, V16 and V17
//	FLIPWORD(r)        what becomes of four bytes
//	HEAD, DEPTHSTEP    bytes of a panel ahead of its weights, and what depths are rounded up to there
//	MULTIPLY           adds up the products of a panel: R1 panel, R2 its first column, R3 rows, R10 depths, R11 A in scratch; the sums and
//	                   what the head and the bias add go to scratch at R8, 64 bytes a row; spoils R11 to R23 and all vectors
//
// R0: args, R4: rows left, R5: first row of the tile, R6: its offsets, R7: what they count from, R24: bytes of a panel, R25: prefetch.

#define ACCUMULATORS 384

	MOVD IGemmU8S8Args_M(R0), R4
	MOVD ZR, R5
	MOVD IGemmU8S8Args_Offsets(R0), R6
	MOVD IGemmU8S8Args_A(R0), R7
	MOVD IGemmU8S8Args_Scratch(R0), R8
	MOVD IGemmU8S8Args_KS(R0), R9
	MOVD IGemmU8S8Args_KC(R0), R10
	MUL  R9, R10, R10
	ADD  $(DEPTHSTEP-1), R10, R24
	AND  $~(DEPTHSTEP-1), R24, R24
	LSL  $4, R24, R24
	ADD  $HEAD, R24, R24
	MOVD IGemmU8S8Args_Next(R0), R25

tile:
	MOVD $TILEROWS, R3
	CMP  R3, R4
	CSEL LT, R4, R3, R3

	STARTROWS

	// Rows to scratch: R11 row, R12 to, R13 bytes left of its group, R14 offset, R15 positions left, R16 from, R17 bytes left.
	MOVD ZR, R11

row:
	ROWAT(R11, R12)
	ADD  R8, R12, R12
	ADD  $ACCUMULATORS, R12, R12
	MOVD $GROUP, R13
	ADD  R11<<2, R6, R14
	MOVD R9, R15
	MOVD IGemmU8S8Args_AStride(R0), R17
	MADD R11, R7, R17, R16
	CBZ  R6, source

position:
	MOVW (R14), R16
	ADD  $(4*TILEROWS), R14, R14
	TBZ  $63, R16, inside
	MOVD IGemmU8S8Args_Pad(R0), R16
	B    source

inside:
	ADD R7, R16, R16

source:
	MOVD IGemmU8S8Args_KC(R0), R17
	TST  $15, R17
	BNE  words

copy:
	COPY16
	SUBS $16, R17, R17
	BNE  copy
	B    copied

words:
	MOVWU.P 4(R16), R20
	FLIPWORD(R20)
	MOVW.P  R20, 4(R12)
	SUBS    $4, R13, R13
	BNE     group
	MOVD    $GROUP, R13
	ADD     $(GROUPSTRIDE-GROUP), R12, R12

group:
	SUBS $4, R17, R17
	BNE  words

copied:
	SUBS $1, R15, R15
	BNE  position
	ADD  $1, R11, R11
	CMP  R3, R11
	BLT  row

	MOVD IGemmU8S8Args_B(R0), R1
	MOVD ZR, R2

panel:
	// A share of the weights that a later call reads comes near.
	CBZ  R25, multiply
	MOVD IGemmU8S8Args_NextStep(R0), R11
	MUL  R10, R11, R11
	ADD  R11>>2, R25, R11
	MOVD IGemmU8S8Args_NextEnd(R0), R12
	CMP  R12, R11
	CSEL GT, R12, R11, R11
	MOVD R11, R12

prefetch:
	CMP  R12, R25
	BGE  multiply
	PRFM (R25), PLDL2KEEP
	ADD  $64, R25, R25
	B    prefetch

multiply:
	ADD $ACCUMULATORS, R8, R11
	MULTIPLY
#include "igemm_u8s8_finish_arm64.h"

	ADD R24, R1, R1
	ADD $16, R2, R2
	MOVD IGemmU8S8Args_N(R0), R11
	CMP R11, R2
	BLT panel

	// The next tile.
	ADD  $TILEROWS, R5, R5
	SUBS $TILEROWS, R4, R4
	BLE  done
	CBZ  R6, strided
	MOVD $(4*TILEROWS), R11
	MADD R11, R6, R9, R6
	B    tile

strided:
	MOVD IGemmU8S8Args_AStride(R0), R11
	MOVD $TILEROWS, R12
	MADD R11, R7, R12, R7
	B    tile

done:
	RET
