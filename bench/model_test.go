package bench

import (
	"context"
	"testing"

	"github.com/octet-ml/octet/data"
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// BenchmarkModel runs whole models with random weights on one thread, in each
// precision and on each tier of the CPU.
func BenchmarkModel(b *testing.B) {
	ctx := context.Background()
	for _, name := range []string{"resnet20-cifar", "mobilenet_v2", "resnet18"} {
		float := must(nn.BuildRandom(must(nn.ByName(name)), 1))
		for _, precision := range []string{Float32, Int8} {
			g, _, err := Sweep{}.inPrecision(ctx, float, Float32, precision)
			if err != nil {
				b.Fatal(err)
			}
			for _, tier := range asm.Supported() {
				b.Run(name+"/"+precision+"/"+tier.String(), func(b *testing.B) {
					s, err := g.Compile(graph.Options{Threads: 1, CPU: tier.String()})
					if err != nil {
						b.Fatal(err)
					}
					defer s.Close()
					in := must(RandomInputs(exampleTypes(g), 1))
					out := must(s.Run(ctx, in...))
					w := must(graphWork(g, exampleTypes(g)))
					b.ReportAllocs()
					for b.Loop() {
						if err := s.RunInto(ctx, out, in); err != nil {
							b.Fatal(err)
						}
					}
					seconds := b.Elapsed().Seconds() / float64(b.N)
					b.ReportMetric(w.Ops()/seconds/1e9, "Gop/s")
					b.ReportMetric(100*MeasureLimits(tier, 1).Ideal(w)/seconds, "%limit")
				})
			}
		}
	}
}

// BenchmarkNormalize turns the bytes of images into floats, as calibration and evaluation do.
func BenchmarkNormalize(b *testing.B) {
	x := must(tensor.New(tensor.Uint8, 64, 3, 32, 32))
	stats := of([]float32{0.5, 0.4, 0.3}, 3)
	d := must(data.NewDataset(tensor.Arrays{{Name: "x", Tensor: x}, {Name: "mean", Tensor: stats}, {Name: "std", Tensor: stats}}))
	g := must(nn.BuildRandom(nn.ResNet20CIFAR(), 1))
	b.SetBytes(int64(x.Numel()))
	for b.Loop() {
		if _, err := d.Batch(g, 0, 64); err != nil {
			b.Fatal(err)
		}
	}
}
