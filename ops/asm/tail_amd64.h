// COPY moves n (0 to 31) bytes from src to dst, which advance; tmp and vec hold
// them. The last five arguments are labels of its own.
#define COPY(src, dst, n, tmp, vec, copy8, copy4, copy2, copy1, copied) \
	TESTL   $16, n; \
	JZ      copy8; \
	VMOVDQU (src), vec; \
	VMOVDQU vec, (dst); \
	ADDQ    $16, src; \
	ADDQ    $16, dst; \
copy8: \
	TESTL   $8, n; \
	JZ      copy4; \
	MOVQ    (src), tmp; \
	MOVQ    tmp, (dst); \
	ADDQ    $8, src; \
	ADDQ    $8, dst; \
copy4: \
	TESTL   $4, n; \
	JZ      copy2; \
	MOVL    (src), tmp; \
	MOVL    tmp, (dst); \
	ADDQ    $4, src; \
	ADDQ    $4, dst; \
copy2: \
	TESTL   $2, n; \
	JZ      copy1; \
	MOVW    (src), tmp; \
	MOVW    tmp, (dst); \
	ADDQ    $2, src; \
	ADDQ    $2, dst; \
copy1: \
	TESTL   $1, n; \
	JZ      copied; \
	MOVB    (src), tmp; \
	MOVB    tmp, (dst); \
copied:

// PACK16 turns 16 rounded int32 in lo and hi into bytes in the X register x of
// lo: it adds the zero point (words of zero) and bounds them from below (bytes of min).
// The packs saturate, so a value that was too low to convert ends at the bound.
// lo, hi: Y registers; x, xt: the X registers of lo and of hi.
#define PACK16(lo, hi, x, xt, zero, min) \
	VPACKSSDW    hi, lo, lo; \
	VPADDSW      zero, lo, lo; \
	VEXTRACTI128 $1, lo, xt; \
	VPACKUSWB    xt, x, x; \
	VPSHUFD      $0xD8, x, x; \
	VPMAXUB      min, x, x
