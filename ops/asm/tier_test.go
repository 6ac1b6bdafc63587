package asm

import (
	"slices"
	"testing"
)

// TestTierIncludes states which kernels a CPU of each tier runs: tiers are sets of features, not a chain.
func TestTierIncludes(t *testing.T) {
	want := map[Tier][]Tier{
		Generic:    {Generic},
		AVX2:       {Generic, AVX2},
		AVXVNNI:    {Generic, AVX2, AVXVNNI},
		AVX512:     {Generic, AVX2, AVX512},
		AVX512VNNI: {Generic, AVX2, AVX512, AVX512VNNI},
		NEON:       {Generic, NEON},
		DotProd:    {Generic, NEON, DotProd},
		I8MM:       {Generic, NEON, DotProd, I8MM},
	}
	for tier := Generic; tier < numTiers; tier++ {
		var have []Tier
		for o := Generic; o < numTiers; o++ {
			if tier.Includes(o) {
				have = append(have, o)
			}
		}
		if !slices.Equal(have, want[tier]) {
			t.Errorf("tier %s runs kernels of %v, want %v", tier, have, want[tier])
		}
	}
}

// TestTierInUse checks that no tier is reported which no kernel is written for.
func TestTierInUse(t *testing.T) {
	for tier := Generic; tier < numTiers; tier++ {
		used := tier.InUse()
		if !tier.Includes(used) {
			t.Errorf("tier %s reports %s, which it does not include", tier, used)
		}
		if !slices.ContainsFunc(Kernels(), func(k Info) bool { return k.Tier == used }) {
			t.Errorf("tier %s reports %s, which no kernel is written for", tier, used)
		}
	}
}
