// COPYWORDS moves n (0 to 15) 4-byte words from src to dst, which advance; tmp, v and w hold them. The last four arguments are labels of its own.
#define COPYWORDS(src, dst, n, tmp, v, w, copy4, copy2, copy1, copied) \
	TBZ    $3, n, copy4;           \
	VLD1.P 32(src), [v.S4, w.S4];  \
	VST1.P [v.S4, w.S4], 32(dst);  \
copy4:                                 \
	TBZ    $2, n, copy2;           \
	VLD1.P 16(src), [v.S4];        \
	VST1.P [v.S4], 16(dst);        \
copy2:                                 \
	TBZ    $1, n, copy1;           \
	MOVD.P 8(src), tmp;            \
	MOVD.P tmp, 8(dst);            \
copy1:                                 \
	TBZ    $0, n, copied;          \
	MOVWU.P 4(src), tmp;           \
	MOVW.P tmp, 4(dst);            \
copied:
