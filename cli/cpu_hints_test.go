package cli

import (
	"strings"
	"testing"

	"github.com/octet-ml/octet/ops/asm"
)

// TestSpeedHints asks of machines and builds that differ in one thing what would be faster.
func TestSpeedHints(t *testing.T) {
	best := speedFacts{arch: "amd64", best: asm.AVX512VNNI, tier: asm.AVX512VNNI, threads: 4, fast: 4}
	with := func(change func(*speedFacts)) speedFacts {
		f := best
		change(&f)
		return f
	}
	if h := best.hints(nil); len(h) != 0 {
		t.Errorf("of the best there is to say %q", h)
	}
	for want, f := range map[string]speedFacts{
		"riscv64: there are kernels": with(func(f *speedFacts) { f.arch, f.best, f.tier = "riscv64", asm.Generic, asm.Generic }),
		"built with the tag purego":  with(func(f *speedFacts) { f.tags, f.best, f.tier = []string{"noserve", "purego"}, asm.Generic, asm.Generic }),
		"no AVX2 with FMA3":          with(func(f *speedFacts) { f.best, f.tier = asm.Generic, asm.Generic }),
		"no dot product of bytes":    with(func(f *speedFacts) { f.best, f.tier = asm.AVX2, asm.AVX2 }),
		"2 of 4 CPUs are used":       with(func(f *speedFacts) { f.threads = 2 }),
	} {
		if h := f.hints(nil); len(h) != 1 || !strings.Contains(h[0], want) {
			t.Errorf("%q, want %q", h, want)
		}
	}
	kernels := []asm.Info{{Op: "a", Tier: asm.Generic}, {Op: "b", Tier: asm.Generic}, {Op: "c"}}
	if h := strings.Join(with(func(f *speedFacts) { f.best, f.tier = asm.AVX2, asm.Generic; f.cappedBy = "--cpu" }).hints(kernels), "\n"); asm.Best() != asm.Generic &&
		!strings.Contains(h, "capped to generic by --cpu: without it avx2") {
		t.Errorf("capped: %q", h)
	}
	if asm.Best().InUse() != asm.Generic {
		f := speedFacts{arch: "amd64", best: asm.Best(), tier: asm.Best(), threads: 1, fast: 1}
		if h := strings.Join(f.rowless(kernels), "\n"); !strings.Contains(h, "so plain Go: a, b, c") {
			t.Errorf("without rows: %q", h)
		}
	}
}
