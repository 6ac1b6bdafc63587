package ops

import (
	"fmt"
	"testing"
	"unsafe"

	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// benchmarks are operators with the shapes of their float32 inputs, and the
// operations of one run: multiply-adds count twice, others once per element.
var benchmarks = []struct {
	op     Op
	shapes [][]int
	work   int
}{
	{Binary{Fn: Add}, [][]int{{1, 256, 56, 56}, {1, 256, 56, 56}}, 256 * 56 * 56},
	{Binary{Fn: Mul}, [][]int{{1, 256, 56, 56}, {1, 256, 1, 1}}, 256 * 56 * 56},
	{Binary{Fn: Add}, [][]int{{128, 768}, {768}}, 128 * 768},
	{Binary{Fn: Add}, [][]int{{8}, {8}}, 8},
	{Binary{Fn: Pow}, [][]int{{128, 768}, {}}, 128 * 768},
	{Unary{Fn: GELU}, [][]int{{128, 3072}}, 128 * 3072},
	{Unary{Fn: HardSwish}, [][]int{{1, 112, 112, 16}}, 112 * 112 * 16},
	{Softmax{Axis: -1}, [][]int{{12, 128, 128}}, 12 * 128 * 128},
	{Softmax{Axis: 1}, [][]int{{1, 21, 128, 128}}, 21 * 128 * 128},
	{LayerNorm{Dims: 1, Eps: 1e-5, HasWeight: true, HasBias: true}, [][]int{{128, 768}, {768}, {768}}, 128 * 768},
	{GroupNorm{Groups: 32, Eps: 1e-5}, [][]int{{1, 256, 28, 28}}, 256 * 28 * 28},
	{Reduce{Fn: Mean, Axes: []int{2, 3}}, [][]int{{1, 1280, 7, 7}}, 1280 * 49},
	{Reduce{Fn: Sum, Axes: []int{1}}, [][]int{{128, 768}}, 128 * 768},
	{Reduce{Fn: Sum, Axes: []int{0}}, [][]int{{128, 768}}, 128 * 768},
	{ArgMax{Axis: -1}, [][]int{{128, 1000}}, 128 * 1000},
	{MatMul{}, [][]int{{12, 128, 64}, {12, 64, 128}}, 2 * 12 * 128 * 64 * 128},
	{MatMul{}, [][]int{{128, 768}, {768, 768}}, 2 * 128 * 768 * 768},
	{Attention{}, [][]int{{12, 128, 64}, {12, 128, 64}, {12, 128, 64}}, 4 * 12 * 128 * 64 * 128},
	{Interpolate{Mode: Linearly, Size: []int{128, 128}}, [][]int{{1, 21, 32, 32}}, 21 * 128 * 128},
	{Interpolate{Mode: Linearly, Size: []int{128, 128}, NHWC: true}, [][]int{{1, 32, 32, 256}}, 256 * 128 * 128},
	{Roll{Shifts: []int{-3, -3}, Axes: []int{1, 2}}, [][]int{{1, 56, 56, 96}}, 56 * 56 * 96},
	{Sort{Axis: -1}, [][]int{{8, 1000}}, 8 * 1000},
	{TopK{Axis: -1, K: 5}, [][]int{{8, 1000}}, 8 * 1000},
	{ConvTranspose{Stride: []int{2, 2}, Padding: []int{1, 1}, OutputPadding: []int{0, 0}, Dilation: []int{1, 1}, Groups: 1, NHWC: true}, [][]int{{1, 14, 14, 128}, {128, 64, 4, 4}}, 2 * 14 * 14 * 128 * 64 * 16},
}

func BenchmarkOp(b *testing.B) {
	for _, m := range benchmarks {
		for _, tier := range []asm.Tier{asm.Generic, asm.Best()} {
			b.Run(fmt.Sprintf("%s/%v/%v", m.op.Name(), m.shapes, tier), func(b *testing.B) {
				types := make([]Type, len(m.shapes))
				in := make([]*tensor.Tensor, len(m.shapes))
				for i, s := range m.shapes {
					in[i], _ = tensor.New(tensor.Float32, s...)
					for j, x := range in[i].Float32s() {
						in[i].Float32s()[j] = x + float32(j*7919%1024)/256 - 1
					}
					types[i] = F32(s...)
				}
				out, err := m.op.Infer(types)
				if err != nil {
					b.Fatal(err)
				}
				k, err := m.op.Prepare(&Prepare{In: types, Out: out, Tier: tier, Threads: 1})
				if err != nil {
					b.Fatal(err)
				}
				c := &Call{In: in, Scratch: tensor.AlignedBytes(k.Scratch), Workers: []Worker{{
					Scratch: tensor.AlignedBytes(k.WorkerScratch), Pointers: make([]unsafe.Pointer, k.WorkerPointers),
				}}}
				for _, o := range out {
					t, err := tensor.New(o.DType, o.Shape...)
					if err != nil {
						b.Fatal(err)
					}
					c.Out = append(c.Out, t)
				}
				for b.Loop() {
					if err := k.Run(c); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(m.work)*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "Gop/s")
			})
		}
	}
}

// BenchmarkRNN runs 50 steps of a layer on one sequence, with constant weights.
func BenchmarkRNN(b *testing.B) {
	for _, cell := range []CellFn{LSTMCell, GRUCell} {
		for _, h := range []int{64, 128, 256} {
			for _, tier := range asm.Supported() {
				b.Run(fmt.Sprintf("%v/%d/%v", cell, h, tier), func(b *testing.B) { benchRNN(b, cell, h, tier) })
			}
		}
	}
}

func benchRNN(b *testing.B, cell CellFn, h int, tier asm.Tier) {
	const steps = 50
	gates := cells[cell].gates
	shapes := [][]int{{steps, 1, h}, {1, 1, h}}
	if cell == LSTMCell {
		shapes = append(shapes, []int{1, 1, h})
	}
	constants := len(shapes)
	shapes = append(shapes, []int{gates * h, h}, []int{gates * h, h}, []int{gates * h}, []int{gates * h})
	op, p, c := RNN{Cell: cell, Layers: 1, HasBias: true}, &Prepare{Tier: tier, Threads: 1}, &Call{}
	for i, s := range shapes {
		x, _ := tensor.New(tensor.Float32, s...)
		for j := range x.Float32s() {
			x.Float32s()[j] = float32(j*7919%1024)/8192 - 1.0/16
		}
		c.In, p.In = append(c.In, x), append(p.In, F32(s...))
		if i >= constants {
			p.In[i].Known = x
		}
	}
	var err error
	if p.Out, err = op.Infer(p.In); err != nil {
		b.Fatal(err)
	}
	k, err := op.Prepare(p)
	if err != nil {
		b.Fatal(err)
	}
	for _, o := range p.Out {
		t, _ := tensor.New(o.DType, o.Shape...)
		c.Out = append(c.Out, t)
	}
	c.Scratch, c.Workers = tensor.AlignedBytes(k.Scratch), []Worker{{Scratch: tensor.AlignedBytes(k.WorkerScratch)}}
	for b.Loop() {
		if err := k.Run(c); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(4*steps*gates*h*h)*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "Gop/s")
}
