package quantize

import (
	"math"

	"github.com/octet-ml/octet/graph"
)

// quantizeRows decides whether linear layers quantize each row of their input to its own range while they run: all of them, where the inputs of a quarter
// have outliers, so that one range of 8 bits for all rows leaves an SQNR below Backend.RowsBelow. Before anything was observed, and in training, none does.
func (p *prepared) quantizeRows(q *Quantizer) {
	if q.static || q.learned != nil || p.backend.RowsBelow == 0 || q.observers.Activation.Spec.levels() < 255 {
		return
	}
	layers, outliers := make(map[*graph.Node]bool), 0
	for _, n := range p.graph.Nodes {
		if l := p.form(n).Layer; l != nil && l.IsDynamic() && p.decision[n].Quantize {
			layers[n] = true
			if q.observedSQNR(p.names[p.source(n.Inputs[0])]) < p.backend.RowsBelow {
				outliers++
			}
		}
	}
	if outliers > 0 && 4*outliers >= len(layers) {
		p.dynamic = layers
	}
}

// isDynamic reports whether a node is a layer that quantizes rows while it runs.
func (p *prepared) isDynamic(n *graph.Node) bool { return p.backend.Dynamic || p.dynamic[n] }

// observedSQNR returns the SQNR in dB that the integers of a value have on what was observed, with the range that loses least, or infinity where
// another range is asked for.
func (q *Quantizer) observedSQNR(name string) float64 {
	o, counts := q.values[name].(*gridObserver)
	if !counts || o.config.Kind != MSE || q.opts.Fixed[name] != nil || o.Config() != q.observers.Activation {
		return math.Inf(1)
	}
	params, err := o.QParams()
	if err != nil {
		return math.Inf(1)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	noise := o.grid.squaredError(o.config.Spec)(params.Scale[0], params.ZeroPoint[0])
	return sums{noise: noise, signal: o.grid.squares()}.sqnr()
}
