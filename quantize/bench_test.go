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
	"github.com/octet-ml/octet/graph/train"
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

// inTurn runs one and then other, each once to warm up and then for as long as the benchmark lasts, and returns
// the ratio of the median time of other to that of one.
func inTurn(b *testing.B, one, other func() error) float64 {
	var times [2][]time.Duration
	round := func() {
		for i, run := range []func() error{one, other} {
			start := time.Now()
			if err := run(); err != nil {
				b.Fatal(err)
			}
			times[i] = append(times[i], time.Since(start))
		}
	}
	round()
	times = [2][]time.Duration{}
	for b.Loop() {
		round()
	}
	for _, t := range times {
		slices.Sort(t)
	}
	middle := len(times[0]) / 2
	return float64(times[1][middle]) / float64(times[0][middle])
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
			ratio := inTurn(b, func() error {
				_, err := float.Run(ctx, x)
				return err
			}, func() error {
				_, err := calib.Run(ctx, x)
				return err
			})
			b.ReportMetric(ratio, "calibration/float")
		})
	}
}

// BenchmarkRecompute measures what bounding the memory of a training step costs: ResNet-20 with 64 images, float
// and with 4 bits, batch norm frozen or not. Trainers with and without recomputation alternate; the metrics are the
// ratio of their median times and both arenas.
func BenchmarkRecompute(b *testing.B) {
	m, data := resnet20(b), cifar(b, "train.npz", 64)
	labels, err := tensor.FromSlice(data.labels[:64], 64)
	if err != nil {
		b.Fatal(err)
	}
	x := data.batches[0]
	float := func() (train.Model, error) { return train.FromGraph(m) }
	qat := func() (train.Model, error) {
		q := New(Options{})
		calib, err := q.Calib(m, WithBits(4, 4))
		if err != nil {
			return nil, err
		}
		defer calib.Close()
		if _, err := calib.Run(context.Background(), x...); err != nil {
			return nil, err
		}
		return q.QAT(m)
	}
	for _, c := range []struct {
		name   string
		model  func() (train.Model, error)
		freeze int
	}{{"float", float, train.Never}, {"qat4", qat, train.Never}, {"qat4-frozen", qat, 0}} {
		for name, target := range map[string]graph.Recompute{"64MB": 64 << 20, "smallest": graph.SmallestArena} {
			b.Run(c.name+"/"+name, func(b *testing.B) {
				var trainers [2]*train.Trainer
				for i, r := range []graph.Recompute{graph.KeepAll, target} {
					model, err := c.model()
					if err != nil {
						b.Fatal(err)
					}
					if trainers[i], err = train.New(model, train.Options{
						Loss: train.CrossEntropy, Optimizer: train.SGD{LR: 1e-4}, FreezeBatchNorm: c.freeze, Recompute: r, Session: graph.Options{Threads: 2},
					}); err != nil {
						b.Fatal(err)
					}
					defer trainers[i].Close()
				}
				step := func(tr *train.Trainer) func() error {
					return func() error {
						_, err := tr.Step(context.Background(), append(slices.Clone(x), labels)...)
						return err
					}
				}
				b.ReportMetric(inTurn(b, step(trainers[0]), step(trainers[1])), "recompute/keep")
				b.ReportMetric(float64(trainers[0].Memory().Arena)/(1<<20), "MB-keep")
				b.ReportMetric(float64(trainers[1].Memory().Arena)/(1<<20), "MB-recompute")
			})
		}
	}
}
