package int8_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/ops/int8"
	"github.com/octet-ml/octet/tensor"
)

// layerCase is an int8 convolution of a [N, H, W, C] image.
type layerCase struct {
	n, h, w, c, outs, kh, kw, stride, pad, dilation, groups int
	bias, residual, affine, float                           bool
	act                                                     ops.Activation
}

var layerCases = []layerCase{
	{1, 5, 7, 8, 12, 1, 1, 1, 0, 1, 1, true, false, false, false, ops.NoActivation},
	{2, 5, 7, 21, 33, 1, 1, 2, 0, 1, 1, false, true, false, false, ops.ActReLU},
	{2, 6, 5, 16, 16, 3, 3, 1, 1, 1, 1, true, true, false, false, ops.ActReLU},
	{1, 9, 8, 24, 7, 3, 3, 2, 1, 1, 1, true, false, true, false, ops.ActReLU6},
	{1, 9, 11, 17, 5, 3, 2, 1, 2, 2, 1, true, false, false, false, ops.NoActivation},
	{2, 12, 13, 3, 19, 7, 7, 2, 3, 1, 1, true, false, false, false, ops.ActReLU},
	{2, 9, 8, 3, 19, 3, 3, 2, 1, 1, 1, true, false, true, false, ops.ActReLU},
	{1, 6, 6, 1, 4, 3, 3, 1, 1, 1, 1, false, false, false, true, ops.ActReLU},
	{1, 9, 9, 3, 4, 3, 3, 1, 2, 2, 1, true, false, true, false, ops.NoActivation},
	{2, 7, 6, 32, 32, 3, 3, 1, 1, 1, 32, true, false, false, false, ops.ActReLU6},
	{1, 8, 9, 20, 20, 5, 5, 2, 2, 1, 20, false, false, false, false, ops.NoActivation},
	{1, 8, 9, 20, 20, 3, 3, 1, 1, 1, 20, true, false, true, false, ops.NoActivation},
	{1, 9, 9, 12, 12, 3, 3, 1, 2, 2, 12, true, false, false, false, ops.NoActivation},
	{1, 7, 6, 12, 18, 3, 3, 1, 1, 1, 3, true, true, false, false, ops.ActReLU},
	{1, 5, 4, 6, 12, 3, 3, 1, 1, 1, 6, true, false, false, false, ops.NoActivation},
	{1, 4, 5, 64, 70, 3, 3, 1, 1, 1, 1, true, false, false, true, ops.NoActivation},
	{2, 4, 5, 16, 36, 3, 3, 1, 1, 1, 1, true, true, false, true, ops.ActReLU},
	{1, 7, 6, 12, 18, 3, 3, 1, 1, 1, 3, false, true, false, true, ops.NoActivation},
}

func (c layerCase) String() string {
	return fmt.Sprintf("%dx%dx%dx%d/%dx%d/out%d,s%d,p%d,d%d,g%d", c.n, c.h, c.w, c.c, c.kh, c.kw, c.outs, c.stride, c.pad, c.dilation, c.groups)
}

// quantized returns random integers with the given parameters.
func quantized(rng *rand.Rand, q *tensor.QParams, shape ...int) *tensor.Tensor {
	t, _ := tensor.New(q.DType, shape...)
	for i := range t.Bytes() {
		t.Bytes()[i] = byte(rng.IntN(256))
	}
	return t.WithQParams(q)
}

// TestConv compares with the definition in docs/numerics.md, bit for bit, on
// every tier, for one and two threads.
func TestConv(t *testing.T) { testConv(t, 0.3) }

// TestConvFarBeyondRange does the same where most outputs are so far beyond their range
// that they do not fit an int32 before they are clamped.
func TestConvFarBeyondRange(t *testing.T) { testConv(t, 1e-10) }

func testConv(t *testing.T, scale float32) {
	for _, c := range layerCases {
		t.Run(c.String(), func(t *testing.T) { c.check(t, scale) })
	}
}

// check compares with the definition.
func (c layerCase) check(t *testing.T, scale float32) {
	rng := rand.New(rand.NewPCG(7, 8))
	in, op := c.build(rng, scale)
	types := make([]ops.Type, len(in))
	for i, x := range in {
		types[i] = ops.TypeOf(x)
	}
	types[0].Known = nil
	outTypes, err := op.Infer(types)
	if err != nil {
		t.Fatal(err)
	}
	want := c.define(op, in, outTypes[0].Shape)
	for _, tier := range asm.Supported() {
		for _, threads := range []int{1, 2} {
			pool := ops.NewPool(threads)
			defer pool.Close()
			k, err := op.Prepare(&ops.Prepare{In: types, Out: outTypes, Tier: tier, Threads: threads})
			if err != nil {
				t.Fatal(err)
			}
			out, _ := tensor.New(outTypes[0].DType, outTypes[0].Shape...)
			if err := ops.RunKernel(k, pool, in, []*tensor.Tensor{out}); err != nil {
				t.Fatal(err)
			}
			got := make([]float32, out.Numel())
			for i := range got {
				if c.float {
					got[i] = out.Float32s()[i]
				} else {
					got[i] = float32(out.Uint8s()[i])
				}
			}
			if !slices.Equal(got, want) {
				i := 0
				for got[i] == want[i] {
					i++
				}
				t.Errorf("%v, %d threads, %s: element %d of %d is %v, want %v", tier, threads, k.Choice, i, len(got), got[i], want[i])
			}
		}
	}
}

