package int8

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// trainedCase is a layer with the kinds of parameters it has.
type trainedCase struct {
	layer     ops.Op
	x, w      []int // shapes; images NHWC
	weight    Params
	negative  bool // scale of the output
	floatOut  bool
	floatBias bool
}

var (
	u8          = Params{DType: tensor.Uint8, Max: 255}
	s8Channel   = Params{DType: tensor.Int8, Scheme: tensor.PerChannelSymmetric, Min: -128, Max: 127}
	s8Narrow    = Params{DType: tensor.Int8, Scheme: tensor.PerChannelSymmetric, Min: -8, Max: 7}
	u8PerTensor = Params{DType: tensor.Uint8, Max: 255}
)

func trainedCases() map[string]trainedCase {
	conv := func(stride, pad, dilation, groups int, act ops.Activation, bias, residual bool) ops.Conv {
		pair := func(v int) []int { return []int{v, v} }
		return ops.Conv{
			Stride: pair(stride), Padding: pair(pad), Dilation: pair(dilation), Groups: groups,
			Act: act, HasBias: bias, HasResidual: residual, NHWC: true,
		}
	}
	return map[string]trainedCase{
		"3x3":             {layer: conv(1, 1, 1, 1, ops.ActReLU, true, false), x: []int{2, 9, 7, 16}, w: []int{20, 16, 3, 3}, weight: s8Channel},
		"residual":        {layer: conv(1, 1, 1, 1, ops.ActReLU, true, true), x: []int{2, 9, 7, 16}, w: []int{16, 16, 3, 3}, weight: s8Channel},
		"relu6":           {layer: conv(2, 1, 1, 1, ops.ActReLU6, true, false), x: []int{1, 9, 8, 5}, w: []int{7, 5, 3, 3}, weight: s8Narrow},
		"dilation":        {layer: conv(1, 2, 2, 1, ops.NoActivation, false, false), x: []int{1, 9, 8, 4}, w: []int{33, 4, 3, 3}, weight: s8Channel},
		"groups":          {layer: conv(1, 1, 1, 2, ops.NoActivation, true, false), x: []int{2, 5, 6, 12}, w: []int{6, 6, 3, 3}, weight: s8Channel},
		"depthwise":       {layer: conv(2, 1, 1, 9, ops.ActReLU6, true, false), x: []int{2, 7, 6, 9}, w: []int{9, 1, 3, 3}, weight: s8Channel},
		"depthwise real":  {layer: conv(1, 1, 1, 5, ops.ActReLU, true, false), x: []int{2, 7, 6, 5}, w: []int{5, 1, 3, 3}, weight: u8PerTensor, floatBias: true},
		"pointwise":       {layer: conv(1, 0, 1, 1, ops.NoActivation, true, false), x: []int{3, 4, 5, 24}, w: []int{10, 24, 1, 1}, weight: u8PerTensor, floatBias: true},
		"depthwise added": {layer: conv(1, 1, 1, 6, ops.ActReLU, true, true), x: []int{2, 7, 6, 6}, w: []int{6, 1, 3, 3}, weight: s8Channel},
		"small groups":    {layer: conv(1, 1, 1, 8, ops.ActReLU, true, false), x: []int{1, 6, 6, 32}, w: []int{16, 4, 3, 3}, weight: u8PerTensor},
		"one dimension":   {layer: ops.Conv{Stride: []int{1}, Padding: []int{2}, Dilation: []int{1}, Groups: 1, HasBias: true, NHWC: true}, x: []int{2, 200, 3}, w: []int{6, 3, 5}, weight: s8Channel},
		"many rows":       {layer: conv(1, 1, 1, 1, ops.NoActivation, true, true), x: []int{3, 15, 14, 16}, w: []int{24, 16, 3, 3}, weight: u8PerTensor},
		"negative":        {layer: conv(1, 1, 1, 1, ops.ActReLU, true, false), x: []int{1, 6, 6, 8}, w: []int{8, 8, 3, 3}, weight: s8Channel, negative: true},
		"linear":          {layer: ops.Linear{HasBias: true}, x: []int{7, 31}, w: []int{10, 31}, weight: s8Channel, floatOut: true},
		"linear relu":     {layer: ops.Linear{HasBias: true, Act: ops.ActReLU}, x: []int{2, 3, 64}, w: []int{40, 64}, weight: s8Channel},
		"linear real":     {layer: ops.Linear{HasBias: true, Act: ops.ActReLU}, x: []int{5, 12}, w: []int{18, 12}, weight: u8PerTensor, floatOut: true, floatBias: true},
		"linear residual": {layer: ops.Linear{HasResidual: true}, x: []int{5, 20}, w: []int{20, 20}, weight: s8Channel},
		"float residual":  {layer: ops.Linear{HasBias: true, HasResidual: true, Act: ops.ActReLU}, x: []int{5, 20}, w: []int{18, 20}, weight: s8Channel, floatOut: true},
	}
}

