package data

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/quantize"
	"github.com/octet-ml/octet/tensor"
)

// Dataset is a set of samples with, often, their labels, as inputs of models. It reads a batch when it is asked for it.
type Dataset struct {
	// ScaleBytes makes x/255 of bytes for inputs that are not known to take bytes, where the data
	// has neither mean nor std. It is set before the first batch is read.
	ScaleBytes bool

	source Source
	fields []Field
	n      int
	file   string

	mean, std []float32 // of bytes, where the data itself has none

	pictures bool     // they are x
	classes  []string // names of labels, nil without
	skipped  []*tensor.FileError

	mu    sync.Mutex
	bound *binding // to the graph that was last asked about
}

// OpenDataset opens the .npz file at path: arrays with samples first, and arrays without dimensions, which
// all batches share. Each input of a model finds the array of its name, a single one the array x
// (or input); where no array has the name of an
// input they are taken in order. An array that is no input may be
//
//   - y, or labels where the model has an input y: what the outputs should be, such as int64 classes [N];
//   - mean and std, float32, one for all channels or one per channel: with them a uint8 x, or where there is none each uint8
//     array, becomes (x/255 - mean)/std;
//   - logits: recorded outputs, which are not read.
//
// Other bytes stay bytes, unless ScaleBytes is set. Floats become the type of floats that a model takes.
// Large arrays stay in the file, and batches are read from it. An .npy file is the array x.
// A file of another form is rejected with a *tensor.FileError.
func OpenDataset(path string) (*Dataset, error) {
	return OpenDatasetContext(context.Background(), path, 0)
}

// OpenDatasetContext is OpenDataset that ends with ctx, of arrays of which at most maxMemory bytes are in memory; 0 means tensor.DefaultBudget.
func OpenDatasetContext(ctx context.Context, path string, maxMemory int64) (*Dataset, error) {
	source, err := openArrays(ctx, path, maxMemory)
	if err != nil {
		return nil, err
	}
	return FromSource(source, path), nil
}

// NewDataset makes a data set of arrays with the names that OpenDataset reads.
func NewDataset(arrays tensor.Arrays) (*Dataset, error) {
	return FromSource(newMemory(arrays), ""), nil
}

// FromSource makes a data set of a source, whose fields are named as OpenDataset says. file is named in errors; it may be empty.
func FromSource(s Source, file string) *Dataset {
	d := &Dataset{source: s, fields: s.Fields(), file: file}
	samples := func(i int) bool {
		if i < 0 || d.fields[i].rank() == 0 {
			return false
		}
		d.n = d.fields[i].Shape[0]
		return true
	}
	if samples(fieldNamed(d.fields, "x")) || samples(fieldNamed(d.fields, "y")) {
		return d
	}
	for i, f := range d.fields {
		if f.Name != "mean" && f.Name != "std" && samples(i) {
			break
		}
	}
	return d
}

// Close closes the files that samples are read from.
func (d *Dataset) Close() error { return d.source.Close() }

// Len returns the number of samples.
func (d *Dataset) Len() int { return d.n }

// Labels returns the label of each sample, where those of the array y, or of samples put together, are a row of integers, else nil. Targets
// has labels of any form.
func (d *Dataset) Labels() []int64 {
	at := fieldNamed(d.fields, "y")
	if at < 0 && !d.IsArrays() {
		at = fieldNamed(d.fields, "labels")
	}
	if at < 0 || d.fields[at].rank() != 1 || !d.fields[at].DType.IsInteger() {
		return nil
	}
	y, err := readAll(d.source, at)
	if err != nil {
		return nil
	}
	wide, err := y.To(tensor.Int64)
	if err != nil {
		return nil
	}
	return wide.Contiguous().Int64s()
}

// Targets returns what the outputs of a model should be for each sample, nil where the data does not say:
// integers and truth values as int64, floats as float32, samples first.
func (d *Dataset) Targets(g *graph.Graph) (*tensor.Tensor, error) {
	b, err := d.bind(g, false)
	if err != nil {
		return nil, err
	}
	return b.targets, nil
}

