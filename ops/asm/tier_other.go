//go:build purego || !(amd64 || arm64)

package asm

func cpuFeatures() features { return 0 }
