package quantize

import (
	"fmt"
	"hash/maphash"
	"math"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/tensor"
)

// weightQParams returns the parameters of a layer's weight, by the type that
// the observer has: the learned ones, or the observed ones, made pair-safe where the spec says so.
func (q *Quantizer) weightQParams(p *prepared, n *graph.Node) (*tensor.QParams, error) {
	if l := q.learned.weight(p.layers[n]); l != nil {
		return l.qparams()
	}
	obs, err := q.weightConfig(n).New(p.layers[n])
	if err != nil {
		return nil, err
	}
	if err := obs.Observe(n.Inputs[1].Const); err != nil {
		return nil, err
	}
	params, err := obs.QParams()
	if pairs := q.pairsOf(n); err == nil && pairs != nil {
		params = q.safeScales(pairs, n, params)
	}
	return params, err
}

// biasQParams returns the parameters a bias is fake-quantized with.
func (q *Quantizer) biasQParams(weight, activation *tensor.QParams) (*tensor.QParams, error) {
	derive := q.opts.backend().BiasQParams
	if derive == nil {
		derive = func(weight, activation *tensor.QParams, _ Kind) (*tensor.QParams, error) {
			return biasQParams(weight, activation)
		}
	}
	b, err := derive(weight, activation, q.observers.Activation.Kind)
	if err != nil {
		return nil, err
	}
	return q.opts.limitBias(b), nil
}

// constants are the weight and the bias of a layer as quantization leaves them.
type constants struct {
	weight *tensor.Tensor // int8
	bias   *tensor.Tensor // float32, nil without one
}

// constantsKey says what constants follow from, apart from the weight itself.
type constantsKey struct {
	name     string
	weight   uint64 // hash of the float weight
	params   uint64 // hash of its parameters
	rounding Rounding
	correct  bool
	safe     bool  // whether pairs are constrained
	rows     int64 // of the moments
}

// layerConstants quantizes the weight of a layer, by its observer and the chosen
// rounding, and corrects its bias. Where inputScale is not 0, the bias will be
// an integer in units of it times the weight's scale, and the scales are raised where it
// would not fit. Learned weights are kept: tuning asks for them time and again.
func (q *Quantizer) layerConstants(p *prepared, n *graph.Node, inputScale float32) (*constants, error) {
	w := n.Inputs[1].Const.Contiguous()
	c := &constants{}
	if hasBias(n.Op) {
		c.bias = n.Inputs[2].Const
	}
	params, err := q.weightQParams(p, n)
	if err != nil {
		return nil, err
	}
	params = stored(params, tensor.Int8)
	pairs, chosen := q.pairsOf(n), params
	if c.bias != nil && inputScale > 0 {
		params = coverBias(params, inputScale, c.bias.Contiguous().Float32s())
	}
	var m *moments
	var key constantsKey
	if q.opts.needsMoments() {
		name := p.layers[n]
		sums := q.moments[name]
		if sums == nil || sums.rows == 0 || q.opts.Rounding == Learned && sums.products == nil || !sums.fits(n) {
			return nil, fmt.Errorf("quantize: correcting biases and learning to round %q: %w: run the calibration with these options", name, ErrNoData)
		}
		key = constantsKey{
			name: name, weight: maphash.Bytes(q.seed, w.Bytes()), params: maphash.String(q.seed, fmt.Sprint(*params)),
			rounding: q.opts.Rounding, correct: q.opts.CorrectBias, safe: pairs != nil, rows: sums.rows,
		}
		if kept := q.rounded[key]; kept != nil {
			return kept, nil
		}
		m = sums.moments()
		if s, _ := p.smoothedBy(n); s != nil && s.factor != nil {
			m = m.smoothed(s)
		}
		if f := p.inputFactor[n]; f != nil {
			m = m.divided(f)
		}
	}
	if q.opts.Rounding == Learned {
		c.weight, err = learnedWeight(w, params, m, q.opts.CorrectBias, pairs)
	} else {
		// What training projects. A scale that was raised for a bias leaves it safe.
		c.weight, err = pairs.projected(w, chosen).Quantize(params)
	}
	if err != nil || m == nil {
		return c, err
	}
	if q.opts.CorrectBias {
		if c.bias, err = correctBias(c.bias, w, c.weight, m); err != nil {
			return nil, err
		}
	}
	q.rounded[key] = c
	return c, nil
}

// correctBias returns the bias, 0 where there is none, less the mean of what
// quantizing the weight w to qw adds to the layer's outputs.
func correctBias(bias, w, qw *tensor.Tensor, m *moments) (*tensor.Tensor, error) {
	outs := w.Dim(0)
	out, err := tensor.New(tensor.Float32, outs)
	if err != nil {
		return nil, err
	}
	if bias != nil {
		copy(out.Float32s(), bias.Contiguous().Float32s())
	}
	q, src, ints := qw.QParams(), w.Float32s(), qw.Int8s()
	perGroup := outs / m.groups
	for g := range m.groups {
		mean := m.mean(g)
		for o := g * perGroup; o < (g+1)*perGroup; o++ {
			k := o % len(q.Scale)
			shift := 0.0
			for i, x := range mean {
				at := o*m.size + i
				shift += float64((float64(float64(int32(ints[at])-q.ZeroPoint[k])*float64(q.Scale[k])) - float64(src[at])) * x)
			}
			out.Float32s()[o] -= float32(shift)
		}
	}
	return out, nil
}

// sqnr is the signal to quantization noise ratio of a quantized tensor, in dB.
func sqnr(x, qx *tensor.Tensor) float64 { return weightNoise(x, qx).sqnr() }

// weightNoise returns the sums over a weight and its int8 form.
func weightNoise(x, qx *tensor.Tensor) sums {
	q := qx.QParams()
	channel := q.Channels(x.Shape())
	var s sums
	ints := qx.Int8s()
	for i, v := range x.Float32s() {
		c := channel(i)
		d := float64(v) - float64(float64(q.Scale[c])*float64(int32(ints[i])-q.ZeroPoint[c]))
		s.signal += float64(float64(v) * float64(v))
		s.noise += float64(d * d)
	}
	return s
}

// quantizeBias returns a bias as int32 in units of input scale times weight scale.
func (o Options) quantizeBias(bias []float32, x, w *tensor.QParams) (*tensor.Tensor, error) {
	b := make([]int32, len(bias))
	q := &tensor.QParams{
		DType: tensor.Int32, Scheme: tensor.PerChannelSymmetric,
		Scale: make([]float32, len(b)), ZeroPoint: make([]int32, len(b)), Min: math.MinInt32, Max: math.MaxInt32,
	}
	q = o.limitBias(q)
	for i, v := range bias {
		q.Scale[i] = x.Scale[0] * w.Scale[i%len(w.Scale)]
		b[i] = int32(min(max(math.RoundToEven(float64(v)/float64(q.Scale[i])), float64(q.Min)), float64(q.Max)))
	}
	t, err := tensor.FromSlice(b, len(b))
	if err != nil {
		return nil, err
	}
	return t.WithQParams(q), nil
}
