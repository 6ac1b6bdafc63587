package ops

import (
	"fmt"
	"unsafe"

	"github.com/octet-ml/octet/tensor"
)

// Embedding takes rows of a table, as torch.nn.functional.embedding does.
//
// Inputs: table [V, ...] and int64 or int32 indices of any shape, each from 0
// to V-1; others end the run with a *ValueError. Output: [indices..., ...].
type Embedding struct{}

func (Embedding) Name() string { return "embedding" }

func (op Embedding) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 2, 2); err != nil {
		return nil, err
	}
	if len(in[0].Shape) == 0 {
		return nil, Errorf(op, in, "the table has no rows")
	}
	if err := indexInput(op, in, 1); err != nil {
		return nil, err
	}
	if q := in[0].Q; q != nil && q.Scheme.PerChannel() {
		return nil, Errorf(op, in, "rows of a table quantized per channel differ in scale")
	}
	shape := append(in[1].Shape.Clone(), in[0].Shape[1:]...)
	if _, err := shape.Numel(); err != nil {
		return nil, Errorf(op, in, "%v", err)
	}
	return fold(op, in, Type{DType: in[0].DType, Shape: shape, Q: in[0].Q})
}

func (op Embedding) Prepare(p *Prepare) (*Kernel, error) {
	rows, count := p.In[0].Shape[0], p.In[1].Numel()
	inner := p.In[0].Numel() / max(rows, 1)
	if read, err := p.Parts(0); read != nil {
		return readRows(op.Name(), read, rows, count, inner*p.In[0].DType.Size()), err
	}
	return selectKernel(op, p, 1, rows, count, inner), nil
}

// readRows is Embedding on a table that is not in memory, of rows of so many bytes.
func readRows(name string, read func(dst []byte, offset int) error, rows, count, bytes int) *Kernel {
	return &Kernel{
		Run: func(c *Call) error {
			if err := CheckIndices(name, c.In[1], 0, rows); err != nil {
				return err
			}
			dst := base(c.Out[0])
			for r := range count {
				if err := read(row[byte](dst, r*bytes, bytes), IndexAt(c.In[1], r)*bytes); err != nil {
					return err
				}
			}
			return nil
		},
		Choice: "read rows",
	}
}

// indexInput checks that input i holds indices.
func indexInput(op Op, in []Type, i int) error {
	if d := in[i].DType; (d != tensor.Int64 && d != tensor.Int32) || in[i].Q != nil {
		return Errorf(op, in, "input %d must be int64 or int32 indices", i)
	}
	return nil
}

// IndexSelect takes the given indices of one dimension, as torch.index_select
// does.
//
// Inputs: x and a vector (or a single) index, int64 or int32, each from 0 to the
// dimension's extent less 1; others end the run with a *ValueError.
type IndexSelect struct {
	Axis int
}

func (IndexSelect) Name() string { return "index_select" }

func (op IndexSelect) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 2, 2); err != nil {
		return nil, err
	}
	axis, err := lineAxis(op, in, op.Axis)
	if err != nil {
		return nil, err
	}
	if err := indexInput(op, in, 1); err != nil {
		return nil, err
	}
	if len(in[1].Shape) > 1 {
		return nil, Errorf(op, in, "the indices must be a vector")
	}
	if q := in[0].Q; q != nil && q.Scheme.PerChannel() && q.Axis == axis {
		return nil, Errorf(op, in, "cannot select along the quantization axis")
	}
	out := Type{DType: in[0].DType, Shape: in[0].Shape.Clone(), Q: in[0].Q}
	if len(out.Shape) > 0 {
		out.Shape[axis] = in[1].Numel()
	} else if in[1].Numel() != 1 {
		return nil, Errorf(op, in, "a 0-d value has one element to select")
	}
	if _, err := out.Shape.Numel(); err != nil {
		return nil, Errorf(op, in, "%v", err)
	}
	return fold(op, in, out)
}

func (op IndexSelect) Prepare(p *Prepare) (*Kernel, error) {
	axis, err := lineAxis(op, p.In, op.Axis)
	if err != nil {
		return nil, err
	}
	outer, n, inner := axisSplit(p.In[0].Shape, axis)
	return selectKernel(op, p, outer, n, p.In[1].Numel(), inner), nil
}

// selectKernel copies, for each of outer blocks of n runs of inner elements,
// the count runs that the second input names.
func selectKernel(op Op, p *Prepare, outer, n, count, inner int) *Kernel {
	name := op.Name()
	bytes := inner * p.In[0].DType.Size()
	load := loader[int64](p.In[1].DType)
	perTask, tasks := split(outer*count, bytes/4)
	task := func(c *Call, i int, w *Worker) {
		buf := scratchOf[int64](w.Scratch, 0, 1)
		src, dst, at := base(c.In[0]), base(c.Out[0]), base(c.In[1])
		for r := i * perTask; r < min((i+1)*perTask, outer*count); r++ {
			load(buf, at, r%count, 1)
			from := unsafe.Add(src, (r/count*n+int(buf[0]))*bytes)
			copy(row[byte](dst, r*bytes, bytes), row[byte](from, 0, bytes))
		}
	}
	return &Kernel{
		Run: func(c *Call) error {
			if err := CheckIndices(name, c.In[1], 0, n); err != nil {
				return err
			}
			if bytes > 0 {
				c.Parallel(tasks, task)
			}
			return nil
		},
		WorkerScratch: 8,
		Choice:        "copy",
		Parallel:      tasks,
	}
}

// IndexAt returns element i of int64 or int32 indices.
func IndexAt(t *tensor.Tensor, i int) int {
	if t.DType() == tensor.Int32 {
		return int(t.Int32s()[i])
	}
	return int(t.Int64s()[i])
}

// CheckIndices reports the first index below lo or not below hi.
func CheckIndices(name string, t *tensor.Tensor, lo, hi int) error {
	bad := func(v int64) error {
		return &ValueError{Op: name, Reason: fmt.Sprintf("index %d is out of range for extent %d", v, hi)}
	}
	if t.DType() == tensor.Int32 {
		for _, v := range t.Int32s() {
			if int(v) < lo || int(v) >= hi {
				return bad(int64(v))
			}
		}
		return nil
	}
	for _, v := range t.Int64s() {
		if v < int64(lo) || v >= int64(hi) {
			return bad(v)
		}
	}
	return nil
}
