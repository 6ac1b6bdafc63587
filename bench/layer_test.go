package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/ops/int8"
	"github.com/octet-ml/octet/tensor"
)

// layer is one convolution or, with a size of 1 and rows, linear layer.
type layer struct {
	name                          string
	size, c, outs, kernel, stride int
	depthwise, residual           bool
	rows                          int
	group                         int // channels of a group, 0 for all
	dilation                      int // 0 is 1
}

// layers are those that ResNet-18 and -50, VGG-16, MobileNetV2, RegNetY, ResNeXt, DeepLab and BERT-base spend their time in.
var layers = []layer{
	{name: "conv7x7_224_3_64", size: 224, c: 3, outs: 64, kernel: 7, stride: 2},
	{name: "conv3x3_224_3_32", size: 224, c: 3, outs: 32, kernel: 3, stride: 2},
	{name: "conv3x3_56_64_64", size: 56, c: 64, outs: 64, kernel: 3, stride: 1},
	{name: "conv3x3_56_256_256", size: 56, c: 256, outs: 256, kernel: 3, stride: 1},
	{name: "conv3x3_28_128_128", size: 28, c: 128, outs: 128, kernel: 3, stride: 1},
	{name: "conv3x3_28_256_256", size: 28, c: 256, outs: 256, kernel: 3, stride: 1},
	{name: "conv3x3_28_512_512", size: 28, c: 512, outs: 512, kernel: 3, stride: 1},
	{name: "conv3x3_14_256_256", size: 14, c: 256, outs: 256, kernel: 3, stride: 1},
	{name: "conv3x3_14_512_512", size: 14, c: 512, outs: 512, kernel: 3, stride: 1},
	{name: "conv3x3_7_512_512", size: 7, c: 512, outs: 512, kernel: 3, stride: 1},
	{name: "conv3x3_28_256_256_s2", size: 28, c: 256, outs: 256, kernel: 3, stride: 2},
	{name: "conv1x1_56_64_256", size: 56, c: 64, outs: 256, kernel: 1, stride: 1, residual: true},
	{name: "conv1x1_56_256_64", size: 56, c: 256, outs: 64, kernel: 1, stride: 1},
	{name: "conv1x1_14_1024_256", size: 14, c: 1024, outs: 256, kernel: 1, stride: 1},
	{name: "conv1x1_14_256_1024", size: 14, c: 256, outs: 1024, kernel: 1, stride: 1, residual: true},
	{name: "conv1x1_7_2048_512", size: 7, c: 2048, outs: 512, kernel: 1, stride: 1},
	{name: "conv1x1_7_512_2048", size: 7, c: 512, outs: 2048, kernel: 1, stride: 1, residual: true},
	{name: "conv1x1_112_32_16", size: 112, c: 32, outs: 16, kernel: 1, stride: 1},
	{name: "conv1x1_112_16_96", size: 112, c: 16, outs: 96, kernel: 1, stride: 1},
	{name: "conv1x1_56_96_24", size: 56, c: 96, outs: 24, kernel: 1, stride: 1},
	{name: "conv1x1_56_24_144", size: 56, c: 24, outs: 144, kernel: 1, stride: 1},
	{name: "conv1x1_28_144_32", size: 28, c: 144, outs: 32, kernel: 1, stride: 1},
	{name: "conv1x1_14_64_384", size: 14, c: 64, outs: 384, kernel: 1, stride: 1},
	{name: "conv1x1_14_384_64", size: 14, c: 384, outs: 64, kernel: 1, stride: 1},
	{name: "conv1x1_7_320_1280", size: 7, c: 320, outs: 1280, kernel: 1, stride: 1},
	{name: "dwconv3x3_112_32", size: 112, c: 32, outs: 32, kernel: 3, stride: 1, depthwise: true},
	{name: "dwconv3x3_112_96_s2", size: 112, c: 96, outs: 96, kernel: 3, stride: 2, depthwise: true},
	{name: "dwconv3x3_56_144", size: 56, c: 144, outs: 144, kernel: 3, stride: 1, depthwise: true},
	{name: "dwconv3x3_14_576", size: 14, c: 576, outs: 576, kernel: 3, stride: 1, depthwise: true},
	{name: "dwconv5x5_14_576", size: 14, c: 576, outs: 576, kernel: 5, stride: 1, depthwise: true},
	{name: "conv3x3_56_128_128_groups_of_4", size: 56, c: 128, outs: 128, kernel: 3, stride: 1, group: 4},
	{name: "conv3x3_112_48_48_s2_groups_of_8", size: 112, c: 48, outs: 48, kernel: 3, stride: 2, group: 8},
	{name: "conv3x3_28_104_104_groups_of_8", size: 28, c: 104, outs: 104, kernel: 3, stride: 1, group: 8},
	{name: "conv3x3_14_208_208_groups_of_8", size: 14, c: 208, outs: 208, kernel: 3, stride: 1, group: 8},
	{name: "conv3x3_7_440_440_groups_of_8", size: 7, c: 440, outs: 440, kernel: 3, stride: 1, group: 8},
	{name: "conv3x3_14_512_512_groups_of_16", size: 14, c: 512, outs: 512, kernel: 3, stride: 1, group: 16},
	{name: "conv3x3_28_120_120_groups_of_24", size: 28, c: 120, outs: 120, kernel: 3, stride: 1, group: 24},
	{name: "conv3x3_7_1024_1024_groups_of_32", size: 7, c: 1024, outs: 1024, kernel: 3, stride: 1, group: 32},
	{name: "conv3x3_28_256_256_d2", size: 28, c: 256, outs: 256, kernel: 3, stride: 1, dilation: 2},
	{name: "conv3x3_14_960_256_d12", size: 14, c: 960, outs: 256, kernel: 3, stride: 1, dilation: 12},
	{name: "conv3x3_33_960_256_d12", size: 33, c: 960, outs: 256, kernel: 3, stride: 1, dilation: 12},
	{name: "linear_1_512_1000", rows: 1, c: 512, outs: 1000},
	{name: "linear_128_768_768", rows: 128, c: 768, outs: 768},
	{name: "linear_128_768_3072", rows: 128, c: 768, outs: 3072},
	{name: "linear_128_3072_768", rows: 128, c: 3072, outs: 768},
	{name: "linear_1024_1024_1024", rows: 1024, c: 1024, outs: 1024},
}

