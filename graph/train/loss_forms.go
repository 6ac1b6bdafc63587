package train

import (
	"fmt"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// CrossEntropyAlong is CrossEntropy at each place of an output [N, ...] whose classes lie along an axis, 1 for those of pixels
// as torch.nn.functional.cross_entropy has them. The target is int64 of the output's shape without the axis; -100 does not count.
func CrossEntropyAlong(axis int) Loss {
	return func(g *graph.Graph, outputs []*graph.Value) (*graph.Value, error) {
		logits, err := first(outputs)
		if err != nil {
			return nil, err
		}
		b := newBuilder(g)
		rows, places, err := b.classesLast(logits, axis)
		if err != nil {
			return nil, err
		}
		labels := b.Add(ops.Reshape{Shape: []int{rows.Type.Shape[0]}}, g.Input("labels", tensor.Int64, places...))
		return b.Add(ops.CrossEntropy{}, rows, labels), b.Err()
	}
}

// classesLast returns an output as rows of classes [places, C], and the shape of the places.
func (b *builder) classesLast(v *graph.Value, axis int) (rows *graph.Value, places []int, err error) {
	shape := v.Type.Shape
	if axis < 1 || axis >= len(shape) {
		return nil, nil, fmt.Errorf("train: the output %v has no axis %d of classes", v.Type, axis)
	}
	var order []int
	n := 1
	for i, e := range shape {
		if i != axis {
			order, places, n = append(order, i), append(places, e), n*e
		}
	}
	last := b.Add(ops.Permute{Order: append(order, axis)}, v)
	rows = b.Add(ops.Reshape{Shape: []int{n, shape[axis]}}, last)
	return rows, places, b.Err()
}

// BinaryCrossEntropy is the mean of softplus(x) - x*y over all logits x, as torch.nn.functional.binary_cross_entropy_with_logits
// computes it. The target y, 0 to 1, is a float32 of the output's shape.
func BinaryCrossEntropy(g *graph.Graph, outputs []*graph.Value) (*graph.Value, error) {
	x, err := first(outputs)
	if err != nil {
		return nil, err
	}
	b := newBuilder(g)
	return b.binaryCrossEntropy(x, g.Input("target", tensor.Float32, x.Type.Shape...)), b.Err()
}

// binaryCrossEntropy is the mean of x - x*y - log sigmoid(x).
func (b *builder) binaryCrossEntropy(x, y *graph.Value) *graph.Value {
	d := b.Add(ops.Binary{Fn: ops.Sub}, x, b.Add(ops.Binary{Fn: ops.Mul}, x, y))
	d = b.Add(ops.Binary{Fn: ops.Sub}, d, b.Add(ops.Unary{Fn: ops.LogSigmoid}, x))
	return b.Add(ops.Reduce{Fn: ops.Mean}, d)
}

// DistillBinary is BinaryCrossEntropy with sigmoid of the teacher's logits, float32 of the output's shape, as the target.
func DistillBinary(g *graph.Graph, outputs []*graph.Value) (*graph.Value, error) {
	x, err := first(outputs)
	if err != nil {
		return nil, err
	}
	b := newBuilder(g)
	teacher := b.Add(ops.Unary{Fn: ops.Sigmoid}, g.Input("teacher", tensor.Float32, x.Type.Shape...))
	return b.binaryCrossEntropy(x, teacher), b.Err()
}

// DistillAlong is Distill for classes along an axis.
func DistillAlong(axis int, temperature float32) Loss {
	return func(g *graph.Graph, outputs []*graph.Value) (*graph.Value, error) {
		student, err := first(outputs)
		if err != nil {
			return nil, err
		}
		if axis < 1 || axis >= len(student.Type.Shape) {
			return nil, fmt.Errorf("train: the output %v has no axis %d of classes", student.Type, axis)
		}
		b := newBuilder(g)
		loss := b.distill(student, g.Input("teacher", tensor.Float32, student.Type.Shape...), axis, temperature)
		return loss, b.Err()
	}
}
