#define ARG_A IGemmF32Args_A
#define ARG_OFFSETS IGemmF32Args_Offsets
#define ARG_ASTRIDE IGemmF32Args_AStride
#define ARG_PAD IGemmF32Args_Pad
#define ARG_KS IGemmF32Args_KS
#define ARG_B IGemmF32Args_B
#define ARG_M IGemmF32Args_M
#define ARG_NEXT IGemmF32Args_Next
#define ARG_NEXTEND IGemmF32Args_NextEnd
#define ARG_NEXTSTEP IGemmF32Args_NextStep
#include "igemm_tiles_amd64.h"