// graph returns the layer alone, in a precision.
func (l layer) graph(precision string) *graph.Graph {
	rng := rand.New(rand.NewPCG(1, 2))
	g := graph.New()
	groups, taps := 1, []int{l.kernel, l.kernel}
	if l.depthwise {
		groups = l.c
	}
	if l.group > 0 {
		groups = l.c / l.group
	}
	dilation := max(l.dilation, 1)
	inShape, weightShape := []int{1, l.c, l.size, l.size}, append([]int{l.outs, l.c / groups}, taps...)
	if l.rows > 0 {
		inShape, weightShape = []int{l.rows, l.c}, []int{l.outs, l.c}
	}
	w, bias := must(tensor.New(tensor.Float32, weightShape...)), must(tensor.New(tensor.Float32, l.outs))
	for i := range w.Float32s() {
		w.Float32s()[i] = float32(rng.NormFloat64()) / 8
	}
	conv := ops.Conv{
		Stride: []int{l.stride, l.stride}, Padding: []int{l.kernel / 2 * dilation, l.kernel / 2 * dilation}, Dilation: []int{dilation, dilation},
		Groups: groups, HasBias: true, HasResidual: l.residual, Act: ops.ActReLU,
	}
	linear := ops.Linear{HasBias: true}
	dtype := tensor.Float32
	var q *tensor.QParams
	var op ops.Op = conv
	if l.rows > 0 {
		op = linear
	}
	switch precision {
	case Int8:
		dtype, q = tensor.Uint8, tensor.PerTensor(tensor.Uint8, 0.05, 128)
		op = int8.Conv{ConvAttributes: ops.ConvAttributes(conv), Out: q}
		if l.rows > 0 {
			op = int8.Linear{LinearAttributes: ops.LinearAttributes(linear), Out: q}
		}
		bias = must(tensor.New(tensor.Int32, l.outs))
	case Int8Dynamic:
		op = int8.DynamicLinear{LinearAttributes: ops.LinearAttributes(linear)}
	}
	if precision != Float32 {
		wq := &tensor.QParams{DType: tensor.Int8, Scheme: tensor.PerChannelSymmetric, Min: -127, Max: 127}
		for range l.outs {
			wq.Scale, wq.ZeroPoint = append(wq.Scale, 0.01), append(wq.ZeroPoint, 0)
		}
		ints := must(tensor.New(tensor.Int8, weightShape...))
		for i := range ints.Bytes() {
			ints.Bytes()[i] = byte(rng.IntN(255) - 127)
		}
		w = ints.WithQParams(wq)
	}
	x := g.Input("x", dtype, inShape...)
	x.Type.Q = q
	inputs := []*graph.Value{x, g.Const("weight", w), g.Const("bias", bias)}
	if l.residual {
		r := g.Input("residual", dtype, 1, l.outs, l.size, l.size)
		r.Type.Q = q
		inputs = append(inputs, r)
	}
	g.SetOutputs(must(g.Add1(graph.Scope{}, op, inputs...)))
	return g
}

