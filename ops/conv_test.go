package ops_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

func random(t testing.TB, rng *rand.Rand, shape ...int) *tensor.Tensor {
	t.Helper()
	x, err := tensor.New(tensor.Float32, shape...)
	if err != nil {
		t.Fatal(err)
	}
	for i := range x.Float32s() {
		x.Float32s()[i] = float32(rng.NormFloat64())
	}
	return x
}

// convCase is a 2-d convolution of a [N, H, W, C] image.
type convCase struct {
	n, h, w, c, outs, kh, kw, stride, pad, dilation, groups int
	bias, residual                                          bool
	act                                                     ops.Activation
}

func (c convCase) op() ops.Conv {
	pair := func(v int) []int { return []int{v, v} }
	return ops.Conv{
		Stride: pair(c.stride), Padding: pair(c.pad), Dilation: pair(c.dilation), Groups: c.groups,
		HasBias: c.bias, HasResidual: c.residual, Act: c.act, NHWC: true,
	}
}

// convCases cover each way a convolution is computed: pointwise, indirect,
// fused kernel rows, gathered rows, depthwise, grouped, Winograd.
var convCases = []convCase{
	{1, 5, 7, 8, 12, 1, 1, 1, 0, 1, 1, true, false, ops.NoActivation},
	{2, 5, 7, 20, 33, 1, 1, 2, 0, 1, 1, false, true, ops.ActReLU},
	{2, 6, 5, 16, 16, 3, 3, 1, 1, 1, 1, true, true, ops.ActReLU},
	{1, 9, 8, 24, 7, 3, 3, 2, 1, 1, 1, true, false, ops.ActReLU6},
	{1, 9, 11, 17, 5, 3, 2, 1, 2, 2, 1, true, false, ops.NoActivation},
	{2, 12, 13, 3, 19, 7, 7, 2, 3, 1, 1, true, false, ops.ActReLU},
	{1, 6, 6, 1, 4, 3, 3, 1, 1, 1, 1, false, false, ops.NoActivation},
	{1, 9, 9, 3, 4, 3, 3, 1, 2, 2, 1, true, false, ops.NoActivation},
	{2, 7, 6, 32, 32, 3, 3, 1, 1, 1, 32, true, false, ops.ActReLU6},
	{1, 8, 9, 20, 20, 5, 5, 2, 2, 1, 20, false, false, ops.NoActivation},
	{1, 9, 9, 12, 12, 3, 3, 1, 2, 2, 12, true, false, ops.NoActivation},
	{1, 7, 6, 12, 18, 3, 3, 1, 1, 1, 3, true, true, ops.ActReLU},
	{1, 5, 5, 40, 40, 3, 3, 1, 1, 1, 2, true, false, ops.NoActivation},
	{1, 5, 4, 6, 12, 3, 3, 1, 1, 1, 6, true, false, ops.NoActivation},
	{2, 20, 18, 64, 64, 3, 3, 1, 1, 1, 1, true, true, ops.ActReLU},
	{1, 28, 28, 32, 48, 3, 3, 1, 0, 1, 1, false, false, ops.NoActivation},
	{2, 30, 29, 32, 33, 3, 3, 1, 2, 2, 1, true, true, ops.ActReLU},
	{1, 31, 26, 40, 32, 3, 3, 1, 5, 3, 1, true, false, ops.NoActivation},
	{1, 1, 1, 5, 3, 1, 1, 1, 0, 1, 1, true, false, ops.NoActivation},
	{1, 3, 300, 8, 8, 1, 9, 1, 4, 1, 1, true, false, ops.NoActivation},
}

func (c convCase) String() string {
	return fmt.Sprintf("%dx%dx%dx%d/%dx%d/out%d,s%d,p%d,d%d,g%d", c.n, c.h, c.w, c.c, c.kh, c.kw, c.outs, c.stride, c.pad, c.dilation, c.groups)
}

