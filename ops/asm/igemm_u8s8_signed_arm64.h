// For kernels that multiply signed bytes: A is 128 less than its bytes say, for which the head of each panel has 128 times the sums of its
// weights. Groups of a row are 16 bytes; those of the rows of a tile follow each other.

#define GROUP 16
#define GROUPSTRIDE (16*TILEROWS)
#define ROWAT(r, at) LSL $4, r, at
#define FLIPWORD(r) EORW $0x80808080, r, r

#define STARTROWS VMOVI $0x80, V17.B16

#define COPY16 \
	FMOVQ.P 16(R16), F16; \
	VEOR    V17.B16, V16.B16, V16.B16; \
	FMOVQ   F16, (R12); \
	ADD     $GROUPSTRIDE, R12, R12
