package int8

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unsafe"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// BenchmarkConv3x3 compares the forms of 3x3 convolutions, in operations of the direct one.
func BenchmarkConv3x3(b *testing.B) {
	for _, s := range []struct{ size, channels int }{{56, 64}, {56, 256}, {28, 128}, {28, 512}, {14, 256}, {7, 512}} {
		for _, tier := range asm.Supported() {
			for _, tile := range []int{0, 2, 4} {
				name := fmt.Sprintf("%dx%dx%d/%v/F%d", s.size, s.size, s.channels, tier, tile)
				b.Run(name, func(b *testing.B) { benchConv3x3(b, s.size, s.channels, tier, tile) })
			}
		}
	}
}

// BenchmarkConv1x3 does the same with three taps along one dimension.
func BenchmarkConv1x3(b *testing.B) {
	for _, s := range []struct{ size, channels int }{{300, 64}, {300, 256}, {1000, 128}} {
		for _, tier := range asm.Supported() {
			for _, tile := range []int{0, 4} {
				b.Run(fmt.Sprintf("%dx%d/%v/F%d", s.size, s.channels, tier, tile), func(b *testing.B) {
					benchConv(b, winogradCase{row: true, n: 1, h: 1, w: s.size, c: s.channels, outs: s.channels, padX: 1}, tier, tile)
				})
			}
		}
	}
}

func benchConv3x3(b *testing.B, size, channels int, tier asm.Tier, tile int) {
	benchConv(b, winogradCase{n: 1, h: size, w: size, c: channels, outs: channels, padY: 1, padX: 1}, tier, tile)
}

func benchConv(b *testing.B, c winogradCase, tier asm.Tier, tile int) {
	c.bias, c.act, c.zero = true, ops.ActReLU, 3
	op, in := c.build(rand.New(rand.NewPCG(1, 1)))
	for i := range in[1].Int8s() {
		in[1].Int8s()[i] /= 2 // uniformly random ones are larger than those of models
	}
	p := ops.Prepare{Tier: tier, Threads: 1}
	for _, x := range in {
		p.In = append(p.In, ops.TypeOf(x))
	}
	var err error
	if p.Out, err = op.Infer(p.In); err != nil {
		b.Fatal(err)
	}
	k, err := op.prepare(&p, onlyWinograd(tile))
	if err != nil {
		b.Fatal(err)
	}
	if tile > 0 && !strings.HasPrefix(k.Choice, "winograd") {
		b.Skipf("%v has no such kernel", tier)
	}
	out, err := tensor.New(p.Out[0].DType, p.Out[0].Shape...)
	if err != nil {
		b.Fatal(err)
	}
	call := &ops.Call{In: in, Out: []*tensor.Tensor{out}, Scratch: tensor.AlignedBytes(k.Scratch), Workers: []ops.Worker{{
		Scratch: tensor.AlignedBytes(k.WorkerScratch), Pointers: make([]unsafe.Pointer, k.WorkerPointers),
	}}}
	for b.Loop() {
		if err := k.Run(call); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(2*in[1].Numel()*c.h*c.w)*float64(b.N)/b.Elapsed().Seconds()/1e9, "Gop/s")
}
