package bench

import (
	"sync"
	"time"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
)

// Limits are what the machine can do at most, measured with loops that do
// nothing else: in registers for the operations, over memory larger than
// caches for the bytes.
type Limits struct {
	Threads  int     `json:"threads"`
	F32Gops  float64 `json:"f32_gops"`  // float32 multiply-adds, two operations each, per 1e-9 s
	Int8Gops float64 `json:"int8_gops"` // u8 x s8 multiply-accumulates, likewise
	ReadGBs  float64 `json:"read_gbs"`  // 1e9 bytes per second
}

// MeasureLimits measures the limits of the given number of threads on a tier;
// it takes about a second.
func MeasureLimits(tier asm.Tier, threads int) Limits {
	threads = max(threads, 1)
	f32, u8s8 := asm.PeakF32For(tier), asm.PeakU8S8For(tier)
	l := Limits{Threads: threads}
	l.F32Gops = fastest(threads, func(int) float64 { return float64(f32.Run(200_000)) }) / 1e9
	l.Int8Gops = fastest(threads, func(int) float64 { return float64(u8s8.Run(200_000)) }) / 1e9

	const words = 16 << 20 // 128 MiB, beyond the last cache of most machines
	memory := make([]uint64, words)
	for i := 0; i < words; i += 512 {
		memory[i] = 1 // a page that was never written is not memory yet
	}
	sums := make([]uint64, threads)
	l.ReadGBs = fastest(threads, func(thread int) float64 {
		part := memory[thread*words/threads : (thread+1)*words/threads]
		sums[thread] = sum(part)
		return 8 * float64(len(part))
	}) / 1e9
	return l
}

// fastest runs work on all threads at once, several times, and returns the
// highest rate; the other runs were disturbed.
func fastest(threads int, work func(thread int) float64) float64 {
	best := 0.0
	done := make([]float64, threads)
	for begin, i := time.Now(), 0; i < 5 || i < 200 && time.Since(begin) < 250*time.Millisecond; i++ {
		var wg sync.WaitGroup
		start := time.Now()
		for t := 1; t < threads; t++ {
			wg.Go(func() { done[t] = work(t) })
		}
		done[0] = work(0)
		wg.Wait()
		seconds := time.Since(start).Seconds()
		total := 0.0
		for _, d := range done {
			total += d
		}
		best = max(best, total/seconds)
	}
	return best
}

// sum reads every word; several sums keep more than one load in flight.
func sum(words []uint64) uint64 {
	var a, b, c, d uint64
	for len(words) >= 8 {
		a += words[0] + words[4]
		b += words[1] + words[5]
		c += words[2] + words[6]
		d += words[3] + words[7]
		words = words[8:]
	}
	return a + b + c + d
}

// Ideal returns the seconds that the operations of w take at the limits.
func (l Limits) Ideal(w ops.Work) float64 {
	s := 0.0
	if l.F32Gops > 0 {
		s += 2e-9 * float64(w.MACs) / l.F32Gops
	}
	if l.Int8Gops > 0 {
		s += 2e-9 * float64(w.Int8MACs) / l.Int8Gops
	}
	return s
}
