// VPDPBUSD_VEX is VPDPBUSD Y(b), Y(a), Y(c) in the VEX encoding, which the
// assembler does not emit: c += the dot products of four unsigned bytes of a and
// four signed bytes of b. The arguments are register numbers.
#define VPDPBUSD_VEX(b, a, c) VEX_DOT(0x50, b, a, c)

// VPDPWSSD_VEX is VPDPWSSD Y(b), Y(a), Y(c): the same of two signed words of a and of b.
#define VPDPWSSD_VEX(b, a, c) VEX_DOT(0x52, b, a, c)

// VEX_DOT is VEX.256.66.0F38.W0 op /r.
#define VEX_DOT(op, b, a, c) \
	BYTE $0xC4; \
	BYTE $(0x42 | ((1-(c>>3))<<7) | ((1-(b>>3))<<5)); \
	BYTE $(0x05 | ((15-a)<<3)); \
	BYTE $op; \
	BYTE $(0xC0 | ((c&7)<<3) | (b&7))
