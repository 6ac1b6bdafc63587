package ops

import (
	"github.com/octet-ml/octet/tensor"
)

// packInputs are the values that something is packed from: a weight, a bias, or those of both products of a cell.
type packInputs [4]*tensor.Tensor

// prepack is what an operator keeps in the order of its kernel, such as its weight and bias: packed once, for all plans of
// a session, where the inputs it is made of are constants, and else by each call in its scratch memory.
type prepack struct {
	inputs   []int // of the operator
	size     int   // float32 values of the packed form
	order    int   // values that packing needs besides, for each part when they are packed once
	parts    int
	pack     func(dst, order []float32, in packInputs, part int)
	constant bool
	once     []float32
	at       int // of the first value in the scratch memory of a call
	task     Task
}

type prepackKey struct {
	how    any // the kernel, and what else the packed form depends on
	inputs packInputs
}

// start packs now if the inputs are constants. how names all that the packed form depends on besides them.
func (w *prepack) start(p *Prepare, how any) {
	w.parts = max(w.parts, 1)
	w.task = w.run
	key := prepackKey{how: how}
	for i, k := range w.inputs {
		if key.inputs[i] = p.In[k].Known; key.inputs[i] == nil {
			return
		}
	}
	w.constant = true
	p.Repacked = append(p.Repacked, w.inputs...)
	w.once = Packed(p, key, func() []float32 {
		dst, in := alignedFloats(w.size), key.inputs
		for i := range w.inputs {
			in[i] = in[i].Contiguous()
		}
		p.Parallel(w.parts, func(part int) { w.pack(dst, make([]float32, w.order), in, part) })
		return dst
	})
}

// scratch returns the bytes that a call needs.
func (w *prepack) scratch() int {
	if w.constant {
		return 0
	}
	return alignBytes(4 * (w.size + w.order))
}

// fill packs for a call, unless that has been done.
//
//go:noinline
func (w *prepack) fill(c *Call) {
	if !w.constant {
		c.Parallel(w.parts, w.task)
	}
}

func (w *prepack) run(c *Call, part int, _ *Worker) {
	var in packInputs
	for i, k := range w.inputs {
		in[i] = c.In[k]
	}
	w.pack(w.values(c), floatsOf(c.Scratch, w.at+w.size, w.order), in, part)
}

// values returns the packed form.
func (w *prepack) values(c *Call) []float32 {
	if w.constant {
		return w.once
	}
	return floatsOf(c.Scratch, w.at, w.size)
}

// bytes returns the panels of weights with which the packed form begins, where it is made once, for Kernel.Weights.
func (w *prepack) bytes(l PanelLayout) []byte {
	if !w.constant {
		return nil
	}
	panels, _ := panelsOf(l, w.once)
	return panels.Bytes()
}

// weightAndBias are the inputs of a layer that are packed.
func weightAndBias(hasBias bool) []int {
	if hasBias {
		return []int{1, 2}
	}
	return []int{1}
}

// copyBias writes a bias, if there is one, and zeros behind it.
func copyBias(dst []float32, bias *tensor.Tensor) {
	clear(dst)
	if bias != nil {
		copy(dst, bias.Float32s())
	}
}
