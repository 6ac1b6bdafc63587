package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/octet-ml/octet/bench"
	"github.com/octet-ml/octet/graph/train"
	"github.com/octet-ml/octet/tensor"
)

const lossHelp = "cross-entropy (of classes, at each pixel or token too), bce (binary cross-entropy with logits), mse, or with --distill kl, bce or mse " +
	"(default: what outputs and labels suggest)"

// lossNames lists the losses, with labels and with --distill.
func lossNames(distill bool) []string {
	if distill {
		return []string{"kl", "bce", "mse"}
	}
	return []string{"cross-entropy", "bce", "mse"}
}

// trainingLoss is a loss and the form of its target.
type trainingLoss struct {
	name  string
	axis  int // of classes, -1 without
	float bool
	loss  train.Loss

	outputs []int // of the teacher, that are targets
}

// chooseLoss takes the loss that the first output and the labels of the samples suggest, or the named one.
func (t *training) chooseLoss() error {
	out, err := t.try(t.samples)
	if err != nil {
		return err
	}
	if !out[0].DType().IsFloat() || out[0].Rank() == 0 {
		return usagef("%s cannot be trained: its first output is %v, where floats per sample are needed", t.path, out[0])
	}
	labels, err := t.samples.Targets(t.work.model)
	if err != nil {
		return err
	}
	l, err := lossFor(t.flags, out, labels)
	if err != nil {
		return t.samples.Mislabelled(t.work.model, err)
	}
	if l.name == "cross-entropy" {
		if err := checkClasses(labels, out[0].Dim(l.axis)); err != nil {
			return t.samples.Mislabelled(t.work.model, err)
		}
	}
	t.result.Loss = l.name
	if l.axis > 0 && len(l.outputs) < 2 {
		t.result.Loss += fmt.Sprintf(" of %d classes along axis %d", out[0].Dim(l.axis), l.axis)
	}
	t.note("loss %s, for the output %v", t.result.Loss, out[0])
	t.loss, t.outShape, t.opts.Loss = l, out[0].Shape(), l.loss
	return nil
}

func lossFor(f *trainFlags, out []*tensor.Tensor, labels *tensor.Tensor) (trainingLoss, error) {
	m, err := bench.ChooseMetric("", out, labels)
	if f.distill {
		return distillAll(f, out, m, err), nil
	}
	name := f.loss
	if err != nil && (name == "" || name == "cross-entropy") {
		return trainingLoss{}, err
	}
	if name == "" {
		switch {
		case m.OneHot():
			return trainingLoss{}, usagef("--data %s has one-hot labels: give the classes as integers, or --loss bce", f.data)
		case m.Name == bench.R2, m.Name == bench.Binary && m.OfProbabilities():
			name = "mse"
		case m.Name == bench.Binary:
			name = "bce"
		default:
			name = "cross-entropy"
		}
	}
	switch {
	case name == "cross-entropy" && (m.Axis() < 1 || m.OneHot()):
		return trainingLoss{}, usagef("--loss cross-entropy: labels %v are not classes of the output %v", labels, out[0])
	case name == "cross-entropy":
		return trainingLoss{name: name, axis: m.Axis(), float: false, loss: train.CrossEntropyAlong(m.Axis())}, nil
	case labels.Numel()/labels.Dim(0) != out[0].Numel()/out[0].Dim(0):
		return trainingLoss{}, usagef("--loss %s: labels %v do not have the form of the output %v", name, labels, out[0])
	case name == "bce" && (err != nil || m.Name != bench.Binary && !m.OneHot()):
		return trainingLoss{}, usagef("--loss bce: labels %v are not all 0 or 1", labels)
	case name == "bce":
		return trainingLoss{name: name, axis: -1, float: true, loss: train.BinaryCrossEntropy}, nil
	}
	return trainingLoss{name: "mse", axis: -1, float: true, loss: train.MeanSquaredError}, nil
}

// distillAll is the mean of the losses of all outputs that are floats per sample: each is that which fits it, of the first output by
// the metric, of which err says that there is none.
func distillAll(f *trainFlags, out []*tensor.Tensor, m *bench.Metric, err error) trainingLoss {
	l := distillLoss(f, out[0], m, err)
	l.outputs = []int{0}
	terms := []train.Term{{Loss: train.Of(0, l.loss)}}
	names := []string{l.name}
	for i, y := range out[1:] {
		if y.DType() != tensor.Float32 || y.Rank() == 0 || y.Dim(0) != out[0].Dim(0) {
			continue
		}
		own, err := bench.ChooseMetric(bench.Agreeing, []*tensor.Tensor{y}, nil)
		if f.loss == "" && !f.tempered {
			own, err = nil, &bench.MetricError{} // nothing says that it has classes
		}
		next := distillLoss(f, y, own, err)
		l.outputs = append(l.outputs, i+1)
		names = append(names, next.name)
		terms = append(terms, train.Term{Loss: train.Of(i+1, next.loss)})
	}
	if len(terms) == 1 {
		return l
	}
	for i := range terms {
		terms[i].Weight = 1 / float32(len(terms))
	}
	l.name, l.loss = fmt.Sprintf("mean of %s of %d outputs", strings.Join(names, ", "), len(terms)), train.Sum(terms...)
	return l
}

// distillLoss fits the output: of classes where labels, --loss or --temperature say that there are any.
func distillLoss(f *trainFlags, out *tensor.Tensor, m *bench.Metric, err error) trainingLoss {
	axis := -1
	switch {
	case err == nil && m.Axis() > 0:
		axis = m.Axis()
	case out.Rank() == 2 && out.Dim(1) > 1 && (f.loss == "kl" || f.tempered):
		axis = 1
	case f.loss == "kl":
		axis = out.Rank() - 1
	}
	name := f.loss
	if name == "" {
		switch {
		case axis > 0:
			name = "kl"
		case out.Numel() == out.Dim(0):
			name = "bce"
		default:
			name = "mse"
		}
	}
	switch name {
	case "kl":
		return trainingLoss{name: name, axis: axis, float: false, loss: train.DistillAlong(axis, float32(f.temperature))}
	case "bce":
		return trainingLoss{name: name, axis: -1, float: true, loss: train.DistillBinary}
	}
	return trainingLoss{name: name, axis: -1, float: true, loss: train.MeanSquaredError}
}

func checkClasses(labels *tensor.Tensor, classes int) error {
	each := max(labels.Numel()/max(labels.Dim(0), 1), 1)
	for i, v := range labels.Contiguous().Int64s() {
		if v != bench.Ignored && (v < 0 || v >= int64(classes)) {
			return &bench.LabelError{Sample: i / each, Label: v, Classes: classes}
		}
	}
	return nil
}

// target returns labels in the form that the loss takes for outputs of the given shape.
func (l trainingLoss) target(labels *tensor.Tensor, out tensor.Shape) (*tensor.Tensor, error) {
	shape := out.Clone()
	shape[0] = labels.Dim(0)
	dtype := tensor.Float32
	if !l.float {
		shape, dtype = slices.Delete(shape, l.axis, l.axis+1), tensor.Int64
	}
	typed, err := labels.To(dtype)
	if err != nil {
		return nil, err
	}
	return typed.Contiguous().Reshape(shape...)
}
