package quantize

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
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

// BenchmarkCalibration measures what observing costs on top of float inference:
// a batch of ResNet-18, with both alternating, as the ratio of their times.
func BenchmarkCalibration(b *testing.B) {
	m, err := nn.BuildRandom(nn.ResNet18(), 1)
	if err != nil {
		b.Fatal(err)
	}
	x := randomInput(b, 1, 8, 3, 224, 224)
	ctx := context.Background()
	for _, k := range Kinds() {
		b.Run(string(k), func(b *testing.B) {
			float, err := m.Compile(graph.Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer float.Close()
			calib, err := New(Options{Activation: &ObserverConfig{Kind: k, Spec: affineU8}}).Calib(m)
			if err != nil {
				b.Fatal(err)
			}
			defer calib.Close()
			var times [2][]time.Duration
			once := func(keep bool) {
				for i, run := range []func(context.Context, ...*tensor.Tensor) ([]*tensor.Tensor, error){float.Run, calib.Run} {
					start := time.Now()
					if _, err := run(ctx, x); err != nil {
						b.Fatal(err)
					}
					if keep {
						times[i] = append(times[i], time.Since(start))
					}
				}
			}
			once(false)
			for b.Loop() {
				once(true)
			}
			for _, t := range times {
				slices.Sort(t)
			}
			middle := len(times[0]) / 2
			b.ReportMetric(float64(times[1][middle])/float64(times[0][middle]), "calibration/float")
		})
	}
}
