package loadtest

import (
	"math"
	"math/bits"
	"time"
)

// histogram counts durations in bins that are at most 1/1024 of their value wide, from a nanosecond to 292 years: its size does
// not depend on how many there are.
type histogram struct {
	counts   []int64
	n        int64
	sum      float64 // seconds
	min, max time.Duration
}

const (
	exactBits = 11 // values below 1<<exactBits have bins of their own
	half      = 1 << (exactBits - 1)
)

// bin returns the bin of a duration, which is not negative.
func bin(d time.Duration) int {
	v := uint64(d)
	shift := max(bits.Len64(v)-exactBits, 0)
	return shift*half + int(v>>shift)
}

// upper returns the greatest duration of a bin.
func upper(i int) time.Duration {
	if i < 2*half {
		return time.Duration(i)
	}
	shift := i/half - 1
	return time.Duration((uint64(i-shift*half)+1)<<shift - 1)
}

// add counts a duration.
func (h *histogram) add(d time.Duration) {
	d = max(d, 0)
	i := bin(d)
	for len(h.counts) <= i {
		h.counts = append(h.counts, make([]int64, half)...)
	}
	if h.n == 0 || d < h.min {
		h.min = d
	}
	h.counts[i]++
	h.n++
	h.sum += d.Seconds()
	h.max = max(h.max, d)
}

// merge counts all that another has counted.
func (h *histogram) merge(o *histogram) {
	if o.n == 0 {
		return
	}
	for len(h.counts) < len(o.counts) {
		h.counts = append(h.counts, make([]int64, half)...)
	}
	for i, c := range o.counts {
		h.counts[i] += c
	}
	if h.n == 0 || o.min < h.min {
		h.min = o.min
	}
	h.n += o.n
	h.sum += o.sum
	h.max = max(h.max, o.max)
}

// quantile returns the least duration that at least the share q of all do not exceed, rounded up to the end of its bin.
func (h *histogram) quantile(q float64) time.Duration {
	rank := min(max(int64(math.Ceil(q*float64(h.n))), 1), h.n)
	seen := int64(0)
	for i, c := range h.counts {
		if seen += c; seen >= rank && c > 0 {
			return min(upper(i), h.max)
		}
	}
	return 0
}

// latency describes what was counted.
func (h *histogram) latency() Latency {
	if h.n == 0 {
		return Latency{}
	}
	return Latency{
		Min: h.min, Mean: time.Duration(h.sum / float64(h.n) * float64(time.Second)), Max: h.max,
		P50: h.quantile(0.5), P90: h.quantile(0.9), P95: h.quantile(0.95), P99: h.quantile(0.99), P999: h.quantile(0.999),
	}
}
