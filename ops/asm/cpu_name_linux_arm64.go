package asm

import (
	"fmt"
	"os"

	"github.com/klauspost/cpuid/v2"
)

// coreNames returns what the kernel says of the cores, else what the core that octet started on says of itself.
func coreNames() string {
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if names := armCores(string(info)); names != "" {
			return names
		}
	}
	if c := cpuid.CPU; c.VendorString != "" {
		const arm = 0x41
		if part := c.Model >> 4; c.VendorID == cpuid.ARM {
			return armCore(arm, part)
		}
		return fmt.Sprintf("%s, part %#x", c.VendorString, c.Model>>4)
	}
	return ""
}
