//go:build purego || !(amd64 || arm64)

package asm

// Pause does nothing: plain Go has no such instruction.
func Pause() {}
