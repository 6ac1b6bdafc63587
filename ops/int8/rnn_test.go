package int8_test

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/ops/int8"
	"github.com/octet-ml/octet/tensor"
)

// rnnInputs returns x, the initial states and the weights of a network, [steps, batch, input] to begin with.
func rnnInputs(rng *rand.Rand, op int8.RNN, gates, steps, batch, input, hidden int) []*tensor.Tensor {
	floats := func(shape ...int) *tensor.Tensor {
		x, _ := tensor.New(tensor.Float32, shape...)
		for i := range x.Float32s() {
			x.Float32s()[i] = float32(rng.NormFloat64())
		}
		return x
	}
	weight := func(cols int) *tensor.Tensor {
		q := &tensor.QParams{DType: tensor.Int8, Scheme: tensor.PerChannelSymmetric, Min: -127, Max: 127}
		for range gates * hidden {
			q.Scale, q.ZeroPoint = append(q.Scale, 0.001+0.004*rng.Float32()), append(q.ZeroPoint, 0)
		}
		return quantized(rng, q, gates*hidden, cols)
	}
	directions := 1
	if op.Bidirectional {
		directions = 2
	}
	in := []*tensor.Tensor{floats(steps, batch, input), floats(op.Layers*directions, batch, hidden)}
	if op.BatchFirst {
		in[0] = floats(batch, steps, input)
	}
	if op.Cell == ops.LSTMCell {
		in = append(in, floats(op.Layers*directions, batch, hidden))
	}
	for i := range op.Layers * directions {
		if i >= directions {
			input = directions * hidden
		}
		in = append(in, weight(input), weight(hidden))
		if op.HasBias {
			in = append(in, floats(gates*hidden), floats(gates*hidden))
		}
	}
	return in
}

// evalOn runs an operator on a tier with a number of threads.
func evalOn(t testing.TB, op ops.Op, tier asm.Tier, threads int, in ...*tensor.Tensor) []*tensor.Tensor {
	t.Helper()
	pool := ops.NewPool(threads)
	defer pool.Close()
	out, err := ops.Eval(op, tier, pool, in...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestRNN computes each step anew from the state that the network gave in front of it: products as DynamicLinear has them, to the bit, and cells in float64.
func TestRNN(t *testing.T) {
	rng := rand.New(rand.NewPCG(21, 22))
	for cell, gates := range map[ops.CellFn]int{ops.LSTMCell: 4, ops.GRUCell: 3, ops.TanhCell: 1, ops.ReLUCell: 1} {
		for _, c := range []struct {
			steps, batch, input, hidden int
			bias                        bool
		}{{1, 1, 1, 1, true}, {5, 3, 7, 13, true}, {4, 1, 20, 33, false}, {3, 17, 16, 96, true}} {
			op := int8.RNN{RNNAttributes: ops.RNNAttributes{Cell: cell, Layers: 1, HasBias: c.bias}}
			in := rnnInputs(rng, op, gates, c.steps, c.batch, c.input, c.hidden)
			weights := in[len(in)-2:]
			linear := int8.DynamicLinear{}
			biases := [2][]*tensor.Tensor{}
			if c.bias {
				weights = in[len(in)-4 : len(in)-2]
				linear.HasBias = true
				biases = [2][]*tensor.Tensor{{in[len(in)-2]}, {in[len(in)-1]}}
			}
			for _, tier := range asm.Supported() {
				for threads := 1; threads <= 2; threads++ {
					t.Run(fmt.Sprintf("%v %+v %v %d", cell, c, tier, threads), func(t *testing.T) {
						out := evalOn(t, op, tier, threads, in...)
						x := evalOn(t, linear, asm.Generic, 1, append([]*tensor.Tensor{in[0], weights[0]}, biases[0]...)...)[0].Float32s()
						state, size := in[1].Float32s(), c.batch*c.hidden
						var memory []float32
						if cell == ops.LSTMCell {
							memory = append(memory, in[2].Float32s()...)
						}
						for step := range c.steps {
							h, _ := tensor.FromSlice(state, c.batch, c.hidden)
							s := evalOn(t, linear, asm.Generic, 1, append([]*tensor.Tensor{h, weights[1]}, biases[1]...)...)[0].Float32s()
							y := out[0].Float32s()[step*size:][:size]
							for i := range size {
								at := i/c.hidden*gates*c.hidden + i%c.hidden
								gate := func(g int) (fromInput, fromState float64) {
									return float64(x[step*gates*size+at+g*c.hidden]), float64(s[at+g*c.hidden])
								}
								want := cellOf(cell, gate, float64(state[i]), memory, i)
								if math.Abs(want-float64(y[i])) > 2e-5 {
									t.Fatalf("step %d, unit %d: %v, want %v", step, i, y[i], want)
								}
							}
							state = y
						}
						if !bytes.Equal(out[1].Bytes(), out[0].Bytes()[4*(c.steps-1)*size:]) {
							t.Error("the last state is not that of the last step")
						}
					})
				}
			}
		}
	}
}

// cellOf returns the state behind a step; an LSTM's memory i goes on with it.
func cellOf(cell ops.CellFn, gate func(int) (fromInput, fromState float64), before float64, memory []float32, i int) float64 {
	sigmoid := func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
	sum := func(g int) float64 { x, s := gate(g); return x + s }
	switch cell {
	case ops.LSTMCell:
		c := sigmoid(sum(1))*float64(memory[i]) + sigmoid(sum(0))*math.Tanh(sum(2))
		memory[i] = float32(c)
		return sigmoid(sum(3)) * math.Tanh(c)
	case ops.GRUCell:
		x, s := gate(2)
		next := math.Tanh(x + sigmoid(sum(0))*s)
		return next + sigmoid(sum(1))*(before-next)
	case ops.TanhCell:
		return math.Tanh(sum(0))
	}
	return max(sum(0), 0)
}

// TestRNNLayers compares a network of two layers in both directions, samples first, with those of one layer and direction, to the bit.
func TestRNNLayers(t *testing.T) {
	rng := rand.New(rand.NewPCG(23, 24))
	const steps, batch, input, hidden = 6, 2, 9, 11
	op := int8.RNN{RNNAttributes: ops.RNNAttributes{Cell: ops.GRUCell, Layers: 2, Bidirectional: true, BatchFirst: true, HasBias: true}}
	in := rnnInputs(rng, op, 3, steps, batch, input, hidden)
	one := int8.RNN{RNNAttributes: ops.RNNAttributes{Cell: ops.GRUCell, Layers: 1, HasBias: true}}
	for _, tier := range asm.Supported() {
		got := evalOn(t, op, tier, 2, in...)[0]
		x := evalOn(t, ops.Permute{Order: []int{1, 0, 2}}, tier, 1, in[0])[0]
		for layer := range 2 {
			var both [2]*tensor.Tensor
			for d := range both {
				i := 2*layer + d
				h, err := in[1].Slice(0, i, i+1, 1)
				if err != nil {
					t.Fatal(err)
				}
				seen := x
				if d == 1 {
					seen = evalOn(t, ops.Flip{Axes: []int{0}}, tier, 1, x)[0]
				}
				both[d] = evalOn(t, one, tier, 1, append([]*tensor.Tensor{seen, h.Contiguous()}, in[2+4*i:][:4]...)...)[0]
				if d == 1 {
					both[d] = evalOn(t, ops.Flip{Axes: []int{0}}, tier, 1, both[d])[0]
				}
			}
			x = evalOn(t, ops.Concat{Axis: 2}, tier, 1, both[:]...)[0]
		}
		want := evalOn(t, ops.Permute{Order: []int{1, 0, 2}}, tier, 1, x)[0]
		if !bytes.Equal(got.Bytes(), want.Bytes()) {
			t.Errorf("%v: two layers in both directions differ from layers by themselves", tier)
		}
	}
}

// TestBadRNN refuses what the operator does not take.
func TestBadRNN(t *testing.T) {
	rng := rand.New(rand.NewPCG(25, 26))
	op := int8.RNN{RNNAttributes: ops.RNNAttributes{Cell: ops.LSTMCell, Layers: 1}}
	types := func(change func(in []ops.Type)) []ops.Type {
		var list []ops.Type
		for _, v := range rnnInputs(rng, op, 4, 2, 2, 3, 5) {
			list = append(list, ops.TypeOf(v))
		}
		change(list)
		return list
	}
	rounded := op
	rounded.Rounded = true
	for name, c := range map[string]struct {
		op int8.RNN
		in []ops.Type
	}{
		"float32 weight":    {op, types(func(in []ops.Type) { in[3] = ops.F32(in[3].Shape...) })},
		"weight of a shape": {op, types(func(in []ops.Type) { in[4].Shape = tensor.Shape{20, 6} })},
		"zero point":        {op, types(func(in []ops.Type) { in[4].Q = in[4].Q.Clone(); in[4].Q.ZeroPoint[3] = 1 })},
		"quantized input":   {op, types(func(in []ops.Type) { in[0].DType, in[0].Q = tensor.Uint8, tensor.PerTensor(tensor.Uint8, 1, 0) })},
		"too few":           {op, types(func([]ops.Type) {})[:3]},
		"none":              {op, nil},
		"rounding":          {rounded, types(func([]ops.Type) {})},
	} {
		if out, err := c.op.Infer(c.in); err == nil {
			t.Errorf("%s: %v", name, out)
		}
	}
}
