package ops

import (
	"fmt"
	"math"
	"math/bits"
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
//
// With HeadsLast, q, k, v and the output have the heads behind the positions, as a
// linear layer gives them: q [..., L, H, E]. The mask broadcasts to [..., H, L, S] all the same.
type Attention struct {
	Scale     float64 // 0 is 1/sqrt(E)
	Causal    bool    // leaves out elements behind the diagonal; not with HasMask
	HasMask   bool
	HeadsLast bool
	// ZeroMasked makes zeros of the rows whose elements are all left out, as
	// scaled_dot_product_attention has them since PyTorch 2.5. Softmax makes NaN of them.
	ZeroMasked bool
}

// AttentionAttributes are the attributes of Attention without its methods, for operators that share only those.
type AttentionAttributes Attention

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
	rank := len(in[0].Shape)
	least := 2
	if op.HeadsLast {
		least = 3
	}
	if rank < least || len(in[1].Shape) != rank || len(in[2].Shape) != rank {
		return nil, Errorf(op, in, "queries, keys and values must have as many dimensions, %d at least", least)
	}
	q, k, v := op.headsFirst(in[0].Shape), op.headsFirst(in[1].Shape), op.headsFirst(in[2].Shape)
	if !q[:rank-2].Equal(k[:rank-2]) || !q[:rank-2].Equal(v[:rank-2]) {
		return nil, Errorf(op, in, "the batches of queries, keys and values differ")
	}
	if q[rank-1] != k[rank-1] || k[rank-2] != v[rank-2] {
		return nil, Errorf(op, in, "queries and keys differ in width, or keys and values in number")
	}
	if q[rank-1] == 0 {
		return nil, Errorf(op, in, "the keys have no elements")
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
	return []Type{F32(op.headsFirst(out)...)}, nil
}

// headsFirst returns a shape with positions and heads exchanged where they are, which is its own reverse.
func (op Attention) headsFirst(s tensor.Shape) tensor.Shape {
	s = s.Clone()
	if n := len(s); op.HeadsLast {
		s[n-3], s[n-2] = s[n-2], s[n-3]
	}
	return s
}

// MACs counts both products: each query with each key, and each of those with a value.
func (op Attention) MACs(in, _ []Type) int64 {
	q, v := op.headsFirst(in[0].Shape), op.headsFirst(in[2].Shape)
	rank := len(q)
	return product(q[:rank-1]) * int64(v[rank-2]) * int64(q[rank-1]+v[rank-1])
}

// attentionKernel is attention for given shapes.
type attentionKernel struct {
	op             Attention
	l, s, e, v     int
	heads          int // that lie between two positions: 1 unless HeadsLast
	scale          float32
	gemm           *asm.IGemmF32
	softmax        *asm.SoftmaxF32
	zeros          []float32
	blocks         int // of queries in a batch
	rows           int // of a block
	batch          tensor.Shape
	mask           []int // strides of the mask's batches, its rows and columns
	maskBool       bool
	maskDirect     bool // rows of the mask are added as they are
	keys, values   PanelLayout
	scoresAt, tail int // in worker scratch: the scores, the mask of a block
}

func (op Attention) Prepare(p *Prepare) (*Kernel, error) {
	if p.Out[0].Numel() == 0 {
		return emptyKernel(), nil
	}
	q, v := op.headsFirst(p.In[0].Shape), op.headsFirst(p.In[2].Shape)
	rank := len(q)
	if v[rank-2] == 0 { // sums over no keys
		return clearKernel(), nil
	}
	k := &attentionKernel{
		op: op, heads: 1, l: q[rank-2], s: v[rank-2], e: q[rank-1], v: v[rank-1], batch: q[:rank-2],
		scale: float32(op.Scale), gemm: asm.IGemmF32For(p.Tier), softmax: asm.SoftmaxF32For(p.Tier),
	}
	if op.HeadsLast {
		k.heads = q[rank-3]
	}
	if op.Scale == 0 {
		k.scale = float32(1 / math.Sqrt(float64(k.e)))
	}
	if op.HasMask {
		_, k.mask = align(p.In[3].Shape, rank, false)
		k.maskBool = p.In[3].DType == tensor.Bool
		k.maskDirect = !k.maskBool && (k.mask[rank-1] == 1 || k.s == 1)
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
	k.keys = PanelLayout{Packing: k.gemm.Info, Matrices: 1, Depth: k.e, N: k.s}
	k.values = PanelLayout{Packing: k.gemm.Info, Matrices: 1, Depth: k.s, N: k.v}
	k.scoresAt = 4 * (k.keys.Len() + k.values.Len())
	k.tail = k.scoresAt + 4*k.rows*k.s
	tasks := count * k.blocks
	task := k.run
	return &Kernel{
		Interruptible: true,
		Run:           func(c *Call) error { c.Parallel(tasks, task); return nil },
		WorkerScratch: k.scoresAt + scratchBytes(2*4, k.rows, k.s),
		Choice:        fmt.Sprintf("%s %s, %s %s", k.gemm.Op, k.gemm.Tier, k.softmax.Op, k.softmax.Tier),
		Parallel:      tasks,
	}, nil
}

func (k *attentionKernel) run(c *Call, i int, w *Worker) {
	batch, block := i/k.blocks, i%k.blocks
	keys, rest := panelsOf(k.keys, scratchOf[float32](w.Scratch, 0, k.keys.Len()+k.values.Len()))
	values, _ := panelsOf(k.values, rest)
	k.gemm.PackBNK(keys.Data, k.matrix(c.In[1], batch, k.s, k.e), k.e, k.s, k.heads*k.e)
	k.gemm.PackBKN(values.Data, k.matrix(c.In[2], batch, k.s, k.v), k.s, k.v, k.heads*k.v)
	first, end := 0, k.l
	if k.blocks > 1 {
		first = block * k.rows
		end = min(first+k.rows, k.l)
	}
	for ; first < end; first += k.rows {
		k.block(c, w, keys.At(0, 0), values.At(0, 0), batch, first, min(k.rows, end-first))
	}
}

// matrix returns that of a batch from its first element on: rows positions of width values, k.heads*width apart.
func (k *attentionKernel) matrix(t *tensor.Tensor, batch, rows, width int) []float32 {
	first := (batch/k.heads*rows*k.heads + batch%k.heads) * width
	return row[float32](base(t), first, ((rows-1)*k.heads+1)*width)
}

// block computes the outputs of n queries.
func (k *attentionKernel) block(c *Call, w *Worker, keys, values *float32, batch, first, n int) {
	scores := unsafe.Pointer(&w.Scratch[k.scoresAt])
	gemm := &w.Args.IGemmF32
	*gemm = asm.IGemmF32Args{
		KS: 1, KC: k.e, B: keys, N: k.s,
		Bias: &k.zeros[0], Lo: -inf, Hi: inf, CStride: 4 * k.s,
	}
	query := unsafe.Pointer(&k.matrix(c.In[0], batch, k.l, k.e)[first*k.heads*k.e])
	gemmRows(k.gemm, gemm, query, 4*k.heads*k.e, scores, n)

	soft := &w.Args.SoftmaxF32
	*soft = asm.SoftmaxF32Args{
		Dst: (*float32)(scores), Src: (*float32)(scores), DstStride: 4 * k.s, SrcStride: 4 * k.s,
		Rows: n, Cols: k.s, Scale: k.scale,
	}
	if k.maskDirect {
		at, rowStep := k.maskAt(batch)
		soft.Mask, soft.MaskStride = element[float32](base(c.In[3]), at+first*rowStep), 4*rowStep
	} else if k.op.HasMask || k.op.Causal {
		mask := scratchOf[float32](w.Scratch, k.tail, n*k.s)
		k.fillMask(c, mask, batch, first, n)
		soft.Mask, soft.MaskStride = &mask[0], 4*k.s
	}
	var masked uint64
	if k.op.ZeroMasked && k.op.HasMask {
		masked = k.maskedRows(scratchOf[float32](w.Scratch, k.scoresAt, n*k.s), soft)
	}
	k.softmax.Run(soft)
	for ; masked != 0; masked &= masked - 1 {
		clear(scratchOf[float32](w.Scratch, k.scoresAt+4*bits.TrailingZeros64(masked)*k.s, k.s))
	}

	*gemm = asm.IGemmF32Args{
		KS: 1, KC: k.s, B: values, N: k.v,
		Bias: &k.zeros[0], Lo: -inf, Hi: inf, CStride: 4 * k.heads * k.v,
	}
	out := unsafe.Pointer(&k.matrix(c.Out[0], batch, k.l, k.v)[first*k.heads*k.v])
	gemmRows(k.gemm, gemm, scores, 4*k.s, out, n)
}

// maskedRows returns a bit for each row of scores that a mask leaves nothing of. A score
// that is NaN or infinite is not left out by adding -Inf: its row becomes NaN.
func (k *attentionKernel) maskedRows(scores []float32, soft *asm.SoftmaxF32Args) (masked uint64) {
	for r := range soft.Rows {
		mask := row[float32](unsafe.Pointer(soft.Mask), r*soft.MaskStride/4, k.s)
		line, all := scores[r*k.s:(r+1)*k.s], true
		for i := 0; i < k.s && all; i++ {
			all = mask[i] == -inf && line[i] < inf
		}
		if all {
			masked |= 1 << r
		}
	}
	return masked
}

// maskAt returns the first element of a batch's mask and how many there are from one row to the next.
func (k *attentionKernel) maskAt(batch int) (at, rowStep int) {
	for d := len(k.batch) - 1; d >= 0; d-- {
		at += batch % k.batch[d] * k.mask[d]
		batch /= k.batch[d]
	}
	return at, k.mask[len(k.batch)]
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
	at, rowStep := k.maskAt(batch)
	step := k.mask[len(k.batch)+1]
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
