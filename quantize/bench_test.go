package quantize

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/octet-ml/octet/tensor"
)

// BenchmarkObserve measures a batch of an activation after a ReLU.
func BenchmarkObserve(b *testing.B) {
	const n = 1 << 20
	v := normal(rand.New(rand.NewPCG(1, 1)), n)
	for i := range v {
		v[i] = max(v[i], 0)
	}
	x, err := tensor.FromSlice(v, 1, n)
	if err != nil {
		b.Fatal(err)
	}
	for _, k := range Kinds() {
		b.Run(fmt.Sprintf("%s/%d", k, n), func(b *testing.B) {
			o := newObserver(b, ObserverConfig{Kind: k, Spec: affineU8})
			b.SetBytes(4 * n)
			for b.Loop() {
				if err := o.Observe(x); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/element")
		})
	}
}

// BenchmarkQParams measures the search for a range.
func BenchmarkQParams(b *testing.B) {
	for _, k := range Kinds() {
		b.Run(string(k), func(b *testing.B) {
			c := ObserverConfig{Kind: k, Spec: affineU8}
			seen := newObserver(b, c)
			observe(b, seen, []int{1 << 20}, normal(rand.New(rand.NewPCG(1, 1)), 1<<20)...)
			s := seen.State()
			for b.Loop() {
				o, err := s.NewObserver("value")
				if err != nil {
					b.Fatal(err)
				}
				if _, err := o.QParams(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
