package cli

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/octet-ml/octet/internal/fastcores"
	"github.com/octet-ml/octet/ops/asm"
)

// speedFacts are what decides how fast kernels are.
type speedFacts struct {
	arch       string   // GOARCH
	tags       []string // that the program was built with
	best, tier asm.Tier // of this CPU, and the one in use
	cappedBy   string   // "--cpu" or "OCTET_CPU", where either names the tier
	threads    int      // that a run takes by itself
	fast       int      // fast CPUs that the process may use
}

// speedFacts are those of this process.
func (a *app) speedFacts() speedFacts {
	f := speedFacts{arch: runtime.GOARCH, best: asm.Best(), tier: a.tier, threads: fastcores.Threads(), fast: len(fastcores.Here().Fast)}
	switch {
	case a.cpu != "":
		f.cappedBy = "--cpu"
	case os.Getenv("OCTET_CPU") != "":
		f.cappedBy = "OCTET_CPU"
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "-tags" {
				f.tags = strings.Split(s.Value, ",")
			}
		}
	}
	return f
}

// hints say what would be faster, and why it is not.
func (f speedFacts) hints(kernels []asm.Info) []string {
	var h []string
	say := func(format string, args ...any) { h = append(h, fmt.Sprintf(format, args...)) }
	dot := []asm.Tier{asm.AVXVNNI, asm.AVX512VNNI, asm.DotProd, asm.I8MM}
	switch {
	case f.arch != "amd64" && f.arch != "arm64":
		say("%s: there are kernels in assembly for amd64 and arm64 only: everything is plain Go", f.arch)
	case slices.Contains(f.tags, "purego"):
		say("built with the tag purego: everything is plain Go; without the tag there are kernels in assembly")
	case f.best == asm.Generic:
		say("this CPU has no AVX2 with FMA3, which is the least that kernels in assembly ask for: everything is plain Go")
	case f.tier.InUse() != f.best.InUse():
		say("capped to %v by %s: without it %v", f.tier, f.cappedBy, f.best)
	case !slices.ContainsFunc(dot, f.best.Includes):
		say("this CPU has no dot product of bytes (VNNI on x86, SDOT on Arm): int8 is about twice as fast as float32 at best, not four times")
	}
	if f.threads < f.fast {
		say("%d of %d CPUs are used: GOMAXPROCS, or the CPU limit of the control group, allows no more", f.threads, f.fast)
	}
	return append(h, f.rowless(kernels)...)
}

// registers are the tiers whose registers others have: what those add is for products of bytes only.
var registers = map[asm.Tier]asm.Tier{asm.AVXVNNI: asm.AVX2, asm.AVX512VNNI: asm.AVX512, asm.DotProd: asm.NEON, asm.I8MM: asm.NEON}

// rowless says which operations have no kernel for the registers of the tier, and which they have instead.
func (f speedFacts) rowless(kernels []asm.Info) []string {
	var h []string
	used := f.tier.InUse()
	if base, ok := registers[used]; ok {
		used = base
	}
	for tier := used; ; tier-- {
		var names []string
		for _, k := range kernels {
			if k.Tier == tier && tier < used {
				names = append(names, k.Op)
			}
		}
		if len(names) > 0 {
			what := "kernels of " + tier.String()
			if tier == asm.Generic {
				what = "plain Go"
			}
			h = append(h, fmt.Sprintf("no rows for %v, so %s: %s", used, what, strings.Join(names, ", ")))
		}
		if tier == asm.Generic {
			return h
		}
	}
}
