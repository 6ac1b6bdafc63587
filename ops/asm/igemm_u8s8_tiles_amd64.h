#define TILEROWS 6
#define ARG_A IGemmU8S8Args_A
#define ARG_OFFSETS IGemmU8S8Args_Offsets
#define ARG_ASTRIDE IGemmU8S8Args_AStride
#define ARG_PAD IGemmU8S8Args_Pad
#define ARG_KS IGemmU8S8Args_KS
#define ARG_B IGemmU8S8Args_B
#define ARG_M IGemmU8S8Args_M
#define ARG_NEXT IGemmU8S8Args_Next
#define ARG_NEXTEND IGemmU8S8Args_NextEnd
#define ARG_NEXTSTEP IGemmU8S8Args_NextStep
#include "igemm_tiles_amd64.h"