// Unused returns the names of the arrays that are of no use to the model: neither inputs nor labels, mean, std or logits.
// With whole, only what Inputs reads is of use. There are none where the data does not fit the model. Where mean and std are
// there and no input has bytes to normalize, Unnormalized says so.
func (d *Dataset) Unused(g *graph.Graph, whole bool) []string {
	b, err := d.bind(g, whole)
	if err != nil {
		return nil
	}
	return b.unused
}

// Batches ranges over the samples in order, size at a time, as inputs of a
// model. It ends after the first error, which is a *tensor.FileError when the data
// does not fit the model or has no samples.
func (d *Dataset) Batches(g *graph.Graph, size int) iter.Seq2[[]*tensor.Tensor, error] {
	return d.First(g, size, d.n)
}

// First is Batches of the first samples only. A model that takes batches of one size gets those: the
// last is filled up with samples of it from its beginning, as Batch does.
func (d *Dataset) First(g *graph.Graph, size, samples int) iter.Seq2[[]*tensor.Tensor, error] {
	samples = min(samples, d.n)
	return d.between(g, BatchSize(g, size), 0, samples, max(samples, 1))
}

// Shard is Batches of a shard only: the same batches as one process has of all samples, cut between them. A shard
// of data with fewer batches than shards may have none.
func (d *Dataset) Shard(g *graph.Graph, size int, s quantize.Shard) iter.Seq2[[]*tensor.Tensor, error] {
	if d.n == 0 {
		return d.First(g, size, 0) // the error that says so
	}
	from, to := d.ShardSamples(g, size, s)
	return d.between(g, BatchSize(g, size), from, to, to)
}

// ShardSamples returns which samples a shard has: [from, to).
func (d *Dataset) ShardSamples(g *graph.Graph, size int, s quantize.Shard) (from, to int) {
	return ShardSamples(s, d.n, BatchSize(g, size))
}

// ShardSamples returns which of n samples, in batches of size, a shard has: [from, to).
func ShardSamples(s quantize.Shard, n, size int) (from, to int) {
	if n == 0 {
		return 0, 0
	}
	size = max(size, 1)
	from, to = s.Range((n-1)/size + 1)
	return from * size, min(to*size, n)
}

// between ranges over the samples [from, to) in batches, as long as they begin before end.
func (d *Dataset) between(g *graph.Graph, size, from, to, end int) iter.Seq2[[]*tensor.Tensor, error] {
	return func(yield func([]*tensor.Tensor, error) bool) {
		for first := from; first < end; first += size {
			in, err := d.Batch(g, first, min(first+size, to))
			if !yield(in, err) || err != nil {
				return
			}
		}
	}
}

// BatchSize returns the size of the batches that a model is given: the one that it takes, where
// that is one, and else the one that is wanted, within the model's bounds and at least 1.
func BatchSize(g *graph.Graph, wanted int) int {
	wanted = max(wanted, 1)
	if g == nil {
		return wanted // reading for it fails
	}
	return g.BatchSize(wanted)
}

// Batch returns samples [from, to) as inputs of a model. Where the model takes no batch as small as
// that, these samples are repeated to fill one, and tensor.Samples says how many they are.
func (d *Dataset) Batch(g *graph.Graph, from, to int) ([]*tensor.Tensor, error) {
	switch {
	case from < 0:
		return nil, &IndexError{from, d.n}
	case to > d.n && d.n > 0: // why there are no samples, the model tells
		return nil, &IndexError{max(from, d.n), d.n}
	}
	indices := upTo(from, max(from, to))
	least := BatchSize(g, 1)
	if to-from >= least || from >= to {
		return d.samples(g, indices)
	}
	for i := to - from; i < least; i++ {
		indices = append(indices, indices[i%(to-from)])
	}
	in, err := d.samples(g, indices)
	for i, t := range in {
		if t.Rank() > 0 {
			in[i] = t.WithSamples(to - from)
		}
	}
	return in, err
}

