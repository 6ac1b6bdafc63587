// The bodies of func *F32NEON(dst, src *float32, n int, p, q float32).
// A function f turns the pair 0 into f of it and may use the pairs 1 to 12, V15 and V31; V13 and V14 hold p and q, V29 is 1
// and V30 is 0.

#define CLAMPPQ \
	FMAXC2(0, 0, 13); \
	FMINC2(0, 0, 14)

#define LEAKYRELU \
	FMULC2(1, 0, 13); \
	POSITIVE2(2, 0);  \
	PICK2(2, 0, 1);   \
	MOV2(0, 2)

// HARDSIGMOID6 makes 1 of min(max(x+3, 0), 6), and 6 in V15.
#define HARDSIGMOID6 \
	LOADC(31, mathThree); \
	LOADC(15, mathSix);   \
	FADDC2(1, 0, 31);     \
	FMAXC2(1, 1, 30);     \
	FMINC2(1, 1, 15)

#define HARDSIGMOID \
	HARDSIGMOID6;    \
	FDIVC2(0, 1, 15)

#define HARDSWISH \
	HARDSIGMOID6;    \
	FMUL2(0, 0, 1);  \
	FDIVC2(0, 0, 15)

#define EXPF \
	MOV2(1, 0);        \
	EXP(1, 0, 2, 3, 4)

// EXPMINUSABS makes 3 of e^-|x|.
#define EXPMINUSABS \
	FABS2(1, 0);       \
	FNEG2(1, 1);       \
	EXP(1, 3, 2, 4, 5)

// SIGMOIDRATIO makes of x < 0 ? z/(1+z) : 1/(1+z), with z = e^-|x| in 3, the sigmoid, accurate for either sign:
// the quotient 8, and 7*6, which corrects it by what it and the sum s = 4 left: 7 is n - 8*s - 8*e, with e
// the error of s, and 6 about 1/s.
#define SIGMOIDRATIO \
	NEGATIVE2(7, 0);        \
	PICKC2(7, 3, 29);       \
	FADDC2(4, 3, 29);       \
	FSUBC2(5, 4, 29);       \
	FSUB2(5, 3, 5);         \
	FDIV2(8, 7, 4);         \
	FMLS2(7, 8, 4);         \
	FMLS2(7, 8, 5);         \
	LOADC2(6, halfInverse); \
	LOADC(15, mathHalf);    \
	FMLSC2(6, 4, 15)

// TIMESRATIO multiplies x by it; x in the correction is bounded, since infinity times 0 is NaN.
#define TIMESRATIO \
	LOADC(15, mathSixteen); \
	FMINC2(1, 0, 15);       \
	FMUL2(7, 7, 6);         \
	FMUL2(7, 7, 1);         \
	FMLA2(7, 0, 8);         \
	MOV2(0, 7)

#define SIGMOID \
	EXPMINUSABS;    \
	SIGMOIDRATIO;   \
	FMLA2(8, 7, 6); \
	MOV2(0, 8)

#define SILU \
	EXPMINUSABS;  \
	SIGMOIDRATIO; \
	TIMESRATIO

// TANH: |x| + |x|^3*p(x^2) near 0, else 1 - 2/(e^2|x| + 1), with the sign of x, of zero too.
#define TANH \
	FABS2(1, 0);            \
	FADD2(2, 1, 1);         \
	EXP(2, 3, 4, 5, 6);     \
	FADDC2(3, 3, 29);       \
	LOADC2(4, mathTwo);     \
	FDIV2(4, 4, 3);         \
	MOVC2(5, 29);           \
	FSUB2(5, 5, 4);         \
	FMUL2(6, 0, 0);         \
	LOADC2(7, tanh4);       \
	HORNER(8, 7, 6, tanh3); \
	HORNER(7, 8, 6, tanh2); \
	HORNER(8, 7, 6, tanh1); \
	HORNER(7, 8, 6, tanh0); \
	FMUL2(7, 7, 6);         \
	MOV2(8, 1);             \
	FMLA2(8, 7, 1);         \
	LOADC(15, tanhSplit);   \
	LESSC2(2, 1, 15);       \
	PICK2(2, 8, 5);         \
	LOADC(15, mathSign);    \
	SIGNOF2(2, 0, 15);      \
	MOV2(0, 2)