// build returns the inputs, and the operator with an output of the given scale.
func (c layerCase) build(rng *rand.Rand, scale float32) ([]*tensor.Tensor, int8.Conv) {
	pair := func(v int) []int { return []int{v, v} }
	op := int8.Conv{ConvAttributes: ops.ConvAttributes{
		Stride: pair(c.stride), Padding: pair(c.pad), Dilation: pair(c.dilation), Groups: c.groups,
		HasBias: c.bias, HasResidual: c.residual, Act: c.act, NHWC: true,
	}}
	if !c.float {
		op.Out = tensor.PerTensor(tensor.Uint8, scale, 17)
	}
	wq := &tensor.QParams{DType: tensor.Int8, Scheme: tensor.PerChannelSymmetric, Min: -128, Max: 127}
	for range c.outs {
		wq.Scale = append(wq.Scale, 0.001+0.004*rng.Float32())
		wq.ZeroPoint = append(wq.ZeroPoint, 0)
	}
	if c.affine {
		wq = tensor.PerTensor(tensor.Int8, 0.003, -9)
	}
	in := []*tensor.Tensor{
		quantized(rng, tensor.PerTensor(tensor.Uint8, 0.02, 113), c.n, c.h, c.w, c.c),
		quantized(rng, wq, c.outs, c.c/c.groups, c.kh, c.kw),
	}
	if c.bias {
		b, _ := tensor.New(tensor.Int32, c.outs)
		for i := range b.Int32s() {
			b.Int32s()[i] = int32(rng.IntN(200000) - 100000)
		}
		in = append(in, b)
	}
	if c.residual {
		oh := (c.h+2*c.pad-c.dilation*(c.kh-1)-1)/c.stride + 1
		ow := (c.w+2*c.pad-c.dilation*(c.kw-1)-1)/c.stride + 1
		res := quantized(rng, tensor.PerTensor(tensor.Uint8, 0.15, 60), c.n, oh, ow, c.outs)
		if c.float {
			u8 := res
			res, _ = tensor.New(tensor.Float32, u8.Shape()...)
			for i, q := range u8.Uint8s() {
				res.Float32s()[i] = 0.15 * float32(int32(q)-60)
			}
		}
		in = append(in, res)
	}
	return in, op
}

// define computes the outputs as the numerics contract states them.
func (c layerCase) define(op int8.Conv, in []*tensor.Tensor, shape tensor.Shape) []float32 {
	x, w := in[0], in[1]
	zx := x.QParams().ZeroPoint[0]
	oh, ow := shape[1], shape[2]
	perIn, perOut := c.c/c.groups, c.outs/c.groups
	var out []float32
	for i := range x.Dim(0) * oh * ow * c.outs {
		o, ox, oy, n := i%c.outs, i/c.outs%ow, i/(c.outs*ow)%oh, i/(c.outs*ow*oh)
		k := o % len(w.QParams().Scale)
		var acc int32
		for ky := range c.kh {
			for kx := range c.kw {
				y, xx := oy*c.stride-c.pad+ky*c.dilation, ox*c.stride-c.pad+kx*c.dilation
				if y < 0 || xx < 0 || y >= c.h || xx >= c.w {
					continue
				}
				for ch := range perIn {
					q := int32(x.Uint8s()[((n*c.h+y)*c.w+xx)*c.c+o/perOut*perIn+ch]) - zx
					acc += q * (int32(w.Int8s()[((o*perIn+ch)*c.kh+ky)*c.kw+kx]) - w.QParams().ZeroPoint[k])
				}
			}
		}
		if c.bias {
			acc += in[2].Int32s()[o]
		}
		if c.float {
			lo, hi := c.act.Bounds()
			m := float32(float64(x.QParams().Scale[0]) * float64(w.QParams().Scale[k]))
			y := float32(acc) * m
			if c.residual {
				y = float32(y) + in[len(in)-1].Float32s()[i]
			}
			out = append(out, min(max(y, lo), hi))
			continue
		}
		t := float32(float32(acc) * int8.Multiplier(x.QParams().Scale[0], w.QParams().Scale[k], op.Out.Scale[0]))
		if c.residual {
			r := in[len(in)-1]
			m := float32(float64(r.QParams().Scale[0]) / float64(op.Out.Scale[0]))
			t += float32(float32(int32(r.Uint8s()[i])-r.QParams().ZeroPoint[0]) * m)
		}
		z := op.Out.ZeroPoint[0]
		lo, hi := int32(0), int32(255)
		if c.act != ops.NoActivation {
			lo = z
		}
		if c.act == ops.ActReLU6 {
			hi = int32(min(float64(hi), float64(z)+math.RoundToEven(float64(6*(1/op.Out.Scale[0])))))
		}
		q := math.RoundToEven(float64(t)) + float64(z)
		out = append(out, float32(min(max(q, float64(lo)), float64(hi))))
	}
	return out
}

// TestOverflow checks that a layer whose accumulators could overflow is refused.
func TestOverflow(t *testing.T) {
	k := 70000
	w, _ := tensor.New(tensor.Int8, 1, k)
	for i := range w.Int8s() {
		w.Int8s()[i] = 127
	}
	op := int8.Linear{Out: tensor.PerTensor(tensor.Uint8, 1, 0)}
	types := []ops.Type{
		{DType: tensor.Uint8, Shape: tensor.Shape{1, k}, Q: tensor.PerTensor(tensor.Uint8, 1, 0)},
		ops.TypeOf(w.WithQParams(tensor.PerTensor(tensor.Int8, 1, 0))),
	}
	out, err := op.Infer(types)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := op.Prepare(&ops.Prepare{In: types, Out: out, Tier: asm.Generic, Threads: 1}); err == nil {
		t.Error("70000 weights of 127 are accepted: 255*127*70000 does not fit 32 bits")
	}
}
