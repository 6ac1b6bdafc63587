package ops

import (
	"fmt"
	"math"
	"unsafe"

	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// Attention is softmax(q k^T * Scale + mask) v over the last two dimensions, as
// torch.nn.functional.scaled_dot_product_attention computes it without dropout.
//
// Inputs: q [..., L, E], k [..., S, E], v [..., S, V], then with HasMask a mask
// that broadcasts to [..., L, S]: float32, which is added, or bool, false where an
// element is left out. The dimensions in front of the last two are the same in q, k and v.
// Output: [..., L, V].
type Attention struct {
	Scale   float64 // 0 is 1/sqrt(E)
	Causal  bool    // leaves out elements behind the diagonal; not with HasMask
	HasMask bool
}

func (Attention) Name() string { return "attention" }

// attentionRows is how many queries a task takes at a time.
const attentionRows = 48

func (op Attention) Infer(in []Type) ([]Type, error) {
	n := 3
	if op.HasMask {
		n++
	}
	if err := arity(op, in, n, n); err != nil {
		return nil, err
	}
	if err := floatInputs(op, in[:3]); err != nil {
		return nil, err
	}
	q, k, v := in[0].Shape, in[1].Shape, in[2].Shape
	rank := len(q)
	if rank < 2 || len(k) != rank || len(v) != rank {
		return nil, Errorf(op, in, "queries, keys and values must have as many dimensions, two at least")
	}
	if !q[:rank-2].Equal(k[:rank-2]) || !q[:rank-2].Equal(v[:rank-2]) {
		return nil, Errorf(op, in, "the batches of queries, keys and values differ")
	}
	if q[rank-1] != k[rank-1] || k[rank-2] != v[rank-2] {
		return nil, Errorf(op, in, "queries and keys differ in width, or keys and values in number")
	}
	if q[rank-1] == 0 || k[rank-2] == 0 {
		return nil, Errorf(op, in, "there are no keys, or they have no elements")
	}
	if op.HasMask {
		mask := in[3]
		if op.Causal || mask.DType != tensor.Bool && mask.DType != tensor.Float32 {
			return nil, Errorf(op, in, "the mask must be float32 or bool, without causal attention")
		}
		scores := q.Clone()
		scores[rank-1] = k[rank-2]
		if together, err := tensor.Broadcast(scores, mask.Shape); err != nil || !together.Equal(scores) {
			return nil, Errorf(op, in, "the mask does not broadcast to %v", scores)
		}
	}
	out := q.Clone()
	out[rank-1] = v[rank-1]
	return []Type{F32(out...)}, nil
}

// attentionKernel is attention for given shapes.
type attentionKernel struct {
	op             Attention
	l, s, e, v     int
	scale          float32
	gemm           *asm.IGemmF32
	softmax        *asm.SoftmaxF32
	zeros          []float32
	blocks         int // of queries in a batch
	rows           int // of a block
	batch          tensor.Shape
	mask           []int // strides of the mask's batches, its rows and columns
	maskBool       bool
	keysLen        int // packed keys
	valuesLen      int // packed values
	scoresAt, tail int // in worker scratch: the scores, the mask of a block
}

func (op Attention) Prepare(p *Prepare) (*Kernel, error) {
	if p.Out[0].Numel() == 0 {
		return emptyKernel(), nil
	}
	q, v := p.In[0].Shape, p.In[2].Shape
	rank := len(q)
	k := &attentionKernel{
		op: op, l: q[rank-2], s: v[rank-2], e: q[rank-1], v: v[rank-1], batch: q[:rank-2],
		scale: float32(op.Scale), gemm: asm.IGemmF32For(p.Tier), softmax: asm.SoftmaxF32For(p.Tier),
	}
	if op.Scale == 0 {
		k.scale = float32(1 / math.Sqrt(float64(k.e)))
	}
	if op.HasMask {
		_, k.mask = align(p.In[3].Shape, rank, false)
		k.maskBool = p.In[3].DType == tensor.Bool
	}
	k.zeros = make([]float32, max(k.s, k.v)+k.gemm.NR)
	k.rows = min(roundUp(attentionRows, k.gemm.MR), roundUp(k.l, k.gemm.MR))
	count := 1
	for _, d := range k.batch {
		count *= d
	}
	// One task for each batch where those are enough to share, else for each
	// block of queries, with the keys and values packed for each again.
	k.blocks = 1
	if count < 2*p.Threads && p.Threads > 1 {
		k.blocks = (k.l + k.rows - 1) / k.rows
	}
	k.keysLen, k.valuesLen = k.gemm.PackedLen(1, k.e, k.s), k.gemm.PackedLen(1, k.s, k.v)
	k.scoresAt = 4 * (k.keysLen + k.valuesLen)
	k.tail = k.scoresAt + 4*k.rows*k.s
	tasks := count * k.blocks
	task := k.run
	return &Kernel{
		Run:           func(c *Call) error { c.Parallel(tasks, task); return nil },
		WorkerScratch: k.tail + 4*k.rows*k.s,
		Choice:        fmt.Sprintf("%s %s, %s %s", k.gemm.Op, k.gemm.Tier, k.softmax.Op, k.softmax.Tier),
		Parallel:      tasks,
	}, nil
}

func (k *attentionKernel) run(c *Call, i int, w *Worker) {
	batch, block := i/k.blocks, i%k.blocks
	keys, values := scratchOf[float32](w.Scratch, 0, k.keysLen), scratchOf[float32](w.Scratch, 4*k.keysLen, k.valuesLen)
	k.gemm.PackBNK(keys, row[float32](base(c.In[1]), batch*k.s*k.e, k.s*k.e), k.e, k.s, k.e)
	k.gemm.PackBKN(values, row[float32](base(c.In[2]), batch*k.s*k.v, k.s*k.v), k.s, k.v, k.v)
	first, end := 0, k.l
	if k.blocks > 1 {
		first = block * k.rows
		end = min(first+k.rows, k.l)
	}
	for ; first < end; first += k.rows {
		k.block(c, w, keys, values, batch, first, min(k.rows, end-first))
	}
}

// block computes the outputs of n queries.
func (k *attentionKernel) block(c *Call, w *Worker, keys, values []float32, batch, first, n int) {
	scores := unsafe.Pointer(&w.Scratch[k.scoresAt])
	gemm := &w.Args.IGemmF32
	*gemm = asm.IGemmF32Args{
		KS: 1, KC: k.e, B: &keys[0], N: k.s,
		Bias: &k.zeros[0], Lo: -inf, Hi: inf, CStride: 4 * k.s,
	}
	query := unsafe.Pointer(element[float32](base(c.In[0]), (batch*k.l+first)*k.e))
	gemmRows(k.gemm, gemm, query, 4*k.e, scores, 0, n)

	soft := &w.Args.SoftmaxF32
	*soft = asm.SoftmaxF32Args{
		Dst: (*float32)(scores), Src: (*float32)(scores), DstStride: 4 * k.s, SrcStride: 4 * k.s,
		Rows: n, Cols: k.s, Scale: k.scale,
	}
	if k.op.HasMask || k.op.Causal {
		mask := scratchOf[float32](w.Scratch, k.tail, n*k.s)
		k.fillMask(c, mask, batch, first, n)
		soft.Mask, soft.MaskStride = &mask[0], 4*k.s
	}
	k.softmax.Run(soft)

	*gemm = asm.IGemmF32Args{
		KS: 1, KC: k.s, B: &values[0], N: k.v,
		Bias: &k.zeros[0], Lo: -inf, Hi: inf, CStride: 4 * k.v,
	}
	out := unsafe.Pointer(element[float32](base(c.Out[0]), (batch*k.l+first)*k.v))
	gemmRows(k.gemm, gemm, scores, 4*k.s, out, 0, n)
}

// fillMask writes what is added to the scores of n queries.
func (k *attentionKernel) fillMask(c *Call, mask []float32, batch, first, n int) {
	if k.op.Causal {
		for r := range n {
			line := mask[r*k.s : (r+1)*k.s]
			seen := min(first+r+1, k.s)
			clear(line[:seen])
			fill(line[seen:], -inf)
		}
		return
	}
	at := 0
	for d := len(k.batch) - 1; d >= 0; d-- {
		at += batch % k.batch[d] * k.mask[d]
		batch /= k.batch[d]
	}
	rowStep, step := k.mask[len(k.batch)], k.mask[len(k.batch)+1]
	from := base(c.In[3])
	for r := range n {
		line := mask[r*k.s : (r+1)*k.s]
		start := at + (first+r)*rowStep
		for j := range line {
			switch {
			case !k.maskBool:
				line[j] = *element[float32](from, start+j*step)
			case *element[bool](from, start+j*step):
				line[j] = 0
			default:
				line[j] = -inf
			}
		}
	}
}
