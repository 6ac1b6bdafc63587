package quantize

import (
	"bytes"
	"hash/maphash"
	"reflect"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/int8"
	"github.com/octet-ml/octet/tensor"
)

// lower adds the int8 form of a node.
func (c *converter) lower(n *graph.Node, entry *Layer) ([]*graph.Value, error) {
	inputs := make([]*graph.Value, len(n.Inputs))
	for _, i := range c.p.quantizedInputs(n) {
		v, err := c.asQuantized(n.Inputs[i])
		if err != nil {
			return nil, err
		}
		inputs[i] = v
		if n.Inputs[i].Const == nil {
			entry.Inputs = append(entry.Inputs, c.p.names[c.p.source(n.Inputs[i])])
		}
	}
	form := c.p.form(n)
	for _, i := range form.Others {
		v, err := c.asFloat(n.Inputs[i])
		if err != nil {
			return nil, err
		}
		inputs[i] = v
	}
	if form.FloatInputs {
		for _, i := range form.Activations {
			if inputs[i] == nil {
				v, err := c.asFloat(n.Inputs[i])
				if err != nil {
					return nil, err
				}
				inputs[i] = v
			}
		}
	}
	var out *tensor.QParams
	if !form.Shares && !c.p.givesFloat(n) {
		var err error
		if out, err = c.qparams(n.Outputs[0]); err != nil {
			return nil, err
		}
		entry.Output = c.p.names[n.Outputs[0]]
	}
	switch {
	case form.Layer != nil:
		return c.layer(n, inputs, out, entry)
	case form.Shares:
		return c.sharing(n, inputs)
	}
	y, err := addForm(c.g, n.Scope, func(b int8.Builder) ops.Ref {
		refs := make([]ops.Ref, len(inputs))
		for i, v := range inputs {
			if v != nil {
				refs[i] = v
			}
		}
		if form.BothResults != nil && c.p.usedFloat(n.Outputs[0]) {
			return form.BothResults(b, refs, out)
		}
		return form.Build(b, refs, out)
	})
	if err == nil && len(y.Node.Outputs) > 1 {
		c.float[n.Outputs[0]] = y.Node.Outputs[1]
	}
	return []*graph.Value{y}, err
}

// sharing adds an operator that works on the integers of its first input as they are.
func (c *converter) sharing(n *graph.Node, inputs []*graph.Value) ([]*graph.Value, error) {
	for i := 1; i < len(inputs); i++ {
		v, err := c.asFloat(n.Inputs[i])
		if err != nil {
			return nil, err
		}
		inputs[i] = v
	}
	return c.g.Add(n.Scope, n.Op, inputs...)
}

// layer adds a convolution or linear layer; inputs has what it takes quantized.
func (c *converter) layer(n *graph.Node, inputs []*graph.Value, out *tensor.QParams, entry *Layer) ([]*graph.Value, error) {
	layer := *c.p.form(n).Layer
	for _, i := range c.p.form(n).Activations {
		if inputs[i] != nil {
			continue
		}
		v, err := c.asFloat(n.Inputs[i])
		if err != nil {
			return nil, err
		}
		inputs[i] = v
	}
	x := inputs[0].Type.Q // nil where the input is quantized while running
	floatBias := c.p.backend.FloatBias || x == nil
	scale := float32(0)
	if !floatBias {
		scale = x.Scale[0]
	}
	k, err := c.q.layerConstants(c.p, n, scale)
	if err != nil {
		return nil, err
	}
	for _, s := range k.weight.QParams().Scale {
		entry.WeightScaleMax = max(entry.WeightScaleMax, s)
	}
	entry.SafePanels, entry.Panels = int8.SafePanels(n.Op, k.weight, int(c.q.greatestInput()))
	entry.SQNR = Decibel(sqnr(n.Inputs[1].Const.Contiguous(), k.weight))
	in := []*graph.Value{inputs[0], c.g.Const(n.Inputs[1].Name, c.once(k.weight))}
	if k.bias != nil {
		bias := k.bias
		if !floatBias {
			if bias, err = c.q.opts.quantizeBias(k.bias.Contiguous().Float32s(), x, k.weight.QParams()); err != nil {
				return nil, err
			}
		}
		in = append(in, c.g.Const(biasName(n), c.once(bias)))
	}
	if r := layer.Residual(); r >= 0 {
		in = append(in, inputs[r])
	}
	layer.HasBias = k.bias != nil
	if c.p.isDynamic(n) {
		return c.g.Add(n.Scope, layer.Dynamic(), in...)
	}
	return c.g.Add(n.Scope, layer.Int8(out), in...)
}

// weightOnly adds an operator with its weights alone in int8, of which it uses all integers: fewer would save nothing.
func (c *converter) weightOnly(n *graph.Node, entry *Layer) ([]*graph.Value, error) {
	form := c.p.form(n)
	in := make([]*graph.Value, len(n.Inputs))
	noise := sums{}
	for _, i := range form.Weights {
		w := n.Inputs[i].Const.Contiguous()
		if _, _, finite := minMax(w.Float32s()); !finite {
			entry.Precision, entry.Reason = "float32", "its weight is not finite"
			return c.keep(n, entry)
		}
		t, err := c.quantizedWeight(n, n.Inputs[i].Name, w)
		if err != nil {
			return nil, err
		}
		noise.add(weightNoise(w, t))
		in[i] = c.g.Const(n.Inputs[i].Name, c.once(t))
	}
	entry.SQNR = Decibel(noise.sqnr())
	for i, v := range n.Inputs {
		if in[i] != nil {
			continue
		}
		x, err := c.asFloat(v)
		if err != nil {
			return nil, err
		}
		in[i] = x
	}
	return c.g.Add(n.Scope, form.WeightOnly, in...)
}

// quantizedWeight returns a weight in all 8 bits.
func (c *converter) quantizedWeight(n *graph.Node, name string, w *tensor.Tensor) (*tensor.Tensor, error) {
	config := c.q.weightConfig(n)
	config.Spec = config.Spec.WithBits(8)
	config.Spec.PairSafe = false
	if c.p.form(n).Multiplied && !config.Spec.Scheme.Symmetric() {
		config.Spec.Scheme = map[bool]tensor.QScheme{false: tensor.PerTensorSymmetric, true: tensor.PerChannelSymmetric}[config.Spec.Scheme.PerChannel()]
	}
	obs, err := config.New(name)
	if err != nil {
		return nil, err
	}
	if err := obs.Observe(w); err != nil {
		return nil, err
	}
	params, err := obs.QParams()
	if err != nil {
		return nil, err
	}
	return w.Quantize(stored(params, tensor.Int8))
}

// once returns a constant that is equal to t and has been used before, or t: what modules share is in memory, and in files, once.
func (c *converter) once(t *tensor.Tensor) *tensor.Tensor {
	key := maphash.Bytes(c.q.seed, t.Contiguous().Bytes())
	for _, have := range c.shared[key] {
		if have.DType() == t.DType() && have.Shape().Equal(t.Shape()) && reflect.DeepEqual(have.QParams(), t.QParams()) && bytes.Equal(have.Contiguous().Bytes(), t.Contiguous().Bytes()) {
			return have
		}
	}
	if c.shared == nil {
		c.shared = make(map[uint64][]*tensor.Tensor)
	}
	c.shared[key] = append(c.shared[key], t)
	return t
}
