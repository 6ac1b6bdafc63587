// Kernels of one element work on pairs of vectors, eight floats, so that a core that executes in order always has a second
// instruction that does not wait for the first. A pair n is V(n) and V(16+n), n from 0 to 12; V13, V14, V15, V29, V30 and V31
// are the same for both. Macros that end with C2 take such a vector c as an operand.

#define FADD2(d, n, m) \
	FADD_4S(d, n, m); \
	FADD_4S(16+d, 16+n, 16+m)

#define FADDC2(d, n, c) \
	FADD_4S(d, n, c); \
	FADD_4S(16+d, 16+n, c)

#define FSUB2(d, n, m) \
	FSUB_4S(d, n, m); \
	FSUB_4S(16+d, 16+n, 16+m)

#define FSUBC2(d, n, c) \
	FSUB_4S(d, n, c); \
	FSUB_4S(16+d, 16+n, c)

#define FMUL2(d, n, m) \
	FMUL_4S(d, n, m); \
	FMUL_4S(16+d, 16+n, 16+m)

#define FMULC2(d, n, c) \
	FMUL_4S(d, n, c); \
	FMUL_4S(16+d, 16+n, c)

#define FDIV2(d, n, m) \
	FDIV_4S(d, n, m); \
	FDIV_4S(16+d, 16+n, 16+m)

#define FDIVC2(d, n, c) \
	FDIV_4S(d, n, c); \
	FDIV_4S(16+d, 16+n, c)

// FMLA2 adds n*m to d, FMLS2 subtracts it, with one rounding.
#define FMLA2(d, n, m) \
	FMLA_4S(d, n, m); \
	FMLA_4S(16+d, 16+n, 16+m)

#define FMLAC2(d, n, c) \
	FMLA_4S(d, n, c); \
	FMLA_4S(16+d, 16+n, c)

#define FMLS2(d, n, m) \
	FMLS_4S(d, n, m); \
	FMLS_4S(16+d, 16+n, 16+m)

#define FMLSC2(d, n, c) \
	FMLS_4S(d, n, c); \
	FMLS_4S(16+d, 16+n, c)

// FMAX and FMIN give NaN where either operand is.
#define FMAXC2(d, n, c) \
	FMAX_4S(d, n, c); \
	FMAX_4S(16+d, 16+n, c)

#define FMAX2(d, n, m) \
	FMAX_4S(d, n, m); \
	FMAX_4S(16+d, 16+n, 16+m)

#define FMINC2(d, n, c) \
	FMIN_4S(d, n, c); \
	FMIN_4S(16+d, 16+n, c)

#define FABS2(d, n) \
	FABS_4S(d, n); \
	FABS_4S(16+d, 16+n)

#define FNEG2(d, n) \
	FNEG_4S(d, n); \
	FNEG_4S(16+d, 16+n)

#define FRINTN2(d, n) \
	FRINTN_4S(d, n); \
	FRINTN_4S(16+d, 16+n)

#define FCVTNS2(d, n) \
	FCVTNS_4S(d, n); \
	FCVTNS_4S(16+d, 16+n)

#define SCVTF2(d, n) \
	SCVTF_4S(d, n); \
	SCVTF_4S(16+d, 16+n)

#define ADD2(d, n, m) \
	ADD_4S(d, n, m); \
	ADD_4S(16+d, 16+n, 16+m)

#define ADDC2(d, n, c) \
	ADD_4S(d, n, c); \
	ADD_4S(16+d, 16+n, c)

#define SUB2(d, n, m) \
	SUB_4S(d, n, m); \
	SUB_4S(16+d, 16+n, 16+m)

#define SUBC2(d, n, c) \
	SUB_4S(d, n, c); \
	SUB_4S(16+d, 16+n, c)

#define SHL2(d, n, s) \
	SHL_4S(d, n, s); \
	SHL_4S(16+d, 16+n, s)

#define SSHR2(d, n, s) \
	SSHR_4S(d, n, s); \
	SSHR_4S(16+d, 16+n, s)

// Masks: LESSC2 is n < c, POSITIVE2 and NEGATIVE2 compare with 0; no NaN is in them. PICK2 takes n where the mask d is set, else m,
// PICKC2 c or m, PICKCC2 c or e; ANDC2 clears c outside the mask n, SIGNOF2 gives d the sign of n, with c the sign bits.
#define LESSC2(d, n, c) \
	FCMGT_4S(d, c, n); \
	FCMGT_4S(16+d, c, 16+n)

#define POSITIVE2(d, n) \
	FCMGT0_4S(d, n); \
	FCMGT0_4S(16+d, 16+n)

#define NEGATIVE2(d, n) \
	FCMLT0_4S(d, n); \
	FCMLT0_4S(16+d, 16+n)

#define PICK2(d, n, m) \
	BSL_16B(d, n, m); \
	BSL_16B(16+d, 16+n, 16+m)

#define PICKC2(d, n, c) \
	BSL_16B(d, n, c); \
	BSL_16B(16+d, 16+n, c)

#define PICKCC2(d, c, e) \
	BSL_16B(d, c, e); \
	BSL_16B(16+d, c, e)

#define ANDC2(d, n, c) \
	AND_16B(d, n, c); \
	AND_16B(16+d, 16+n, c)

#define SIGNOF2(d, n, c) \
	BIT_16B(d, n, c); \
	BIT_16B(16+d, 16+n, c)

#define MOV2(d, n) \
	MOV_16B(d, n); \
	MOV_16B(16+d, 16+n)

#define MOVC2(d, c) \
	MOV_16B(d, c); \
	MOV_16B(16+d, c)
