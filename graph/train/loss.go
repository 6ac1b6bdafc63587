package train

import (
	"errors"
	"fmt"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// Loss adds to a graph what training makes small: one float32, computed from the
// outputs of the model and from targets, which it adds as inputs behind those of the model.
type Loss func(g *graph.Graph, outputs []*graph.Value) (*graph.Value, error)

// scope is that of the nodes which the trainer adds.
var scope = graph.Scope{Path: "loss"}

// CrossEntropy is the mean negative log-likelihood of the right classes, as
// torch.nn.functional.cross_entropy computes it. The target is int64 [N].
func CrossEntropy(g *graph.Graph, outputs []*graph.Value) (*graph.Value, error) {
	logits, err := first(outputs)
	if err != nil {
		return nil, err
	}
	return g.Add1(scope, ops.CrossEntropy{}, logits, g.Input("labels", tensor.Int64, logits.Type.Shape[:1]...))
}

// MeanSquaredError is mean((output - target)^2). The target is a float32 of the output's shape.
func MeanSquaredError(g *graph.Graph, outputs []*graph.Value) (*graph.Value, error) {
	y, err := first(outputs)
	if err != nil {
		return nil, err
	}
	b := newBuilder(g)
	d := b.Add(ops.Binary{Fn: ops.Sub}, y, g.Input("target", tensor.Float32, y.Type.Shape...))
	return b.Add(ops.Reduce{Fn: ops.Mean}, b.Add(ops.Unary{Fn: ops.Square}, d)), b.Err()
}

// Distill returns the loss of a student whose targets are the logits of a teacher, float32 of the shape of its
// own: with temperature T, T^2 times the mean Kullback-Leibler divergence of
// softmax(student/T) from softmax(teacher/T) (Hinton et al., 2015). Classes are the last dimension.
func Distill(temperature float32) Loss {
	return func(g *graph.Graph, outputs []*graph.Value) (*graph.Value, error) {
		student, err := first(outputs)
		if err != nil {
			return nil, err
		}
		b := newBuilder(g)
		teacher := g.Input("teacher", tensor.Float32, student.Type.Shape...)
		return b.distill(student, teacher, len(student.Type.Shape)-1, temperature), b.Err()
	}
}

// distill is the loss of Distill for classes along an axis.
func (b *builder) distill(student, teacher *graph.Value, axis int, temperature float32) *graph.Value {
	rows := float32(student.Type.Numel()) / float32(max(student.Type.Shape[axis], 1))
	scaled := func(v *graph.Value, factor float32) *graph.Value {
		return b.Add(ops.Binary{Fn: ops.Mul}, v, b.Const(tensor.Scalar(factor)))
	}
	teacher = scaled(teacher, 1/temperature)
	p := b.Add(ops.Softmax{Axis: axis}, teacher)
	logP := b.Add(ops.Softmax{Axis: axis, Log: true}, teacher)
	logQ := b.Add(ops.Softmax{Axis: axis, Log: true}, scaled(student, 1/temperature))
	divergence := b.Add(ops.Binary{Fn: ops.Mul}, p, b.Add(ops.Binary{Fn: ops.Sub}, logP, logQ))
	return scaled(b.Add(ops.Reduce{Fn: ops.Sum}, divergence), temperature*temperature/rows)
}

// Term is a loss with its weight in a sum.
type Term struct {
	Weight float32
	Loss   Loss
}

// Sum returns the weighted sum of losses. Their targets follow each other in the same order.
func Sum(terms ...Term) Loss {
	return func(g *graph.Graph, outputs []*graph.Value) (*graph.Value, error) {
		var sum *graph.Value
		b := newBuilder(g)
		for _, t := range terms {
			l, err := t.Loss(g, outputs)
			if err != nil {
				return nil, err
			}
			l = b.Add(ops.Binary{Fn: ops.Mul}, l, g.Const("", tensor.Scalar(t.Weight)))
			if sum != nil {
				l = b.Add(ops.Binary{Fn: ops.Add}, sum, l)
			}
			sum = l
		}
		if sum == nil {
			return nil, errors.New("train: a sum of no losses")
		}
		return sum, b.Err()
	}
}

// Of returns a loss of output i of the model alone, which it sees as the first.
func Of(i int, l Loss) Loss {
	return func(g *graph.Graph, outputs []*graph.Value) (*graph.Value, error) {
		if i < 0 || i >= len(outputs) {
			return nil, fmt.Errorf("train: a loss of output %d of a model with %d", i, len(outputs))
		}
		return l(g, outputs[i:i+1])
	}
}

func first(outputs []*graph.Value) (*graph.Value, error) {
	if len(outputs) == 0 || outputs[0].Type.DType != tensor.Float32 || len(outputs[0].Type.Shape) == 0 {
		return nil, errors.New("train: the loss needs a model whose first output is float32 with samples first")
	}
	return outputs[0], nil
}

// builder writes a loss.
type builder struct{ graph.Builder }

func newBuilder(g *graph.Graph) *builder {
	return &builder{graph.Builder{Graph: g, Scope: scope}}
}
