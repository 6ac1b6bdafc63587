package quantize

import (
	"math"
	"sync"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/int8"
	"github.com/octet-ml/octet/tensor"
)

// pairCount counts outputs of a layer in which the sum of two neighbouring
// products leaves the range of 16 bits.
type pairCount struct {
	mu            sync.Mutex
	outputs, hits int64
}

func (p *pairCount) share() float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return float64(p.hits) / float64(max(p.outputs, 1))
}

// pairOp is the operator that counts them for the layer with the given weight,
// int8 [O, ...], over the layer's input. Neighbours are those of int8.WeightPairs. To bound the
// time it looks at no more than pairRows rows of a call, evenly apart.
type pairOp struct {
	to     *pairCount
	conv   *ops.Conv // nil: a linear layer
	weight *tensor.Tensor
	nhwc   bool

	samples bool // the input's elements are those of one sample after another; see samplesFirst
}

const pairRows = 256

func (pairOp) Name() string { return "count_pairs" }

func (op pairOp) Infer(in []ops.Type) ([]ops.Type, error) { return inferCounting(op, in, tensor.Uint8) }

// weightPair are two neighbouring weights that may lead out of 16 bits.
type weightPair struct {
	x0, x1 int // of both inputs in a row
	w0, w1 int32
}

// overflowing returns the pairs of each output that some inputs take out of 16
// bits. A row of inputs is [taps][channels of a group].
func (op pairOp) overflowing(channels, taps int) [][]weightPair {
	outs := op.weight.Dim(0)
	var layer ops.Op = ops.Linear{}
	if op.conv != nil {
		layer = *op.conv
	}
	order := int8.WeightPairs(layer, op.weight.Shape())
	w := op.weight.Contiguous().Int8s()
	pairs := make([][]weightPair, outs)
	for o := range outs {
		row := w[o*channels*taps:]
		for i := 0; i+1 < len(order); i += 2 {
			if order[i+1] < 0 {
				continue
			}
			a, b := int(order[i]), int(order[i+1])
			w0, w1 := int32(row[a]), int32(row[b])
			if 255*(max(w0, 0)+max(w1, 0)) > math.MaxInt16 || 255*(min(w0, 0)+min(w1, 0)) < math.MinInt16 {
				pairs[o] = append(pairs[o], weightPair{a%taps*channels + a/taps, b%taps*channels + b/taps, w0, w1})
			}
		}
	}
	return pairs
}

func (op pairOp) Prepare(p *ops.Prepare) (*ops.Kernel, error) {
	g, err := newPatches(op.conv, p.In[0], op.weight.Shape(), op.nhwc)
	if err != nil {
		return nil, err
	}
	pad := p.In[0].Q.ZeroPoint[0]
	pairs := op.overflowing(g.channels, g.taps)
	perGroup := len(pairs) / g.groups
	return &ops.Kernel{Choice: "count_pairs", Parallel: 1, WorkerScratch: g.channels * g.taps, Run: func(c *ops.Call) error {
		x, row := c.In[0].Uint8s(), c.Workers[0].Scratch
		hits, all := int64(0), g.rows
		if op.samples {
			all = sampled(c, c.In[0].Shape(), all)
		}
		rows := min(all, pairRows)
		for r := range rows {
			at := r * all / rows
			for group := range g.groups {
				g.each(at, group, func(tap, channel, from int) {
					v := uint8(pad)
					if from >= 0 {
						v = x[from]
					}
					row[tap*g.channels+channel] = v
				})
				for _, list := range pairs[group*perGroup : (group+1)*perGroup] {
					for _, w := range list {
						if s := int32(row[w.x0])*w.w0 + int32(row[w.x1])*w.w1; s > math.MaxInt16 || s < math.MinInt16 {
							hits++
							break
						}
					}
				}
			}
		}
		op.to.mu.Lock()
		defer op.to.mu.Unlock()
		op.to.outputs += int64(rows * len(pairs))
		op.to.hits += hits
		return nil
	}}, nil
}

// HasEffect keeps the node though nothing uses its output.
func (pairOp) HasEffect() bool { return true }

// ChannelsLast reads images in the layout of the layer.
func (op pairOp) ChannelsLast(in []ops.Type) (ops.Op, []int, bool) {
	if op.conv == nil {
		return op, []int{0}, false
	}
	op.nhwc = true
	return op, []int{0}, true
}
