package ops

import (
	"fmt"
	"unsafe"

	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// RNNProducts multiplies by the weights of a recurrent network, i counting its layers and directions. Rows are of features or of states.
type RNNProducts interface {
	// Tile returns how many rows and columns a kernel computes at a time, and how many columns a task of a product with features of a layer takes.
	Tile(layer int) (rows, columns, block int)
	// Scratch is told from where on the shared memory of a call is free; it returns where it ends, and the bytes that each worker needs.
	Scratch(at int) (end, worker int)
	// Begin comes in front of a layer in a direction.
	Begin(c *Call, i int)
	// Take comes in front of products with rows, for both directions of features.
	Take(c *Call, x RNNRows, state bool)
	// Features writes the products, biases added, of rows m0 to m1 with columns n0 to n1, those of all gates, to dst, where row 0 of the result begins.
	Features(c *Call, w *Worker, i int, x RNNRows, m0, m1, n0, n1 int, dst unsafe.Pointer)
	// State writes the products, biases and what lies at add, unless that is nil, added, of rows b0 to b1 with n columns of a gate to dst, where
	// these columns of row 0 begin. Both have rows of all gates.
	State(c *Call, w *Worker, i, gate int, x RNNRows, b0, b1, first, n int, dst, add unsafe.Pointer)
}

// rnnKernel is a prepared network. For each layer and direction it multiplies
// the inputs of all steps by their weights at once; then, step by step, each task adds
// the products with the state for some rows of the batch and some hidden units
// and goes through the cell for them.
type rnnKernel struct {
	op       RNN
	g        rnnGeometry
	gates    int
	products RNNProducts

	sigmoid, tanh, relu *asm.UnaryF32

	units, rows         int // hidden units and rows of a task of one step
	unitTasks, rowTasks int
	grid                []Grid // of the product with the inputs, of each layer
	scratch             int
	sumsAt, newAt       int // in scratch: the gates of all steps, GRU's products of the state for the new gate
	layersAt            [2]int
}

// rnnProgress says, at the start of the scratch memory, what the tasks are to do.
type rnnProgress struct {
	layer, direction, step int
}

// PrepareRNN prepares a network, of which products are the products; choice says how they are computed.
func PrepareRNN(op RNN, p *Prepare, products RNNProducts, choice string) *Kernel {
	k := &rnnKernel{op: op, g: op.geometry(p.In), gates: cells[op.Cell].gates, products: products}
	k.sigmoid, k.tanh = asm.UnaryF32For(asm.UnarySigmoid, p.Tier), asm.UnaryF32For(asm.UnaryTanh, p.Tier)
	k.relu = asm.UnaryF32For(asm.UnaryClamp, p.Tier)
	k.layout(p)
	end, worker := products.Scratch(k.scratch)
	inputTask, stepTask := k.inputTask, k.stepTask
	return &Kernel{
		Interruptible: true,
		Run:           func(c *Call) error { k.run(c, inputTask, stepTask); return nil },
		Scratch:       end,
		WorkerScratch: worker,
		Choice:        fmt.Sprintf("%s, %d tasks a step", choice, k.unitTasks*k.rowTasks),
		Parallel:      k.unitTasks * k.rowTasks,
	}
}

// layout divides the work and the scratch memory.
func (k *rnnKernel) layout(p *Prepare) {
	g := k.g
	k.units, k.rows = g.hidden, g.batch
	if g.batch*g.hidden*g.hidden*k.gates > 1<<16 {
		// About eight tasks, of whole tiles.
		mr, nr, _ := k.products.Tile(0)
		k.units = max(roundUp(g.hidden/4, nr), 2*nr)
		k.rows = max(roundUp(g.batch/2, mr), 4*mr)
	}
	k.unitTasks = (g.hidden + k.units - 1) / k.units
	k.rowTasks = (g.batch + k.rows - 1) / k.rows
	for layer := range k.op.Layers {
		mr, nr, block := k.products.Tile(layer)
		k.grid = append(k.grid, NewGrid(g.steps*g.batch, k.gates*g.hidden, g.width(k.op, layer), mr, nr, block, p.Threads))
	}
	take := func(floats int) int {
		at := k.scratch
		k.scratch += roundUp(4*floats, tensor.Alignment)
		return at
	}
	k.scratch = tensor.Alignment // of rnnProgress
	k.sumsAt = take(g.steps * g.batch * k.gates * g.hidden)
	if k.op.Cell == GRUCell {
		k.newAt = take(g.batch * k.gates * g.hidden)
	}
	for i := range min(k.op.Layers-1, 2) {
		k.layersAt[i] = take(g.steps * g.batch * k.op.directions() * g.hidden)
	}
}

// RNNRows is where float32 rows of each step and each row of the batch are.
type RNNRows struct {
	Base         unsafe.Pointer
	Step, Row    int // bytes between them
	Steps, Batch int // how many there are
	Len          int // elements of a row
}

// At returns the row of a step and a row of the batch.
func (s RNNRows) At(step, row int) unsafe.Pointer { return unsafe.Add(s.Base, step*s.Step+row*s.Row) }

// Run returns where row m is, counted through the batch and then the steps, and how many rows from it on, at most up to end, lie stride bytes apart.
func (s RNNRows) Run(m, end int) (at unsafe.Pointer, stride, n int) {
	at, stride, n = s.At(m/s.Batch, m%s.Batch), s.Row, s.Batch-m%s.Batch
	switch {
	case s.Batch == 1:
		stride, n = s.Step, s.Steps-m
	case s.Step == s.Batch*s.Row:
		n = s.Batch*s.Steps - m
	}
	return at, stride, min(n, end-m)
}

// source returns what a layer reads, or the last layer's output for as many as there are.
func (k *rnnKernel) source(c *Call, layer int) RNNRows {
	n := k.g.width(k.op, layer)
	s := RNNRows{Step: 4 * k.g.batch * n, Row: 4 * n, Steps: k.g.steps, Batch: k.g.batch, Len: n}
	switch {
	case layer > 0 && layer < k.op.Layers:
		s.Base = unsafe.Pointer(&c.Scratch[k.layersAt[(layer-1)%2]])
		return s
	case layer == 0:
		s.Base = base(c.In[0])
	default:
		s.Base = base(c.Out[0])
	}
	if k.op.BatchFirst {
		s.Step, s.Row = 4*n, 4*k.g.steps*n
	}
	return s
}

func (k *rnnKernel) progress(c *Call) *rnnProgress {
	return (*rnnProgress)(unsafe.Pointer(unsafe.SliceData(c.Scratch)))
}

func (k *rnnKernel) run(c *Call, inputTask, stepTask Task) {
	p := k.progress(c)
	h := k.g.hidden
	for layer := range k.op.Layers {
		for direction := range k.op.directions() {
			*p = rnnProgress{layer: layer, direction: direction}
			i := layer*k.op.directions() + direction
			k.products.Begin(c, i)
			if direction == 0 {
				k.products.Take(c, k.source(c, layer), false)
			}
			c.Parallel(k.grid[layer].Tasks, inputTask)
			if k.op.Cell == LSTMCell {
				copy(row[float32](base(c.Out[2]), i*k.g.batch*h, k.g.batch*h), row[float32](base(c.In[2]), i*k.g.batch*h, k.g.batch*h))
			}
			for p.step = 0; p.step < k.g.steps; p.step++ {
				k.products.Take(c, k.before(c, p), true)
				c.Parallel(k.unitTasks*k.rowTasks, stepTask)
			}
			out := k.source(c, layer+1)
			for b := range k.g.batch {
				last := row[float32](out.At(k.time(p, k.g.steps-1), b), direction*h, h)
				copy(row[float32](base(c.Out[1]), (i*k.g.batch+b)*h, h), last)
			}
		}
	}
}

// time returns the place in the sequence of the n-th step.
func (k *rnnKernel) time(p *rnnProgress, n int) int {
	if p.direction == 1 {
		return k.g.steps - 1 - n
	}
	return n
}

// inputTask multiplies some inputs by some columns of their weights.
func (k *rnnKernel) inputTask(c *Call, i int, w *Worker) {
	p := k.progress(c)
	m0, m1, n0, n1 := k.grid[p.layer].Task(i)
	k.products.Features(c, w, p.layer*k.op.directions()+p.direction, k.source(c, p.layer), m0, m1, n0, n1, unsafe.Pointer(&c.Scratch[k.sumsAt]))
}

// result is where the layer and direction at hand writes its hidden units.
func (k *rnnKernel) result(c *Call, p *rnnProgress) RNNRows {
	out := k.source(c, p.layer+1)
	out.Base, out.Len = unsafe.Add(out.Base, 4*p.direction*k.g.hidden), k.g.hidden
	return out
}

// before is the state in front of a step.
func (k *rnnKernel) before(c *Call, p *rnnProgress) RNNRows {
	if p.step == 0 {
		h := k.g.hidden
		first := element[float32](base(c.In[1]), (p.layer*k.op.directions()+p.direction)*k.g.batch*h)
		return RNNRows{Base: unsafe.Pointer(first), Row: 4 * h, Steps: 1, Batch: k.g.batch, Len: h}
	}
	out := k.result(c, p)
	out.Base, out.Steps = out.At(k.time(p, p.step-1), 0), 1
	return out
}

// stepTask takes some hidden units of some rows of the batch one step on.
func (k *rnnKernel) stepTask(c *Call, i int, w *Worker) {
	p := k.progress(c)
	h, columns := k.g.hidden, k.gates*k.g.hidden
	first := i % k.unitTasks * k.units
	n := min(k.units, h-first)
	b0 := i / k.unitTasks * k.rows
	b1 := min(b0+k.rows, k.g.batch)
	layer := p.layer*k.op.directions() + p.direction
	state := layer * k.g.batch * h
	before, out := k.before(c, p), k.result(c, p)
	time := k.time(p, p.step)
	sums := element[float32](unsafe.Pointer(&c.Scratch[k.sumsAt]), time*k.g.batch*columns+first)
	fresh := element[float32](unsafe.Pointer(&c.Scratch[k.newAt]), first)
	for gate := range k.gates {
		at := unsafe.Pointer(element[float32](unsafe.Pointer(sums), gate*h))
		add := at
		if k.op.Cell == GRUCell && gate == 2 {
			at, add = unsafe.Pointer(fresh), nil
		}
		k.products.State(c, w, layer, gate, before, b0, b1, first, n, at, add)
	}
	for b := b0; b < b1; b++ {
		gates := row[float32](unsafe.Pointer(sums), b*columns, columns-first)
		y := row[float32](out.At(time, b), first, n)
		switch k.op.Cell {
		case LSTMCell:
			k.lstm(y, row[float32](base(c.Out[2]), state+b*h+first, n), gates, h)
		case GRUCell:
			k.gru(y, row[float32](before.At(0, b), first, n), row[float32](unsafe.Pointer(fresh), b*columns, n), gates, h)
		case TanhCell:
			k.tanh.Run(y, gates, 0, 0)
		default:
			k.relu.Run(y, gates, 0, inf)
		}
	}
}

// lstm computes y and c of some hidden units from their gates, h apart.
func (k *rnnKernel) lstm(y, c, gates []float32, h int) {
	n := len(y)
	in, forget, cell, out := gates[:n], gates[h:h+n], gates[2*h:2*h+n], gates[3*h:3*h+n]
	k.sigmoid.Run(in, in, 0, 0)
	k.sigmoid.Run(forget, forget, 0, 0)
	k.tanh.Run(cell, cell, 0, 0)
	k.sigmoid.Run(out, out, 0, 0)
	for i := range c {
		c[i] = float32(forget[i]*c[i]) + float32(in[i]*cell[i])
	}
	k.tanh.Run(cell, c, 0, 0)
	for i := range y {
		y[i] = out[i] * cell[i]
	}
}

// gru computes y of some hidden units from the state before, the state's
// product for the new gate and the gates, h apart.
func (k *rnnKernel) gru(y, before, fresh, gates []float32, h int) {
	n := len(y)
	reset, update, next := gates[:n], gates[h:h+n], gates[2*h:2*h+n]
	k.sigmoid.Run(reset, reset, 0, 0)
	k.sigmoid.Run(update, update, 0, 0)
	for i, v := range fresh {
		next[i] += float32(reset[i] * v)
	}
	k.tanh.Run(next, next, 0, 0)
	for i, v := range next {
		y[i] = v + float32(update[i]*(before[i]-v))
	}
}
