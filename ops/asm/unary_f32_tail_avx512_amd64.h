// The upper tail of the standard normal distribution by lookup: P(X > t) = e^(-t^2/2)*R(t), where R is a polynomial
// of t minus the center of a segment, and a segment is the quarter of an octave in which 1+t lies. The coefficients
// come from testdata/gen/mathcoef.py.

#define TABLE(name, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p) \
	DATA name+0(SB)/4, a  \
	DATA name+4(SB)/4, b  \
	DATA name+8(SB)/4, c  \
	DATA name+12(SB)/4, d \
	DATA name+16(SB)/4, e \
	DATA name+20(SB)/4, f \
	DATA name+24(SB)/4, g \
	DATA name+28(SB)/4, h \
	DATA name+32(SB)/4, i \
	DATA name+36(SB)/4, j \
	DATA name+40(SB)/4, k \
	DATA name+44(SB)/4, l \
	DATA name+48(SB)/4, m \
	DATA name+52(SB)/4, n \
	DATA name+56(SB)/4, o \
	DATA name+60(SB)/4, p \
	GLOBL name(SB), RODATA|NOPTR, $64

TABLE(millsCenter<>, $0x3fa00056, $0x3fdffea2, $0x4010006c, $0x40300134, $0x405ffe84, $0x408ffe44, $0x40b0018c, $0x40d000ed, $0x41000089, $0x41200046, $0x413fffcd, $0x416001df, $0x3e000091, $0x3ec00046, $0x3f200004, $0x3f5fff3c)
TABLE(mills0<>, $0x3e6c4c23, $0x3e3dae30, $0x3e1d5693, $0x3e05dbf2, $0x3dd9ccc2, $0x3dadaf53, $0x3d900ea3, $0x3d75d1f3, $0x3d4933e8, $0x3d21d180, $0x3d073f0a, $0x3ce841eb, $0x3ee8577d, $0x3ec25b71, $0x3ea58eef, $0x3e8f3e53)
TABLE(mills1<>, $0xbde24912, $0xbd992b0c, $0xbd5a01fc, $0xbd2193d6, $0xbcdb0435, $0xbc8df46c, $0xbc45897b, $0xbc10d614, $0xbbc35a95, $0xbb7df891, $0xbb31e841, $0xbb0364b6, $0xbeaf3719, $0xbe835fc5, $0xbe4991a3, $0xbe1dd81d)
TABLE(mills2<>, $0x3d3dbc58, $0x3cdea55c, $0x3c8ad465, $0x3c362c63, $0x3bd152d7, $0x3b5fe46a, $0x3b03eed6, $0x3aa75075, $0x3a3b10b6, $0x39c57827, $0x39687e67, $0x3913f060, $0x3e527081, $0x3e111776, $0x3dcd22d5, $0x3d946006)
TABLE(mills3<>, $0xbc8f983d, $0xbc14b295, $0xbba4db9f, $0xbb41c1fc, $0xbabf3fdf, $0xba2ae277, $0xb9abf92e, $0xb93dabe9, $0xb8b0bada, $0xb8182707, $0xb796ef0a, $0xb725c36c, $0xbdd81510, $0xbd8ae455, $0xbd3748dd, $0xbcf7d0c3)
TABLE(mills4<>, $0x3bc7f7a3, $0x3b3911e2, $0x3ab8617d, $0x3a43d647, $0x39a7db79, $0x38fd2755, $0x385b1976, $0x37d334d4, $0x3724dcf7, $0x366870be, $0x35c2be35, $0x3538db31, $0x3d44eee1, $0x3cee1818, $0x3c93db9e, $0x3c3c53af)
TABLE(mills5<>, $0xbb0305e4, $0xba5a7f4a, $0xb9c4f0e5, $0xb93e3720, $0xb89095f7, $0xb7b8c835, $0xb709ee05, $0xb66904b4, $0xb59b5f69, $0xb4b2c2f4, $0xb3fc7e8f, $0xb34ee228, $0xbca39ca0, $0xbc3b1260, $0xbbdbf32f, $0xbb84a814)
TABLE(mills6<>, $0x3a1fa5bf, $0x39721819, $0x38c6d477, $0x383077fb, $0x376c09ac, $0x3681858c, $0x35a82053, $0x34faf0c9, $0x340d503b, $0x33063958, $0x3220de9b, $0x3164c2ae, $0x3bf9badb, $0x3b882dda, $0x3b181772, $0x3aafb74b)

