//go:build !purego

#include "textflag.h"

// func Pause()
//
// YIELD does nothing on most cores; ISB, which refills the pipeline, takes some ten nanoseconds.
TEXT ·Pause(SB), NOSPLIT, $0-0
	ISB $15
	RET
