package int8

import (
	"fmt"
	"math"
	"unsafe"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

func init() {
	registerForm(ops.Attention{}, func(n Node) *Form {
		op := n.Op.(ops.Attention)
		if n.In[0].DType != tensor.Float32 || checkDepths(op, n.In) != "" {
			return &Form{}
		}
		f := &Form{Activations: []int{0, 1, 2}, KeepsExtremes: true}
		if op.HasMask {
			f.Others = []int{3}
		}
		f.Build = func(b Builder, in []ops.Ref, out *tensor.QParams) ops.Ref {
			return b.Apply(Attention{AttentionAttributes: ops.AttentionAttributes(op), Out: out}, in...)
		}
		return f
	})
}

// checkDepths says which product has sums that could overflow, if one does.
func checkDepths(op ops.Attention, in []ops.Type) string {
	rank := len(in[0].Shape)
	at := rank - 2
	if op.HeadsLast {
		at = rank - 3
	}
	if in[0].Shape[rank-1] > maxProductDepth || in[1].Shape[at] > maxProductDepth {
		return fmt.Sprintf("queries of more than %d elements or more than as many keys could overflow 32 bits", maxProductDepth)
	}
	return ""
}

// Attention is ops.Attention on quantized queries, keys and values. Neither scores nor weights have parameters: a row of weights is
// integers of which the greatest is 255, and is divided by its sum.
//
//	s = float32(sum of (q-zq)*(k-zk)) * float32(sq*sk*Scale) + mask
//	i = quantize(s - max s) to steps of log(510)/255, the greatest being 255
//	w = round(255 * exp(-(255-i) * log(510)/255)), 0 where a mask leaves the key out
//	t = float32(sum of w*(v-zv)) * (float32(1/sum w) * sv)
//
// and quantize(t) is the result. A row of which a mask leaves nothing gives zeros.
//
// Inputs: q, k and v, uint8 per tensor, then with HasMask a mask, all as ops.Attention has them; Output: uint8 with qparams Out.
type Attention struct {
	ops.AttentionAttributes
	Out *tensor.QParams
}

// Name returns "int8.attention".
func (Attention) Name() string { return "int8.attention" }

func (op Attention) float() ops.Op { return ops.Attention(op.AttentionAttributes) }

// MACs counts both products.
func (op Attention) MACs(in, out []ops.Type) int64 {
	return ops.Attention(op.AttentionAttributes).MACs(in, out)
}

// Infer checks what ops.Attention does, and the parameters.
func (op Attention) Infer(in []ops.Type) ([]ops.Type, error) {
	types, err := quantizedTypes(op, op.float(), in, 3, op.Out)
	if err != nil {
		return nil, err
	}
	for i := range 3 {
		if err := activation(op, in, i); err != nil {
			return nil, err
		}
	}
	if reason := checkDepths(ops.Attention(op.AttentionAttributes), in); reason != "" {
		return nil, ops.Errorf(op, in, "%s", reason)
	}
	return types, nil
}

// attentionLevels are the weights by their index, and attentionInv the indices in 1 of the scores.
var (
	attentionLevels = func() (w [256]uint8) {
		for i := range w {
			w[i] = uint8(math.RoundToEven(255 * math.Exp(-float64(255-i)*math.Log(510)/255)))
		}
		w[0] = 0
		return w
	}()
	attentionInv = float32(255 / math.Log(510))
)

// attentionKernel is attention for given shapes.
type attentionKernel struct {
	op           Attention
	l, s, e, v   int
	heads        int // that lie between two positions: 1 unless HeadsLast
	scale        float64
	in           []*tensor.QParams
	keys, values *product
	store        *asm.QuantizeF32U8
	weights      *asm.LutU8
	largest      *asm.MinMaxF32
	blocks, rows int // of queries in a batch, and of a block
	mask         []int
	batch        tensor.Shape
	at           attentionMemory
}

// attentionMemory is where things are in a worker's memory, keys being first.
type attentionMemory struct{ values, queries, weights, sums, scale, scores, out, total int }

// Prepare packs keys and values in each call, once for each task.
func (op Attention) Prepare(p *ops.Prepare) (*ops.Kernel, error) {
	if p.Out[0].Numel() == 0 {
		return emptyKernel(), nil
	}
	q, v := op.headsFirst(p.In[0].Shape), op.headsFirst(p.In[2].Shape)
	rank := len(q)
	if v[rank-2] == 0 { // sums over no keys
		zero := byte(op.Out.Quantize(0, 0))
		return &ops.Kernel{Run: func(c *ops.Call) error {
			out := c.Out[0].Bytes()
			for i := range out {
				out[i] = zero
			}
			return nil
		}, Choice: "empty", Parallel: 1}, nil
	}
	k := &attentionKernel{
		op: op, heads: 1, l: q[rank-2], s: v[rank-2], e: q[rank-1], v: v[rank-1], batch: q[:rank-2], scale: op.Scale,
		store: asm.QuantizeF32U8For(p.Tier), weights: asm.LutU8For(p.Tier), largest: asm.MinMaxF32For(p.Tier), blocks: 1,
	}
	for i := range 3 {
		k.in = append(k.in, p.In[i].Q)
	}
	k.keys, k.values = newProduct(p.Tier, k.e, k.s), newProduct(p.Tier, k.s, k.v)
	if op.HeadsLast {
		k.heads = q[rank-3]
	}
	if k.scale == 0 {
		k.scale = 1 / math.Sqrt(float64(k.e))
	}
	if op.HasMask {
		k.mask = maskSteps(p.In[3].Shape, rank)
	}
	k.rows = min(k.l, productRows)
	count := p.In[0].Numel() / (k.l * k.e)
	if count < 2*p.Threads {
		k.blocks = min(p.Threads, (k.l+k.rows-1)/k.rows)
	}
	k.layout()
	return &ops.Kernel{
		Interruptible: true,
		Run:           func(c *ops.Call) error { c.Parallel(count*k.blocks, k.task); return nil },
		WorkerScratch: k.at.total,
		Choice:        fmt.Sprintf("%s %s, packed in each run", k.keys.g.Op, k.keys.g.Tier),
		Parallel:      count * k.blocks,
	}, nil
}

// layout lays out a worker's memory.
func (k *attentionKernel) layout() {
	m := &k.at
	m.values = k.keys.at.total
	m.queries = m.values + k.values.at.total
	m.weights = m.queries + alignUp(k.rows*k.keys.kc)
	m.sums = m.weights + alignUp(k.rows*k.values.kc)
	m.scale = m.sums + alignUp(4*k.rows)
	m.scores = m.scale + alignUp(4*k.rows)
	m.out = m.scores + alignUp(4*k.rows*k.s)
	m.total = m.out + alignUp(4*k.rows*k.v)
}

// headsFirst returns a shape with positions and heads exchanged where they are.
func (op Attention) headsFirst(s tensor.Shape) tensor.Shape {
	s = s.Clone()
	if n := len(s); op.HeadsLast {
		s[n-3], s[n-2] = s[n-2], s[n-3]
	}
	return s
}

// maskSteps returns how far elements of a mask are apart along each dimension of the scores, 0 where it repeats.
func maskSteps(s tensor.Shape, rank int) []int {
	steps := make([]int, rank)
	for i, step := range s.Strides() {
		if s[i] != 1 {
			steps[rank-len(s)+i] = step
		}
	}
	return steps
}

func (k *attentionKernel) task(c *ops.Call, i int, w *ops.Worker) {
	batch, block := i/k.blocks, i%k.blocks
	q, key, v := k.in[0], k.in[1], k.in[2]
	scale := float32(float64(q.Scale[0]) * float64(key.Scale[0]) * k.scale)
	k.keys.pack(w.Scratch, &w.Args.TransposeU8, k.row(c.In[1], batch, 0, k.s, k.e), k.heads*k.e, true, q.ZeroPoint[0], key.ZeroPoint[0], scale)
	k.values.pack(w.Scratch[k.at.values:], &w.Args.TransposeU8, k.row(c.In[2], batch, 0, k.s, k.v), k.heads*k.v, false, 0, v.ZeroPoint[0], v.Scale[0])
	for first, end := block*k.l/k.blocks, (block+1)*k.l/k.blocks; first < end; first += k.rows {
		k.block(c, w, batch, first, min(k.rows, end-first))
	}
}

// row returns row r of a batch in a tensor of so many rows: k.heads*width apart.
func (k *attentionKernel) row(t *tensor.Tensor, batch, r, rows, width int) *uint8 {
	return bytesAt(t, (batch/k.heads*rows*k.heads+batch%k.heads+r*k.heads)*width)
}

// block computes the outputs of n queries.
func (k *attentionKernel) block(c *ops.Call, w *ops.Worker, batch, first, n int) {
	m := &k.at
	queries, weights := w.Scratch[m.queries:], w.Scratch[m.weights:]
	sums, rowScale := int32s(w.Scratch[m.sums:], n), float32s(w.Scratch[m.scale:], n)
	scores, out := float32s(w.Scratch[m.scores:], n*k.s), float32s(w.Scratch[m.out:], n*k.v)
	for r := range n {
		row := queries[r*k.keys.kc:][:k.keys.kc]
		padRow(row, k.row(c.In[0], batch, first+r, k.l, k.e), k.e)
		sums[r] = sumBytes(row)
	}
	k.keys.rows(&w.Args.IGemmU8S8, w.Scratch, &queries[0], k.keys.kc, &sums[0], nil, n, &scores[0], k.s)
	for r := range n {
		row := weights[r*k.values.kc:][:k.values.kc]
		k.weigh(c, w, row, scores[r*k.s:][:k.s], batch, first+r)
		sums[r] = sumBytes(row)
		rowScale[r] = 0
		if sums[r] > 0 {
			rowScale[r] = 1 / float32(sums[r])
		}
	}
	k.values.rows(&w.Args.IGemmU8S8, w.Scratch[m.values:], &weights[0], k.values.kc, &sums[0], &rowScale[0], n, &out[0], k.v)
	for r := range n {
		quantizeRow(k.store, w, unsafe.Slice(k.row(c.Out[0], batch, first+r, k.l, k.v), k.v), out[r*k.v:][:k.v], k.op.Out)
	}
}

// weigh makes the weights of one query of its scores.
func (k *attentionKernel) weigh(c *ops.Call, w *ops.Worker, weights []uint8, scores []float32, batch, query int) {
	clear(weights)
	if k.op.HasMask {
		k.addMask(c.In[3], scores, batch, query)
	} else if k.op.Causal {
		scores = scores[:min(query+1, k.s)]
	}
	_, top, _ := k.largest.Run(scores)
	if top == -inf {
		return
	}
	for i, s := range scores {
		scores[i] = s - top
	}
	weights = weights[:len(scores)]
	w.Args.QuantizeF32U8 = asm.QuantizeF32U8Args{N: len(scores), X: &scores[0], Q: &weights[0], Inv: attentionInv, Zero: 255, Hi: 255}
	k.store.Run(&w.Args.QuantizeF32U8)
	k.weights.Run(weights, weights, &attentionLevels)
}

// addMask adds a mask to the scores of a query.
func (k *attentionKernel) addMask(mask *tensor.Tensor, scores []float32, batch, query int) {
	rank := len(k.mask)
	at, step := query*k.mask[rank-2], k.mask[rank-1]
	for d := rank - 3; d >= 0; d-- {
		at += batch % k.batch[d] * k.mask[d]
		batch /= k.batch[d]
	}
	if mask.DType() != tensor.Bool {
		from := mask.Float32s()
		for i := range scores {
			scores[i] += from[at+i*step]
		}
		return
	}
	from := mask.Bytes()
	for i := range scores {
		if from[at+i*step] == 0 {
			scores[i] = -inf
		}
	}
}