// TAIL makes q and d of the factor q/d in P(X > t) = q/d*e^(-t^2/2) of the standard normal distribution, t in
// [0, 16]: q is tail0 and a small polynomial p in u = 2t/(t+3) - 1, in [0.5, 0.58], and d is 1 + 1.25t.
#define TAIL(t, q, p, u, d) \
	LOADC(31, mathThree);     \
	FADDC2(p, t, 31);         \
	FDIV2(u, t, p);           \
	MOVC2(d, 29);             \
	FADD2(u, u, u);           \
	FSUBC2(u, u, 29);         \
	LOADC(15, tailSlope);     \
	FMLAC2(d, t, 15);         \
	LOADC2(p, tail10);        \
	HORNER(q, p, u, tail9);   \
	HORNER(p, q, u, tail8);   \
	HORNER(q, p, u, tail7);   \
	HORNER(p, q, u, tail6);   \
	HORNER(q, p, u, tail5);   \
	HORNER(p, q, u, tail4);   \
	HORNER(q, p, u, tail3);   \
	HORNER(p, q, u, tail2);   \
	HORNER(q, p, u, tail1);   \
	HORNER(p, q, u, tailLow); \
	LOADC(31, tail0);         \
	FADDC2(q, p, 31)

// ERFNEAR0 makes r of x + x*p(square). It spoils t.
#define ERFNEAR0(square, r, t) \
	LOADC2(t, erf6);            \
	HORNER(r, t, square, erf5); \
	HORNER(t, r, square, erf4); \
	HORNER(r, t, square, erf3); \
	HORNER(t, r, square, erf2); \
	HORNER(r, t, square, erf1); \
	HORNER(t, r, square, erf0); \
	MOV2(r, 0);                 \
	FMLA2(r, t, 0)

// ERF: x + x*p(x^2) below 1, else 1 - 2*P(X > sqrt(2)*|x|) with the sign of x.
#define ERF \
	FABS2(1, 0);          \
	LOADC(15, mathTen);   \
	FMINC2(1, 1, 15);     \
	LOADC(31, erfSqrt2);  \
	FMULC2(2, 1, 31);     \
	TAIL(2, 3, 6, 4, 5);  \
	FDIV2(3, 3, 5);       \
	FMUL2(5, 1, 1);       \
	FNEG2(6, 5);          \
	EXP(6, 7, 8, 9, 10);  \
	FMUL2(7, 7, 3);       \
	MOVC2(8, 29);         \
	LOADC(15, mathTwo);   \
	FMLSC2(8, 7, 15);     \
	LOADC(31, mathSign);  \
	SIGNOF2(8, 0, 31);    \
	ERFNEAR0(5, 7, 9);    \
	LESSC2(0, 1, 29);     \
	PICK2(0, 7, 8)

