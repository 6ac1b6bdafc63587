//go:build !(linux && arm64)

package asm

func coreNames() string { return "" }
