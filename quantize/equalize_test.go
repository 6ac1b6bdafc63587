package quantize

import (
	"math"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// uneven multiplies each channel between two layers by another power of two, up
// to 2^6, in the weights of the first and divides it out in the second, as
// trained networks come to do.
func uneven(g *graph.Graph, first, second string) {
	factor := func(channel int) float32 { return float32(math.Exp2(float64(channel % 7))) }
	for _, n := range g.Nodes {
		if !isLayer(n.Op) {
			continue
		}
		w := n.Inputs[1].Const
		shape := w.Shape()
		size := w.Numel() / shape[0]
		if n.Scope.Path == first {
			for _, v := range n.Inputs[1:] {
				x := v.Const.Float32s()
				for i := range x {
					x[i] *= factor(i * shape[0] / len(x))
				}
			}
		}
		if n.Scope.Path != second {
			continue
		}
		groups := 1
		if conv, ok := n.Op.(ops.Conv); ok {
			groups = conv.Groups
		}
		for i := range w.Float32s() {
			o, c := i/size, i%size/(size/shape[1])
			w.Float32s()[i] /= factor(o/(shape[0]/groups)*shape[1] + c)
		}
	}
}

// equalizedModel is a model with pairs of layers.
type equalizedModel struct {
	input   []int
	pairs   [][2]string
	forward root
}

func (m equalizedModel) makeUneven(g *graph.Graph) {
	for _, p := range m.pairs {
		uneven(g, p[0], p[1])
	}
}

// equalizedModels have pairs of layers of every kind.
var equalizedModels = map[string]equalizedModel{
	"conv relu conv": {[]int{2, 3, 9, 9}, [][2]string{{"a", "b"}}, func(c *nn.Context, x *graph.Value) *graph.Value {
		x = c.Call("r", nn.ReLU{}, c.Call("a", nn.Conv2d{In: 3, Out: 12, Kernel: 3, Padding: 1}, x))
		x = c.Call("pool", nn.MaxPool2d{Kernel: 2}, x)
		return c.Call("b", nn.Conv2d{In: 12, Out: 8, Kernel: 3, Groups: 4}, x)
	}},
	"depthwise": {[]int{2, 3, 8, 8}, [][2]string{{"a", "dw"}, {"dw", "b"}}, func(c *nn.Context, x *graph.Value) *graph.Value {
		x = c.Apply(ops.Unary{Fn: ops.LeakyReLU, Alpha: 0.1}, c.Call("a", nn.Conv2d{In: 3, Out: 14, Kernel: 1, NoBias: true}, x))
		x = c.Call("r", nn.ReLU{}, c.Call("dw", nn.Conv2d{In: 14, Out: 14, Kernel: 3, Groups: 14}, x))
		return c.Call("b", nn.Conv2d{In: 14, Out: 5, Kernel: 1}, x)
	}},
	"relu6": {[]int{2, 3, 8, 8}, [][2]string{{"a", "dw"}, {"dw", "b"}}, func(c *nn.Context, x *graph.Value) *graph.Value {
		x = c.Call("r1", nn.ReLU6{}, c.Call("a", nn.Conv2d{In: 3, Out: 14, Kernel: 1}, x))
		x = c.Call("r2", nn.ReLU6{}, c.Call("dw", nn.Conv2d{In: 14, Out: 14, Kernel: 3, Groups: 14}, x))
		return c.Call("b", nn.Conv2d{In: 14, Out: 5, Kernel: 1}, x)
	}},
	"linear": {[]int{4, 6, 20}, [][2]string{{"a", "b"}}, func(c *nn.Context, x *graph.Value) *graph.Value {
		x = c.Call("r", nn.ReLU6{}, c.Call("a", nn.Linear{In: 20, Out: 14}, x))
		return c.Call("b", nn.Linear{In: 14, Out: 3}, x)
	}},
}

// TestEqualize checks that balanced weights compute the same, and that they are balanced.
func TestEqualize(t *testing.T) {
	for name, m := range equalizedModels {
		t.Run(name, func(t *testing.T) {
			g := build(t, m.input, m.forward)
			m.makeUneven(g)
			for _, passes := range [][]graph.Pass{graph.Foldings, graph.Fusions} {
				prepared := g.Clone()
				if err := prepared.Rewrite(passes, 0); err != nil {
					t.Fatal(err)
				}
				e, err := equalize(prepared)
				if err != nil {
					t.Fatal(err)
				}
				x := randomInput(t, 8, m.input...)
				got, want := run(t, e, x)[0].Float32s(), run(t, g, x)[0].Float32s()
				if s := sumsOf(want, got); s.sqnr() < 100 {
					t.Errorf("the outputs differ: %.1f dB", s.sqnr())
				}
				before, after := channelSpread(prepared, m.pairs[0][0]), channelSpread(e, m.pairs[0][0])
				if before < 20 || after > before/4 {
					t.Errorf("the channels of %q differ by up to a factor of %.1f, before %.1f", m.pairs[0][0], after, before)
				}
			}
		})
	}
}

// channelSpread returns the largest magnitude of a layer's output channels over the least.
func channelSpread(g *graph.Graph, path string) float64 {
	least, most := math.Inf(1), 0.0
	for _, n := range g.Nodes {
		if n.Scope.Path != path || !isLayer(n.Op) {
			continue
		}
		w := n.Inputs[1].Const.Contiguous().Float32s()
		per := len(w) / n.Inputs[1].Const.Dim(0)
		for i := 0; i < len(w); i += per {
			m := largest(w[i : i+per])
			least, most = min(least, m), max(most, m)
		}
	}
	return most / least
}

// TestEqualizeHelps checks that one scale for all channels of uneven weights
// loses less when they were balanced, and that Native stays int8 throughout.
func TestEqualizeHelps(t *testing.T) {
	for name, m := range equalizedModels {
		g := build(t, m.input, m.forward)
		m.makeUneven(g)
		x := randomInput(t, 9, m.input...)
		want := run(t, g, x)[0].Float32s()
		sqnr := func(opts Options) (float64, *graph.Graph) {
			q := New(opts)
			calibrate(t, q, g, &dataset{batches: [][]*tensor.Tensor{{x}}})
			r := quantized(t, q, g)
			s := sumsOf(want, run(t, r, x)[0].Float32s())
			return s.sqnr(), r
		}
		plain, _ := sqnr(Options{Backend: Reference})
		balanced, _ := sqnr(Options{Backend: Reference, Equalize: true})
		if balanced < plain+3 {
			t.Errorf("%s: %.1f dB balanced, %.1f dB as it is", name, balanced, plain)
		}
		native, r := sqnr(Options{Equalize: true})
		if in, out := countOps(r, "quantize"), countOps(r, "dequantize"); native < 20 || in != 1 || out != 0 {
			t.Errorf("%s: Native has %.1f dB, %d steps to int8 and %d back", name, native, in, out)
		}
	}
}