// each calls visit for every product of the convolution: output element, input
// element, weight element. It returns the output's height and width.
func (c convCase) each(visit func(out, in, weight int)) (oh, ow int) {
	oh = (c.h+2*c.pad-c.dilation*(c.kh-1)-1)/c.stride + 1
	ow = (c.w+2*c.pad-c.dilation*(c.kw-1)-1)/c.stride + 1
	perIn, perOut := c.c/c.groups, c.outs/c.groups
	for n := range c.n {
		for y := range oh {
			for x := range ow {
				for o := range c.outs {
					for ky := range c.kh {
						for kx := range c.kw {
							iy, ix := y*c.stride-c.pad+ky*c.dilation, x*c.stride-c.pad+kx*c.dilation
							if iy < 0 || ix < 0 || iy >= c.h || ix >= c.w {
								continue
							}
							for i := range perIn {
								visit(((n*oh+y)*ow+x)*c.outs+o, ((n*c.h+iy)*c.w+ix)*c.c+o/perOut*perIn+i, ((o*perIn+i)*c.kh+ky)*c.kw+kx)
							}
						}
					}
				}
			}
		}
	}
	return oh, ow
}

// TestConv compares with sums in float64, on every tier, for one and two
// threads, with constant weights and with weights known only at run time.
func TestConv(t *testing.T) {
	for _, c := range convCases {
		t.Run(c.String(), c.check)
	}
}

// check compares with the definition.
func (c convCase) check(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	x, w := random(t, rng, c.n, c.h, c.w, c.c), random(t, rng, c.outs, c.c/c.groups, c.kh, c.kw)
	oh, ow := c.each(func(int, int, int) {})
	want := make([]float64, c.n*oh*ow*c.outs)
	size := make([]float64, len(want))
	c.each(func(o, i, k int) {
		p := float64(x.Float32s()[i]) * float64(w.Float32s()[k])
		want[o] += p
		size[o] += math.Abs(p)
	})
	in := []*tensor.Tensor{x, w}
	if c.bias {
		in = append(in, random(t, rng, c.outs))
	}
	if c.residual {
		in = append(in, random(t, rng, c.n, oh, ow, c.outs))
	}
	lo, hi := c.act.Bounds()
	for i := range want {
		if c.bias {
			want[i] += float64(in[2].Float32s()[i%c.outs])
		}
		if c.residual {
			want[i] += float64(in[len(in)-1].Float32s()[i])
		}
		want[i] = min(max(want[i], float64(lo)), float64(hi))
	}
	for _, tier := range asm.Supported() {
		var first []float32
		firstChoice := ""
		for _, threads := range []int{1, 2} {
			for _, constant := range []bool{true, false} {
				got, choice := runOp(t, c.op(), tier, threads, constant, in...)
				worst := 0.0
				for i, v := range got.Float32s() {
					worst = max(worst, math.Abs(float64(v)-want[i])/(1+size[i]))
				}
				tolerance := 2e-6
				if strings.Contains(choice, "winograd") {
					tolerance = 1e-5
				}
				if !(worst < tolerance) {
					t.Errorf("%v, %d threads, %s: off by %g of the summands' size", tier, threads, choice, worst)
				}
				if constant || !strings.Contains(choice, "winograd") && !strings.Contains(firstChoice, "winograd") {
					if firstChoice == "" {
						firstChoice = choice
					}
					if first == nil {
						first = got.Float32s()
					} else if !slices.Equal(first, got.Float32s()) {
						t.Errorf("%v: %d threads, constant %v, give other bits", tier, threads, constant)
					}
				}
			}
		}
	}
}

// runOp runs one operator; inputs after the first are known to Prepare when constant.
func runOp(t *testing.T, op ops.Op, tier asm.Tier, threads int, constant bool, in ...*tensor.Tensor) (*tensor.Tensor, string) {
	t.Helper()
	pool := ops.NewPool(threads)
	defer pool.Close()
	types := make([]ops.Type, len(in))
	for i, x := range in {
		types[i] = ops.TypeOf(x)
		if i == 0 || !constant {
			types[i].Known = nil
		}
	}
	outTypes, err := op.Infer(types)
	if err != nil {
		t.Fatal(err)
	}
	k, err := op.Prepare(&ops.Prepare{In: types, Out: outTypes, Tier: tier, Threads: threads})
	if err != nil {
		t.Fatal(err)
	}
	out, err := tensor.New(outTypes[0].DType, outTypes[0].Shape...)
	if err != nil {
		t.Fatal(err)
	}
	if err := ops.RunKernel(k, pool, in, []*tensor.Tensor{out}); err != nil {
		t.Fatal(err)
	}
	return out, k.Choice
}

