package bench

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

// Dataset is a set of samples with, often, their labels. Images stay in the
// bytes they are stored in and become float32 batch by batch.
type Dataset struct {
	// ScaleBytes makes x/255 of bytes for inputs that are not known to take bytes, where the data
	// has neither mean nor std. It is set before the first batch is read.
	ScaleBytes bool

	arrays tensor.Arrays
	n      int
	file   string

	mu    sync.Mutex
	bound *binding // to the graph that was last asked about
}

// OpenDataset reads the .npz file at path: arrays with samples first, and arrays without dimensions, which
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
// A file of another form is rejected with a *tensor.FileError.
func OpenDataset(path string) (*Dataset, error) {
	return OpenDatasetContext(context.Background(), path, 0)
}

// OpenDatasetContext is OpenDataset that ends with ctx, of arrays that take at most maxMemory bytes; 0 means tensor.DefaultBudget.
func OpenDatasetContext(ctx context.Context, path string, maxMemory int64) (*Dataset, error) {
	arrays, err := tensor.ReadNPZContext(ctx, path, maxMemory)
	if err != nil {
		return nil, err
	}
	d, err := NewDataset(arrays)
	if err != nil {
		return nil, err
	}
	d.file = path
	return d, nil
}

// NewDataset makes a data set of arrays with the names that OpenDataset reads.
func NewDataset(arrays tensor.Arrays) (*Dataset, error) {
	d := &Dataset{}
	for _, a := range arrays {
		d.arrays = append(d.arrays, tensor.Named{Name: a.Name, Tensor: a.Tensor.Contiguous()})
	}
	samples := func(name string) bool {
		x := d.arrays.Get(name)
		if x != nil && x.Rank() > 0 {
			d.n = x.Dim(0)
		}
		return x != nil && x.Rank() > 0
	}
	if samples("x") || samples("y") {
		return d, nil
	}
	for _, a := range d.arrays {
		if a.Name != "mean" && a.Name != "std" && samples(a.Name) {
			break
		}
	}
	return d, nil
}

// Len returns the number of samples.
func (d *Dataset) Len() int { return d.n }

// Labels returns the label of each sample, where those of the array y are a row of integers, else nil. Targets
// has labels of any form.
func (d *Dataset) Labels() []int64 {
	y := d.arrays.Get("y")
	if y == nil || y.Rank() != 1 || !y.DType().IsInteger() {
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
	return shardSamples(s, d.n, BatchSize(g, size))
}

// shardSamples returns which of n samples, in batches of size, a shard has: [from, to).
func shardSamples(s quantize.Shard, n, size int) (from, to int) {
	if n == 0 {
		return 0, 0
	}
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
// that is one, and else the one that is wanted, within the model's bounds.
func BatchSize(g *graph.Graph, wanted int) int { return g.BatchSize(wanted) }

// leastBatch returns the smallest batch that a model takes.
func leastBatch(g *graph.Graph) int { return g.BatchSize(1) }

// Batch returns samples [from, to) as inputs of a model. Where the model takes no batch as small as
// that, these samples are repeated to fill one, and tensor.Samples says how many they are.
func (d *Dataset) Batch(g *graph.Graph, from, to int) ([]*tensor.Tensor, error) {
	if least := leastBatch(g); to-from < least && from < to && to <= d.n {
		samples := make([]int, least)
		for i := range samples {
			samples[i] = from + i%(to-from)
		}
		in, err := d.samples(g, func(t *tensor.Tensor) (*tensor.Tensor, error) { return pickSamples(t, samples) })
		for i, t := range in {
			if t.Rank() > 0 {
				in[i] = t.WithSamples(to - from)
			}
		}
		return in, err
	}
	return d.samples(g, func(t *tensor.Tensor) (*tensor.Tensor, error) { return t.Slice(0, from, to, 1) })
}

// IndexError says that a data set has no sample of an index.
type IndexError struct {
	Index, N int // N samples are there, counted from 0
}

func (e *IndexError) Error() string {
	return fmt.Sprintf("bench: no sample %d: there are %d, counted from 0", e.Index, e.N)
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
	pick := func(t *tensor.Tensor) (*tensor.Tensor, error) { return pickSamples(t, samples) }
	if inputs, err = d.samples(g, pick); err != nil || b.targets == nil {
		return inputs, nil, err
	}
	labels, err = pick(b.targets)
	return inputs, labels, err
}

// pickSamples returns the samples of the given indices; t is contiguous.
func pickSamples(t *tensor.Tensor, samples []int) (*tensor.Tensor, error) {
	shape := t.Shape().Clone()
	shape[0] = len(samples)
	out, err := tensor.New(t.DType(), shape...)
	if err != nil {
		return nil, err
	}
	src, dst := t.Bytes(), out.Bytes()
	size := len(dst) / max(len(samples), 1)
	for i, k := range samples {
		copy(dst[i*size:][:size], src[k*size:][:size])
	}
	return out, nil
}

// Inputs returns the arrays whole, as inputs of a model. Arrays are what they are, floats of any width too, but for
// bytes that mean and std make floats of, and what a graph that knows its types needs converted.
func (d *Dataset) Inputs(g *graph.Graph) ([]*tensor.Tensor, error) {
	b, err := d.bind(g, true)
	if err != nil {
		return nil, err
	}
	in := make([]*tensor.Tensor, len(b.inputs))
	for i, a := range b.inputs {
		if in[i], err = b.convert(a.Tensor, i, b.inputType(i)); err != nil {
			return nil, d.rejected(a.Name, err)
		}
	}
	return in, nil
}

// samples returns a part of the array of each input, converted to what the input takes. Arrays without dimensions
// are whole.
func (d *Dataset) samples(g *graph.Graph, part func(*tensor.Tensor) (*tensor.Tensor, error)) ([]*tensor.Tensor, error) {
	b, err := d.bind(g, false)
	if err != nil {
		return nil, err
	}
	types, err := d.sampleTypes(b)
	if err != nil {
		return nil, err
	}
	in := make([]*tensor.Tensor, len(b.inputs))
	for i, a := range b.inputs {
		t := a.Tensor
		if t.Rank() > 0 {
			t, err = part(t)
		}
		if err == nil {
			in[i], err = b.convert(t, i, types[i])
		}
		if err != nil {
			return nil, d.rejected(a.Name, err)
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
	for _, a := range b.inputs {
		if t := a.Tensor; t.Rank() > 0 && t.Dim(0) != d.n {
			return nil, d.rejected(a.Name, fmt.Errorf("%v where %d samples are needed", t, d.n))
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

func (d *Dataset) rejected(record string, err error) error {
	return &tensor.FileError{File: d.file, Record: record, Err: err}
}
