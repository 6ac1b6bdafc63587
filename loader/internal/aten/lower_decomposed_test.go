package aten

import (
	"context"
	"math"
	"strings"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// int8Params are parameters of decomposed operators.
type int8Params struct {
	scale    float64
	zero     int64
	min, max int64
	dtype    int64 // 0 for uint8, 1 for int8
}

func (p int8Params) quantize(t *testing.T, m *Evaluator, x Value) Value {
	return must(t, m, "quantized_decomposed::quantize_per_tensor", x, p.scale, p.zero, p.min, p.max, p.dtype)
}

func (p int8Params) dequantize(t *testing.T, m *Evaluator, x Value) Value {
	return must(t, m, "quantized_decomposed::dequantize_per_tensor", x, p.scale, p.zero, p.min, p.max, p.dtype)
}

func (p int8Params) both(t *testing.T, m *Evaluator, x Value) Value {
	return p.dequantize(t, m, p.quantize(t, m, x))
}

var (
	affine    = int8Params{0.05, 3, -128, 127, 1}
	unsigned  = int8Params{0.03, 120, 0, 255, 0}
	sevenBit  = int8Params{0.05, 40, 0, 127, 0}
	symmetric = int8Params{0.02, 0, -127, 127, 1}
)

// int8Weight dequantizes a constant of the shape, per channel.
func int8Weight(t *testing.T, m *Evaluator, shape ...int) Value {
	t.Helper()
	w, err := tensor.New(tensor.Int8, shape...)
	if err != nil {
		t.Fatal(err)
	}
	for i := range w.Bytes() {
		w.Bytes()[i] = byte(int8(i*37%255 - 127))
	}
	scales, zeros := make([]float32, shape[0]), make([]int64, shape[0])
	for i := range scales {
		scales[i] = 0.001 * float32(i+1)
	}
	s, err := tensor.FromSlice(scales, len(scales))
	if err != nil {
		t.Fatal(err)
	}
	z, err := tensor.FromSlice(zeros, len(zeros))
	if err != nil {
		t.Fatal(err)
	}
	return must(t, m, "quantized_decomposed::dequantize_per_channel", build.Parameter("w", w), build.Parameter("", s), build.Parameter("", z),
		int64(0), int64(-127), int64(127), int64(1))
}

func floatConstant(t *testing.T, v ...float32) Value {
	t.Helper()
	x, err := tensor.FromSlice(v, len(v))
	if err != nil {
		t.Fatal(err)
	}
	return build.Parameter("bias", x)
}

// TestQuantizedPatterns lowers programs between quantize and dequantize operators on one
// image x, of 4 channels, and compares operators, and values with those in float32.
func TestQuantizedPatterns(t *testing.T) {
	two := func(n int64) *List { return &List{Items: []Value{n, n}} }
	conv := func(t *testing.T, m *Evaluator, x Value) Value {
		return must(t, m, "aten::conv2d", x, int8Weight(t, m, 4, 4, 3, 3), floatConstant(t, 0.1, -0.2, 0.3, 0), two(1), two(1))
	}
	type program func(t *testing.T, m *Evaluator, x Value) Value
	for name, c := range map[string]struct {
		ops   string
		steps float64
		run   program
	}{
		"conv relu6": {"quantize int8.conv2d dequantize", 0.05, func(t *testing.T, m *Evaluator, x Value) Value {
			return affine.both(t, m, must(t, m, "aten::hardtanh", conv(t, m, symmetric.both(t, m, x)), 0.0, 6.0))
		}},
		"conv of uint8, 7 bits": {"quantize int8.conv2d dequantize", 0.05, func(t *testing.T, m *Evaluator, x Value) Value {
			return sevenBit.both(t, m, conv(t, m, sevenBit.both(t, m, x)))
		}},
		"depthwise": {"quantize int8.conv2d dequantize", 0.05, func(t *testing.T, m *Evaluator, x Value) Value {
			y := must(t, m, "aten::conv2d", affine.both(t, m, x), int8Weight(t, m, 4, 1, 3, 3), floatConstant(t, 0.1, -0.2, 0.3, 0), two(1), two(1), two(1), int64(4))
			return affine.both(t, m, must(t, m, "aten::relu", y))
		}},
		"conv to float": {"quantize int8.conv2d gelu", 1e-4, func(t *testing.T, m *Evaluator, x Value) Value {
			return must(t, m, "aten::gelu", conv(t, m, affine.both(t, m, x)))
		}},
		"sum behind conv": {"quantize int8.conv2d dequantize", 0.05, func(t *testing.T, m *Evaluator, x Value) Value {
			q := affine.quantize(t, m, x)
			y := must(t, m, "aten::add", affine.dequantize(t, m, q), conv(t, m, affine.dequantize(t, m, q)), int64(1))
			return affine.both(t, m, must(t, m, "aten::relu", y))
		}},
		"conv with two users": {"quantize int8.conv2d quantize dequantize add", 0.05, func(t *testing.T, m *Evaluator, x Value) Value {
			y := conv(t, m, affine.both(t, m, x))
			return must(t, m, "aten::add", affine.both(t, m, y), y, int64(1))
		}},
		"sum": {"quantize quantize int8.add dequantize", 0.05, func(t *testing.T, m *Evaluator, x Value) Value {
			return affine.both(t, m, must(t, m, "aten::relu", must(t, m, "aten::add", affine.both(t, m, x), unsigned.both(t, m, x), int64(1))))
		}},
		"product": {"quantize quantize int8.mul dequantize", 0.03, func(t *testing.T, m *Evaluator, x Value) Value {
			return unsigned.both(t, m, must(t, m, "aten::mul", affine.both(t, m, x), unsigned.both(t, m, x)))
		}},
		"moves": {"quantize max_pool2d permute dequantize", 0, func(t *testing.T, m *Evaluator, x Value) Value {
			y := affine.both(t, m, must(t, m, "aten::max_pool2d", affine.both(t, m, x), two(2)))
			return affine.both(t, m, must(t, m, "aten::permute", y, &List{Items: []Value{int64(0), int64(2), int64(3), int64(1)}}))
		}},
		"cat": {"quantize quantize int8.requantize concat dequantize", 0.05, func(t *testing.T, m *Evaluator, x Value) Value {
			return affine.both(t, m, must(t, m, "aten::cat", &List{Items: []Value{affine.both(t, m, x), unsigned.both(t, m, x)}}, int64(1)))
		}},
		"mean": {"quantize int8.adaptive_avg_pool2d flatten dequantize", 0.05, func(t *testing.T, m *Evaluator, x Value) Value {
			return affine.both(t, m, must(t, m, "aten::mean", affine.both(t, m, x), &List{Items: []Value{int64(2), int64(3)}}))
		}},
		"mean with dimensions": {"quantize int8.adaptive_avg_pool2d dequantize", 0.05, func(t *testing.T, m *Evaluator, x Value) Value {
			return affine.both(t, m, must(t, m, "aten::mean", affine.both(t, m, x), &List{Items: []Value{int64(-1), int64(-2)}}, true))
		}},
		"conv, flatten": {"quantize int8.conv2d flatten dequantize", 0.05, func(t *testing.T, m *Evaluator, x Value) Value {
			return affine.both(t, m, must(t, m, "aten::flatten", conv(t, m, affine.both(t, m, x)), int64(1)))
		}},
		"table": {"quantize int8.sigmoid dequantize", 0, func(t *testing.T, m *Evaluator, x Value) Value {
			return unsigned.both(t, m, must(t, m, "aten::sigmoid", affine.both(t, m, x)))
		}},
		"pad": {"quantize pad dequantize", 0, func(t *testing.T, m *Evaluator, x Value) Value {
			return must(t, m, "aten::constant_pad_nd", affine.both(t, m, x), two(1), 0.0)
		}},
		"pad with what no integer is": {"quantize dequantize pad", 0, func(t *testing.T, m *Evaluator, x Value) Value {
			return must(t, m, "aten::constant_pad_nd", affine.both(t, m, x), two(1), 0.02)
		}},
		"no pattern": {"quantize dequantize softmax quantize dequantize", 0, func(t *testing.T, m *Evaluator, x Value) Value {
			return affine.both(t, m, must(t, m, "aten::softmax", affine.both(t, m, x), int64(1), nil))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			m := newProgram(t)
			typ := ops.F32(1, 4, 6, 6)
			g := finish(t, m, c.run(t, m, m.InputTensor(m.Input("x", typ), typ)))
			int8, patterns, err := m.LowerQuantized(g)
			if err != nil {
				t.Fatal(err)
			}
			var have []string
			for _, n := range int8.Nodes {
				have = append(have, n.Op.Name())
			}
			if got := strings.Join(have, " "); got != c.ops {
				t.Errorf("operators %s, want %s", got, c.ops)
			}
			if moved := strings.Contains(c.ops, "int8.") || name == "moves" || name == "pad"; moved != (len(patterns) > 0) {
				t.Errorf("patterns %v", patterns)
			}
			want, got := onImage(t, g), onImage(t, int8)
			for i := range want {
				if d := math.Abs(float64(want[i] - got[i])); !(d <= c.steps*1.001) {
					t.Fatalf("value %d is %v, want %v", i, got[i], want[i])
				}
			}
		})
	}
}

// onImage runs a graph on one image.
func onImage(t *testing.T, g *graph.Graph) []float32 {
	t.Helper()
	x, err := tensor.New(tensor.Float32, 1, 4, 6, 6)
	if err != nil {
		t.Fatal(err)
	}
	for i := range x.Float32s() {
		x.Float32s()[i] = float32(i*29%97)/12 - 4
	}
	s, err := g.Compile(graph.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	out, err := s.Run(context.Background(), x)
	if err != nil {
		t.Fatal(err)
	}
	return append([]float32(nil), out[0].Contiguous().Float32s()...)
}

// TestQuantizedRange keeps a range of integers that is narrower than the type.
func TestQuantizedRange(t *testing.T) {
	for _, p := range []int8Params{sevenBit, symmetric, {0.1, -5, -8, 7, 1}} {
		m := newProgram(t)
		x := floatInput(m, "x", 3)
		q := p.quantize(t, m, x)
		plain, err := m.PlainIntegers(q.(*build.Tensor), torchDTypes[int(p.dtype)])
		if err != nil {
			t.Fatal(err)
		}
		g := finish(t, m, p.dequantize(t, m, q), plain)
		out := results(t, g, []float32{-1000, 0, 1000})
		for i, want := range []int64{p.min, p.zero, p.max} {
			if out[1][i] != float32(want) || out[0][i] != float32(want-p.zero)*float32(p.scale) {
				t.Errorf("%+v: integer %v is %v, want %d", p, out[1][i], out[0][i], want)
			}
		}
	}
}

// TestChooseParams compares parameters that are chosen while the model runs with
// those of torch.ao.quantization.utils.determine_qparams.
func TestChooseParams(t *testing.T) {
	for _, c := range []struct {
		symmetric string
		x         []float32
		scale     float32
		zero      float32
	}{
		{"", []float32{-1, 2, 1.55}, 3.0 / 255, -43},
		{"", []float32{1, 2, 1.5}, 2.0 / 255, -128},
		{"", []float32{0, 0, 0}, 1.0 / 4096, -128},
		{"_symmetric", []float32{-3, 2, 1}, 3.0 / 127.5, 0},
	} {
		m := newProgram(t)
		v := must(t, m, "quantized_decomposed::choose_qparams"+c.symmetric, floatInput(m, "x", 3), int64(-128), int64(127), 1.0/4096, int64(1))
		items, _ := Items(v)
		out := results(t, finish(t, m, items...), c.x)
		if math.Abs(float64(out[0][0]-c.scale)) > 1e-8 || out[1][0] != c.zero {
			t.Errorf("%v: scale %v, zero point %v, want %v, %v", c.x, out[0], out[1], c.scale, c.zero)
		}
	}
}
