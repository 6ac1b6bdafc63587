//go:build !unix

package asm

import "testing"

// newGuarded returns plain memory: this system has no guard pages.
func newGuarded(tb testing.TB, size int) *guarded {
	return &guarded{mem: make([]byte, max(size, 1))}
}
