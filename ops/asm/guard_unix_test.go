//go:build unix

package asm

import (
	"os"
	"runtime/debug"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// guarding reports whether the pages around guarded memory may not be touched. QEMU's user
// mode reads the lanes that VMASKMOVPS masks off, which no CPU does; under it
// OCTET_GUARDS=0 leaves the pages readable.
func guarding() bool { return os.Getenv("OCTET_GUARDS") != "0" }

// newGuarded returns at least size bytes between two pages without access.
func newGuarded(tb testing.TB, size int) *guarded {
	tb.Helper()
	page := unix.Getpagesize()
	n := roundUp(max(size, 1), page)
	mem, err := unix.Mmap(-1, 0, n+2*page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		tb.Fatalf("mmap of %d bytes: %v", n+2*page, err)
	}
	tb.Cleanup(func() {
		if err := unix.Munmap(mem); err != nil {
			tb.Errorf("munmap: %v", err)
		}
	})
	for _, guard := range [][]byte{mem[:page], mem[n+page:]} {
		if !guarding() {
			break
		}
		if err := unix.Mprotect(guard, unix.PROT_NONE); err != nil {
			tb.Fatalf("mprotect: %v", err)
		}
	}
	return &guarded{mem: mem[page : n+page : n+page]}
}

// TestGuardedFaults proves that the guards of the other tests work.
func TestGuardedFaults(t *testing.T) {
	if !guarding() {
		t.Skip("OCTET_GUARDS=0 leaves the guard pages readable")
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	touch := func(mem []byte, i int) (faulted bool) {
		defer func() { faulted = recover() != nil }()
		*(*byte)(unsafe.Add(unsafe.Pointer(&mem[0]), i)) = 1
		return false
	}
	g := newGuarded(t, 100)
	end := atEnd[byte](g, 100)
	if touch(end, 99) || !touch(end, 100) {
		t.Error("memory does not end at its guard page")
	}
	start := atStart[byte](g, 100)
	if touch(start, 0) || !touch(start, -1) {
		t.Error("memory does not start at its guard page")
	}
}