CONST(millsEnd<>, $0x416e6666) // 14.9: e^(-14.9^2/2) is 0

// MILLS makes r of R(t), t in [0, 15].
#define MILLS(t, r, index, d, c) \
	VADDPS      mathOne<>(SB), t, index         \
	VPSRLD      $21, index, index               \
	VPERMPS     millsCenter<>(SB), index, d     \
	VSUBPS      d, t, d                         \
	VPERMPS     mills6<>(SB), index, r          \
	VPERMPS     mills5<>(SB), index, c          \
	VFMADD213PS c, d, r                         \
	VPERMPS     mills4<>(SB), index, c          \
	VFMADD213PS c, d, r                         \
	VPERMPS     mills3<>(SB), index, c          \
	VFMADD213PS c, d, r                         \
	VPERMPS     mills2<>(SB), index, c          \
	VFMADD213PS c, d, r                         \
	VPERMPS     mills1<>(SB), index, c          \
	VFMADD213PS c, d, r                         \
	VPERMPS     mills0<>(SB), index, c          \
	VFMADD213PS c, d, r

// EXPMILLS makes r*e^(x-low/2) of r, for x in [-112, 0] and a small low. It spoils x.
#define EXPMILLS(x, low, r, n, q) \
	VMOVUPS      expRound<>(SB), n          \
	VFMADD231PS  expLog2e<>(SB), x, n       \
	VSUBPS       expRound<>(SB), n, n       \
	VFNMADD231PS expLn2Hi<>(SB), n, x       \
	VFNMADD231PS expLn2Lo<>(SB), n, x       \
	VFNMADD231PS mathHalf<>(SB), low, x     \
	VMOVUPS      exp4<>(SB), q              \
	VFMADD213PS  exp3<>(SB), x, q           \
	VFMADD213PS  exp2<>(SB), x, q           \
	VFMADD213PS  exp1<>(SB), x, q           \
	VFMADD213PS  exp0<>(SB), x, q           \
	VMULPS       x, q, q                    \
	VFMADD213PS  x, x, q                    \
	VFMADD213PS  r, q, r                    \
	VSCALEFPS    n, r, r

// GELUTABLE: max(x, 0) - t*P(X > t), t = |x|, which is bounded but for negative x: infinity*0 makes NaN, as x*0 does.
// low is what rounding left out of t^2.
#define GELUTABLE \
	VANDPS       mathAbs<>(SB), V0, V1       \
	VMOVUPS      millsEnd<>(SB), V2          \
	VMINPS       V1, V2, V1                  \
	MILLS(V1, V3, V2, V4, V5)                \
	VMULPS       V1, V1, V6                  \
	VMOVAPS      V6, V7                      \
	VFMSUB231PS  V1, V1, V7                  \
	VMULPS       mathMinusHalf<>(SB), V6, V6 \
	EXPMILLS(V6, V7, V3, V4, V5)             \
	VXORPS       mathSign<>(SB), V0, V2      \
	VMAXPS       V1, V2, V1                  \
	VXORPS       V6, V6, V6                  \
	VMAXPS       V0, V6, V0                  \
	VFNMADD231PS V1, V3, V0

// ERFTABLE: as ERF, with the tail from the table.
#define ERFTABLE \
	VANDPS      mathAbs<>(SB), V0, V1     \
	VMOVUPS     mathTen<>(SB), V2         \
	VMINPS      V1, V2, V1                \
	VMULPS      erfSqrt2<>(SB), V1, V2    \
	MILLS(V2, V3, V4, V6, V7)             \
	VMULPS      V1, V1, V5                \
	VXORPS      mathSign<>(SB), V5, V6    \
	VXORPS      V7, V7, V7                \
	EXPMILLS(V6, V7, V3, V4, V8)          \
	VMOVUPS     mathOne<>(SB), V8         \
	VFNMADD231PS mathTwo<>(SB), V3, V8    \
	VANDPS      mathSign<>(SB), V0, V6    \
	VORPS       V6, V8, V8                \
	ERFNEAR0(V5, V7)                      \
	VMOVUPS     mathOne<>(SB), V9         \
	IFLT(V1, V9, V7, V8, V0, V10)
