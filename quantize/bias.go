package quantize

import (
	"fmt"

	"github.com/octet-ml/octet/ops/int8"
	"github.com/octet-ml/octet/tensor"
)

// biasQParams returns the parameters of a bias, which is added to the products
// of a weight and an activation and so has their scale: weight scale times
// activation scale in float32, zero point 0, int32, along dimension 0 where the
// weight is per channel.
func biasQParams(weight, activation *tensor.QParams) (*tensor.QParams, error) {
	if weight == nil || activation == nil || len(weight.Scale) == 0 || len(activation.Scale) != 1 {
		return nil, fmt.Errorf("quantize: the scale of a bias needs one of the weight, or one per channel, and one of the activation: have %v and %v", weight, activation)
	}
	spec := symmetricS32
	if weight.Scheme.PerChannel() {
		spec = channelSymmetricS32
	}
	q := &tensor.QParams{DType: spec.DType, Scheme: spec.Scheme, Scale: make([]float32, len(weight.Scale)), ZeroPoint: make([]int32, len(weight.Scale))}
	q.Min, q.Max = spec.Range()
	for i, s := range weight.Scale {
		// Two small scales may underflow; the bias then has nothing to add to.
		q.Scale[i] = max(s*activation.Scale[0], 0x1p-149)
	}
	return q, nil
}

// checkBias returns what is wrong with the bias's spec.
func (o Options) checkBias() error {
	switch {
	case o.Bias == nil:
		return nil
	case o.Dynamic || o.backend().FloatBias:
		return fmt.Errorf("the backend %v adds biases in float32 and rounds none", o.Backend)
	case o.Bias.DType != tensor.Int32 || !o.Bias.Scheme.Symmetric() || o.Bias.Axis != 0:
		return &SpecError{*o.Bias, "biases are int32, symmetric"}
	}
	return o.Bias.Validate()
}

// limitBias narrows the parameters of a bias to the integers of the options.
func (o Options) limitBias(q *tensor.QParams) *tensor.QParams {
	if o.Bias != nil {
		q.Min, q.Max = o.Bias.Range()
	}
	return q
}

// coverBias raises weight scales that are so small that a bias would not fit
// the accumulator: those of channels whose weights are all but zero.
func coverBias(q *tensor.QParams, sx float32, bias []float32) *tensor.QParams {
	var raised *tensor.QParams
	for i, b := range bias {
		k := i % len(q.Scale)
		least := int8.LeastWeightScale(b, sx)
		if q.Scale[k] >= least {
			continue
		}
		if raised == nil {
			r := *q
			r.Scale = append([]float32(nil), q.Scale...)
			raised = &r
			q = raised
		}
		raised.Scale[k] = least
	}
	return q
}
