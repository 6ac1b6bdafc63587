package bench

import (
	"cmp"
	"encoding/json"
	"fmt"
	"iter"
	"slices"

	"github.com/octet-ml/octet/data"
	"github.com/octet-ml/octet/internal/sorting"
	"github.com/octet-ml/octet/quantize"
	"github.com/octet-ml/octet/tensor"
)

// EvaluationPart is what a model answered on one shard of a data set: its outputs, for MergeEvaluation to measure when
// all are there. Metrics are not sums over samples that could be added up: which one fits depends on the first
// outputs, and sums of floats on their order.
type EvaluationPart struct {
	Shard   quantize.Shard `json:"shard"`
	Samples int            `json:"samples"` // of the whole data
	Batch   int            `json:"batch"`   // samples per run
	// Model and Data identify the files, and Precision is the model's.
	Model     string `json:"model"`
	Data      string `json:"data"`
	Precision string `json:"precision"`
	// ClassLabels says that the labels are a row of classes, as data.Dataset.Labels has them.
	ClassLabels bool `json:"class_labels"`

	Outputs []*tensor.Tensor `json:"-"` // of the shard's samples; nil for a shard without any
	Labels  *tensor.Tensor   `json:"-"` // as data.Dataset.Targets has them, of the shard's samples; nil without
}

// The arrays of the file of an EvaluationPart, besides output0, output1 and so on.
const (
	partArray  = "part"   // a JSON document, as uint8
	partLabels = "labels" // may be missing
)

// mostSamples bounds what a file claims, so that products of it do not overflow.
const mostSamples = 1 << 30

// partVersion is the form of the file.
const partVersion = 1

type partDocument struct {
	Version int `json:"version"`
	*EvaluationPart
}

// Save writes the part to an .npz file, which appears complete or not at all. Equal parts are equal files.
func (p *EvaluationPart) Save(path string) error {
	document, err := json.Marshal(partDocument{partVersion, p})
	if err != nil {
		return err
	}
	head, err := tensor.FromSlice(document, len(document))
	if err != nil {
		return err
	}
	arrays := []tensor.Named{{Name: partArray, Tensor: head}}
	if p.Labels != nil {
		arrays = append(arrays, tensor.Named{Name: partLabels, Tensor: p.Labels})
	}
	for i, t := range p.Outputs {
		arrays = append(arrays, tensor.Named{Name: fmt.Sprintf("output%d", i), Tensor: t})
	}
	return tensor.WriteNPZ(path, arrays)
}

// NewEvaluationPart reads what Save wrote to a file from its arrays. What it did not write is a *tensor.FileError.
func NewEvaluationPart(path string, arrays tensor.Arrays) (*EvaluationPart, error) {
	bad := func(format string, args ...any) (*EvaluationPart, error) {
		return nil, &tensor.FileError{File: path, Reason: "it is no part of an evaluation: " + fmt.Sprintf(format, args...)}
	}
	head := arrays.Get(partArray)
	if head == nil || head.DType() != tensor.Uint8 || head.Rank() != 1 {
		return bad("it has no array %q of bytes", partArray)
	}
	d := partDocument{EvaluationPart: &EvaluationPart{}}
	err := json.Unmarshal(head.Contiguous().Bytes(), &d)
	if d.Version > partVersion { // the rest may be anything
		return bad("version %d of the format, this is for version %d: use a newer octet", d.Version, partVersion)
	}
	if err != nil {
		return bad("%v", err)
	}
	p := d.EvaluationPart
	if d.Version != partVersion {
		return bad("there is no version %d", d.Version)
	}
	if _, err := quantize.ParseShard(p.Shard.String()); err != nil || p.Batch < 1 || p.Samples < 1 || p.Batch > mostSamples || p.Samples > mostSamples {
		return bad("shard %v of %d samples in batches of %d", p.Shard, p.Samples, p.Batch)
	}
	p.Labels = arrays.Get(partLabels)
	for i := 0; ; i++ {
		t := arrays.Get(fmt.Sprintf("output%d", i))
		if t == nil {
			break
		}
		p.Outputs = append(p.Outputs, t)
	}
	from, to := data.ShardSamples(p.Shard, p.Samples, p.Batch)
	for _, t := range append(slices.Clone(p.Outputs), p.Labels) {
		// All samples in one run may have outputs of any shape.
		if t != nil && (t.Rank() == 0 || t.Dim(0) != to-from) && to-from != p.Samples {
			return bad("%v for %d samples", t, to-from)
		}
	}
	if len(p.Outputs) == 0 && to > from {
		return bad("it has no outputs of samples %d to %d", from, to)
	}
	return p, nil
}

