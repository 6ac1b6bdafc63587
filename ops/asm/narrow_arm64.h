// NARROW16 rounds 16 floats, V0 to V3, half to even and makes bytes of them in V0: plus the zero point, eight times in 16 bits in V(zero),
// within lo and hi. Narrowing saturates, so that floats beyond the bounds, whole numbers, end up at them; a NaN becomes the zero point.
#define NARROW16(zero, lo, hi) \
	FCVTNS_4S(0, 0); \
	FCVTNS_4S(1, 1); \
	FCVTNS_4S(2, 2); \
	FCVTNS_4S(3, 3); \
	SQXTN_4H(0, 0); \
	SQXTN2_8H(0, 1); \
	SQXTN_4H(2, 2); \
	SQXTN2_8H(2, 3); \
	SQADD_8H(0, 0, zero); \
	SQADD_8H(2, 2, zero); \
	SQXTUN_8B(0, 0); \
	SQXTUN2_16B(0, 2); \
	VUMAX lo.B16, V0.B16, V0.B16; \
	VUMIN hi.B16, V0.B16, V0.B16

// NARROWING sets what NARROW16 needs, V22 to V24, from fields of the arguments that R0 points to.
#define NARROWING(zero, lo, hi, tmp) \
	MOVW zero(R0), tmp; \
	VDUP tmp, V22.H8; \
	MOVW lo(R0), tmp; \
	VDUP tmp, V23.B16; \
	MOVW hi(R0), tmp; \
	VDUP tmp, V24.B16

// FLOATS4 makes floats of four sums.
#define FLOATS4(v0, v1, v2, v3) \
	SCVTF_4S(v0, v0); \
	SCVTF_4S(v1, v1); \
	SCVTF_4S(v2, v2); \
	SCVTF_4S(v3, v3)

// WIDEN16 makes 16 floats, V(v0) to V(v3), of the 16-bit integers in V(low) and V(high).
#define WIDEN16(low, high, v0, v1, v2, v3) \
	SXTL_4S(v0, low); \
	SXTL2_4S(v1, low); \
	SXTL_4S(v2, high); \
	SXTL2_4S(v3, high); \
	FLOATS4(v0, v1, v2, v3)

// SCALE4 multiplies four vectors.
#define SCALE4(v0, v1, v2, v3, by) \
	FMUL_4S(v0, v0, by); \
	FMUL_4S(v1, v1, by); \
	FMUL_4S(v2, v2, by); \
	FMUL_4S(v3, v3, by)

// ADDSCALED adds the values of a residual in V(r), in steps of V21, to V(v).
#define ADDSCALED(v, r) \
	SCVTF_4S(r, r); \
	FMUL_4S(r, r, 21); \
	FADD_4S(v, v, r)

// ADDRESIDUAL16 adds 16 residuals, the bytes at from less V20, in steps of V21, to V0-V3. It spoils V4-V7, V16 and V17.
#define ADDRESIDUAL16(from) \
	FMOVQ  (from), F16; \
	VUXTL  V16.B8, V17.H8; \
	VUXTL2 V16.B16, V16.H8; \
	VUXTL  V17.H4, V4.S4; \
	VUXTL2 V17.H8, V5.S4; \
	VUXTL  V16.H4, V6.S4; \
	VUXTL2 V16.H8, V7.S4; \
	VSUB   V20.S4, V4.S4, V4.S4; \
	VSUB   V20.S4, V5.S4, V5.S4; \
	VSUB   V20.S4, V6.S4, V6.S4; \
	VSUB   V20.S4, V7.S4, V7.S4; \
	ADDSCALED(0, 4); \
	ADDSCALED(1, 5); \
	ADDSCALED(2, 6); \
	ADDSCALED(3, 7)
