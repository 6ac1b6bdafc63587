package quantize

import (
	"math"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/tensor"
)

// weightQParams returns the parameters of a layer's weight, by the type that
// the observer has.
func (q *Quantizer) weightQParams(n *graph.Node) (*tensor.QParams, error) {
	if l := q.learned.weight(n); l != nil {
		return l.qparams()
	}
	obs, err := q.observers.Weight.New(n.Inputs[1].Name)
	if err != nil {
		return nil, err
	}
	if err := obs.Observe(n.Inputs[1].Const); err != nil {
		return nil, err
	}
	return obs.QParams()
}

// biasQParams returns the parameters a bias is fake-quantized with. The
// toolkit's Histogram observer leaves the scale its bias observers read at 1.
func (q *Quantizer) biasQParams(weight, activation *tensor.QParams) (*tensor.QParams, error) {
	if q.opts.Backend == FBGEMM && q.observers.Activation.Kind == Histogram {
		activation = tensor.PerTensor(activation.DType, 1, 0)
	}
	return BiasQParams(weight, activation)
}

// quantizeWeight returns w as int8:
// clamp(roundToEven(w * (1/scale)) + zero point, Min, Max).
func quantizeWeight(w *tensor.Tensor, q *tensor.QParams) (*tensor.Tensor, error) {
	out, err := tensor.New(tensor.Int8, w.Shape()...)
	if err != nil {
		return nil, err
	}
	src, dst := w.Float32s(), out.Int8s()
	channel := channelOf(w.Shape(), q)
	for i, v := range src {
		c := channel(i)
		t := float64(v*(1/q.Scale[c])) + 0
		dst[i] = int8(min(max(math.RoundToEven(t)+float64(q.ZeroPoint[c]), float64(q.Min)), float64(q.Max)))
	}
	return out.WithQParams(q), nil
}

// channelOf returns which scale an element in row-major order has.
func channelOf(shape tensor.Shape, q *tensor.QParams) func(i int) int {
	if !q.Scheme.PerChannel() {
		return func(int) int { return 0 }
	}
	inner := 1
	for _, d := range shape[q.Axis+1:] {
		inner *= d
	}
	n := shape[q.Axis]
	return func(i int) int { return i / inner % n }
}

// sqnr is the signal to quantization noise ratio of a quantized tensor, in dB.
func sqnr(x, qx *tensor.Tensor) float64 {
	q := qx.QParams()
	channel := channelOf(x.Shape(), q)
	var signal, noise float64
	ints := qx.Int8s()
	for i, v := range x.Float32s() {
		c := channel(i)
		d := float64(v) - float64(q.Scale[c])*float64(int32(ints[i])-q.ZeroPoint[c])
		signal += float64(v) * float64(v)
		noise += d * d
	}
	if noise == 0 {
		return math.Inf(1)
	}
	return 10 * math.Log10(signal/noise)
}

// quantizeBias returns a bias as int32 in units of input scale times weight scale.
func quantizeBias(bias []float32, x, w *tensor.QParams) (*tensor.Tensor, error) {
	b := make([]int32, len(bias))
	q := &tensor.QParams{
		DType: tensor.Int32, Scheme: tensor.PerChannelSymmetric,
		Scale: make([]float32, len(b)), ZeroPoint: make([]int32, len(b)), Min: math.MinInt32, Max: math.MaxInt32,
	}
	for i, v := range bias {
		q.Scale[i] = x.Scale[0] * w.Scale[i%len(w.Scale)]
		b[i] = int32(math.RoundToEven(float64(v) / float64(q.Scale[i])))
	}
	t, err := tensor.FromSlice(b, len(b))
	if err != nil {
		return nil, err
	}
	return t.WithQParams(q), nil
}
