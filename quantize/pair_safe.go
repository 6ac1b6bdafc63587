package quantize

import (
	"fmt"
	"hash/maphash"
	"math"
	"sync"
	"sync/atomic"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/internal/fastcores"
	"github.com/octet-ml/octet/ops/int8"
	"github.com/octet-ml/octet/tensor"
)

// weightPairs is the constraint on the weights of a pair-safe layer: those that kernels multiply side by side add up to so little
// that VPMADDUBSW, which adds the two products in 16 bits, does not saturate whatever the inputs are.
type weightPairs struct {
	order          []int32 // of int8.WeightPairs
	least, largest float64 // sum of the negative and of the positive weights of a pair
}

// pairsOf returns the constraint on a layer's weights, nil where they are free: the spec does not ask for it, kernels add up no
// pairs, or all pairs are safe.
func (q *Quantizer) pairsOf(n *graph.Node) *weightPairs {
	spec := q.weightConfig(n).Spec
	if !spec.PairSafe {
		return nil
	}
	least, largest := int8.PairLimits(int(q.greatestInput()))
	p := &weightPairs{least: float64(least), largest: float64(largest)}
	if lo, hi := spec.Range(); 2*float64(lo) >= p.least && 2*float64(hi) <= p.largest {
		return nil
	}
	if p.order = int8.WeightPairs(n.Op, n.Inputs[1].Type.Shape); p.order == nil {
		return nil
	}
	return p
}

// greatestInput returns the greatest integer that the input of a layer can have, as it is stored.
func (q *Quantizer) greatestInput() int32 {
	if q.opts.Dynamic {
		return math.MaxUint8
	}
	most := q.observers.Activation.Spec.greatestStored()
	for _, e := range q.edges {
		if e.Observer != nil {
			most = max(most, e.Observer.Spec.greatestStored())
		} else {
			most = max(most, math.MaxUint8) // of what others give
		}
	}
	for _, p := range q.opts.Fixed {
		most = max(most, stored(p, tensor.Uint8).Max)
	}
	return most
}

// fit returns the integers between qmin and qmax nearest to u0 and u1, by the squares of what they are off, with which a pair is safe.
func (p *weightPairs) fit(u0, u1, qmin, qmax float64) (q0, q1 float64) {
	// Most pairs are so small that no rounding takes them anywhere near.
	if size := math.Abs(u0) + math.Abs(u1); size <= p.largest-1 && size <= qmax && size <= -qmin {
		return math.RoundToEven(u0), math.RoundToEven(u1)
	}
	q0 = min(max(math.RoundToEven(u0), qmin), qmax)
	q1 = min(max(math.RoundToEven(u1), qmin), qmax)
	sum := p.exceeded(q0, q1)
	if sum == 0 {
		return q0, q1
	}
	// Both have the sign of the limit. The nearest that are safe add up to it, and along those the error is a parabola.
	if sum > 0 {
		qmin = 0
	} else {
		qmax = 0
	}
	q0 = math.RoundToEven((u0 + (sum - u1)) / 2)
	q0 = min(max(q0, qmin, sum-qmax), qmax, sum-qmin)
	return q0, sum - q0
}

// exceeded returns the limit that a pair is beyond, 0 where it is safe.
func (p *weightPairs) exceeded(q0, q1 float64) float64 {
	switch {
	case max(q0, 0)+max(q1, 0) > p.largest:
		return p.largest
	case min(q0, 0)+min(q1, 0) < p.least:
		return p.least
	}
	return 0
}

// units returns a weight in units of its scale, as what quantizes it rounds it.
func units(w, inverse float32, zero float64) float64 { return float64(float32(w*inverse)) + zero }

// project moves the weights of one output channel that its parameters take to a pair that is not safe, to the nearest values of
// which they do not. dst may be src.
func (p *weightPairs) project(dst, src []float32, scale float32, zero, qmin, qmax int32) {
	copy(dst, src)
	inverse, z, lo, hi := 1/scale, float64(zero), float64(qmin), float64(qmax)
	for i := 0; i+1 < len(p.order); i += 2 {
		a, b := p.order[i], p.order[i+1]
		if b < 0 {
			continue
		}
		u0, u1 := units(src[a], inverse, z), units(src[b], inverse, z)
		if math.Abs(u0)+math.Abs(u1) <= p.largest-1 {
			continue // which rounding does not take beyond it
		}
		r0, r1 := min(max(math.RoundToEven(u0), lo), hi), min(max(math.RoundToEven(u1), lo), hi)
		if p.exceeded(r0, r1) != 0 {
			q0, q1 := p.fit(u0, u1, lo, hi)
			dst[a], dst[b] = float32((q0-z)*float64(scale)), float32((q1-z)*float64(scale))
		}
	}
}

// projected is project of a whole weight [outs, ...]; w itself where there is no constraint.
func (p *weightPairs) projected(w *tensor.Tensor, q *tensor.QParams) *tensor.Tensor {
	if p == nil {
		return w
	}
	w = w.Contiguous().Clone()
	x, outs := w.Float32s(), w.Dim(0)
	size := len(x) / max(outs, 1)
	for o := range outs {
		row, k := x[o*size:(o+1)*size], o%len(q.Scale)
		p.project(row, row, q.Scale[k], q.ZeroPoint[k], q.Min, q.Max)
	}
	return w
}

