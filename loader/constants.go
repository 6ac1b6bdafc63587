package loader

import (
	"errors"
	"fmt"
	"slices"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/int8"
	"github.com/octet-ml/octet/tensor"
)

// constantRecord is a constant. Scales and zero points of channels are tensors of
// the file: as text they would take longer to read than all weights.
type constantRecord struct {
	Name       string          `json:"name"`
	Tensor     string          `json:"tensor"` // its name in the file
	DType      tensor.DType    `json:"dtype"`  // where it is not that of the tensor
	QParams    *tensor.QParams `json:"qparams"`
	Scales     string          `json:"scales"`      // a tensor, of parameters per channel
	ZeroPoints string          `json:"zero_points"` // a tensor, or "" where all are 0
	// BiasScales says that the scales are those of the sums that the bias is added to, of the first layer that has it.
	BiasScales bool `json:"bias_scales"`
}

// encodeConstant returns the record of a constant. bias says that its scales follow from the layer that has it.
func encodeConstant(v *graph.Value, bias bool, tensors *tensorNames, opts SaveOptions) (constantRecord, error) {
	r := constantRecord{Name: v.Name}
	if err := v.Const.Load(); err != nil {
		return r, err
	}
	q := v.Const.QParams()
	if q != nil && (q.DType != v.Const.DType() || q.Validate(v.Const.Shape()) != nil) {
		return r, fmt.Errorf("%v has parameters that do not fit: %v", v.Const, q)
	}
	stored, dtype, err := tensors.narrow(v.Const, opts)
	if err != nil {
		return r, err
	}
	r.Tensor, r.DType, r.QParams = tensors.add(v.Name, stored), dtype, q
	if q == nil || !q.Scheme.PerChannel() {
		return r, nil
	}
	kept := *q
	kept.Scale, kept.ZeroPoint = nil, nil
	r.QParams, r.BiasScales = &kept, bias
	if bias {
		return r, nil
	}
	return r, r.addChannels(q, tensors)
}

// addChannels moves the scales and zero points of channels to tensors.
func (r *constantRecord) addChannels(q *tensor.QParams, tensors *tensorNames) error {
	scales, err := tensor.FromSlice(q.Scale, len(q.Scale))
	if err != nil {
		return err
	}
	r.Scales = tensors.add(r.Name+".scale", scales)
	if slices.ContainsFunc(q.ZeroPoint, func(z int32) bool { return z != 0 }) {
		zeros, err := tensor.FromSlice(q.ZeroPoint, len(q.ZeroPoint))
		if err != nil {
			return err
		}
		r.ZeroPoints = tensors.add(r.Name+".zero_point", zeros)
	}
	return nil
}

// biasScales returns the constants that a layer adds to its sums before anything else uses them, and whose scales are, to the bit,
// those of the sums.
func biasScales(g *graph.Graph) map[*graph.Value]bool {
	first := make(map[*graph.Value]bool)
	for _, n := range g.Nodes {
		bias, scales := biasOf(n.Op, n.Inputs)
		for _, v := range n.Inputs {
			if _, seen := first[v]; !seen && v.Const != nil {
				q := v.Const.QParams()
				first[v] = v == bias && q != nil && slices.Equal(q.Scale, scales) && !slices.ContainsFunc(q.ZeroPoint, func(z int32) bool { return z != 0 })
			}
		}
	}
	return first
}

// biasOf returns the int32 bias of a layer and the scales of what it is added to, nil of other operators.
func biasOf(op ops.Op, in []*graph.Value) (*graph.Value, []float32) {
	types := make([]ops.Type, len(in))
	for i, v := range in {
		types[i] = v.Type
	}
	if i, scales := int8.BiasScales(op, types); i >= 0 {
		return in[i], scales
	}
	return nil, nil
}

func decodeConstant(g *graph.Graph, c *constantRecord, tensors map[string]*tensor.Tensor) (*graph.Value, error) {
	t := tensors[c.Tensor]
	if t == nil {
		return nil, fmt.Errorf("no tensor %q in the file", c.Tensor)
	}
	if c.DType != tensor.Invalid {
		if c.QParams != nil || c.DType != tensor.Float32 || t.DType() != tensor.Float16 && t.DType() != tensor.BFloat16 {
			return nil, fmt.Errorf("%v in the file for %v", t, c.DType)
		}
		var err error
		if t, err = widen(t, c.DType); err != nil {
			return nil, err
		}
	}
	if q := c.QParams; c.BiasScales && (q == nil || !q.Scheme.PerChannel() || c.Scales != "" || c.ZeroPoints != "") {
		return nil, errors.New("scales of a layer's sums beside others")
	}
	if c.QParams == nil || c.BiasScales {
		return g.Const(c.Name, t), nil
	}
	if c.Scales != "" {
		if err := c.readChannels(tensors); err != nil {
			return nil, err
		}
	}
	return g.Const(c.Name, t.WithQParams(c.QParams)), fitQParams(c.QParams, t.DType(), t.Shape())
}

// readChannels takes the scales and zero points of channels from their tensors.
func (r *constantRecord) readChannels(tensors map[string]*tensor.Tensor) error {
	scales, zeros := tensors[r.Scales], tensors[r.ZeroPoints]
	switch {
	case scales == nil || scales.DType() != tensor.Float32 || scales.Rank() != 1:
		return fmt.Errorf("no vector %q of float32 scales in the file", r.Scales)
	case r.ZeroPoints != "" && (zeros == nil || zeros.DType() != tensor.Int32 || zeros.Rank() != 1):
		return fmt.Errorf("no vector %q of int32 zero points in the file", r.ZeroPoints)
	}
	r.QParams.Scale = slices.Clone(scales.Float32s())
	if zeros != nil {
		r.QParams.ZeroPoint = slices.Clone(zeros.Int32s())
	} else {
		r.QParams.ZeroPoint = make([]int32, len(r.QParams.Scale))
	}
	return nil
}

// biases are constants whose scales come with the layer that has them.
type biases map[*graph.Value]*tensor.QParams

// give gives the bias of a layer that is about to be added its scales.
func (b biases) give(op ops.Op, in []*graph.Value) error {
	if len(b) == 0 {
		return nil
	}
	v, scales := biasOf(op, in)
	q := b[v]
	if q == nil {
		return nil
	}
	delete(b, v)
	q.Scale, q.ZeroPoint = scales, make([]int32, len(scales))
	v.Const = v.Const.WithQParams(q)
	v.Type = ops.TypeOf(v.Const)
	return fitQParams(q, v.Const.DType(), v.Const.Shape())
}

// left returns the name of one that no layer has, and whether there is one.
func (b biases) left() (string, bool) {
	for v := range b {
		return v.Name, true
	}
	return "", false
}
