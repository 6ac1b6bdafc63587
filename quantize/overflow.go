package quantize

import (
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops/int8"
	"github.com/octet-ml/octet/tensor"
)

// overflows reports whether a layer could overflow the accumulators of its int8 form. What is wrong with the
// weight besides is reported where it is quantized.
func (q *Quantizer) overflows(p *prepared, n *graph.Node) bool {
	if !int8.MayOverflow(rowSize(n)) {
		return false // whatever the weights are
	}
	params, err := q.weightQParams(p, n)
	if err != nil {
		return false
	}
	w, err := n.Inputs[1].Const.Quantize(stored(params, tensor.Int8))
	slack := 0
	if q.opts.Rounding == Learned {
		slack = 1 // which may round to the other neighbour
	}
	return err == nil && int8.Overflows(w, slack)
}
