//go:build !purego && !windows

package asm

func windowsHasI8MM() bool { return false }