// GELU: max(x, 0) - |x|*P(X > |x|), NaN at -Inf as x*0 is. e^(-x^2/2) takes in what rounding left out of x^2, less
// which 4 is, and, relative to q = 2, of q itself, of d = 4 and of the quotient 5: (q - p - tail0) - (5*d - q) - 5*(1.25t + 1 - d).
#define GELU \
	FABS2(1, 0);             \
	LOADC(15, mathSixteen);  \
	FMINC2(1, 1, 15);        \
	TAIL(1, 2, 6, 3, 4);     \
	FDIV2(5, 2, 4);          \
	FSUBC2(7, 2, 31);        \
	FSUB2(7, 6, 7);          \
	MOVC2(8, 29);            \
	FSUB2(8, 8, 4);          \
	LOADC(15, tailSlope);    \
	FMLAC2(8, 1, 15);        \
	FMLS2(2, 5, 4);          \
	FADD2(2, 2, 7);          \
	FMLS2(2, 5, 8);          \
	LOADC(31, tailInverse);  \
	FMULC2(2, 2, 31);        \
	FMUL2(3, 1, 1);          \
	MOV2(4, 3);              \
	FMLS2(4, 1, 1);          \
	LOADC(15, mathHalf);     \
	FMLAC2(2, 4, 15);        \
	LOADC(31, mathMinusHalf); \
	FMULC2(3, 3, 31);        \
	EXPPARTS(3, 4, 6, 7, 8); \
	FMUL2(2, 2, 5);          \
	FMUL2(2, 2, 6);          \
	FMLA2(2, 6, 5);          \
	LDEXP(4, 2, 7);          \
	FMINC2(8, 0, 30);        \
	FMULC2(8, 8, 30);        \
	FMAXC2(0, 0, 30);        \
	FADD2(0, 0, 8);          \
	FMLS2(0, 2, 1)

// GELUTANH: x*s(2u) with s the sigmoid. 2u = |x|*(c1 + c3*x^2) is a sum of two numbers, 9 and less 10, its
// error, since e^-2u has an error relative to the absolute one of 2u. 3 and 5 are less the errors of 2 and 4.
#define GELUTANH \
	FABS2(1, 0);            \
	LOADC(15, mathSixteen); \
	FMINC2(1, 1, 15);       \
	FMUL2(2, 1, 1);         \
	MOV2(3, 2);             \
	FMLS2(3, 1, 1);         \
	LOADC(15, gelu3Hi);     \
	FMULC2(4, 2, 15);       \
	MOV2(5, 4);             \
	FMLSC2(5, 2, 15);       \
	FMLAC2(5, 3, 15);       \
	LOADC(31, gelu3Lo);     \
	FMLSC2(5, 2, 31);       \
	LOADC2(6, gelu1Hi);     \
	FADD2(7, 6, 4);         \
	FSUB2(8, 7, 6);         \
	FSUB2(9, 7, 8);         \
	FSUB2(9, 6, 9);         \
	FSUB2(8, 4, 8);         \
	FADD2(8, 8, 9);         \
	FSUB2(8, 8, 5);         \
	LOADC(15, gelu1Lo);     \
	FADDC2(8, 8, 15);       \
	FMUL2(9, 1, 7);         \
	MOV2(10, 9);            \
	FMLS2(10, 1, 7);        \
	FMLS2(10, 1, 8);        \
	FNEG2(9, 9);            \
	EXP(9, 3, 4, 5, 6);     \
	FMLA2(3, 3, 10);        \
	SIGMOIDRATIO;           \
	TIMESRATIO

// LOG1P makes r of w*p(w), where log(1+f) = s*(2 + r), s = f/(2+f), w = s^2. It spoils t.
#define LOG1P(w, r, t) \
	LOADC2(r, log4);       \
	HORNER(t, r, w, log3); \
	HORNER(r, t, w, log2); \
	HORNER(t, r, w, log1); \
	HORNER(r, t, w, log0); \
	FMUL2(r, r, w)

// SOFTPLUS: max(x, 0) + log(1 + z), z = e^-|x|: the quotient 5 = z/(2+z) is corrected by what it and the sum
// 4 left, as in SIGMOIDRATIO.
#define SOFTPLUS \
	EXPMINUSABS;            \
	LOADC(15, mathTwo);     \
	FADDC2(4, 3, 15);       \
	FSUBC2(2, 4, 15);       \
	FSUB2(2, 3, 2);         \
	FDIV2(5, 3, 4);         \
	FMLS2(3, 5, 4);         \
	FMLS2(3, 5, 2);         \
	FMUL2(6, 5, 5);         \
	LOG1P(6, 7, 1);         \
	FMUL2(7, 7, 5);         \
	LOADC(31, softInverse); \
	FMLAC2(7, 3, 31);       \
	FADD2(8, 5, 5);         \
	FADD2(8, 8, 7);         \
	FMAXC2(0, 0, 30);       \
	FADD2(0, 0, 8)

