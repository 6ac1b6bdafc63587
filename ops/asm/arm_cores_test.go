package asm

import (
	"fmt"
	"strings"
	"testing"
)

// TestArmCores reads /proc/cpuinfo as a Raspberry Pi 4, a phone with two kinds of cores and others write it.
func TestArmCores(t *testing.T) {
	core := func(implementer, part int) string {
		return fmt.Sprintf("processor\t: 0\nBogoMIPS\t: 108.00\nFeatures\t: fp asimd evtstrm crc32 cpuid\nCPU implementer\t: %#x\n"+
			"CPU architecture: 8\nCPU variant\t: 0x0\nCPU part\t: %#x\nCPU revision\t: 3\n\n", implementer, part)
	}
	for _, tc := range []struct{ name, info, want string }{
		{"one kind", strings.Repeat(core(0x41, 0xd08), 4) + "Model\t\t: Raspberry Pi 4 Model B Rev 1.4\n", "Cortex-A72"},
		{"two kinds", strings.Repeat(core(0x41, 0xd05), 4) + strings.Repeat(core(0x41, 0xd0b), 2), "4 Cortex-A55, 2 Cortex-A76"},
		{"unknown", core(0x51, 0x804), "implementer 0x51 part 0x804"},
		{"x86", "processor\t: 0\nvendor_id\t: AuthenticAMD\nmodel name\t: AMD EPYC\n", ""},
		{"nothing", "", ""},
		{"broken", "CPU part\t: zz\nCPU implementer\nCPU part", ""},
	} {
		if got := armCores(tc.info); got != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
}
