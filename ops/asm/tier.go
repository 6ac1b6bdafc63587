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

// Tier names a set of CPU features that kernels are written for. Tiers are values
// a caller passes along; nothing in the package changes with the CPU it runs on
// but what Supported and Best answer.
type Tier uint8

// The tiers, those of one architecture in order of strength. Generic is plain Go and runs everywhere.
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

// features is a set of what a CPU has and a kernel asks for.
type features uint8

const (
	featureAVX2 features = 1 << iota // with FMA3
	featureAVXVNNI
	featureAVX512 // F, BW, DQ and VL, with BMI2
	featureAVX512VNNI
	featureNEON
	featureDotProd
	featureI8MM
)

// tiers lists each tier's name and the features that its kernels ask for.
var tiers = [numTiers]struct {
	name string
	asks features
}{
	Generic:    {"generic", 0},
	AVX2:       {"avx2", featureAVX2},
	AVXVNNI:    {"avxvnni", featureAVX2 | featureAVXVNNI},
	AVX512:     {"avx512", featureAVX2 | featureAVX512},
	AVX512VNNI: {"avx512vnni", featureAVX2 | featureAVX512 | featureAVX512VNNI},
	NEON:       {"neon", featureNEON},
	DotProd:    {"dotprod", featureNEON | featureDotProd},
	I8MM:       {"i8mm", featureNEON | featureDotProd | featureI8MM},
}

// has reports whether f holds all of o.
func (f features) has(o features) bool { return o&^f == 0 }

// cpuHas reports whether this CPU and build have the features of a tier.
func cpuHas(t Tier) bool { return cpuFeatures().has(tiers[t].asks) }

// String returns the name that OCTET_CPU takes.
func (t Tier) String() string {
	if t >= numTiers {
		return fmt.Sprintf("Tier(%d)", uint8(t))
	}
	return tiers[t].name
}

// Includes reports whether a CPU of tier t runs kernels of tier o.
func (t Tier) Includes(o Tier) bool { return tiers[t].asks.has(tiers[o].asks) }

// InUse returns the strongest tier that a kernel is written for among those a CPU of tier t runs: what naming t comes to.
func (t Tier) InUse() Tier {
	used := Generic
	for _, k := range Kernels() {
		if t.Includes(k.Tier) {
			used = max(used, k.Tier)
		}
	}
	return used
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
