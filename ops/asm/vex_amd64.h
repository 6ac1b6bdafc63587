// VPDPBUSD_VEX is VPDPBUSD Y(b), Y(a), Y(c) in the VEX encoding, which the
// assembler does not emit: c += the dot products of four unsigned bytes of a and
// four signed bytes of b. The arguments are register numbers.
#define VPDPBUSD_VEX(b, a, c) \
	BYTE $0xC4; \
	BYTE $(0x42 | ((1-(c>>3))<<7) | ((1-(b>>3))<<5)); \
	BYTE $(0x05 | ((15-a)<<3)); \
	BYTE $0x50; \
	BYTE $(0xC0 | ((c&7)<<3) | (b&7))
