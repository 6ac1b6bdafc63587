//go:build purego || !(amd64 || arm64)

package asm

func cpuHas(t Tier) bool { return t == Generic }
