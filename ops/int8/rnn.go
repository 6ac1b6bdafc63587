package int8

import (
	"fmt"
	"slices"
	"unsafe"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

func init() {
	registerForm(ops.RNN{}, func(n Node) *Form {
		op := n.Op.(ops.RNN)
		f := &Form{}
		if op.Rounded || len(n.In) == 0 || n.In[0].DType != tensor.Float32 {
			return f
		}
		weights := op.Weights()
		for i := weights[0]; i < len(n.In); i++ {
			if c := n.Const[i]; c == nil || c.DType() != tensor.Float32 || c.Rank() == 2 && c.Dim(1) > maxProductDepth {
				return f
			}
		}
		f.WeightOnly, f.Weights, f.Multiplied = RNN{ops.RNNAttributes(op)}, weights, true
		return f
	})
}

// RNN is ops.RNN with int8 weights, on float32 values that are quantized while it runs: each row of features, and of a state in front of each
// step, to its own range, as DynamicLinear has it. Sums of products are exact; biases, gates and states are float32.
//
// Inputs: those of ops.RNN, float32 but for the matrices of weights, which are int8, symmetric per tensor or per row, and constant as biases are.
// Outputs: those of ops.RNN, float32.
type RNN struct{ ops.RNNAttributes }

// Name returns that of the cell behind "int8.": "int8.lstm".
func (op RNN) Name() string { return "int8." + op.Cell.String() }

// MACs counts the products of the definition.
func (op RNN) MACs(in, out []ops.Type) int64 { return ops.RNN(op.RNNAttributes).MACs(in, out) }

// Infer checks what ops.RNN does, and the weights.
func (op RNN) Infer(in []ops.Type) ([]ops.Type, error) {
	inner, types := ops.RNN(op.RNNAttributes), slices.Clone(in)
	for i, t := range in {
		if t.DType == tensor.Int8 {
			types[i].DType, types[i].Q = tensor.Float32, nil
		} else if op.Rounded || t.DType != tensor.Float32 || t.Q != nil {
			return nil, ops.Errorf(op, in, "its weights must be int8, all else float32, and it does not round")
		}
	}
	out, err := inner.Infer(types)
	if err != nil {
		return nil, ops.Errorf(op, in, "%v", err)
	}
	weights := inner.Weights() // as many as inputs show, now that they fit
	for i, t := range in {
		if t.DType == tensor.Int8 && !slices.Contains(weights, i) {
			return nil, ops.Errorf(op, in, "input %d must be float32: only matrices of weights are int8", i)
		}
	}
	for _, i := range weights {
		if err := symmetricWeight(op, in, i); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Prepare packs the weights: those of features as one matrix, those of the state gate by gate.
func (op RNN) Prepare(p *ops.Prepare) (*ops.Kernel, error) {
	if p.Out[0].Numel() == 0 {
		return emptyKernel(), nil
	}
	k := &rnnProducts{quantize: asm.QuantizeRowsF32U8For(p.Tier)}
	hidden := p.In[1].Shape[len(p.In[1].Shape)-1]
	weights := ops.RNN(op.RNNAttributes).Weights()
	for at := 0; at < len(weights); at += 2 {
		var both [2]*layer
		for state, i := range weights[at : at+2] {
			groups := 1
			if state == 1 {
				groups = p.In[i].Shape[0] / hidden
			}
			l, err := op.layer(p, i, groups)
			if err != nil {
				return nil, err
			}
			both[state] = l
			k.stride = max(k.stride, l.kc)
		}
		k.layers = append(k.layers, both)
	}
	k.perLayer = len(k.layers) / op.Layers
	k.rows = p.Out[0].Numel() / p.Out[0].Shape[len(p.Out[0].Shape)-1]
	l := k.layers[0][0]
	return ops.PrepareRNN(ops.RNN(op.RNNAttributes), p, k, fmt.Sprintf("%s %s %dx%d, rows quantized", l.g.Op, l.g.Tier, l.g.MR, l.g.NR)), nil
}

// layer packs the matrix of weights that input i is, of groups of rows, and the bias behind it.
func (op RNN) layer(p *ops.Prepare, i, groups int) (*layer, error) {
	t := p.In[i]
	part := &ops.Prepare{In: []ops.Type{p.In[0], t}, Tier: p.Tier, Threads: p.Threads, Pack: p.Pack}
	p.Repacked = append(p.Repacked, i)
	if op.HasBias {
		part.In = append(part.In, p.In[i+2])
		p.Repacked = append(p.Repacked, i+2)
	}
	outs, depth := t.Shape[0], t.Shape[1]
	l := &layer{
		op: op, p: part, g: asm.IGemmU8S8For(p.Tier), groups: groups, cols: outs / groups, outChannels: outs, dynamic: true,
		ks: 1, kc: max(depth+3, 4) / 4 * 4, taps: 1, depth: depth, hasBias: op.HasBias,
	}
	return l, l.prepare()
}

// rnnProducts are the products of a network. The shared memory of a call has the integers of rows, of features and then of states, and behind
// those of both their scales and zero points.
type rnnProducts struct {
	layers   [][2]*layer // that multiply features and the state, for each layer and direction
	perLayer int         // directions
	quantize *asm.QuantizeRowsF32U8
	rows     int    // of features
	stride   int    // bytes between rows of integers
	at       [2]int // of features and states
	mem      scratch
}

// Tile implements ops.RNNProducts.
func (k *rnnProducts) Tile(layer int) (rows, columns, block int) {
	l := k.layers[layer*k.perLayer][0]
	return l.g.MR, l.g.NR, l.blockCols(1)
}

// Scratch implements ops.RNNProducts.
func (k *rnnProducts) Scratch(at int) (end, worker int) {
	for i := range k.at {
		k.at[i] = at
		at += alignUp(k.rows*k.stride) + 2*alignUp(4*k.rows)
	}
	for _, both := range k.layers {
		for _, l := range both {
			k.mem = l.scratch(0, 0, 0, 0)
			worker = max(worker, k.mem.total)
		}
	}
	return at, worker
}

// Begin implements ops.RNNProducts.
func (k *rnnProducts) Begin(*ops.Call, int) {}

// taken returns where the integers, scales and zero points of row m are.
func (k *rnnProducts) taken(c *ops.Call, state, m int) (q *uint8, scale *float32, zero *int32) {
	at := k.at[state]
	behind := at + alignUp(k.rows*k.stride)
	return &c.Scratch[at+m*k.stride], &float32s(c.Scratch[behind:], m+1)[m], &int32s(c.Scratch[behind+alignUp(4*k.rows):], m+1)[m]
}

// Take implements ops.RNNProducts: it quantizes rows.
func (k *rnnProducts) Take(c *ops.Call, x ops.RNNRows, state bool) {
	of := 0
	if state {
		of = 1
	}
	args := &c.Workers[0].Args.QuantizeRowsF32U8
	for m, all := 0, x.Steps*x.Batch; m < all; {
		from, stride, n := x.Run(m, all)
		*args = asm.QuantizeRowsF32U8Args{M: n, N: x.Len, X: (*float32)(from), XStride: stride, QStride: k.stride}
		args.Q, args.Scale, args.Zero = k.taken(c, of, m)
		k.quantize.Run(args)
		m += n
	}
}

// Features implements ops.RNNProducts.
func (k *rnnProducts) Features(c *ops.Call, w *ops.Worker, i int, _ ops.RNNRows, m0, m1, n0, n1 int, dst unsafe.Pointer) {
	l := k.layers[i][0]
	k.multiply(c, w, l, &call{m: m1 - m0, n0: n0, n1: n1, out: unsafe.Add(dst, 4*m0*l.outChannels)}, 0, m0)
}

// State implements ops.RNNProducts.
func (k *rnnProducts) State(c *ops.Call, w *ops.Worker, i, gate int, _ ops.RNNRows, b0, b1, first, n int, dst, add unsafe.Pointer) {
	l := k.layers[i][1]
	// Columns are counted from the first of the gate.
	t := call{group: gate, m: b1 - b0, n0: first, n1: first + n, out: unsafe.Add(dst, 4*(b0*l.outChannels-first))}
	if add != nil {
		t.res = unsafe.Add(add, 4*(b0*l.outChannels-first))
	}
	k.multiply(c, w, l, &t, 1, b0)
}

// multiply multiplies rows from m on.
func (k *rnnProducts) multiply(c *ops.Call, w *ops.Worker, l *layer, t *call, state, m int) {
	q, scale, zero := k.taken(c, state, m)
	t.taps, t.input, t.stride, t.scale, t.zero = 1, unsafe.Pointer(q), k.stride, scale, zero
	l.run(w, &k.mem, t)
}