// LOG: x = 2^k*(1+f) with 1+f in [sqrt(1/2), sqrt(2)); f - (f^2/2 - s*(f^2/2 + r)) + k*ln 2, in that order.
// At the end what is not positive becomes -Inf or NaN.
#define LOG \
	LOADC(15, logMin);      \
	LOADC(31, logScale);    \
	LESSC2(5, 0, 15);       \
	FMULC2(4, 0, 31);       \
	MOV2(2, 5);             \
	PICK2(2, 4, 0);         \
	LOADC(15, logShift);    \
	ANDC2(3, 5, 15);        \
	LOADC(31, logSqrtHalf); \
	SUBC2(4, 2, 31);        \
	SSHR2(4, 4, 23);        \
	SHL2(5, 4, 23);         \
	SUB2(2, 2, 5);          \
	SCVTF2(4, 4);           \
	FSUB2(4, 4, 3);         \
	FSUBC2(2, 2, 29);       \
	LOADC(15, mathTwo);     \
	FADDC2(5, 2, 15);       \
	FDIV2(5, 2, 5);         \
	FMUL2(6, 5, 5);         \
	LOG1P(6, 7, 8);         \
	FMUL2(8, 2, 2);         \
	LOADC(15, mathHalf);    \
	FMULC2(8, 8, 15);       \
	FADD2(9, 8, 7);         \
	LOADC(31, expLn2Lo);    \
	FMULC2(10, 4, 31);      \
	FMLA2(10, 5, 9);        \
	FSUB2(8, 8, 10);        \
	FSUB2(8, 2, 8);         \
	LOADC(15, expLn2Hi);    \
	FMLAC2(8, 4, 15);       \
	LOADC(31, mathNaN);     \
	LOADC(15, mathMinusInf); \
	NEGATIVE2(9, 0);        \
	PICKCC2(9, 31, 15);     \
	POSITIVE2(10, 0);       \
	PICK2(10, 8, 9);        \
	LOADC(15, mathInf);     \
	LESSC2(9, 0, 15);       \
	PICK2(9, 10, 0);        \
	MOV2(0, 9)

// UNARY is the loop around f: full pairs, then the rest, up to 7 floats, as one in the frame.
//
// R0 dst, R1 src, R2 floats left, R3 how many of those in the frame are results, R4 and R5 scratch, R6 where they go.
#define UNARY(f) \
	MOVD  dst+0(FP), R0;           \
	MOVD  src+8(FP), R1;           \
	MOVD  n+16(FP), R2;            \
	FMOVS p+24(FP), F13;           \
	FMOVS q+28(FP), F14;           \
	VDUP  V13.S[0], V13.S4;        \
	VDUP  V14.S[0], V14.S4;        \
	MOVD  $mathf32<>(SB), R9;      \
	LOADC(29, mathOne);            \
	VEOR  V30.B16, V30.B16, V30.B16; \
	MOVD  $0, R3;                  \
	SUBS  $8, R2;                  \
	BLT   tail;                    \
loop:                                  \
	FLDPQ.P 32(R1), (F0, F16);     \
	f;                             \
	FSTPQ.P (F0, F16), 32(R0);     \
	SUBS  $8, R2;                  \
	BGE   loop;                    \
	CBNZ  R3, unpack;              \
tail:                                  \
	ADDS  $8, R2, R3;              \
	BEQ   done;                    \
	MOVD  R0, R6;                  \
	MOVD  $rest-32(SP), R0;        \
	MOVD  R0, R4;                  \
	COPYWORDS(R1, R4, R3, R5, V0, V1, pack4, pack2, pack1, packed); \
	MOVD  R0, R1;                  \
	MOVD  $0, R2;                  \
	B     loop;                    \
unpack:                                \
	MOVD  $rest-32(SP), R4;        \
	COPYWORDS(R4, R6, R3, R5, V0, V1, unpack4, unpack2, unpack1, done)