// BenchmarkLayer runs single layers on one thread: by layer, precision and
// tier. %limit compares the best of many runs with the best of a loop over registers,
// taken in turn, since the machine's speed drifts. The change of layout at the
// border of the graph is not counted.
func BenchmarkLayer(b *testing.B) {
	for _, l := range layers {
		for _, precision := range []string{Float32, Int8, Int8Dynamic} {
			if precision == Int8Dynamic && l.rows == 0 {
				continue
			}
			g := l.graph(precision)
			for _, tier := range asm.Supported() {
				b.Run(fmt.Sprintf("%s/%s/%v", l.name, precision, tier), func(b *testing.B) { benchLayer(b, g, tier) })
			}
		}
	}
}

func benchLayer(b *testing.B, g *graph.Graph, tier asm.Tier) {
	best, total := time.Duration(0), time.Duration(0)
	trace := func(t graph.StepTrace) {
		if ops.WorkOf(t.Node.Op, t.In, t.Out).Ops() > 0 {
			total += t.Duration
			if best == 0 || t.Duration < best {
				best = t.Duration
			}
		}
	}
	s := must(g.Compile(graph.Options{Threads: 1, CPU: tier.String(), Trace: trace}))
	defer s.Close()
	ctx := context.Background()
	in := must(RandomInputs(exampleTypes(g), 1))
	out := must(s.Run(ctx, in...))
	work := must(graphWork(g, exampleTypes(g)))
	limits := Limits{}
	f32, u8s8 := asm.PeakF32For(tier), asm.PeakU8S8For(tier)
	for b.Loop() {
		if err := s.RunInto(ctx, out, in); err != nil {
			b.Fatal(err)
		}
		start := time.Now()
		n := f32.Run(2000)
		limits.F32Gops = max(limits.F32Gops, float64(n)/float64(time.Since(start)))
		start = time.Now()
		n = u8s8.Run(2000)
		limits.Int8Gops = max(limits.Int8Gops, float64(n)/float64(time.Since(start)))
	}
	b.ReportMetric(float64(total.Nanoseconds())/float64(b.N), "ns/op")
	b.ReportMetric(work.Ops()/float64(best.Nanoseconds()), "Gop/s")
	b.ReportMetric(100*limits.Ideal(work)/best.Seconds(), "%limit")
}