// TestTrainedLayer compares the real values with those of the int8 operators' integers,
// bit for bit, on every tier and for one and three threads.
func TestTrainedLayer(t *testing.T) {
	for name, c := range trainedCases() {
		t.Run(name, func(t *testing.T) { testTrainedLayer(t, c) })
	}
}

func testTrainedLayer(t *testing.T, c trainedCase) {
	rng := rand.New(rand.NewPCG(11, 12))
	must := func(x *tensor.Tensor, err error) *tensor.Tensor {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	vector := func(v ...float32) *tensor.Tensor { return must(tensor.FromSlice(v, len(v))) }

	// A value as integers and as what they stand for.
	value := func(shape []int, scale float32, zero int32) (q, real *tensor.Tensor) {
		q, real = must(tensor.New(tensor.Uint8, shape...)), must(tensor.New(tensor.Float32, shape...))
		for i := range q.Uint8s() {
			v := uint8(rng.IntN(256))
			q.Uint8s()[i] = v
			real.Float32s()[i] = float32(int32(v)-zero) * scale
		}
		return q.WithQParams(tensor.PerTensor(tensor.Uint8, scale, zero)), real
	}
	xq, x := value(c.x, 0.021, 117)
	outs := c.w[0]
	weight := must(tensor.New(tensor.Float32, c.w...))
	for i := range weight.Float32s() {
		weight.Float32s()[i] = float32(rng.NormFloat64() * 0.1)
	}
	n := 1
	if c.weight.Scheme.PerChannel() {
		n = outs
	}
	scales, zeros := make([]float32, n), make([]float32, n)
	for i := range scales {
		scales[i] = float32(0.2/float64(c.weight.Max)) * (1 + rng.Float32())
		if c.weight.DType == tensor.Uint8 {
			zeros[i] = 120.4
		}
	}
	op := TrainedLayer{Layer: c.layer, X: u8, W: c.weight, FloatBias: c.floatBias}
	real := []*tensor.Tensor{x, vector(0.021), vector(117.3), weight, vector(scales...), vector(zeros...)}
	static := []*tensor.Tensor{xq, nil}
	bias := make([]float32, outs)
	if op.layer().HasBias {
		for i := range bias {
			bias[i] = float32(rng.NormFloat64())
		}
		real = append(real, vector(bias...))
	}
	residual := op.layer().HasResidual
	outShape := outputShape(t, c, op)
	yScale, yZero := float32(0.037), int32(31)
	var out *tensor.QParams
	if !c.floatOut {
		op.Y = &u8
		out = tensor.PerTensor(tensor.Uint8, yScale, yZero)
	}
	var rq, r *tensor.Tensor
	if residual {
		rq, r = value(outShape, 0.013, 99)
		real = append(real, r)
		if c.floatOut {
			rq = r
		} else {
			op.R = &u8
			real = append(real, vector(0.013), vector(99))
		}
	}
	if op.Y != nil {
		if c.negative { // the same integers, counted from the other end
			real = append(real, vector(-yScale), vector(float32(255-yZero)))
		} else {
			real = append(real, vector(yScale), vector(float32(yZero)))
		}
	}

	// The static operator, with weights quantized as conversion does.
	wq := must(tensor.New(tensor.Int8, c.w...))
	params := &tensor.QParams{DType: tensor.Int8, Scheme: c.weight.Scheme, Min: -128, Max: 127}
	per := len(weight.Float32s()) / outs
	for i := range scales {
		s := c.weight.at(scales[i], zeros[i], tensor.Int8)
		for ch := i; ch < outs && !c.floatBias && op.layer().HasBias; ch += n {
			s.scale = max(s.scale, LeastWeightScale(bias[ch], 0.021))
		}
		params.Scale, params.ZeroPoint = append(params.Scale, s.scale), append(params.ZeroPoint, s.zero)
		params.Min, params.Max = s.lo, s.hi
	}
	for i, v := range weight.Float32s() {
		k := i / per % n
		q := math.RoundToEven(float64(v*(1/params.Scale[k]))) + float64(params.ZeroPoint[k])
		wq.Int8s()[i] = int8(min(max(q, float64(params.Min)), float64(params.Max)))
	}
	static[1] = wq.WithQParams(params)
	if op.layer().HasBias {
		if c.floatBias {
			static = append(static, vector(bias...))
		} else {
			b := make([]int32, outs)
			for i, v := range bias {
				b[i] = int32(math.RoundToEven(float64(v) / float64(float32(0.021)*params.Scale[i%n])))
			}
			static = append(static, must(tensor.FromSlice(b, outs)))
		}
	}
	if residual {
		static = append(static, rq)
	}
	var reference ops.Op
	switch l := c.layer.(type) {
	case ops.Conv:
		reference = Conv{ConvAttributes: ops.ConvAttributes(l), Out: out}
	case ops.Linear:
		reference = Linear{LinearAttributes: ops.LinearAttributes(l), Out: out}
	}
	want, err := ops.Eval(reference, asm.Generic, nil, static...)
	if err != nil {
		t.Fatal(err)
	}
	y := want[0]
	if out != nil {
		d, err := ops.Eval(Dequantize{}, asm.Generic, nil, y.WithQParams(out))
		if err != nil {
			t.Fatal(err)
		}
		y = d[0]
	}
	for _, tier := range asm.Supported() {
		for _, threads := range []int{1, 3} {
			pool := ops.NewPool(threads)
			got := runTrained(t, op, tier, pool, real)
			pool.Close()
			if !bytes.Equal(got[0].Bytes(), y.Bytes()) {
				t.Fatalf("%v, %d threads: got %v, want %v", tier, threads, got[0].Float32s()[:4], y.Float32s()[:4])
			}
			if out != nil {
				checkUnrounded(t, got[0].Float32s(), got[1].Float32s(), yScale)
			}
		}
	}
	testOtherParameters(t, op, real)
}

// testOtherParameters checks that nothing of a run is left in the next one, in whose place weights have zero points, or none.
func testOtherParameters(t *testing.T, op TrainedLayer, in []*tensor.Tensor) {
	other := slices.Clone(in)
	for i, factor := range map[int]float32{op.Inputs().X + 1: 1.5, op.Inputs().X + 2: 0.5, op.Inputs().W: -2, op.Inputs().W + 1: -0.7} {
		other[i] = in[i].Clone()
		for j := range other[i].Float32s() {
			other[i].Float32s()[j] *= factor
		}
	}
	pool := ops.NewPool(2)
	defer pool.Close()
	for i, got := range runInTurn(t, op, asm.Best(), pool, in, other, in) {
		want := runTrained(t, op, asm.Best(), pool, [][]*tensor.Tensor{in, other, in}[i])
		for j := range want {
			if !bytes.Equal(got[j].Bytes(), want[j].Bytes()) {
				t.Errorf("run %d gives other results than alone", i)
			}
		}
	}
}

// outputShape infers the shape of the float layer.
func outputShape(t *testing.T, c trainedCase, op TrainedLayer) []int {
	t.Helper()
	switch l := c.layer.(type) {
	case ops.Conv:
		l.HasBias, l.HasResidual = false, false
		out, err := l.Infer([]ops.Type{ops.F32(c.x...), ops.F32(c.w...)})
		if err != nil {
			t.Fatal(err)
		}
		return out[0].Shape
	}
	return append(append([]int(nil), c.x[:len(c.x)-1]...), c.w[0])
}

// runTrained runs the operator with none of its inputs known beforehand.
func runTrained(t *testing.T, op ops.Op, tier asm.Tier, pool *ops.Pool, in []*tensor.Tensor) []*tensor.Tensor {
	t.Helper()
	return runInTurn(t, op, tier, pool, in)[0]
}

// runInTurn runs the operator on one call's memory, with inputs after inputs.
func runInTurn(t *testing.T, op ops.Op, tier asm.Tier, pool *ops.Pool, inputs ...[]*tensor.Tensor) [][]*tensor.Tensor {
	t.Helper()
	types := make([]ops.Type, len(inputs[0]))
	for i, x := range inputs[0] {
		types[i] = ops.F32(x.Shape()...)
	}
	outTypes, err := op.Infer(types)
	if err != nil {
		t.Fatal(err)
	}
	k, err := op.Prepare(&ops.Prepare{In: types, Out: outTypes, Tier: tier, Threads: pool.Threads()})
	if err != nil {
		t.Fatal(err)
	}
	c := &ops.Call{Scratch: tensor.AlignedBytes(k.Scratch), Pool: pool, Workers: make([]ops.Worker, pool.Threads()), Context: context.Background()}
	for i := range c.Workers {
		c.Workers[i] = ops.Worker{Scratch: tensor.AlignedBytes(k.WorkerScratch), Pointers: make([]unsafe.Pointer, k.WorkerPointers)}
	}
	var all [][]*tensor.Tensor
	for _, in := range inputs {
		c.In, c.Out = in, nil
		for _, o := range outTypes {
			y, err := tensor.New(o.DType, o.Shape...)
			if err != nil {
				t.Fatal(err)
			}
			c.Out = append(c.Out, y)
		}
		if err := k.Run(c); err != nil {
			t.Fatal(err)
		}
		all = append(all, c.Out)
	}
	return all
}

// checkUnrounded checks that rounding moved no value by more than half a step, where it was not bounded.
func checkUnrounded(t *testing.T, y, real []float32, scale float32) {
	t.Helper()
	inside := 0
	for i, v := range real {
		if d := math.Abs(float64(y[i] - v)); d <= 0.501*float64(scale) {
			inside++
		}
	}
	if inside < len(y)/4 {
		t.Errorf("%d of %d values are within half a step", inside, len(y))
	}
}

// TestStraightThrough compares operators without weights with the int8 ones.
func TestStraightThrough(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	integers := func(scale float32, zero int32, shape ...int) (q, real *tensor.Tensor) {
		q, err := tensor.New(tensor.Uint8, shape...)
		if err != nil {
			t.Fatal(err)
		}
		real, err = tensor.New(tensor.Float32, shape...)
		if err != nil {
			t.Fatal(err)
		}
		for i := range q.Uint8s() {
			v := uint8(rng.IntN(256))
			q.Uint8s()[i], real.Float32s()[i] = v, float32(int32(v)-zero)*scale
		}
		return q.WithQParams(tensor.PerTensor(tensor.Uint8, scale, zero)), real
	}
	vector := func(v float32) *tensor.Tensor {
		x, err := tensor.FromSlice([]float32{v}, 1)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	aq, a := integers(0.02, 100, 2, 7, 9, 20)
	bq, b := integers(0.05, 20, 2, 7, 9, 20)
	cq, c := integers(0.03, 80, 2, 1, 1, 20)
	dq, d := integers(0.01, 0, 1, 7, 1, 1)
	out := tensor.PerTensor(tensor.Uint8, 0.04, 60)
	pair := func(v int) []int { return []int{v, v} }
	pool := ops.AvgPool{Kernel: pair(3), Stride: pair(2), Padding: pair(1), CountIncludePad: true, NHWC: true}
	adaptive := ops.AdaptiveAvgPool{Size: []int{3, 2}, NHWC: true}
	floatPool, floatAdaptive := pool, adaptive // of images with the channels second
	floatPool.NHWC, floatAdaptive.NHWC = false, false
	x := []*tensor.Tensor{a, vector(0.02), vector(100), vector(0.04), vector(60)}
	table := func(op ops.Op, operands ...*tensor.Tensor) ops.Op {
		tab, err := TableOf(op, aq.QParams(), out, operands...)
		if err != nil {
			t.Fatal(err)
		}
		return tab
	}
	for _, c := range []struct {
		static   ops.Op
		in       []*tensor.Tensor
		float    ops.Op
		operands []*tensor.Tensor
		real     []*tensor.Tensor
	}{
		{Add{Act: ops.ActReLU, Out: out}, []*tensor.Tensor{aq, bq}, ops.Binary{Fn: ops.Add, Act: ops.ActReLU}, make([]*tensor.Tensor, 2),
			[]*tensor.Tensor{a, vector(0.02), vector(100), b, vector(0.05), vector(20), vector(0.04), vector(60)}},
		{Mul{Out: out}, []*tensor.Tensor{aq, cq}, ops.Binary{Fn: ops.Mul}, make([]*tensor.Tensor, 2),
			[]*tensor.Tensor{a, vector(0.02), vector(100), c, vector(0.03), vector(80), vector(0.04), vector(60)}},
		{Add{Out: out}, []*tensor.Tensor{dq, bq}, ops.Binary{Fn: ops.Add}, make([]*tensor.Tensor, 2),
			[]*tensor.Tensor{d, vector(0.01), vector(0), b, vector(0.05), vector(20), vector(0.04), vector(60)}},
		{table(ops.Unary{Fn: ops.SiLU}, nil), []*tensor.Tensor{aq}, ops.Unary{Fn: ops.SiLU}, make([]*tensor.Tensor, 1), x},
		{table(ops.Binary{Fn: ops.Div}, tensor.Scalar(float32(3)), nil), []*tensor.Tensor{aq},
			ops.Binary{Fn: ops.Div}, []*tensor.Tensor{tensor.Scalar(float32(3)), nil}, x},
		{AvgPool{AvgPoolAttributes: ops.AvgPoolAttributes(pool), Out: out}, []*tensor.Tensor{aq}, floatPool, make([]*tensor.Tensor, 1), x},
		{AdaptiveAvgPool{AdaptiveAvgPoolAttributes: ops.AdaptiveAvgPoolAttributes(adaptive), Out: out}, []*tensor.Tensor{aq}, floatAdaptive, make([]*tensor.Tensor, 1), x},
	} {
		t.Run(fmt.Sprint(c.static.Name()), func(t *testing.T) {
			want, err := ops.Eval(c.static, asm.Best(), nil, c.in...)
			if err != nil {
				t.Fatal(err)
			}
			y, err := ops.Eval(Dequantize{}, asm.Generic, nil, want[0].WithQParams(out))
			if err != nil {
				t.Fatal(err)
			}
			op := StraightThrough{Op: c.float, Operands: c.operands, In: make([]Params, (len(c.real)-2)/3), Out: u8}
			for i := range op.In {
				op.In[i] = u8
			}
			op.last = true
			real := append([]*tensor.Tensor{y[0]}, c.real...)
			for _, threads := range []int{1, 3} {
				p := ops.NewPool(threads)
				got := runTrained(t, op, asm.Best(), p, real)
				p.Close()
				if !bytes.Equal(got[0].Bytes(), y[0].Bytes()) {
					t.Errorf("%d threads: got %v, want %v", threads, got[0].Float32s()[:4], y[0].Float32s()[:4])
				}
			}
		})
	}
}

func TestTrainedLayerRefuses(t *testing.T) {
	layer := TrainedLayer{Layer: ops.Linear{}, X: u8, W: s8Channel, Y: &u8}
	f := ops.F32
	types := []ops.Type{f(4, 6), f(1), f(1), f(3, 6), f(3), f(3), f(1), f(1)}
	if _, err := layer.Infer(types); err != nil {
		t.Fatal(err)
	}
	for i := range types {
		bad := slices.Clone(types)
		bad[i] = f(7)
		var shape *ops.ShapeError
		if _, err := layer.Infer(bad); !errors.As(err, &shape) {
			t.Errorf("input %d of another shape: %v", i, err)
		}
	}
	inf := float32(math.Inf(1))
	for _, s := range [][2]float32{{0, 0}, {inf, 0}, {inf - inf, 0}, {1, inf}} {
		in := make([]*tensor.Tensor, len(types))
		for i, typ := range types {
			in[i], _ = tensor.New(tensor.Float32, typ.Shape...)
			for j := range in[i].Float32s() {
				in[i].Float32s()[j] = 1
			}
		}
		in[6].Float32s()[0], in[7].Float32s()[0] = s[0], s[1]
		var value *ops.ValueError
		if _, err := ops.Eval(layer, asm.Generic, nil, in...); !errors.As(err, &value) {
			t.Errorf("scale %v and zero point %v: %v", s[0], s[1], err)
		}
	}
	deep := []ops.Type{f(1, maxTrainedDepth+1), f(1), f(1), f(1, maxTrainedDepth+1), f(1), f(1), f(1), f(1)}
	var unsupported *ops.UnsupportedError
	if _, err := layer.Prepare(&ops.Prepare{In: deep, Out: []ops.Type{f(1, 1), f(1, 1)}}); !errors.As(err, &unsupported) {
		t.Errorf("a layer too deep: %v", err)
	}
}
