package graph

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// InputError says that the inputs of a run do not fit the model.
type InputError struct {
	Index  int    // of the input, -1 when their number is wrong or several do not fit together
	Name   string // of the input
	Reason string
	// Want and Got say what the model takes and what was given, where that can be told: a number
	// of inputs, an element type, dimensions, extents, or quantization parameters.
	Want, Got string
	// Err is what an operator reported about it, or nil.
	Err error
}

// Error names the input.
func (e *InputError) Error() string {
	if e.Index < 0 {
		return "inputs: " + e.Reason
	}
	return fmt.Sprintf("input %d (%s): %s", e.Index, e.Name, e.Reason)
}

// Unwrap returns the cause.
func (e *InputError) Unwrap() error { return e.Err }

// checkInputs checks inputs against what the graph says of them. Whether the operators accept
// their shapes, planning finds.
func (g *Graph) checkInputs(inputs []*tensor.Tensor) error {
	if len(inputs) != len(g.Inputs) {
		return &InputError{
			Index: -1, Reason: fmt.Sprintf("%d given where the graph has %d", len(inputs), len(g.Inputs)),
			Want: fmt.Sprint(len(g.Inputs)), Got: fmt.Sprint(len(inputs)),
		}
	}
	for i, v := range g.Inputs {
		t := inputs[i]
		if t == nil {
			return &InputError{Index: i, Name: v.Name, Reason: "it is missing", Want: v.Type.String()}
		}
		var reason string
		switch {
		case t.DType() != v.Type.DType:
			reason = fmt.Sprintf("it is %v where the graph takes %v", t.DType(), v.Type.DType)
		case t.Rank() != len(v.Type.Shape):
			reason = fmt.Sprintf("it has shape %v where the graph takes %d dimensions, such as %v", t.Shape(), len(v.Type.Shape), v.Type.Shape)
		case !v.acceptsParams(t):
			reason = fmt.Sprintf("its quantization parameters are %v where the graph takes %v", t.QParams(), v.Type.Q)
		case v.Guard.outside(t) >= 0:
			axis := v.Guard.outside(t)
			reason = fmt.Sprintf("its extent %d is %d where the graph takes %v", axis, t.Dim(axis), v.Guard.Bounds[axis])
		case !v.Guard.admits(t):
			reason = fmt.Sprintf("its shape %v or value is not the one this graph was made for, %v", t.Shape(), v.Type.Shape)
		default:
			continue
		}
		got := ops.Type{DType: t.DType(), Shape: t.Shape(), Q: t.QParams()}
		return &InputError{Index: i, Name: v.Name, Reason: reason, Want: v.Type.String(), Got: got.String()}
	}
	return g.checkRelations(inputs)
}

// acceptsParams reports whether t has the quantization parameters of an input of a graph. A
// tensor without any is taken for what the graph quantized: files of arrays carry none.
func (v *Value) acceptsParams(t *tensor.Tensor) bool {
	return t.QParams() == nil || t.QParams().Equal(v.Type.Q)
}

// unfit makes an error of the inputs of what planning for them reported, when that is about types.
func (g *Graph) unfit(inputs []ops.Type, err error) error {
	var (
		shape *ops.ShapeError
		input *InputError
	)
	if !errors.As(err, &shape) || errors.As(err, &input) {
		return err
	}
	e := &InputError{Index: -1, Reason: err.Error(), Got: fmt.Sprint(inputs), Err: err}
	if len(g.Inputs) == len(inputs) {
		e.Want = fmt.Sprint("such as ", typesOf(g.Inputs))
	}
	if i := g.culprit(inputs, err); i >= 0 {
		e.Index, e.Name, e.Got = i, g.Inputs[i].Name, inputs[i].String()
		if len(g.Inputs[i].Type.Shape) > 0 {
			e.Want = "such as " + g.Inputs[i].Type.String()
		}
	}
	return e
}

// culprit returns the one input that has another shape than the example and that the failing
// node depends on, or -1.
func (g *Graph) culprit(inputs []ops.Type, err error) int {
	if len(inputs) == 1 && len(g.Inputs) > 0 {
		return 0
	}
	var node *NodeError
	if !errors.As(err, &node) || len(g.Inputs) != len(inputs) {
		return -1
	}
	seen := make(map[*Value]bool)
	work := slices.Clone(node.Node.Inputs)
	for len(work) > 0 {
		v := work[len(work)-1]
		work = work[:len(work)-1]
		if seen[v] {
			continue
		}
		seen[v] = true
		if v.Node != nil {
			work = append(work, v.Node.Inputs...)
		}
	}
	found := -1
	for i, v := range g.Inputs {
		if !seen[v] || v.Type.Shape.Equal(inputs[i].Shape) {
			continue
		}
		if found >= 0 {
			return -1
		}
		found = i
	}
	return found
}

// planKey names the types of a set of inputs.
func planKey(buf []byte, inputs []*tensor.Tensor) []byte {
	for _, t := range inputs {
		if t == nil {
			buf = append(buf, 0xfe, 0xff, 0xff)
			continue
		}
		buf = append(buf, byte(t.DType()))
		for _, d := range t.Shape() {
			for ; d >= 0x80; d >>= 7 {
				buf = append(buf, byte(d)|0x80)
			}
			buf = append(buf, byte(d))
		}
		buf = append(buf, 0xff, 0xff)
		if q := t.QParams(); q != nil {
			buf = append(buf, byte(q.DType), byte(q.Scheme))
			for _, n := range []int{q.Axis, int(q.Min), int(q.Max), len(q.Scale), len(q.ZeroPoint)} {
				buf = binary.AppendVarint(buf, int64(n))
			}
			for _, s := range q.Scale {
				buf = binary.LittleEndian.AppendUint32(buf, math.Float32bits(s))
			}
			for _, z := range q.ZeroPoint {
				buf = binary.AppendVarint(buf, int64(z))
			}
		}
	}
	return buf
}

// valuesKey names the values of the inputs that a specialized graph may depend on.
func valuesKey(buf []byte, inputs []*tensor.Tensor) []byte {
	for _, t := range inputs {
		if t != nil && t.Rank() == 0 {
			buf = append(buf, t.Contiguous().Bytes()...)
		}
	}
	return buf
}
