package ops

import (
	"math"
)

// RNN64 is RNN of float64 values, with the same inputs and outputs, in plain Go.
type RNN64 struct {
	Cell                               CellFn
	Layers                             int
	Bidirectional, BatchFirst, HasBias bool
	Rounded                            bool // for RNN alone
}

// Name returns lstm_64, gru_64, rnn_tanh_64 or rnn_relu_64.
func (op RNN64) Name() string { return op.Cell.String() + "_64" }

func (op RNN64) Infer(in []Type) ([]Type, error) {
	types, err := RNN(op).outTypes(op, in)
	if err != nil {
		return nil, err
	}
	if err := doubleInputs(op, in); err != nil {
		return nil, err
	}
	return types, nil
}

// MACs counts the products of the definition.
func (op RNN64) MACs(in, out []Type) int64 { return RNN(op).MACs(in, out) }

// rnn64 is a prepared network. A task takes one row of the batch through all steps of a layer.
type rnn64 struct {
	op    RNN
	g     rnnGeometry
	gates int
}

func (op RNN64) Prepare(p *Prepare) (*Kernel, error) {
	k := &rnn64{op: RNN(op), g: RNN(op).geometry(p.In), gates: cells[op.Cell].gates}
	if p.Out[0].Numel() == 0 {
		return emptyKernel(), nil
	}
	tasks := make([]Task, op.Layers*k.op.directions())
	for i := range tasks {
		tasks[i] = func(c *Call, b int, w *Worker) { k.row(c, i, b, w) }
	}
	return &Kernel{
		Interruptible: true,
		Run: func(c *Call) error {
			for _, task := range tasks {
				c.Parallel(k.g.batch, task)
			}
			return nil
		},
		Scratch:       scratchBytes(8, min(op.Layers-1, 2), k.sequenceLen()),
		WorkerScratch: 2 * 8 * k.gates * k.g.hidden,
		Choice:        "rows in float64",
		Parallel:      k.g.batch,
	}, nil
}

// sequenceLen returns the number of elements that a layer gives.
func (k *rnn64) sequenceLen() int { return k.g.steps * k.g.batch * k.op.directions() * k.g.hidden }

// features returns what a layer reads of a step and row; for as many layers as there are, what the last one gives.
func (k *rnn64) features(c *Call, layer, step, b int) []float64 {
	width, at := k.g.width(k.op, layer), step*k.g.batch+b
	if layer > 0 && layer < k.op.Layers {
		n := k.sequenceLen()
		return scratchOf[float64](c.Scratch, 8*((layer-1)%2*n+at*width), width)
	}
	from := c.Out[0]
	if layer == 0 {
		from = c.In[0]
	}
	if k.op.BatchFirst {
		at = b*k.g.steps + step
	}
	return row[float64](base(from), at*width, width)
}

// row takes row b through all steps of a layer in one direction; i counts layers and directions.
func (k *rnn64) row(c *Call, i, b int, w *Worker) {
	h, n := k.g.hidden, k.gates*k.g.hidden
	layer, direction := i/k.op.directions(), i%k.op.directions()
	weights := c.In[1+k.op.states()+i*k.op.weights():]
	width := k.g.width(k.op, layer)
	wx, wh := row[float64](base(weights[0]), 0, n*width), row[float64](base(weights[1]), 0, n*h)
	x, s := scratchOf[float64](w.Scratch, 0, n), scratchOf[float64](w.Scratch, 8*n, n)
	at := (i*k.g.batch + b) * h
	state := row[float64](base(c.Out[1]), at, h)
	copy(state, row[float64](base(c.In[1]), at, h))
	var cell []float64
	if k.op.Cell == LSTMCell {
		cell = row[float64](base(c.Out[2]), at, h)
		copy(cell, row[float64](base(c.In[2]), at, h))
	}
	for step := range k.g.steps {
		if direction == 1 {
			step = k.g.steps - 1 - step
		}
		timesTransposed(x, k.features(c, layer, step, b), wx)
		timesTransposed(s, state, wh)
		if k.op.HasBias {
			addTo(x, row[float64](base(weights[2]), 0, n))
			addTo(s, row[float64](base(weights[3]), 0, n))
		}
		k.advance(state, cell, x, s)
		copy(k.features(c, layer+1, step, b)[direction*h:], state)
	}
}

// advance computes the next state from the gates' products with the features, x, and with the state, s.
func (k *rnn64) advance(state, cell, x, s []float64) {
	h := k.g.hidden
	for j := range state {
		switch k.op.Cell {
		case LSTMCell:
			in, forget := sigmoid(x[j]+s[j]), sigmoid(x[h+j]+s[h+j])
			next, out := math.Tanh(x[2*h+j]+s[2*h+j]), sigmoid(x[3*h+j]+s[3*h+j])
			cell[j] = float64(forget*cell[j]) + float64(in*next)
			state[j] = out * math.Tanh(cell[j])
		case GRUCell:
			reset, update := sigmoid(x[j]+s[j]), sigmoid(x[h+j]+s[h+j])
			next := math.Tanh(x[2*h+j] + float64(reset*s[2*h+j]))
			state[j] = float64((state[j]-next)*update) + next
		case TanhCell:
			state[j] = math.Tanh(x[j] + s[j])
		default:
			state[j] = max(x[j]+s[j], 0)
		}
	}
}

func addTo(dst, src []float64) {
	for i, v := range src {
		dst[i] += v
	}
}
