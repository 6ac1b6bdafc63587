// Package metric says how good outputs of a model are: it chooses a metric that outputs and labels fit, and counts.
package metric

import (
	"fmt"
	"slices"

	"github.com/octet-ml/octet/tensor"
)

// The metrics.
const (
	Top1      = "top1"      // outputs [N, C], labels [N] of classes, or one-hot: share of samples whose greatest output is that of the label
	PixelTop1 = "pixel"     // outputs [N, C, ...], labels [N, ...]: share of places, such as pixels
	TokenTop1 = "token"     // outputs [N, ..., C], labels [N, ...]: share of places, such as tokens
	Binary    = "binary"    // outputs and labels of one shape, labels 0 and 1: share of logits above 0, or probabilities above 0.5, as the label says
	R2        = "r2"        // outputs and labels of one shape: coefficient of determination, 1 - sum (y-f)^2 / sum (y-mean y)^2
	Agreeing  = "agreement" // share of classes that are those of the float model
	Cosine    = "cosine"    // least cosine of the angle between an output and the float model's
	NoMetric  = "none"
)

// Names lists their names.
func Names() []string {
	return []string{Top1, PixelTop1, TokenTop1, Binary, R2, Agreeing, Cosine}
}

// Ignored is the label of what does not count, as ignore_index of torch.nn.functional.cross_entropy.
const Ignored = -100

// Metric says how good outputs are: 1 is best.
type Metric struct {
	Name string
	What string // what it counts, for people
	// Chosen says that outputs and labels decided, not the caller.
	Chosen bool
	// Samples is how many the data has: outputs of more, which fill up the last batch of a model that
	// takes only whole ones, do not count. With 0 all do.
	Samples int

	axis      int     // of classes
	threshold float32 // of Binary
	settled   bool    // by all outputs of a model: what those of another look like changes nothing
	oneHot    bool
}

// Error says that a metric does not fit the outputs or labels.
type Error struct {
	Metric string // "" where none fits
	Reason string
}

func (e *Error) Error() string {
	if e.Metric == "" {
		return "no metric: " + e.Reason
	}
	return fmt.Sprintf("metric %q: %s", e.Metric, e.Reason)
}

// Choose returns the metric of a name for a model whose outputs on some samples are given. "" takes the one that
// outputs and labels suggest: Cosine without labels, for nothing then says that outputs are those of classes.
// Labels are as data.Dataset.Targets has them: int64 or float32, samples first, nil without. It fails with a *Error.
func Choose(name string, outputs []*tensor.Tensor, labels *tensor.Tensor) (*Metric, error) {
	if name != "" && name != NoMetric && !slices.Contains(Names(), name) {
		return nil, &Error{name, fmt.Sprintf("it is none of %v", Names())}
	}
	m := &Metric{Name: name, Chosen: name == "", axis: -1}
	if m.Chosen && labels == nil {
		m.Name = Cosine
	}
	switch m.Name {
	case NoMetric:
		return m, nil
	case Cosine:
		m.What = "least cosine between an output and the float model's"
		if !slices.ContainsFunc(outputs, func(t *tensor.Tensor) bool { return t.DType() == tensor.Float32 }) {
			return nil, &Error{m.Name, fmt.Sprintf("the outputs are %v, none of them float32", outputs)}
		}
		return m, nil
	}
	if len(outputs) == 0 || !outputs[0].DType().IsFloat() || outputs[0].Rank() == 0 {
		return nil, &Error{m.Name, fmt.Sprintf("the first output, %v, is not floats per sample: give a model that gives scores or numbers, no labels, or name metric %q for outputs alone", outputs, NoMetric)}
	}
	err := m.fit(outputs[0], labels)
	if len(outputs) > 1 {
		m.What += fmt.Sprintf(", of the first of %d outputs", len(outputs))
	}
	return m, err
}

// fit completes a metric for an output.
func (m *Metric) fit(out, labels *tensor.Tensor) error {
	if m.Name == Agreeing {
		return m.fitAgreement(out)
	}
	if labels == nil {
		return &Error{m.Name, "the data has no labels"}
	}
	for _, name := range m.candidates(out, labels) {
		if m.Chosen || m.Name == name {
			m.Name = name
			m.describe(out)
			return m.measurable(labels)
		}
	}
	return m.refuse(fmt.Sprintf("labels %v do not fit the output %v", labels, out), wanted(out, labels))
}

// refuse returns an error of the labels, which names no metric that nobody has named.
func (m *Metric) refuse(reason, wanted string) error {
	e := &Error{m.Name, fmt.Sprintf("%s: give %s, none, or name a metric, %s for outputs alone", reason, wanted, NoMetric)}
	if m.Chosen {
		e.Metric = ""
	}
	return e
}

// wanted says what labels the output suggests instead of those given.
func wanted(out, labels *tensor.Tensor) string {
	o, l := out.Shape()[1:], labels.Shape()[1:]
	switch {
	case labels.DType() == tensor.Int64 && perSample(out) == perSample(labels):
		return "0 and 1 as integers, or numbers as floats"
	case labels.DType() != tensor.Int64 && len(o) > 0 && (sameButOnes(o[1:], l) || sameButOnes(o[:len(o)-1], l)):
		return "classes as integers"
	}
	return "labels that do"
}

