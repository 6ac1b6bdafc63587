//go:build !((amd64 && !purego) || (arm64 && (darwin || linux)))

package asm

func cpuName() string { return "" }

func cacheSize() int { return 0 }