// MergeEvaluation measures the outputs of all shards, in any order, as EvaluateWith does those of one run: with the
// same result but for the time it took, which is 0. It fails with a *quantize.ShardError when one is missing or of another
// evaluation.
func MergeEvaluation(parts []*EvaluationPart, o EvalOptions) (*Evaluation, error) {
	if len(parts) == 0 {
		return nil, &quantize.ShardError{Reason: "no shards to merge"}
	}
	parts = slices.Clone(parts)
	sorting.Func(parts, func(a, b *EvaluationPart) int { return cmp.Compare(a.Shard.Index, b.Shard.Index) })
	if err := checkEvaluationParts(parts); err != nil {
		return nil, err
	}
	first := parts[0]
	var labels []*tensor.Tensor
	var outputs [][]*tensor.Tensor
	for _, p := range parts {
		if len(p.Outputs) == 0 {
			continue
		}
		if p.Labels != nil {
			labels = append(labels, p.Labels)
		}
		outputs = append(outputs, p.Outputs)
	}
	if len(labels) != 0 && len(labels) != len(outputs) {
		return nil, &quantize.ShardError{Reason: "some shards have labels, and some have none"}
	}
	all, err := joinOutputs(outputs)
	if err != nil {
		return nil, err
	}
	var targets *tensor.Tensor
	if len(labels) > 0 {
		if targets, err = joinSamples(labels); err != nil {
			return nil, err
		}
	}
	e := &Evaluation{N: first.Samples, Metric: o.Metric}
	keep := o.Keep
	o.Batch, o.Keep = first.Batch, false
	if err := e.measure(outputBatches(all, first.Samples, first.Batch), targets, o); err != nil {
		return nil, err
	}
	if keep {
		e.Outputs, e.Logits = all, all[0]
	}
	return e, nil
}

// checkEvaluationParts returns an error unless the parts are all shards of one evaluation.
func checkEvaluationParts(parts []*EvaluationPart) error {
	var shards []quantize.Shard
	first := parts[0]
	for _, p := range parts {
		shards = append(shards, p.Shard)
		for what, differ := range map[string]bool{
			"model":     p.Model != first.Model || p.Precision != first.Precision,
			"data":      p.Data != first.Data || p.Samples != first.Samples,
			"batch":     p.Batch != first.Batch,
			"otherwise": len(p.Outputs) > 0 && len(first.Outputs) > 0 && len(p.Outputs) != len(first.Outputs),
		} {
			if differ {
				return &quantize.ShardError{Reason: fmt.Sprintf("shards %v and %v are of other evaluations: the %s differs", first.Shard, p.Shard, what)}
			}
		}
	}
	return quantize.CheckShards(shards)
}

// joinOutputs puts the outputs of parts together, each along the samples.
func joinOutputs(parts [][]*tensor.Tensor) ([]*tensor.Tensor, error) {
	if len(parts) == 1 {
		return parts[0], nil
	}
	all := make([]*tensor.Tensor, len(parts[0]))
	for i := range all {
		var of []*tensor.Tensor
		for _, p := range parts {
			of = append(of, p[i])
		}
		var err error
		if all[i], err = joinSamples(of); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// joinSamples returns tensors as one, along their first axis.
func joinSamples(parts []*tensor.Tensor) (*tensor.Tensor, error) {
	if len(parts) == 1 {
		return parts[0], nil
	}
	n := 0
	for _, t := range parts {
		if t.Rank() == 0 || t.DType() != parts[0].DType() || !slices.Equal(t.Shape()[1:], parts[0].Shape()[1:]) {
			return nil, &quantize.ShardError{Reason: fmt.Sprintf("one shard has %v and another %v", parts[0], t)}
		}
		n += t.Dim(0)
	}
	shape := parts[0].Shape().Clone()
	shape[0] = n
	all, err := tensor.New(parts[0].DType(), shape...)
	if err != nil {
		return nil, err
	}
	to := all.Bytes()
	for _, t := range parts {
		to = to[copy(to, t.Contiguous().Bytes()):]
	}
	return all, nil
}

// outputBatches ranges over outputs as the runs of batches gave them.
func outputBatches(all []*tensor.Tensor, samples, batch int) iter.Seq2[[]*tensor.Tensor, error] {
	return func(yield func([]*tensor.Tensor, error) bool) {
		if samples <= batch {
			yield(all, nil)
			return
		}
		for from := 0; from < samples; from += batch {
			part := make([]*tensor.Tensor, len(all))
			for i, t := range all {
				var err error
				if part[i], err = t.Slice(0, from, min(from+batch, samples), 1); err != nil {
					yield(nil, err)
					return
				}
			}
			if !yield(part, nil) {
				return
			}
		}
	}
}
