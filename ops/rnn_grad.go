package ops

// Grad unrolls the network: it is computed again step by step, with the products of the
// inputs for all steps at once, and differentiated as what it is made of.
func (op RNN) Grad(b GradBuilder, in, _, dout []Ref, need []bool) []Ref {
	if op.Rounded {
		b.Fail(NoGradient(op, "of a network that rounds"))
		return make([]Ref, len(in))
	}
	t := &tape{b: b}
	types := make([]Type, len(in))
	for i, v := range in {
		types[i] = b.Type(v)
	}
	g := op.geometry(types)
	turn := op.BatchFirst && len(types[0].Shape) == 3
	swap := func(v Ref) Ref {
		if turn {
			return t.apply(Permute{Order: []int{1, 0, 2}}, v)
		}
		return v
	}
	x := t.reshape(swap(in[0]), g.steps, g.batch, g.input)
	states := make([][]Ref, op.states()) // of every layer and direction, before and behind
	for i := range states {
		states[i] = t.split(t.reshape(in[1+i], op.Layers*op.directions(), g.batch, g.hidden), 0, 1)
		for j, h := range states[i] {
			states[i][j] = t.reshape(h, g.batch, g.hidden)
		}
	}
	for layer := range op.Layers {
		both := make([]Ref, op.directions())
		for d := range both {
			at := layer*op.directions() + d
			weights := in[1+op.states()+at*op.weights():][:op.weights()]
			both[d] = op.unroll(t, g, x, weights, states, at, d == 1)
		}
		x = both[0]
		if len(both) > 1 {
			x = t.apply(Concat{Axis: 2}, both...)
		}
	}
	out := []Ref{swap(x)}
	for _, s := range states {
		out = append(out, t.apply(Stack{}, s...))
	}
	for i, d := range dout {
		if d != nil {
			out[i] = t.reshape(out[i], b.Type(d).Shape...)
		}
	}
	return t.gradients(out, dout, in, need)
}

func (t *tape) reshape(v Ref, shape ...int) Ref {
	if t.b.Type(v).Shape.Equal(shape) {
		return v
	}
	return t.apply(Reshape{Shape: shape}, v)
}

// unroll runs one direction of a layer over all steps of x [T, B, I] and returns the
// outputs [T, B, H]; it replaces its states by those behind the last step.
func (op RNN) unroll(t *tape, g rnnGeometry, x Ref, weights []Ref, states [][]Ref, at int, reverse bool) Ref {
	project := func(v Ref, k int) Ref {
		if op.HasBias {
			return t.apply(Linear{HasBias: true}, v, weights[k], weights[2+k])
		}
		return t.apply(Linear{}, v, weights[k])
	}
	inputs := t.split(project(x, 0), 0, 1)
	outputs := make([]Ref, g.steps)
	gates := cells[op.Cell].gates * g.hidden
	for step := range outputs {
		if reverse {
			step = g.steps - 1 - step
		}
		op.step(t, g, t.reshape(inputs[step], g.batch, gates), project(states[0][at], 1), states, at)
		outputs[step] = states[0][at]
	}
	return t.apply(Stack{}, outputs...)
}

// step computes the states behind a step from the products of its input and of the state, both [B, G*H].
func (op RNN) step(t *tape, g rnnGeometry, fromInput, fromState Ref, states [][]Ref, at int) {
	h := states[0][at]
	switch op.Cell {
	case LSTMCell:
		gates := t.split(t.binary(Add, fromInput, fromState), 1, g.hidden)
		kept := t.binary(Mul, t.unary(Sigmoid, gates[1]), states[1][at])
		c := t.binary(Add, kept, t.binary(Mul, t.unary(Sigmoid, gates[0]), t.unary(Tanh, gates[2])))
		states[1][at] = c
		h = t.binary(Mul, t.unary(Sigmoid, gates[3]), t.unary(Tanh, c))
	case GRUCell:
		x, s := t.split(fromInput, 1, g.hidden), t.split(fromState, 1, g.hidden)
		reset, update := t.unary(Sigmoid, t.binary(Add, x[0], s[0])), t.unary(Sigmoid, t.binary(Add, x[1], s[1]))
		fresh := t.unary(Tanh, t.binary(Add, x[2], t.binary(Mul, reset, s[2])))
		h = t.binary(Add, fresh, t.binary(Mul, update, t.binary(Sub, h, fresh)))
	case TanhCell:
		h = t.unary(Tanh, t.binary(Add, fromInput, fromState))
	case ReLUCell:
		h = t.unary(ReLU, t.binary(Add, fromInput, fromState))
	}
	states[0][at] = h
}
