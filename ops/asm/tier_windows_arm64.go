//go:build !purego

package asm

import "golang.org/x/sys/windows"

// windowsHasI8MM asks for what golang.org/x/sys/cpu does not.
func windowsHasI8MM() bool {
	return windows.IsProcessorFeaturePresent(windows.PF_ARM_V82_I8MM_INSTRUCTIONS_AVAILABLE)
}
