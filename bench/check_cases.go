package bench

import (
	"math"
	"math/rand/v2"
	"strings"
	"unsafe"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/ops/int8"
	"github.com/octet-ml/octet/tensor"
)

// sumTolerance is what the order of sums makes of float32 results; that of Winograd's algorithm, whose transforms add large numbers, and
// of functions is larger.
const (
	sumTolerance      = 1e-5
	winogradTolerance = 1e-4
)

// kernelCases returns a case for each operation of the kernel table, by its name. Sizes are no multiples of any tile.
func kernelCases() map[string]kernelCase {
	cases := map[string]kernelCase{
		"igemm_f32":          {one(ofLayer(ops.Linear{HasBias: true}, "", floats(37, 70), floats(45, 70), floats(45))), sumTolerance},
		"igemm_groups_f32":   {one(ofLayer(ops.Conv{Stride: two(1), Padding: two(1), Dilation: two(1), Groups: 4, NHWC: true}, "igemm_groups_f32", floats(1, 11, 13, 32), floats(32, 8, 3, 3))), sumTolerance},
		"dwconv_f32":         {one(ofLayer(ops.Conv{Stride: two(1), Padding: two(1), Dilation: two(1), Groups: 37, HasBias: true, NHWC: true}, "", floats(1, 19, 17, 37), floats(37, 1, 3, 3), floats(37))), sumTolerance},
		"winograd2_f32":      {winogradLayers("winograd2_f32"), winogradTolerance},
		"winograd4_f32":      {winogradLayers("winograd4_f32"), winogradTolerance},
		"softmax_f32":        {one(ofLayer(ops.Softmax{Axis: -1}, "", floats(21, 133))), sumTolerance},
		"layernorm_f32":      {one(ofLayer(ops.LayerNorm{Dims: 1, Eps: 1e-5, HasWeight: true, HasBias: true}, "", floats(21, 133), floats(133), floats(133))), winogradTolerance},
		"reduce_f32":         {one(ofLayer(ops.Reduce{Fn: ops.Sum, Axes: []int{1}}, "", floats(21, 133))), sumTolerance},
		"pool_f32":           {one(ofLayer(ops.MaxPool{Kernel: two(3), Stride: two(2), Padding: two(1), Dilation: two(1), NHWC: true}, "", floats(1, 19, 17, 37))), 0},
		"transpose_f32":      {one(ofLayer(ops.Permute{Order: []int{1, 0}}, "", floats(53, 87))), 0},
		"scale_shift_f32":    {one(scaleShiftCase), sumTolerance},
		"minmax_f32":         {one(minMaxCase), 0},
		"histogram_f32":      {one(histogramCase), 0},
		"lsq_grad_f32":       {one(lsqGradCase), sumTolerance},
		"requantize_i32_f32": {one(requantizeCase), 0},

		"igemm_u8s8":        {one(ofLayer(int8.Linear{LinearAttributes: ops.LinearAttributes{HasBias: true}, Out: activationQ}, "", bytesOf(29, 70), weights(45, 127, 70), biases(45))), 0},
		"igemm_u8s8_pairs":  {one(ofLayer(int8.Linear{Out: activationQ}, "", bytesOf(29, 70), weights(45, 63, 70))), 0},
		"dwconv_u8s8":       {one(ofLayer(int8.Conv{ConvAttributes: ops.ConvAttributes{Stride: two(1), Padding: two(1), Dilation: two(1), Groups: 37, NHWC: true}, Out: activationQ}, "", bytesOf(1, 19, 17, 37), weights(37, 127, 1, 3, 3))), 0},
		"winograd2_u8s8":    {winogradLayers8("winograd2_u8s8"), 0},
		"winograd4_u8s8":    {winogradLayers8("winograd4_u8s8"), 0},
		"winograd4_1d_u8s8": {winogradLines8("winograd4_1d_u8s8"), 0},
		"add_u8":            {one(ofLayer(int8.Add{Out: activationQ}, "", bytesOf(13, 67), bytesOf(13, 67))), 0},
		"mul_u8":            {one(ofLayer(int8.Mul{Out: activationQ}, "", bytesOf(13, 67), bytesOf(13, 67))), 0},
		"min_u8":            {one(ofLayer(int8.Min{Out: activationQ}, "", bytesOf(13, 67), bytesOf(13, 67))), 0},
		"max_u8":            {one(ofLayer(int8.Max{Out: activationQ}, "", bytesOf(13, 67), bytesOf(13, 67))), 0},
		"quantize_f32_u8":   {one(ofLayer(int8.Quantize{Q: activationQ}, "", floats(13, 67))), 0},
		"dequantize_u8_f32": {one(ofLayer(int8.Dequantize{}, "", bytesOf(13, 67))), 0},
		"lut_u8":            {one(ofLayer(int8.NewTable("exp", activationQ, activationQ, func(x float32) float32 { return float32(math.Exp(float64(x))) }), "", bytesOf(13, 67))), 0},
		"maxpool_u8":        {one(ofLayer(ops.MaxPool{Kernel: two(3), Stride: two(2), Padding: two(1), Dilation: two(1), NHWC: true}, "", bytesOf(1, 19, 17, 37))), 0},
		"avgpool_u8":        {one(ofLayer(int8.AvgPool{AvgPoolAttributes: ops.AvgPoolAttributes{Kernel: two(3), Stride: two(2), Padding: two(1), CountIncludePad: true, NHWC: true}, Out: activationQ}, "", bytesOf(1, 19, 17, 37))), 0},
		"transpose_u8":      {one(ofLayer(ops.Permute{Order: []int{1, 0}}, "", bytesOf(53, 87))), 0},
	}
	for op := asm.BinaryAdd; op <= asm.BinaryRDiv; op++ {
		cases[op.String()] = kernelCase{one(binaryCase(op)), 0}
	}
	for op := asm.UnaryClamp; op <= asm.UnarySoftplus; op++ {
		cases[op.String()] = kernelCase{one(unaryCase(op)), sumTolerance}
	}
	return cases
}

