package asm

import (
	"runtime"
	"strings"
	"testing"
	"unicode"
)

func TestCPUName(t *testing.T) {
	if runtime.GOARCH != "amd64" || cpuFeatures() == 0 {
		t.Skip("not every CPU tells its name")
	}
	name := CPUName()
	if name == "" || name != strings.TrimSpace(name) || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		t.Errorf("%q", name)
	}
	if n := cacheSize(); n < 64<<10 || n > 64<<20 {
		t.Errorf("a second-level cache of %d bytes", n)
	}
}
