//go:build !purego

package asm

import (
	"encoding/binary"
	"strings"
)

// cpuid runs the instruction CPUID of a leaf.
//
//go:noescape
func cpuid(leaf uint32) (eax, ebx, ecx, edx uint32)

// hasLeaf reports whether the processor has an extended leaf.
func hasLeaf(leaf uint32) bool {
	last, _, _, _ := cpuid(0x80000000)
	return last >= leaf
}

// cpuName returns the brand string.
func cpuName() string {
	if !hasLeaf(0x80000004) {
		return ""
	}
	var name []byte
	for leaf := uint32(0x80000002); leaf <= 0x80000004; leaf++ {
		a, b, c, d := cpuid(leaf)
		for _, register := range []uint32{a, b, c, d} {
			name = binary.LittleEndian.AppendUint32(name, register)
		}
	}
	text, _, _ := strings.Cut(string(name), "\x00")
	return strings.TrimSpace(text)
}

// cacheSize returns the bytes of a core's second-level cache, 0 when the processor does not tell.
func cacheSize() int {
	if !hasLeaf(0x80000006) {
		return 0
	}
	_, _, kib, _ := cpuid(0x80000006)
	return int(kib>>16) << 10
}
