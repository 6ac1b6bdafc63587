//go:build !purego && (amd64 || arm64)

package asm

// Pause tells the CPU that the caller waits in a loop, for some ten nanoseconds.
//
//go:noescape
func Pause()
