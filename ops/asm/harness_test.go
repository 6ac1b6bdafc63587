package asm

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"
	"unsafe"
)

// requiredTiers lists the tiers that OCTET_REQUIRE_TIERS names, comma
// separated: CI sets it to what its machine or emulator must have, so that a
// tier which silently did not run is a failure.
func requiredTiers(tb testing.TB) map[Tier]bool {
	tb.Helper()
	required := map[Tier]bool{}
	for name := range strings.SplitSeq(os.Getenv("OCTET_REQUIRE_TIERS"), ",") {
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		tier, err := ParseTier(name)
		if err != nil {
			tb.Fatalf("OCTET_REQUIRE_TIERS: %v", err)
		}
		required[tier] = true
	}
	return required
}

func TestRequiredTiersSupported(t *testing.T) {
	for tier := range requiredTiers(t) {
		if !cpuHas(tier) {
			t.Errorf("tier %s is required and this CPU or build lacks it", tier)
		}
	}
}

// quick reports whether sweeps should be thinned out: emulated CPUs are some
// hundred times slower.
func quick() bool { return testing.Short() || os.Getenv("OCTET_QUICK") == "1" }

// forEachKernel runs body as one subtest per row. A row whose tier the CPU lacks is
// logged as not run, or fails when the tier is required.
func forEachKernel[K any](t *testing.T, rows []K, body func(t *testing.T, k *K)) {
	t.Helper()
	required := requiredTiers(t)
	for i := range rows {
		info := rowsOf(rows).at(i)
		switch {
		case cpuHas(info.Tier):
			t.Run(info.Tier.String(), func(t *testing.T) { body(t, &rows[i]) })
		case required[info.Tier]:
			t.Errorf("%s for %s is required and did not run: no such CPU", info.Op, info.Tier)
		default:
			t.Logf("%s for %s not run: no such CPU", info.Op, info.Tier)
		}
	}
}

// benchEachKernel runs body as one sub-benchmark per supported row.
func benchEachKernel[K any](b *testing.B, rows []K, body func(b *testing.B, k *K)) {
	b.Helper()
	for i := range rows {
		if info := rowsOf(rows).at(i); cpuHas(info.Tier) {
			b.Run(info.Tier.String(), func(b *testing.B) { body(b, &rows[i]) })
		}
	}
}

// reportGops adds the rate of a benchmark whose iteration does the given number of
// operations, a multiply-add being two.
func reportGops(b *testing.B, ops int) {
	b.Helper()
	b.ReportMetric(float64(ops)*float64(b.N)/b.Elapsed().Seconds()/1e9, "Gop/s")
}

// peakU8S8 holds the measured limit of each tier in Gop/s.
var peakU8S8 = map[Tier]float64{}

// reportU8S8Share adds the rate and its share of the limit of the tier, which is
// measured once, as the best of many short runs.
func reportU8S8Share(b *testing.B, tier Tier, ops int) {
	b.Helper()
	reportGops(b, ops)
	if peakU8S8[tier] == 0 {
		k := PeakU8S8For(tier)
		for range 200 {
			start := time.Now()
			n := k.Run(10000)
			peakU8S8[tier] = max(peakU8S8[tier], float64(n)/float64(time.Since(start)))
		}
	}
	b.ReportMetric(100*float64(ops)*float64(b.N)/float64(b.Elapsed())/peakU8S8[tier], "%limit")
}

// newRand returns the deterministic source of a test's data.
func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0x0c7e7)) }

// guarded is memory between two pages that may not be touched.
type guarded struct{ mem []byte }

// atEnd returns n elements that end where the memory ends: reading or writing one
// byte past them faults. A later call returns the same memory. Elements need
// an alignment that n times their size keeps.
func atEnd[T any](g *guarded, n int) []T {
	size := n * int(unsafe.Sizeof(*new(T)))
	if size > len(g.mem) {
		panic(fmt.Sprintf("guarded memory has %d bytes, the test asks for %d", len(g.mem), size))
	}
	if n == 0 {
		return []T{}
	}
	return unsafe.Slice((*T)(unsafe.Pointer(&g.mem[len(g.mem)-size])), n)
}

// atStart is atEnd for the start of the memory: touching a byte before the elements faults.
func atStart[T any](g *guarded, n int) []T {
	size := n * int(unsafe.Sizeof(*new(T)))
	if size > len(g.mem) {
		panic(fmt.Sprintf("guarded memory has %d bytes, the test asks for %d", len(g.mem), size))
	}
	return unsafe.Slice((*T)(unsafe.Pointer(&g.mem[0])), n)
}

// sentinel is what guardless output memory is filled with before a kernel runs.
const sentinel = 0xA5

// fillSentinel marks every byte of s.
func fillSentinel[T any](s []T) {
	for i := range asBytes(s) {
		asBytes(s)[i] = sentinel
	}
}

// checkSentinel fails unless every byte of s, which lies outside the
// output that name describes, still holds its mark.
func checkSentinel[T any](t *testing.T, name any, s []T) {
	t.Helper()
	for i, v := range asBytes(s) {
		if v != sentinel {
			t.Fatalf("%+v: byte %d outside the output was overwritten with %#x", name, i, v)
		}
	}
}

// checkStridedSentinels checks the bytes of buf that are outside rows of width bytes each stride apart.
func checkStridedSentinels(t *testing.T, name any, buf []byte, rows, width, stride int) {
	t.Helper()
	for i, v := range buf {
		if r := i / stride; v != sentinel && (r >= rows || i%stride >= width) {
			t.Fatalf("%+v: byte %d outside %d rows of %d with stride %d was overwritten with %#x",
				name, i, rows, width, stride, v)
		}
	}
}

func asBytes[T any](s []T) []byte {
	if len(s) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&s[0])), len(s)*int(unsafe.Sizeof(s[0])))
}

// aligned returns n zeroed bytes that start at a multiple of 64.
func aligned(n int) []byte {
	mem := make([]byte, n+64)
	off := int(-uintptr(unsafe.Pointer(&mem[0])) & 63)
	return mem[off : off+n : off+n]
}

// checkNoAllocs fails when f allocates.
func checkNoAllocs(t *testing.T, f func()) {
	t.Helper()
	if n := testing.AllocsPerRun(10, f); n != 0 {
		t.Errorf("%v allocations per call, want 0", n)
	}
}

// packedLen returns how many weights PackB of a matrix kernel with panels of nr columns writes for n of them.
func packedLen(nr, ks, kc, n int) int { return roundUp(n, nr) * ks * kc }
