// COPYTAIL copies n bytes, any number, from the address in from to the address in to and advances both; tmp and the vector v
// are spoiled, the other parameters are labels of its own.
#define COPYTAIL(from, to, n, tmp, v, by16, by8, by4, by2, by1, copied) \
	SUBS    $16, n, tmp; \
	BLT     by8; \
by16: \
	VLD1.P  16(from), [v.B16]; \
	VST1.P  [v.B16], 16(to); \
	SUBS    $16, tmp, tmp; \
	BGE     by16; \
by8: \
	TBZ     $3, n, by4; \
	MOVD.P  8(from), tmp; \
	MOVD.P  tmp, 8(to); \
by4: \
	TBZ     $2, n, by2; \
	MOVWU.P 4(from), tmp; \
	MOVW.P  tmp, 4(to); \
by2: \
	TBZ     $1, n, by1; \
	MOVHU.P 2(from), tmp; \
	MOVH.P  tmp, 2(to); \
by1: \
	TBZ     $0, n, copied; \
	MOVBU.P 1(from), tmp; \
	MOVB.P  tmp, 1(to); \
copied:
