// Package asm holds octet's kernels: the innermost loops of its operators,
// written once in plain Go, which defines their results, and again in assembly
// for the CPU tiers where that is faster. Kernels take slices, pointers and ints and
// may assume what their callers checked; a table row names each of them.
package asm

import (
	"fmt"
	"os"
	"strings"
)

// Tier is a level of CPU support that kernels are written for. Tiers are values
// a caller passes along; nothing in the package changes with the CPU it runs on
// but what Supported and Best answer.
type Tier uint8

// The tiers. Generic is plain Go and runs everywhere.
const (
	Generic    Tier = iota
	AVX2            // AVX2 and FMA3
	AVXVNNI         // AVX2 with the VEX-encoded dot products
	AVX512          // AVX-512 F, BW, DQ, VL and BMI2
	AVX512VNNI      // AVX512 with the dot products
	NEON            // ARMv8.0 Advanced SIMD
	DotProd         // NEON with SDOT and UDOT
	I8MM            // DotProd with SMMLA, UMMLA and USMMLA
	numTiers
)

// tiers lists each tier's name and the next weaker one, whose kernels a CPU of
// this tier also runs.
var tiers = [numTiers]struct {
	name   string
	weaker Tier
}{
	Generic:    {"generic", Generic},
	AVX2:       {"avx2", Generic},
	AVXVNNI:    {"avxvnni", AVX2},
	AVX512:     {"avx512", AVX2},
	AVX512VNNI: {"avx512vnni", AVX512},
	NEON:       {"neon", Generic},
	DotProd:    {"dotprod", NEON},
	I8MM:       {"i8mm", DotProd},
}

// String returns the name that OCTET_CPU takes.
func (t Tier) String() string {
	if t >= numTiers {
		return fmt.Sprintf("Tier(%d)", uint8(t))
	}
	return tiers[t].name
}

// Includes reports whether a CPU of tier t runs kernels of tier o.
func (t Tier) Includes(o Tier) bool {
	for ; t != o; t = tiers[t].weaker {
		if t == Generic {
			return false
		}
	}
	return true
}

// Supported returns the tiers of this CPU and build, weakest first. It always
// holds Generic.
func Supported() []Tier {
	have := []Tier{Generic}
	for t := Generic + 1; t < numTiers; t++ {
		if cpuHas(t) {
			have = append(have, t)
		}
	}
	return have
}

// Best returns the strongest tier of this CPU and build.
func Best() Tier {
	have := Supported()
	return have[len(have)-1]
}

// ParseTier returns the tier with the given name, whether this CPU has it or not.
func ParseTier(name string) (Tier, error) {
	names := make([]string, 0, numTiers)
	for t := Generic; t < numTiers; t++ {
		if tiers[t].name == name {
			return t, nil
		}
		names = append(names, tiers[t].name)
	}
	return Generic, fmt.Errorf("unknown CPU tier %q: use one of %s", name, strings.Join(names, ", "))
}

// Resolve returns the tier to run with: the one named, else the one the
// environment variable OCTET_CPU names, else the best. Naming a tier that this
// CPU lacks is an error.
func Resolve(name string) (Tier, error) {
	if name == "" {
		name = os.Getenv("OCTET_CPU")
	}
	if name == "" {
		return Best(), nil
	}
	t, err := ParseTier(name)
	if err != nil {
		return Generic, err
	}
	if t != Generic && !cpuHas(t) {
		var have []string
		for _, s := range Supported() {
			have = append(have, s.String())
		}
		return Generic, fmt.Errorf("this CPU has no tier %q: it has %s", name, strings.Join(have, ", "))
	}
	return t, nil
}