// IndexError says that a data set has no sample of an index.
type IndexError struct {
	Index, N int // N samples are there, counted from 0
}

func (e *IndexError) Error() string {
	return fmt.Sprintf("data: no sample %d: there are %d, counted from 0", e.Index, e.N)
}

// Select returns the samples of the given indices, in their order, as inputs of a
// model, with what Targets has for them. An index may occur several times; one that is no sample's is an *IndexError.
// The tensors are the caller's.
func (d *Dataset) Select(g *graph.Graph, samples []int) (inputs []*tensor.Tensor, labels *tensor.Tensor, err error) {
	for _, k := range samples {
		if k < 0 || k >= d.n {
			return nil, nil, &IndexError{k, d.n}
		}
	}
	b, err := d.bind(g, false)
	if err != nil {
		return nil, nil, err
	}
	if inputs, err = d.samples(g, samples); err != nil || b.targets == nil {
		return inputs, nil, err
	}
	labels, err = rowsOf(b.targets, samples)
	return inputs, labels, err
}

// Inputs returns the arrays whole, as inputs of a model. Arrays are what they are, floats of any width too, but for
// bytes that mean and std make floats of, and what a graph that knows its types needs converted.
func (d *Dataset) Inputs(g *graph.Graph) ([]*tensor.Tensor, error) {
	b, err := d.bind(g, true)
	if err != nil {
		return nil, err
	}
	in := make([]*tensor.Tensor, len(b.inputs))
	for i, f := range b.inputs {
		t, err := readAll(d.source, f.at)
		if err == nil {
			in[i], err = b.convert(t, i, b.inputType(i))
		}
		if err != nil {
			return nil, d.rejected(f.Name, err)
		}
	}
	return in, nil
}

// samples returns samples of each input, converted to what the input takes. Arrays without dimensions are whole.
func (d *Dataset) samples(g *graph.Graph, indices []int) ([]*tensor.Tensor, error) {
	b, err := d.bind(g, false)
	if err != nil {
		return nil, err
	}
	types, err := d.sampleTypes(b)
	if err != nil {
		return nil, err
	}
	for _, k := range indices {
		if k < 0 || k >= d.n {
			return nil, &IndexError{k, d.n}
		}
	}
	in := make([]*tensor.Tensor, len(b.inputs))
	for i, f := range b.inputs {
		t, err := d.source.Read(f.at, indices)
		if err == nil {
			in[i], err = b.convert(t, i, types[i])
		}
		if err != nil {
			return nil, d.rejected(f.Name, err)
		}
	}
	return in, nil
}

// sampleTypes returns the element types of the inputs, once it is known that all arrays have as many samples.
func (d *Dataset) sampleTypes(b *binding) ([]tensor.DType, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if b.types != nil {
		return b.types, nil
	}
	for _, f := range b.inputs {
		if f.rank() > 0 && f.Shape[0] != d.n {
			return nil, d.rejected(f.Name, fmt.Errorf("%v where %d samples are needed", f, d.n))
		}
	}
	switch {
	case b.targets != nil && b.targets.Dim(0) != d.n:
		return nil, d.rejected(b.labels, fmt.Errorf("%d labels for %d samples", b.targets.Dim(0), d.n))
	case d.n == 0:
		return nil, d.rejected("", errors.New("there are no samples"))
	}
	b.types = b.floatTypes()
	return b.types, nil
}

// rejected makes an error one of a record of the file, unless it says itself which file it is of.
func (d *Dataset) rejected(record string, err error) error {
	if fe, ok := errors.AsType[*tensor.FileError](err); ok && fe.File != "" {
		return err
	}
	return &tensor.FileError{File: d.file, Record: record, Err: err}
}