// TestConvWays checks that the cases above do cover each way of computing.
func TestConvWays(t *testing.T) {
	seen := make(map[string]bool)
	for _, c := range convCases {
		rng := rand.New(rand.NewPCG(3, 4))
		in := []*tensor.Tensor{random(t, rng, c.n, c.h, c.w, c.c), random(t, rng, c.outs, c.c/c.groups, c.kh, c.kw)}
		c.bias, c.residual = false, false
		_, choice := runOp(t, c.op(), asm.Generic, 1, true, in...)
		for _, way := range []string{"fused kernel rows", "gathered rows", "dwconv", "winograd"} {
			if strings.Contains(choice, way) {
				seen[way] = true
			}
		}
	}
	if len(seen) != 4 {
		t.Errorf("only %v are covered", seen)
	}
}

// TestPools compares maximum and average pooling with the definition.
func TestPools(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for _, c := range []struct {
		h, w, c, k, s, p     int
		ceil, includePadding bool
		divisor              int
	}{
		{8, 9, 5, 2, 2, 0, false, true, 0}, {8, 9, 64, 3, 2, 1, false, true, 0}, {7, 7, 33, 3, 2, 1, true, true, 0},
		{7, 8, 16, 3, 2, 1, true, false, 0}, {6, 6, 3, 3, 1, 1, false, false, 5}, {5, 5, 1, 5, 5, 2, true, false, 0}, {9, 9, 20, 2, 3, 0, true, false, 0},
	} {
		x := random(t, rng, 2, c.h, c.w, c.c)
		pair := func(v int) []int { return []int{v, v} }
		maxPool := ops.MaxPool{Kernel: pair(c.k), Stride: pair(c.s), Padding: pair(c.p), Dilation: pair(1), CeilMode: c.ceil, NHWC: true}
		avgPool := ops.AvgPool{Kernel: pair(c.k), Stride: pair(c.s), Padding: pair(c.p), CeilMode: c.ceil, CountIncludePad: c.includePadding, Divisor: c.divisor, NHWC: true}
		for _, tier := range asm.Supported() {
			for _, threads := range []int{1, 2} {
				top, _ := runOp(t, maxPool, tier, threads, true, x)
				mean, _ := runOp(t, avgPool, tier, threads, true, x)
				oh, ow := top.Dim(1), top.Dim(2)
				for i, v := range top.Float32s() {
					ch, ox, oy, n := i%c.c, i/c.c%ow, i/(c.c*ow)%oh, i/(c.c*ow*oh)
					y0, x0 := oy*c.s-c.p, ox*c.s-c.p
					want, sum, inside := math.Inf(-1), 0.0, 0
					for y := max(y0, 0); y < min(y0+c.k, c.h); y++ {
						for xx := max(x0, 0); xx < min(x0+c.k, c.w); xx++ {
							e := float64(x.Float32s()[((n*c.h+y)*c.w+xx)*c.c+ch])
							want, sum = max(want, e), sum+e
							inside++
						}
					}
					div := inside
					if c.includePadding {
						div = (min(y0+c.k, c.h+c.p) - y0) * (min(x0+c.k, c.w+c.p) - x0)
					}
					if c.divisor > 0 {
						div = c.divisor
					}
					if float64(v) != want {
						t.Fatalf("%+v, %v: maximum %d is %g, want %g", c, tier, i, v, want)
					}
					if m := float64(mean.Float32s()[i]); math.Abs(m-sum/float64(div)) > 1e-5 {
						t.Fatalf("%+v, %v: mean %d is %g, want %g", c, tier, i, m, sum/float64(div))
					}
				}
			}
		}
	}
}
