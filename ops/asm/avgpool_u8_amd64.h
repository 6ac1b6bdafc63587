// POINTER sets R8 to the next tap: R15 = 0, SI: pointers, or R15 = 1, R11: stride, SI: tap.
#define POINTER(strided, done) \
	TESTL R15, R15; \
	JNZ   strided; \
	MOVQ  (SI), R8; \
	ADDQ  $8, SI; \
	JMP   done; \
strided: \
	MOVQ  SI, R8; \
	ADDQ  R11, SI; \
done:
