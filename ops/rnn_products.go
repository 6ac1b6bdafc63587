package ops

import (
	"fmt"
	"unsafe"

	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// rnnProducts are the products of a float32 network.
type rnnProducts struct {
	op     RNN
	g      rnnGeometry
	gates  int
	gemm   *asm.IGemmF32
	packed []*prepack // weights of each layer and direction, as rnnWeights divides them
	// In the scratch memory of a rounded network, what is multiplied.
	inputsAt, stateAt int
}

// rnnWeights are the packed weights of a layer in one direction: those of the
// inputs as one matrix, those of the state and its bias gate by gate.
type rnnWeights struct {
	input, state         Panels[float32]
	inputBias, stateBias []float32
}

type packedRNNKey struct {
	input PanelLayout
	gates int
}

func (op RNN) Prepare(p *Prepare) (*Kernel, error) {
	if p.Out[0].Numel() == 0 {
		return emptyKernel(), nil
	}
	k := &rnnProducts{op: op, g: op.geometry(p.In), gates: cells[op.Cell].gates, gemm: asm.IGemmF32For(p.Tier)}
	k.pack(p)
	return PrepareRNN(op, p, k, fmt.Sprintf("%s %s %dx%d", k.gemm.Op, k.gemm.Tier, k.gemm.MR, k.gemm.NR)), nil
}

// Tile implements RNNProducts.
func (k *rnnProducts) Tile(layer int) (rows, columns, block int) {
	return k.gemm.MR, k.gemm.NR, k.gemm.BlockN(1, max(k.g.width(k.op, layer), 1))
}

// Scratch implements RNNProducts. Weights that each call packs lie in one place, one after the other.
func (k *rnnProducts) Scratch(at int) (end, worker int) {
	if k.op.Rounded {
		k.inputsAt = at
		k.stateAt = at + roundUp(4*k.g.steps*k.g.batch*max(k.g.input, k.op.directions()*k.g.hidden), tensor.Alignment)
		at = k.stateAt + roundUp(4*k.g.batch*k.g.hidden, tensor.Alignment)
	}
	end = at
	for _, w := range k.packed {
		w.at = at / 4
		end = max(end, at+w.scratch())
	}
	return end, 0
}

func (k *rnnProducts) inputLayout(layer int) PanelLayout {
	return PanelLayout{Packing: k.gemm.Info, Matrices: 1, Depth: k.g.width(k.op, layer), N: k.gates * k.g.hidden}
}

func (k *rnnProducts) stateLayout() PanelLayout {
	return PanelLayout{Packing: k.gemm.Info, Matrices: k.gates, Depth: k.g.hidden, N: k.g.hidden}
}

// pack prepares the weights of each layer and direction.
func (k *rnnProducts) pack(p *Prepare) {
	n := k.op.weights()
	for i := range k.op.Layers * k.op.directions() {
		layer := i / k.op.directions()
		w := &prepack{}
		for j := range n {
			w.inputs = append(w.inputs, 1+k.op.states()+i*n+j)
		}
		w.size = k.inputLayout(layer).Len() + k.stateLayout().Len() + k.gates*k.g.hidden + k.gemm.NR + k.gates*k.stateBiasLen()
		w.pack = func(dst, _ []float32, in packInputs, _ int) { k.packLayer(k.divide(layer, dst), layer, in) }
		w.start(p, packedRNNKey{k.inputLayout(layer), k.gates})
		k.packed = append(k.packed, w)
	}
}

func (k *rnnProducts) stateBiasLen() int { return k.g.hidden + k.gemm.NR }

// divide returns the parts of the packed weights of a layer.
func (k *rnnProducts) divide(layer int, values []float32) rnnWeights {
	var w rnnWeights
	w.input, values = panelsOf(k.inputLayout(layer), values)
	w.state, values = panelsOf(k.stateLayout(), values)
	n := k.gates*k.g.hidden + k.gemm.NR
	w.inputBias, w.stateBias = values[:n], values[n:]
	return w
}

func (k *rnnProducts) packLayer(dst rnnWeights, layer int, in packInputs) {
	h, width := k.g.hidden, k.g.width(k.op, layer)
	k.gemm.PackBNK(dst.input.Data, in[0].Float32s(), width, k.gates*h, width)
	for gate := range k.gates {
		k.gemm.PackBNK(dst.state.Data[dst.state.Index(gate, 0):], in[1].Float32s()[gate*h*h:], h, h, h)
	}
	clear(dst.inputBias)
	clear(dst.stateBias)
	if in[2] != nil {
		copy(dst.inputBias, in[2].Float32s())
		for gate := range k.gates {
			copy(dst.stateBias[gate*k.stateBiasLen():], in[3].Float32s()[gate*h:(gate+1)*h])
		}
	}
}

// Begin implements RNNProducts.
func (k *rnnProducts) Begin(c *Call, i int) { k.packed[i].fill(c) }

// Take implements RNNProducts: it rounds what a rounded network multiplies.
func (k *rnnProducts) Take(c *Call, x RNNRows, state bool) {
	if k.op.Rounded {
		roundRows(k.taken(c, x, state).Base, x)
	}
}

// taken returns where the rows are that are multiplied.
func (k *rnnProducts) taken(c *Call, x RNNRows, state bool) RNNRows {
	if !k.op.Rounded {
		return x
	}
	at := k.inputsAt
	if state {
		at = k.stateAt
	}
	x.Base, x.Step, x.Row = unsafe.Pointer(&c.Scratch[at]), 4*x.Batch*x.Len, 4*x.Len
	return x
}

// weights returns the packed weights of a layer in one direction.
func (k *rnnProducts) weights(c *Call, i int) rnnWeights {
	return k.divide(i/k.op.directions(), k.packed[i].values(c))
}

// Features implements RNNProducts.
func (k *rnnProducts) Features(c *Call, w *Worker, i int, x RNNRows, m0, m1, n0, n1 int, dst unsafe.Pointer) {
	weights, src := k.weights(c, i), k.taken(c, x, false)
	args := &w.Args.IGemmF32
	*args = asm.IGemmF32Args{
		KS: 1, KC: x.Len, B: weights.input.At(0, n0), N: n1 - n0,
		Bias: &weights.inputBias[n0], Lo: -inf, Hi: inf, CStride: 4 * k.gates * k.g.hidden,
	}
	for m := m0; m < m1; {
		at, stride, n := src.Run(m, m1)
		gemmRows(k.gemm, args, at, stride, unsafe.Add(dst, args.CStride*m+4*n0), n)
		m += n
	}
}

// State implements RNNProducts.
func (k *rnnProducts) State(c *Call, w *Worker, i, gate int, x RNNRows, b0, b1, first, n int, dst, add unsafe.Pointer) {
	weights, src := k.weights(c, i), k.taken(c, x, true)
	args := &w.Args.IGemmF32
	stride := 4 * k.gates * k.g.hidden
	*args = asm.IGemmF32Args{
		KS: 1, KC: k.g.hidden, B: weights.state.At(gate, first), N: n, Bias: &weights.stateBias[gate*k.stateBiasLen()+first],
		Lo: -inf, Hi: inf, CStride: stride,
	}
	if add != nil {
		args.Res, args.ResStride = (*float32)(unsafe.Add(add, stride*b0)), stride
	}
	gemmRows(k.gemm, args, src.At(0, b0), src.Row, unsafe.Add(dst, stride*b0), b1-b0)
}
