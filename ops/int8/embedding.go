package int8

import (
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

func init() {
	registerForm(ops.Embedding{}, func(n Node) *Form {
		f := &Form{}
		// Of short rows the scales would take as much as is saved.
		if t := n.Const[0]; t != nil && t.DType() == tensor.Float32 && t.Rank() > 1 && t.Numel() >= 8*t.Dim(0) && t.Dim(0) > 0 {
			f.WeightOnly, f.Weights = Embedding{}, []int{0}
		}
		return f
	})
}

// Embedding is ops.Embedding on a table of int8, whose rows it gives as float32: (q - zero point) * scale of the row.
//
// Inputs: table int8 [V, ...], quantized per tensor or per row, and int64 or int32 indices of any shape, each from 0 to V-1; others end
// the run with an *ops.ValueError. Output: float32 [indices..., ...].
type Embedding struct{}

// Name returns "int8.embedding".
func (Embedding) Name() string { return "int8.embedding" }

// Infer checks table and indices as ops.Embedding does.
func (op Embedding) Infer(in []ops.Type) ([]ops.Type, error) {
	if len(in) != 2 || in[0].DType != tensor.Int8 || in[0].Q == nil || in[0].Q.Scheme.PerChannel() && in[0].Q.Axis != 0 {
		return nil, ops.Errorf(op, in, "it takes an int8 table, quantized per tensor or per row, and indices")
	}
	if q := in[0].Q; q.Scheme.PerChannel() && (len(in[0].Shape) == 0 || len(q.Scale) != in[0].Shape[0] || len(q.ZeroPoint) != len(q.Scale)) {
		return nil, ops.Errorf(op, in, "%d scales and %d zero points for the rows of the table", len(q.Scale), len(q.ZeroPoint))
	}
	indices := in[1]
	indices.Known = nil
	out, err := ops.Embedding{}.Infer([]ops.Type{ops.F32(in[0].Shape...), indices})
	if err != nil {
		return nil, ops.Errorf(op, in, "%v", err)
	}
	return []ops.Type{ops.F32(out[0].Shape...)}, nil
}

// Prepare dequantizes the rows that a call reads.
func (op Embedding) Prepare(p *ops.Prepare) (*ops.Kernel, error) {
	rows, count := p.In[0].Shape[0], p.In[1].Numel()
	inner, q := p.In[0].Numel()/max(rows, 1), p.In[0].Q
	perTask := max(quantizeChunk/max(inner, 1), 1)
	tasks := (count + perTask - 1) / perTask
	dequantize := func(dst []float32, row []int8, at int) {
		k := at % len(q.Scale)
		scale, zero := q.Scale[k], q.ZeroPoint[k]
		for j, v := range row {
			dst[j] = float32(int32(v)-zero) * scale
		}
	}
	task := func(c *ops.Call, i int, _ *ops.Worker) {
		table, y := c.In[0].Int8s(), c.Out[0].Float32s()
		for r := i * perTask; r < min((i+1)*perTask, count); r++ {
			at := ops.IndexAt(c.In[1], r)
			dequantize(y[r*inner:][:inner], table[at*inner:][:inner], at)
		}
	}
	name := op.Name()
	if read, err := p.Parts(0); read != nil {
		return &ops.Kernel{
			Run: func(c *ops.Call) error {
				if err := ops.CheckIndices(name, c.In[1], 0, rows); err != nil {
					return err
				}
				row, y := c.Scratch[:inner], c.Out[0].Float32s()
				for r := range count {
					at := ops.IndexAt(c.In[1], r)
					if err := read(row, at*inner); err != nil {
						return err
					}
					dequantize(y[r*inner:][:inner], int8s(row), at)
				}
				return nil
			},
			Scratch: inner, Choice: "read and dequantize rows",
		}, err
	}
	return &ops.Kernel{
		Run: func(c *ops.Call) error {
			if err := ops.CheckIndices(name, c.In[1], 0, rows); err != nil {
				return err
			}
			if inner > 0 {
				c.Parallel(tasks, task)
			}
			return nil
		},
		Choice: "dequantize rows", Parallel: tasks,
	}, nil
}
