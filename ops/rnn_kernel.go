package ops

import (
	"fmt"
	"unsafe"

	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// rnnKernel is a prepared network. For each layer and direction it multiplies
// the inputs of all steps by their weights at once; then, step by step, each task adds
// the products with the state for some rows of the batch and some hidden units
// and goes through the cell for them.
type rnnKernel struct {
	op     RNN
	g      rnnGeometry
	gates  int
	gemm   *asm.IGemmF32
	packed []*prepack // weights of each layer and direction, as rnnWeights divides them

	sigmoid, tanh, relu *asm.UnaryF32

	units, rows         int // hidden units and rows of a task of one step
	unitTasks, rowTasks int
	grid                []Grid // of the product with the inputs, of each layer
	scratch             int
	sumsAt, newAt       int // in scratch: the gates of all steps, GRU's products of the state for the new gate
	layersAt            [2]int
	inputsAt, stateAt   int // of a rounded network, what is multiplied
}

// rnnWeights are the packed weights of a layer in one direction: those of the
// inputs as one matrix, those of the state and its bias gate by gate.
type rnnWeights struct {
	input, state         Panels[float32]
	inputBias, stateBias []float32
}

type packedRNNKey struct {
	input PanelLayout
	gates int
}

// rnnProgress says, at the start of the scratch memory, what the tasks are to do.
type rnnProgress struct {
	layer, direction, step int
}

func (op RNN) Prepare(p *Prepare) (*Kernel, error) {
	k := &rnnKernel{op: op, g: op.geometry(p.In), gates: cells[op.Cell].gates, gemm: asm.IGemmF32For(p.Tier)}
	k.sigmoid, k.tanh = asm.UnaryF32For(asm.UnarySigmoid, p.Tier), asm.UnaryF32For(asm.UnaryTanh, p.Tier)
	k.relu = asm.UnaryF32For(asm.UnaryClamp, p.Tier)
	if p.Out[0].Numel() == 0 {
		return emptyKernel(), nil
	}
	k.layout(p)
	k.pack(p)
	inputTask, stepTask := k.inputTask, k.stepTask
	return &Kernel{
		Interruptible: true,
		Run:           func(c *Call) error { k.run(c, inputTask, stepTask); return nil },
		Scratch:       k.scratch,
		Choice:        fmt.Sprintf("%s %s %dx%d, %d tasks a step", k.gemm.Op, k.gemm.Tier, k.gemm.MR, k.gemm.NR, k.unitTasks*k.rowTasks),
		Parallel:      k.unitTasks * k.rowTasks,
	}, nil
}

// layout divides the work and the scratch memory.
func (k *rnnKernel) layout(p *Prepare) {
	g := k.g
	k.units, k.rows = g.hidden, g.batch
	if g.batch*g.hidden*g.hidden*k.gates > 1<<16 {
		// About eight tasks, of whole tiles.
		k.units = max(roundUp(g.hidden/4, k.gemm.NR), 2*k.gemm.NR)
		k.rows = max(roundUp(g.batch/2, k.gemm.MR), 4*k.gemm.MR)
	}
	k.unitTasks = (g.hidden + k.units - 1) / k.units
	k.rowTasks = (g.batch + k.rows - 1) / k.rows
	for layer := range k.op.Layers {
		width := g.width(k.op, layer)
		k.grid = append(k.grid, NewGrid(g.steps*g.batch, k.gates*g.hidden, width, k.gemm.MR, k.gemm.NR, k.gemm.BlockN(1, max(width, 1)), p.Threads))
	}
	take := func(floats int) int {
		at := k.scratch
		k.scratch += roundUp(4*floats, tensor.Alignment)
		return at
	}
	k.scratch = tensor.Alignment // of rnnProgress
	k.sumsAt = take(g.steps * g.batch * k.gates * g.hidden)
	k.newAt = take(g.batch * g.hidden)
	for i := range min(k.op.Layers-1, 2) {
		k.layersAt[i] = take(g.steps * g.batch * k.op.directions() * g.hidden)
	}
	if k.op.Rounded {
		k.inputsAt = take(g.steps * g.batch * max(g.input, k.op.directions()*g.hidden))
		k.stateAt = take(g.batch * g.hidden)
	}
}

func (k *rnnKernel) inputLayout(layer int) PanelLayout {
	return PanelLayout{Packing: k.gemm.Info, Matrices: 1, Depth: k.g.width(k.op, layer), N: k.gates * k.g.hidden}
}

func (k *rnnKernel) stateLayout() PanelLayout {
	return PanelLayout{Packing: k.gemm.Info, Matrices: k.gates, Depth: k.g.hidden, N: k.g.hidden}
}

// pack prepares the weights of each layer and direction. Those that each call packs lie in one place of the scratch memory, one
// after the other.
func (k *rnnKernel) pack(p *Prepare) {
	n, at := k.op.weights(), k.scratch/4
	for i := range k.op.Layers * k.op.directions() {
		layer := i / k.op.directions()
		w := &prepack{at: at}
		for j := range n {
			w.inputs = append(w.inputs, 1+k.op.states()+i*n+j)
		}
		w.size = k.inputLayout(layer).Len() + k.stateLayout().Len() + k.gates*k.g.hidden + k.gemm.NR + k.gates*k.stateBiasLen()
		w.pack = func(dst, _ []float32, in packInputs, _ int) { k.packLayer(k.divide(layer, dst), layer, in) }
		w.start(p, packedRNNKey{k.inputLayout(layer), k.gates})
		k.packed = append(k.packed, w)
		k.scratch = max(k.scratch, 4*at+w.scratch())
	}
}

func (k *rnnKernel) stateBiasLen() int { return k.g.hidden + k.gemm.NR }

// divide returns the parts of the packed weights of a layer.
func (k *rnnKernel) divide(layer int, values []float32) rnnWeights {
	var w rnnWeights
	w.input, values = panelsOf(k.inputLayout(layer), values)
	w.state, values = panelsOf(k.stateLayout(), values)
	n := k.gates*k.g.hidden + k.gemm.NR
	w.inputBias, w.stateBias = values[:n], values[n:]
	return w
}

func (k *rnnKernel) packLayer(dst rnnWeights, layer int, in packInputs) {
	h, width := k.g.hidden, k.g.width(k.op, layer)
	k.gemm.PackBNK(dst.input.Data, in[0].Float32s(), width, k.gates*h, width)
	for gate := range k.gates {
		k.gemm.PackBNK(dst.state.Data[dst.state.Index(gate, 0):], in[1].Float32s()[gate*h*h:], h, h, h)
	}
	clear(dst.inputBias)
	clear(dst.stateBias)
	if in[2] != nil {
		copy(dst.inputBias, in[2].Float32s())
		for gate := range k.gates {
			copy(dst.stateBias[gate*k.stateBiasLen():], in[3].Float32s()[gate*h:(gate+1)*h])
		}
	}
}

// weights returns the packed weights of a layer in one direction.
func (k *rnnKernel) weights(c *Call, layer, direction int) rnnWeights {
	return k.divide(layer, k.packed[layer*k.op.directions()+direction].values(c))
}

// sequence is where the features of each step and each row of the batch are.
type sequence struct {
	base      unsafe.Pointer
	step, row int // bytes between them
}

func (s sequence) at(step, row int) unsafe.Pointer { return unsafe.Add(s.base, step*s.step+row*s.row) }

// source returns what a layer reads, or the last layer's output for as many as there are.
func (k *rnnKernel) source(c *Call, layer int) sequence {
	width := 4 * k.g.width(k.op, layer)
	s := sequence{step: k.g.batch * width, row: width}
	switch {
	case layer > 0 && layer < k.op.Layers:
		s.base = unsafe.Pointer(&c.Scratch[k.layersAt[(layer-1)%2]])
		return s
	case layer == 0:
		s.base = base(c.In[0])
	default:
		s.base = base(c.Out[0])
	}
	if k.op.BatchFirst {
		s.step, s.row = width, k.g.steps*width
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
			k.packed[i].fill(c)
			if k.op.Rounded && direction == 0 {
				roundRows(unsafe.Pointer(&c.Scratch[k.inputsAt]), k.g.steps, k.g.batch, k.g.width(k.op, layer), k.source(c, layer))
			}
			c.Parallel(k.grid[layer].Tasks, inputTask)
			if k.op.Cell == LSTMCell {
				copy(row[float32](base(c.Out[2]), i*k.g.batch*h, k.g.batch*h), row[float32](base(c.In[2]), i*k.g.batch*h, k.g.batch*h))
			}
			for p.step = 0; p.step < k.g.steps; p.step++ {
				if k.op.Rounded {
					roundRows(unsafe.Pointer(&c.Scratch[k.stateAt]), 1, k.g.batch, h, k.before(c, p))
				}
				c.Parallel(k.unitTasks*k.rowTasks, stepTask)
			}
			out := k.source(c, layer+1)
			for b := range k.g.batch {
				last := row[float32](out.at(k.time(p, k.g.steps-1), b), direction*h, h)
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
	grid, width, src := &k.grid[p.layer], k.g.width(k.op, p.layer), k.source(c, p.layer)
	if k.op.Rounded {
		src = sequence{base: unsafe.Pointer(&c.Scratch[k.inputsAt]), step: 4 * k.g.batch * width, row: 4 * width}
	}
	weights := k.weights(c, p.layer, p.direction)
	m0, m1, n0, n1 := grid.Task(i)
	columns := k.gates * k.g.hidden
	args := &w.Args.IGemmF32
	*args = asm.IGemmF32Args{
		KS: 1, KC: width, B: weights.input.At(0, n0), N: n1 - n0,
		Bias: &weights.inputBias[n0], Lo: -inf, Hi: inf, CStride: 4 * columns,
	}
	output := unsafe.Pointer(element[float32](unsafe.Pointer(&c.Scratch[k.sumsAt]), n0))
	// Rows that follow each other lie a constant distance apart: all of them, or those of a step.
	stride, run := src.row, k.g.batch
	switch {
	case k.g.batch == 1:
		stride, run = src.step, k.g.steps
	case src.step == k.g.batch*src.row:
		run = k.g.batch * k.g.steps
	}
	for m := m0; m < m1; {
		end := min((m/run+1)*run, m1)
		gemmRows(k.gemm, args, src.at(m/k.g.batch, m%k.g.batch), stride, unsafe.Add(output, args.CStride*m), end-m)
		m = end
	}
}

// result is where the layer and direction at hand writes its hidden units.
func (k *rnnKernel) result(c *Call, p *rnnProgress) sequence {
	out := k.source(c, p.layer+1)
	out.base = unsafe.Add(out.base, 4*p.direction*k.g.hidden)
	return out
}

// before is the state in front of a step.
func (k *rnnKernel) before(c *Call, p *rnnProgress) sequence {
	if p.step == 0 {
		h := k.g.hidden
		return sequence{base: unsafe.Pointer(element[float32](base(c.In[1]), (p.layer*k.op.directions()+p.direction)*k.g.batch*h)), row: 4 * h}
	}
	out := k.result(c, p)
	return sequence{base: out.at(k.time(p, p.step-1), 0), row: out.row}
}

// stepTask takes some hidden units of some rows of the batch one step on.
func (k *rnnKernel) stepTask(c *Call, i int, w *Worker) {
	p := k.progress(c)
	h, columns := k.g.hidden, k.gates*k.g.hidden
	first := i % k.unitTasks * k.units
	n := min(k.units, h-first)
	b0 := i / k.unitTasks * k.rows
	b1 := min(b0+k.rows, k.g.batch)
	state := (p.layer*k.op.directions() + p.direction) * k.g.batch * h
	before, out := k.before(c, p), k.result(c, p)
	factor := before
	if k.op.Rounded {
		factor = sequence{base: unsafe.Pointer(&c.Scratch[k.stateAt]), row: 4 * h}
	}
	time := k.time(p, p.step)
	sums := element[float32](unsafe.Pointer(&c.Scratch[k.sumsAt]), time*k.g.batch*columns+first)
	fresh := element[float32](unsafe.Pointer(&c.Scratch[k.newAt]), first)
	weights := k.weights(c, p.layer, p.direction)
	args := &w.Args.IGemmF32
	for gate := range k.gates {
		at := element[float32](unsafe.Pointer(sums), gate*h)
		*args = asm.IGemmF32Args{
			KS: 1, KC: h, B: weights.state.At(gate, first), N: n, Bias: &weights.stateBias[gate*k.stateBiasLen()+first],
			Lo: -inf, Hi: inf, CStride: 4 * columns, Res: element[float32](unsafe.Pointer(at), b0*columns), ResStride: 4 * columns,
		}
		if k.op.Cell == GRUCell && gate == 2 {
			at, args.CStride, args.Res, args.ResStride = fresh, 4*h, nil, 0
		}
		gemmRows(k.gemm, args, factor.at(0, b0), factor.row, unsafe.Add(unsafe.Pointer(at), args.CStride*b0), b1-b0)
	}
	for b := b0; b < b1; b++ {
		gates := row[float32](unsafe.Pointer(sums), b*columns, columns-first)
		y := row[float32](out.at(time, b), first, n)
		switch k.op.Cell {
		case LSTMCell:
			k.lstm(y, row[float32](base(c.Out[2]), state+b*h+first, n), gates, h)
		case GRUCell:
			k.gru(y, row[float32](before.at(0, b), first, n), row[float32](unsafe.Pointer(fresh), b*h, n), gates, h)
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
