package ops

// Work is what an operator, or a whole graph, has to do.
type Work struct {
	// MACs are the multiply-accumulates in float32 or float64 of operators whose outputs are sums of products: convolutions and
	// their gradients, linear and recurrent layers, products of matrices, attention, and Fourier transforms, which are
	// products with a matrix. Each product of the definition counts, also with padding and with what a mask leaves out,
	// whatever algorithm computes it. Bias, activation, normalization, pooling and elementwise
	// operators count none: memory sets their pace.
	MACs int64
	// Int8MACs are those in int8.
	Int8MACs int64
	// Bytes are read and written, each input, constant and output once.
	Bytes int64
}

// Add adds another's work.
func (w *Work) Add(o Work) {
	w.MACs += o.MACs
	w.Int8MACs += o.Int8MACs
	w.Bytes += o.Bytes
}

// Ops returns the operations, a multiply-accumulate being two.
func (w Work) Ops() float64 { return 2 * float64(w.MACs+w.Int8MACs) }

// Multiplier is implemented by operators whose outputs are sums of products.
type Multiplier interface {
	// MACs returns the multiply-accumulates, as Work counts them, for inputs and outputs of types that Infer accepted and gave.
	MACs(in, out []Type) int64
}

// WorkOf returns the work of one operator on inputs of types that it accepts, and outputs of types that it gives.
func WorkOf(op Op, in, out []Type) Work {
	var w Work
	for _, types := range [][]Type{in, out} {
		for _, t := range types {
			w.Bytes += int64(t.Bytes())
		}
	}
	m, ok := op.(Multiplier)
	if !ok {
		return w
	}
	if row := OperatorOf(op); row != nil && row.Int8 {
		w.Int8MACs = m.MACs(in, out)
	} else {
		w.MACs = m.MACs(in, out)
	}
	return w
}

// ConvMACs returns the multiply-accumulates of a convolution or linear layer: each element of the output takes those
// of a row of the weight [O, ...].
func ConvMACs(weight, out Type) int64 { return int64(out.Numel()) * product(weight.Shape[1:]) }

func product(extents []int) int64 {
	n := int64(1)
	for _, d := range extents {
		n *= int64(d)
	}
	return n
}

// loweredMACs adds up those of the operators that an operator is lowered to.
func loweredMACs(op Lowerer, in []Type) int64 {
	steps, err := op.Lower(in)
	if err != nil {
		return 0
	}
	types, macs := append([]Type(nil), in...), int64(0)
	for _, s := range steps {
		stepIn := pickTypes(types, s.In)
		out, err := s.Op.Infer(stepIn)
		if err != nil {
			return 0
		}
		macs += WorkOf(s.Op, stepIn, out).MACs
		types = append(types, out[0])
	}
	return macs
}