// measurable refuses labels of which nothing can be said: none that counts, or for R2 numbers that are all the same.
func (m *Metric) measurable(labels *tensor.Tensor) error {
	n := perSample(labels)
	wide, err := labels.To(tensor.Float32)
	if err != nil || wide.Numel() == 0 {
		return err
	}
	v := wide.Contiguous().Float32s()
	switch {
	case m.Name == R2:
		for i, x := range v {
			if x != v[i%n] {
				return nil
			}
		}
		return m.refuse("all samples have the same label, of which "+R2+" says nothing", "labels that differ")
	case slices.ContainsFunc(v, func(x float32) bool { return x != Ignored }):
		return nil
	}
	return m.refuse(fmt.Sprintf("every label is %d, so that none counts", Ignored), "labels")
}

// candidates lists the metrics that output and labels fit, the likeliest first.
func (m *Metric) candidates(out, labels *tensor.Tensor) []string {
	o, l := out.Shape()[1:], labels.Shape()[1:]
	var fits []string
	if perSample(out) == perSample(labels) {
		switch zeroOne, rows := labelValues(labels); {
		case zeroOne && rows && len(o) == 1 && o[0] > 1:
			m.oneHot = true
			fits = append(fits, Top1, Binary)
		case zeroOne:
			fits = append(fits, Binary)
		case labels.DType() == tensor.Int64 && m.Chosen:
			return nil // classes, of which an output of as many numbers as labels has none
		}
		if sameButOnes(o, l) {
			return append(fits, R2)
		}
	}
	if labels.DType() != tensor.Int64 || len(o) == 0 {
		return fits
	}
	first, last := sameButOnes(o[1:], l) && o[0] > 1, sameButOnes(o[:len(o)-1], l) && o[len(o)-1] > 1
	switch {
	case len(o) == 1 && last:
		return append(fits, Top1)
	case len(o) == 2 && last:
		fits = append(fits, TokenTop1)
	}
	if first {
		fits = append(fits, PixelTop1)
	}
	if last && len(o) > 2 {
		fits = append(fits, TokenTop1)
	}
	return fits
}

func (m *Metric) fitAgreement(out *tensor.Tensor) error {
	classes := out.Shape()[1:]
	name := TokenTop1
	switch {
	case perSample(out) == 1:
		name = Binary
	case len(classes) == 1:
		name = Top1
	case len(classes) > 2:
		name = PixelTop1
	}
	own := *m
	own.Name = name
	own.describe(out)
	if name != Binary && out.Dim(own.axis) < 2 {
		return &Error{m.Name, fmt.Sprintf("the output %v has no classes", out)}
	}
	m.axis, m.threshold, m.What = own.axis, own.threshold, own.What+", compared with the float model"
	return nil
}

// describe sets what follows from the name.
func (m *Metric) describe(out *tensor.Tensor) {
	switch m.Name {
	case Top1:
		m.axis, m.What = 1, fmt.Sprintf("greatest of %d outputs per sample", out.Dim(1))
	case PixelTop1:
		m.axis, m.What = 1, fmt.Sprintf("greatest of %d outputs (axis 1) at each place", out.Dim(1))
	case TokenTop1:
		m.axis = out.Rank() - 1
		m.What = fmt.Sprintf("greatest of %d outputs (last axis) at each place", out.Dim(m.axis))
	case Binary:
		m.ofLogits()
		if probabilities(out) {
			m.threshold, m.What = 0.5, "probabilities, class 1 above 0.5"
		}
	case R2:
		m.What = "coefficient of determination"
	}
}

// ofLogits takes numbers for logits, as Binary does where one of them lies outside 0 to 1.
func (m *Metric) ofLogits() { m.axis, m.threshold, m.What = -1, 0, "logits, class 1 above 0" }

// Counts reports whether the metric is a share of what is right.
func (m *Metric) Counts() bool {
	return m.Name != R2 && m.Name != Cosine && m.Name != NoMetric
}

// Axis returns the axis of classes, -1 where each number is for itself.
func (m *Metric) Axis() int { return m.axis }

// OfProbabilities reports whether Binary compares with 0.5, for all outputs seen were in 0 to 1.
func (m *Metric) OfProbabilities() bool { return m.threshold > 0 }

// OneHot reports whether Top1 is of labels that are one-hot.
func (m *Metric) OneHot() bool { return m.oneHot && m.Name == Top1 }

// perSample returns the number of elements for each sample.
func perSample(t *tensor.Tensor) int {
	n := 1
	for _, e := range t.Shape()[1:] {
		n *= e
	}
	return n
}

// sameButOnes reports whether two shapes are the same without extents of 1.
func sameButOnes(a, b tensor.Shape) bool {
	large := func(s tensor.Shape) tensor.Shape {
		return slices.DeleteFunc(s.Clone(), func(e int) bool { return e == 1 })
	}
	return slices.Equal(large(a), large(b))
}

// labelValues reports whether labels are all 0, 1 or Ignored, and whether each row of them has one 1.
func labelValues(labels *tensor.Tensor) (zeroOne, oneHot bool) {
	wide, err := labels.To(tensor.Float32)
	if err != nil {
		return false, false
	}
	v := wide.Contiguous().Float32s()
	oneHot = true
	for row := range slices.Chunk(v, max(perSample(labels), 1)) {
		ones := 0
		for _, e := range row {
			if e != 0 && e != 1 && e != Ignored {
				return false, false
			}
			if e == 1 {
				ones++
			}
		}
		oneHot = oneHot && ones == 1
	}
	return true, oneHot
}

// probabilities reports whether all values lie in 0 to 1.
func probabilities(out *tensor.Tensor) bool {
	wide, err := out.To(tensor.Float32)
	return err == nil && !slices.ContainsFunc(wide.Contiguous().Float32s(), func(v float32) bool { return !(v >= 0 && v <= 1) })
}