// activationQ are the parameters of all int8 activations.
var activationQ = tensor.PerTensor(tensor.Uint8, 0.05, 117)

func two(n int) []int { return []int{n, n} }

type input func(r *rand.Rand) (*tensor.Tensor, error)

// floats makes float32 values of -3 to 3.
func floats(shape ...int) input {
	return func(r *rand.Rand) (*tensor.Tensor, error) {
		t, err := tensor.New(tensor.Float32, shape...)
		if err == nil {
			for i := range t.Float32s() {
				t.Float32s()[i] = 6*r.Float32() - 3
			}
		}
		return t, err
	}
}

// bytesOf makes int8 activations.
func bytesOf(shape ...int) input {
	return func(r *rand.Rand) (*tensor.Tensor, error) {
		t, err := tensor.New(tensor.Uint8, shape...)
		if err != nil {
			return nil, err
		}
		for i := range t.Uint8s() {
			t.Uint8s()[i] = uint8(r.IntN(256))
		}
		return t.WithQParams(activationQ), nil
	}
}

// weights makes int8 weights of so many outputs, of -most to most.
func weights(outs, most int, rest ...int) input {
	return func(r *rand.Rand) (*tensor.Tensor, error) {
		t, err := tensor.New(tensor.Int8, append([]int{outs}, rest...)...)
		if err != nil {
			return nil, err
		}
		for i := range t.Bytes() {
			t.Bytes()[i] = byte(r.IntN(2*most+1) - most)
		}
		return t.WithQParams(tensor.PerTensor(tensor.Int8, 0.01, 0)), nil
	}
}

// biases makes biases in units of accumulators.
func biases(n int) input {
	return func(r *rand.Rand) (*tensor.Tensor, error) {
		t, err := tensor.New(tensor.Int32, n)
		if err == nil {
			for i := range t.Int32s() {
				t.Int32s()[i] = int32(r.IntN(20001) - 10000)
			}
		}
		return t, err
	}
}

func one(f prepareFunc) []prepareFunc { return []prepareFunc{f} }

// ofLayer prepares an operator with constant inputs but for the first. Where choice is not "", the kernel that it chooses has to be of that name.
// It is not inlined: each case would have a copy of it.
//
//go:noinline
func ofLayer(op ops.Op, choice string, inputs ...input) prepareFunc {
	return func(tier asm.Tier) (func() error, []*tensor.Tensor, error) {
		r := rand.New(rand.NewPCG(1, 2))
		in, types := make([]*tensor.Tensor, len(inputs)), make([]ops.Type, len(inputs))
		for i, f := range inputs {
			var err error
			if in[i], err = f(r); err != nil {
				return nil, nil, err
			}
			types[i] = ops.TypeOf(in[i])
		}
		types[0].Known = nil
		outTypes, err := op.Infer(types)
		if err != nil {
			return nil, nil, err
		}
		out := make([]*tensor.Tensor, len(outTypes))
		for i, o := range outTypes {
			if out[i], err = tensor.New(o.DType, o.Shape...); err != nil {
				return nil, nil, err
			}
			out[i] = out[i].WithQParams(o.Q)
		}
		k, err := op.Prepare(&ops.Prepare{In: types, Out: outTypes, Tier: tier, Threads: 1})
		if err != nil {
			return nil, nil, err
		}
		if !strings.Contains(k.Choice, choice) {
			err = errNotChosen
		}
		return func() error { return ops.RunKernel(k, nil, in, out) }, out, err
	}
}

// winogradShapes are those of convolutions that are quickest by Winograd's algorithm, with tiles of one size or the other.
var winogradShapes = []struct{ size, channels int }{{28, 64}, {14, 64}, {7, 64}, {6, 64}, {10, 256}}

// winogradLayers are such convolutions, of which the kernel's name has to be that of choice.
func winogradLayers(choice string) []prepareFunc {
	var list []prepareFunc
	for _, l := range winogradShapes {
		op := ops.Conv{Stride: two(1), Padding: two(1), Dilation: two(1), Groups: 1, NHWC: true}
		list = append(list, ofLayer(op, choice, floats(1, l.size, l.size, l.channels), floats(l.channels, l.channels, 3, 3)))
	}
	return list
}

// winogradLayers8 are winogradLayers in int8.
func winogradLayers8(choice string) []prepareFunc {
	var list []prepareFunc
	for _, l := range winogradShapes {
		op := int8.Conv{ConvAttributes: ops.ConvAttributes{Stride: two(1), Padding: two(1), Dilation: two(1), Groups: 1, NHWC: true}, Out: activationQ}
		list = append(list, ofLayer(op, choice, bytesOf(1, l.size, l.size, l.channels), weights(l.channels, 40, l.channels, 3, 3)))
	}
	return list
}

// winogradLines8 are the same of windows of 1x3.
func winogradLines8(choice string) []prepareFunc {
	var list []prepareFunc
	for _, l := range winogradShapes {
		op := int8.Conv{ConvAttributes: ops.ConvAttributes{Stride: two(1), Padding: []int{0, 1}, Dilation: two(1), Groups: 1, NHWC: true}, Out: activationQ}
		list = append(list, ofLayer(op, choice, bytesOf(1, l.size, l.size, l.channels), weights(l.channels, 40, l.channels, 1, 3)))
	}
	return list
}

func first[T any](s []T) *T { return unsafe.SliceData(s) }
