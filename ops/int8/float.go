package int8

import (
	"slices"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// FloatOf returns the float32 operator whose result an operator quantizes, or gives as it is, which takes its inputs dequantized; nil of others.
// Such an operator has a method float that says so.
func FloatOf(op ops.Op) ops.Op {
	if f, ok := op.(interface{ float() ops.Op }); ok {
		return f.float()
	}
	return nil
}

// floatTypes checks the inputs of an operator that computes in float32 between integers, and returns the types of inner, the float32
// operator: the first n inputs are quantized or float32.
func floatTypes(op, inner ops.Op, in []ops.Type, n int, out *tensor.QParams) ([]ops.Type, error) {
	types, err := inner.Infer(floatInputs(in, n))
	if err != nil {
		return nil, err
	}
	for i := range min(n, len(in)) {
		if t := in[i]; t.DType != tensor.Float32 || t.Q != nil {
			if err := activation(op, in, i); err != nil {
				return nil, err
			}
		}
	}
	return []ops.Type{outputType(out, types[0].Shape)}, nil
}

// quantizedTypes is floatTypes of an operator whose output must be quantized.
func quantizedTypes(op, inner ops.Op, in []ops.Type, n int, out *tensor.QParams) ([]ops.Type, error) {
	if out == nil {
		return nil, ops.Errorf(op, in, "its output must be quantized")
	}
	return floatTypes(op, inner, in, n, out)
}

// floatInputs returns the types of inputs of which the first n are taken as float32.
func floatInputs(in []ops.Type, n int) []ops.Type {
	types := slices.Clone(in)
	for i := range min(n, len(in)) {
		types[i] = ops.F32(in[i].Shape...)
	}
	return types
}

// floatKernel computes a float32 operator whose results have the same bits on every tier, on the first n inputs dequantized,
// and quantizes its result where it has parameters. A second result is the float32 one.
type floatKernel struct {
	inner *ops.Kernel
	types []ops.Type                                // of the inputs and the output, as the operator has them
	at    []int                                     // where they are in scratch memory, and what the operator needs
	load  []func(c *ops.Call, i int, w *ops.Worker) // of the inputs that are dequantized, nil of others
	store func(c *ops.Call, i int, w *ops.Worker)   // of the output, nil where it is float32
}

// floatChunk is how many elements a task dequantizes or quantizes.
const floatChunk = 1 << 14

func prepareFloat(p *ops.Prepare, inner ops.Op, n int, out *tensor.QParams) (*ops.Kernel, error) {
	if p.Out[0].Numel() == 0 {
		return emptyKernel(), nil
	}
	of := *p
	of.In, of.Out = floatInputs(p.In, n), []ops.Type{ops.F32(p.Out[0].Shape...)}
	k := &floatKernel{types: append(of.In, of.Out[0]), load: make([]func(*ops.Call, int, *ops.Worker), len(p.In))}
	var err error
	if k.inner, err = inner.Prepare(&of); err != nil {
		return nil, err
	}
	p.Repacked = of.Repacked
	total := 0
	dequantize, quantize := asm.DequantizeU8F32For(p.Tier), asm.QuantizeF32U8For(p.Tier)
	for i, t := range p.In {
		k.at = append(k.at, total)
		if i >= n || t.Q == nil {
			continue
		}
		total += alignUp(4 * t.Numel())
		k.load[i] = func(c *ops.Call, part int, w *ops.Worker) {
			u, f := chunk(c.In[i].Uint8s(), c.Kept.(*ops.Call).In[i].Float32s(), part)
			w.Args.DequantizeU8F32 = asm.DequantizeU8F32Args{N: len(u), Q: &u[0], Y: &f[0], Zero: t.Q.ZeroPoint[0], Scale: t.Q.Scale[0]}
			dequantize.Run(&w.Args.DequantizeU8F32)
		}
	}
	k.at = append(k.at, total)
	if out != nil {
		if len(p.Out) == 1 {
			total += alignUp(of.Out[0].Bytes())
		}
		k.store = func(c *ops.Call, part int, w *ops.Worker) {
			u, f := chunk(c.Out[0].Uint8s(), c.Kept.(*ops.Call).Out[0].Float32s(), part)
			quantizeRow(quantize, w, u, f, out)
		}
	}
	k.at = append(k.at, total)
	return &ops.Kernel{
		Run: k.run, Choice: "float32 inside, " + k.inner.Choice, Parallel: k.inner.Parallel,
		Scratch: k.at[len(p.In)+1] + k.inner.Scratch, WorkerScratch: k.inner.WorkerScratch, WorkerPointers: k.inner.WorkerPointers,
	}, nil
}

func (k *floatKernel) run(c *ops.Call) error {
	in, _ := c.Kept.(*ops.Call)
	if in == nil {
		var err error
		if in, err = k.call(c); err != nil {
			return err
		}
		c.Kept = in
	}
	in.Workers, in.Pool, in.Context, in.Done = c.Workers, c.Pool, c.Context, c.Done
	for i, load := range k.load {
		if load == nil {
			in.In[i] = c.In[i]
		} else {
			c.Parallel(chunkCount(c.In[i]), load)
		}
	}
	if k.store == nil || len(c.Out) > 1 {
		in.Out[0] = c.Out[len(c.Out)-1]
	}
	if err := k.inner.Run(in); err != nil || k.store == nil {
		return err
	}
	c.Parallel(chunkCount(c.Out[0]), k.store)
	return nil
}

// call makes the operator's call, with tensors in scratch memory.
func (k *floatKernel) call(c *ops.Call) (*ops.Call, error) {
	n := len(c.In)
	in := &ops.Call{In: make([]*tensor.Tensor, n+1), Scratch: c.Scratch[k.at[n+1]:]}
	for i, t := range k.types {
		if i < n && k.load[i] == nil || i == n && (k.store == nil || len(c.Out) > 1) {
			continue
		}
		var err error
		if in.In[i], err = tensor.FromBytes(tensor.Float32, c.Scratch[k.at[i]:][:t.Bytes()], t.Shape...); err != nil {
			return nil, err
		}
	}
	in.In, in.Out = in.In[:n], in.In[n:]
	return in, nil
}

// chunkCount returns how many chunks a tensor has.
func chunkCount(t *tensor.Tensor) int { return (t.Numel() + floatChunk - 1) / floatChunk }

// chunk returns chunk i of equally long u and v.
func chunk(u []uint8, v []float32, i int) ([]uint8, []float32) {
	from, to := i*floatChunk, min((i+1)*floatChunk, len(u))
	return u[from:to], v[from:to]
}

// quantizeRow quantizes v to u with parameters q.
func quantizeRow(k *asm.QuantizeF32U8, w *ops.Worker, u []uint8, v []float32, q *tensor.QParams) {
	w.Args.QuantizeF32U8 = asm.QuantizeF32U8Args{
		N: len(u), X: &v[0], Q: &u[0], Inv: 1 / q.Scale[0], Zero: q.ZeroPoint[0], Lo: q.Min, Hi: q.Max,
	}
	k.Run(&w.Args.QuantizeF32U8)
}
