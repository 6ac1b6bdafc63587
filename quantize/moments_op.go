package quantize

import (
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// patchesOp is the operator that gathers a sample of the rows of inputs that a
// layer multiplies its weights with: float32 [groups, row, samples], a row being
// in the order of the weight, and int64 [], how many of them it has gathered. Rows of what only fills up a batch are not
// among them; the place that this leaves is zeros.
type patchesOp struct {
	conv    *ops.Conv // nil: a linear layer
	weight  tensor.Shape
	nhwc    bool
	samples bool // the input's elements are those of one sample after another; see samplesFirst
}

func (patchesOp) Name() string { return "patches" }

func (op patchesOp) Infer(in []ops.Type) ([]ops.Type, error) {
	if len(in) != 1 || in[0].DType != tensor.Float32 || op.conv == nil && (len(op.weight) != 2 || len(in[0].Shape) == 0) {
		return nil, ops.Errorf(op, in, "it takes the float32 input of a layer")
	}
	p, err := newPatches(op.conv, in[0], op.weight, op.nhwc)
	if err != nil {
		return nil, err
	}
	return []ops.Type{ops.F32(p.groups, p.channels*p.taps, min(p.rows, momentRows)), {DType: tensor.Int64}}, nil
}

func (op patchesOp) Prepare(prep *ops.Prepare) (*ops.Kernel, error) {
	p, err := newPatches(op.conv, prep.In[0], op.weight, op.nhwc)
	if err != nil {
		return nil, err
	}
	samples := prep.Out[0].Shape[2]
	size := p.channels * p.taps
	tasks := (samples + 15) / 16
	task := func(c *ops.Call, i int, _ *ops.Worker) {
		x, y := c.In[0].Float32s(), c.Out[0].Float32s()
		rows, gathered := op.rows(c, p.rows), int(c.Out[1].Int64s()[0])
		for s := i * 16; s < min((i+1)*16, gathered); s++ {
			for g := range p.groups {
				p.each(s*rows/gathered, g, func(tap, channel, from int) {
					v := float32(0)
					if from >= 0 {
						v = x[from]
					}
					y[(g*size+channel*p.taps+tap)*samples+s] = v
				})
			}
		}
	}
	return &ops.Kernel{
		Run: func(c *ops.Call) error {
			gathered := min(op.rows(c, p.rows), samples)
			if c.Out[1].Int64s()[0] = int64(gathered); gathered < samples {
				clear(c.Out[0].Float32s())
			}
			c.Parallel(tasks, task)
			return nil
		},
		Choice:   "patches",
		Parallel: tasks,
	}, nil
}

// rows returns how many of the rows of its input are of samples: the first ones.
func (op patchesOp) rows(c *ops.Call, rows int) int {
	if !op.samples {
		return rows
	}
	return sampled(c, c.In[0].Shape(), rows)
}

// ChannelsLast reads images in the layout of the layer.
func (op patchesOp) ChannelsLast(in []ops.Type) (ops.Op, []int, bool) {
	if op.conv == nil {
		return op, nil, false
	}
	op.nhwc = true
	return op, []int{0}, true
}

// OutputsStay says that rows are no images.
func (patchesOp) OutputsStay() {}

// momentsOp is the operator that adds rows and their number, as patchesOp gives them, and where they
// are asked for their products with each other, to moments.
type momentsOp struct{ to *momentSums }

func (momentsOp) Name() string { return "moments" }

func (op momentsOp) Infer(in []ops.Type) ([]ops.Type, error) {
	want := 2
	if op.to.products != nil {
		want += len(rowBlocks(op.to.size)) - 1
	}
	if len(in) != want || len(in[0].Shape) != 3 || in[0].Shape[0] != op.to.groups || in[0].Shape[1] != op.to.size {
		return nil, ops.Errorf(op, in, "it takes rows of %d in %d groups", op.to.size, op.to.groups)
	}
	return nil, nil
}

func (op momentsOp) Prepare(p *ops.Prepare) (*ops.Kernel, error) {
	samples := p.In[0].Shape[2]
	return &ops.Kernel{Choice: "moments", Parallel: 1, Run: func(c *ops.Call) error {
		m := op.to
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.sum.vectors == maxVectors { // a sample
			return nil
		}
		x, gathered := c.In[0].Float32s(), int(c.In[1].Int64s()[0])
		sums := make([]float32, m.groups*m.size)
		for i := range sums {
			sum := 0.0
			for _, v := range x[i*samples : i*samples+gathered] {
				sum += float64(v)
			}
			sums[i] = float32(sum)
		}
		if err := m.addSums(sums, int64(gathered)); err != nil || m.products == nil {
			return err
		}
		var blocks [][]float32
		for _, in := range c.In[2:] {
			blocks = append(blocks, in.Float32s())
		}
		return m.addProducts(blocks)
	}}, nil
}

// HasEffect keeps the node though nothing uses its output.
func (momentsOp) HasEffect() bool { return true }
