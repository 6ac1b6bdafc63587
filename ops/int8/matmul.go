package int8

import (
	"fmt"
	"math"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

var inf = float32(math.Inf(1))

func init() {
	registerForm(ops.MatMul{}, func(n Node) *Form {
		op := n.Op.(ops.MatMul)
		g, err := op.Matrices(n.In)
		if err != nil || n.In[0].DType != tensor.Float32 || g.K > maxProductDepth || isInfinite(n.Const[0]) || isInfinite(n.Const[1]) {
			return &Form{}
		}
		f := &Form{
			Activations: []int{0, 1},
			Build: func(b Builder, in []ops.Ref, out *tensor.QParams) ops.Ref {
				return b.Apply(MatMul{MatMulAttributes: ops.MatMulAttributes(op), Out: out}, in...)
			},
		}
		if len(n.In[1].Shape) == 2 {
			axis := 0
			if op.TransposeB {
				axis = 1
			}
			f.ChannelWeight = &ChannelWeight{Input: 1, Axis: axis}
		}
		return f
	})
}

// MatMul is ops.MatMul of two quantized values:
//
//	t = float32(sum over k of (a-za)*(b-zb)) * float32(sa*sb)
//	q = quantize(t)
//
// The sum is exact: depths are at most 16384. Inputs: a and b, uint8 per tensor, of the shapes that ops.MatMul takes. Output: uint8
// with qparams Out.
type MatMul struct {
	ops.MatMulAttributes
	Out *tensor.QParams
}

// Name returns "int8.matmul".
func (MatMul) Name() string { return "int8.matmul" }

func (op MatMul) float() ops.Op { return ops.MatMul(op.MatMulAttributes) }

var _ ops.Multiplier = MatMul{}

// MACs counts the products of the definition.
func (op MatMul) MACs(in, out []ops.Type) int64 {
	return ops.MatMul(op.MatMulAttributes).MACs(in, out)
}

// Infer checks the operands.
func (op MatMul) Infer(in []ops.Type) ([]ops.Type, error) {
	if len(in) != 2 || op.Out == nil {
		return nil, ops.Errorf(op, in, "it takes two values, and its output must be quantized")
	}
	for i := range in {
		if err := activation(op, in, i); err != nil {
			return nil, err
		}
	}
	g, err := ops.MatMul(op.MatMulAttributes).Matrices(in)
	if err != nil {
		return nil, err
	}
	if g.K > maxProductDepth {
		return nil, ops.Errorf(op, in, "sums of %d products could overflow 32 bits", g.K)
	}
	return []ops.Type{outputType(op.Out, g.Out)}, nil
}

// productRows is how many rows of a product are computed at a time.
const productRows = 48

// Prepare packs the right matrix in each call. One task multiplies one pair of matrices, or some rows of one where there are too few pairs.
func (op MatMul) Prepare(p *ops.Prepare) (*ops.Kernel, error) {
	g, err := ops.MatMul(op.MatMulAttributes).Matrices(p.In)
	if err != nil {
		return nil, err
	}
	if p.Out[0].Numel() == 0 {
		return emptyKernel(), nil
	}
	k := &matmulKernel{op: op, g: g, a: p.In[0].Q, b: p.In[1].Q, product: newProduct(p.Tier, max(g.K, 1), g.N), store: asm.QuantizeF32U8For(p.Tier), blocks: 1}
	if g.K == 0 {
		k.product.depth = 0
	}
	k.rows = min(g.M, productRows)
	if g.Count < 2*p.Threads {
		k.blocks = min(p.Threads, (g.M+k.rows-1)/k.rows)
	}
	k.at.sums = k.product.at.total
	k.at.padded = k.at.sums + alignUp(4*k.rows)
	k.at.real = k.at.padded + alignUp(k.rows*k.product.kc)
	return &ops.Kernel{
		Interruptible: true,
		Run:           func(c *ops.Call) error { c.Parallel(g.Count*k.blocks, k.task); return nil },
		WorkerScratch: k.at.real + 4*k.rows*g.N,
		Choice:        fmt.Sprintf("%s %s, packed in each run", k.product.g.Op, k.product.g.Tier),
		Parallel:      g.Count * k.blocks,
	}, nil
}

type matmulKernel struct {
	op           MatMul
	g            *ops.Matrices
	a, b         *tensor.QParams
	product      *product
	store        *asm.QuantizeF32U8
	blocks, rows int
	at           struct{ sums, padded, real int } // in a worker's memory, behind the product's
}

func (k *matmulKernel) task(c *ops.Call, i int, w *ops.Worker) {
	g, p := k.g, k.product
	batch, block := i/k.blocks, i%k.blocks
	ia, ib := g.At(batch)
	stride := g.N
	if k.op.TransposeB {
		stride = g.K
	}
	if g.K > 0 {
		p.pack(w.Scratch, &w.Args.TransposeU8, bytesAt(c.In[1], ib*g.K*g.N), stride, k.op.TransposeB, k.a.ZeroPoint[0], k.b.ZeroPoint[0], float32(k.a.Scale[0]*k.b.Scale[0]))
	}
	sums := int32s(w.Scratch[k.at.sums:], k.rows)
	padded := w.Scratch[k.at.padded:][:k.rows*p.kc]
	real := float32s(w.Scratch[k.at.real:], k.rows*g.N)
	for m0, end := block*g.M/k.blocks, (block+1)*g.M/k.blocks; m0 < end; m0 += k.rows {
		m := min(k.rows, end-m0)
		out := c.Out[0].Uint8s()[(batch*g.M+m0)*g.N:][:m*g.N]
		if g.K == 0 {
			clear(real)
		} else {
			for r := range m {
				row := padded[r*p.kc:][:p.kc]
				padRow(row, bytesAt(c.In[0], (ia*g.M+m0+r)*g.K), g.K)
				sums[r] = sumBytes(row)
			}
			p.rows(&w.Args.IGemmU8S8, w.Scratch, &padded[0], p.kc, &sums[0], nil, m, &real[0], g.N)
		}
		quantizeRow(k.store, w, out, real[:len(out)], k.op.Out)
	}
}