// scaleSteps returns how many scales the search tries for so many weights beyond the observed one, up to that with which rounding
// alone makes all pairs safe. With few weights the error depends on how each is rounded, with many it is smooth.
func scaleSteps(weights int) int { return min(max(1<<16/max(weights, 1), 16), 128) }

// scaleRefinements is how often the best scale is then fitted to the integers it gives.
const scaleRefinements = 4

// pairScale is the search for a scale of the weights x, in the order of pairs. All errors count alike, also where the inputs' second
// moments are known: weighted by those, many small errors of one sign are taken for less than they are, since inputs go together.
type pairScale struct {
	*weightPairs
	x          []float32
	qmin, qmax float64
}

// cost is how far the integers that a scale gives are from the weights, and the scale that fits those integers best.
func (s *pairScale) cost(scale float32, most float64) (sum float64, best float32) {
	inverse, step := 1/scale, float64(scale)
	var xq, qq float64
	for i := 0; i+1 < len(s.x) && sum <= most; i += 2 {
		x0, x1 := float64(s.x[i]), float64(s.x[i+1])
		q0, q1 := s.fit(units(s.x[i], inverse, 0), units(s.x[i+1], inverse, 0), s.qmin, s.qmax)
		// The conversions keep the compiler of some CPUs from fusing: all give the same file.
		d0, d1 := x0-float64(q0*step), x1-float64(q1*step)
		sum += float64(d0*d0) + float64(d1*d1)
		xq += float64(x0*q0) + float64(x1*q1)
		qq += float64(q0*q0) + float64(q1*q1)
	}
	return sum, float32(xq / qq)
}

// search returns the scale, no less than the observed one, of least cost.
func (s *pairScale) search(observed float32) float32 {
	safe := observed // the scale with which all pairs are
	for i := 0; i+1 < len(s.x); i += 2 {
		x0, x1 := s.x[i], s.x[i+1]
		safe = max(safe, (max(x0, 0)+max(x1, 0))/float32(s.largest-1), (min(x0, 0)+min(x1, 0))/float32(s.least+1))
	}
	if safe == observed {
		return observed
	}
	scale := observed
	least, fitted := s.cost(observed, math.Inf(1))
	steps := scaleSteps(len(s.x))
	for i := 1; i <= steps; i++ {
		at := observed + float32((safe-observed)*float32(i))/float32(steps)
		if c, f := s.cost(at, least); c < least {
			scale, least, fitted = at, c, f
		}
	}
	for range scaleRefinements {
		if !(fitted >= observed && isFinite(fitted)) {
			break
		}
		c, f := s.cost(fitted, least)
		if !(c < least) {
			break
		}
		scale, least, fitted = fitted, c, f
	}
	return scale
}

// scales returns the observed parameters of a weight [outs, ...] with the scales, each no less than the observed one, of least
// square error under the constraint.
func (p *weightPairs) scales(w *tensor.Tensor, q *tensor.QParams) *tensor.QParams {
	if w.Numel() == 0 {
		return q
	}
	found := *q
	found.Scale = append([]float32(nil), q.Scale...)
	src, outs := w.Contiguous().Float32s(), w.Dim(0)
	size, rows := len(src)/max(outs, 1), outs/len(q.Scale) // rows share a scale
	var next atomic.Int64
	var wait sync.WaitGroup
	for range min(fastcores.Threads(), len(q.Scale)) {
		wait.Go(func() {
			s := pairScale{weightPairs: p, x: make([]float32, rows*len(p.order)), qmin: float64(q.Min), qmax: float64(q.Max)}
			for k := int(next.Add(1)) - 1; k < len(q.Scale); k = int(next.Add(1)) - 1 {
				for r := range rows {
					o := k*rows + r
					inOrder(s.x[r*len(p.order):], src[o*size:(o+1)*size], p.order)
				}
				found.Scale[k] = s.search(q.Scale[k])
			}
		})
	}
	wait.Wait()
	return &found
}

// inOrder writes the weights of one output channel in the order of pairs.
func inOrder(dst, src []float32, order []int32) {
	for i, at := range order {
		dst[i] = 0
		if at >= 0 {
			dst[i] = src[at]
		}
	}
}

// safeScales is scales of a layer's weight. They are kept: tuning asks for them time and again.
func (q *Quantizer) safeScales(p *weightPairs, n *graph.Node, params *tensor.QParams) *tensor.QParams {
	w := n.Inputs[1].Const.Contiguous()
	key := safeKey{
		weight: maphash.Bytes(q.seed, w.Bytes()), params: maphash.String(q.seed, fmt.Sprint(*params)),
		order: maphash.String(q.seed, fmt.Sprint(p.order)), least: p.least, largest: p.largest,
	}
	if q.safe[key] == nil {
		q.safe[key] = p.scales(w, params)
	}
	return q.safe[key]
}

// safeKey says what the scales of a weight follow from, by hashes.
type safeKey struct {
	weight, params, order uint64
	least, largest        float64
}
