// The coefficients of float32 functions, in bits. They come from testdata/gen/mathcoef.py.

#define EXP_HI $0x42b20000 // 89: e^89 is infinite
#define EXP_LO $0xc2d10000 // -104.5: e^-104.5 rounds to 0
#define EXP_ROUND $0x4b400000 // 1.5*2^23: adding it rounds to whole numbers
#define EXP_LOG2E $0x3fb8aa3b
#define EXP_LN2_HI $0x3f317200 // ln 2 with trailing zeros, so that a multiple of it is exact
#define EXP_LN2_LO $0x35bfbe8e
#define EXP0 $0x3efffffe
#define EXP1 $0x3e2aaa48
#define EXP2 $0x3d2aac7a
#define EXP3 $0x3c091d36
#define EXP4 $0x3ab511a9

#define TANH_SPLIT $0x3f200000 // 0.625
#define TANH0 $0xbeaaaa99
#define TANH1 $0x3e088393
#define TANH2 $0xbd5c1e2d
#define TANH3 $0x3ca9134c
#define TANH4 $0xbbbaf0e1

#define ERF0 $0x3e0375d4
#define ERF1 $0xbec0939f
#define ERF2 $0x3de7167c
#define ERF3 $0xbcdbfc87
#define ERF4 $0x3baa02d9
#define ERF5 $0xba51fb80
#define ERF6 $0x38a4b519
#define ERF_SQRT2 $0x3fb504f3

#define TAIL_SLOPE $0x3fa00000 // 1.25
#define TAIL_LOW $0x32da8d4b // what the constant coefficient misses
#define TAIL_INVERSE $0x3feccccd // 1.85, about 1/q
#define TAIL0 $0x3f13c2ce
#define TAIL1 $0xbd8d6e31
#define TAIL2 $0xbd525100
#define TAIL3 $0x3d8b4863
#define TAIL4 $0xbcf545dc
#define TAIL5 $0x3a3c3754
#define TAIL6 $0x3b827b6e
#define TAIL7 $0xb9b3ce91
#define TAIL8 $0xba20c6c0
#define TAIL9 $0x36becfcd
#define TAIL10 $0x38794201

#define HALF_INVERSE $0x3fbb645a // 1.464: 1.464 - s/2 is 1/s within 8 % for s in [1, 2]
#define SOFT_INVERSE $0x3f51eb85 // 0.82: 2/s within 23 % for s in [2, 3]

#define LOG0 $0x3f2aaaac
#define LOG1 $0x3ecccb58
#define LOG2 $0x3e928458
#define LOG3 $0x3e5b7366
#define LOG4 $0x3e78b9a3
#define LOG_MIN $0x00800000 // the smallest normal number
#define LOG_SCALE $0x4b800000 // 2^24
#define LOG_SHIFT $0x41c00000 // 24
#define LOG_SQRT_HALF $0x3f3504f3

#define GELU1_HI $0x3fcc422a // 2*sqrt(2/pi)
#define GELU1_LO $0xb342bc9b
#define GELU3_HI $0x3d922279 // 2*sqrt(2/pi)*0.044715
#define GELU3_LO $0x3124d8b5
