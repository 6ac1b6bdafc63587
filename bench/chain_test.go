package bench

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// BenchmarkChain3x3 runs eight layers of 3x3 convolution and ReLU on one thread, in float32 and int8 in turn, since the
// machine's speed drifts: the least time of each, and the ratio of the medians.
func BenchmarkChain3x3(b *testing.B) {
	for _, s := range []struct{ channels, size int }{{64, 56}, {256, 56}, {512, 28}, {256, 14}, {512, 7}} {
		var float, quantized *graph.Graph
		for _, tier := range asm.Supported() {
			b.Run(fmt.Sprintf("%dx%dx%d/%v", s.channels, s.size, s.size, tier), func(b *testing.B) {
				if float == nil {
					float = must(nn.BuildRandom(chain3x3(s.channels, s.size), 1))
					q, _, err := Sweep{}.inPrecision(context.Background(), float, Float32, Int8)
					quantized = must(q, err)
				}
				benchInTurn(b, tier, float, quantized)
			})
		}
	}
}

func chain3x3(channels, size int) nn.Architecture {
	var layers nn.Sequential
	for range 8 {
		layers = append(layers, nn.Conv2d{In: channels, Out: channels, Kernel: 3, Padding: 1}, nn.ReLU{})
	}
	return nn.Architecture{Name: "chain3x3", Inputs: []nn.Input{{Name: "x", DType: tensor.Float32, Shape: []int{1, channels, size, size}}}, Root: layers}
}

// benchInTurn runs a float model and its int8 form, one run of each at a time.
func benchInTurn(b *testing.B, tier asm.Tier, models ...*graph.Graph) {
	ctx := context.Background()
	runs, times := make([]func() error, len(models)), make([][]time.Duration, len(models))
	for i, g := range models {
		s := must(g.Compile(graph.Options{Threads: 1, CPU: tier.String()}))
		defer s.Close()
		in := must(RandomInputs(exampleTypes(g), 1))
		out := must(s.Run(ctx, in...))
		runs[i] = func() error { return s.RunInto(ctx, out, in) }
	}
	for b.Loop() {
		for i, run := range runs {
			start := time.Now()
			if err := run(); err != nil {
				b.Fatal(err)
			}
			times[i] = append(times[i], time.Since(start))
		}
	}
	for i, name := range []string{Float32, Int8} {
		slices.Sort(times[i])
		b.ReportMetric(milliseconds(times[i][0]), name+"-ms")
	}
	b.ReportMetric(float64(quantile(times[0], 0.5))/float64(quantile(times[1], 0.5)), "speed-up")
}
