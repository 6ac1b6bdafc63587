package bench

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// Dataset is a set of samples with, often, their labels. Images stay in the
// bytes they are stored in and become float32 batch by batch.
type Dataset struct {
	arrays    tensor.Arrays
	n         int
	labels    []int64
	mean, std []float32 // per channel; empty: 0 and 1
	file      string
}

// OpenDataset reads the .npz file at path: x (uint8 or float32, samples first),
// and where there are any, y (int64 labels), mean and std (float32, one per
// channel). With them a uint8 x becomes (x/255 - mean)/std, without them x/255;
// any other x is taken as it is. Models with several inputs find each as the array
// of its name. A file of another form is rejected with a *tensor.FileError.
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
	var fe *tensor.FileError
	if errors.As(err, &fe) {
		fe.File = path
	}
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
		var err error
		switch a.Name {
		case "y":
			d.labels, err = labels(a.Tensor)
		case "mean":
			d.mean, err = perChannel(a.Tensor)
		case "std":
			d.std, err = perChannel(a.Tensor)
		default:
			d.arrays = append(d.arrays, tensor.Named{Name: a.Name, Tensor: a.Tensor.Contiguous()})
		}
		if err != nil {
			return nil, &tensor.FileError{Record: a.Name, Reason: err.Error()}
		}
	}
	for i, v := range d.std {
		if !(v > 0) {
			return nil, &tensor.FileError{Record: "std", Reason: fmt.Sprintf("channel %d has %v where a positive number is needed", i, v)}
		}
	}
	switch x := d.arrays.Get("x"); {
	case x != nil && x.Rank() > 0:
		d.n = x.Dim(0)
	case d.labels != nil:
		d.n = len(d.labels)
	case len(d.arrays) > 0 && d.arrays[0].Tensor.Rank() > 0:
		d.n = d.arrays[0].Tensor.Dim(0)
	}
	if d.labels != nil && len(d.labels) != d.n {
		return nil, &tensor.FileError{Record: "y", Reason: fmt.Sprintf("%d labels for %d samples", len(d.labels), d.n)}
	}
	return d, nil
}

func labels(t *tensor.Tensor) ([]int64, error) {
	if t.Rank() != 1 || !t.DType().IsInteger() {
		return nil, fmt.Errorf("%v where a row of integer labels is needed", t)
	}
	wide, err := t.To(tensor.Int64)
	if err != nil {
		return nil, err
	}
	return wide.Contiguous().Int64s(), nil
}

func perChannel(t *tensor.Tensor) ([]float32, error) {
	if !t.DType().IsFloat() {
		return nil, fmt.Errorf("%v where floats are needed", t)
	}
	f, err := t.To(tensor.Float32)
	if err != nil {
		return nil, err
	}
	return f.Contiguous().Float32s(), nil
}

// Len returns the number of samples.
func (d *Dataset) Len() int { return d.n }

// Labels returns the label of each sample, nil when there are none.
func (d *Dataset) Labels() []int64 { return d.labels }

// Get returns the array of that name as it is stored, nil when there is none.
func (d *Dataset) Get(name string) *tensor.Tensor { return d.arrays.Get(name) }

// Batches ranges over the samples in order, size at a time, as inputs of a
// model. It ends after the first error, which is a *tensor.FileError when the data
// does not fit the model.
func (d *Dataset) Batches(g *graph.Graph, size int) iter.Seq2[[]*tensor.Tensor, error] {
	return func(yield func([]*tensor.Tensor, error) bool) {
		for from := 0; from < d.n; from += size {
			in, err := d.Batch(g, from, min(from+size, d.n))
			if !yield(in, err) || err != nil {
				return
			}
		}
	}
}

// Batch returns samples [from, to) as inputs of a model.
func (d *Dataset) Batch(g *graph.Graph, from, to int) ([]*tensor.Tensor, error) {
	return d.inputs(g, func(t *tensor.Tensor) (*tensor.Tensor, error) {
		if err := d.checkSamples(t); err != nil {
			return nil, err
		}
		return t.Slice(0, from, to, 1)
	})
}

// IndexError says that a data set has no sample of an index.
type IndexError struct {
	Index, N int // N samples are there, counted from 0
}

func (e *IndexError) Error() string {
	return fmt.Sprintf("bench: no sample %d: there are %d, counted from 0", e.Index, e.N)
}

// Select returns the samples of the given indices, in their order, as inputs of a
// model. An index may occur several times; one that is no sample's is an *IndexError. The labels are
// int64 [len(samples)], nil where the data has none. The tensors are the caller's.
func (d *Dataset) Select(g *graph.Graph, samples []int) (inputs []*tensor.Tensor, labels *tensor.Tensor, err error) {
	for _, k := range samples {
		if k < 0 || k >= d.n {
			return nil, nil, &IndexError{k, d.n}
		}
	}
	inputs, err = d.inputs(g, func(t *tensor.Tensor) (*tensor.Tensor, error) {
		if err := d.checkSamples(t); err != nil {
			return nil, err
		}
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
	})
	if err != nil || d.labels == nil {
		return inputs, nil, err
	}
	y := make([]int64, len(samples))
	for i, k := range samples {
		y[i] = d.labels[k]
	}
	labels, err = tensor.FromSlice(y, len(y))
	return inputs, labels, err
}

// Misfit returns the error of a run on samples as a *tensor.FileError of their file, where it says that
// they are not what the model takes, such as images of other channels; other errors as they are. part names the samples,
// and may be empty.
func (d *Dataset) Misfit(part string, err error) error {
	_, shape := errors.AsType[*ops.ShapeError](err)
	_, input := errors.AsType[*graph.InputError](err)
	if !shape && !input {
		return err
	}
	return &tensor.FileError{File: d.file, Record: part, Reason: "the model does not take these samples", Err: err}
}

// checkSamples returns an error unless the first dimension of t is that of the samples.
func (d *Dataset) checkSamples(t *tensor.Tensor) error {
	if t.Rank() == 0 || t.Dim(0) != d.n {
		return fmt.Errorf("%v where %d samples are needed", t, d.n)
	}
	return nil
}

// Inputs returns the arrays whole, as inputs of a model.
func (d *Dataset) Inputs(g *graph.Graph) ([]*tensor.Tensor, error) {
	return d.inputs(g, func(t *tensor.Tensor) (*tensor.Tensor, error) { return t, nil })
}

// inputs returns a part of the array of each input: the one of its name, else x
// for a single input, else, where no array has the name of an input, the one in its
// place. Of an open graph the last inputs may be left out.
func (d *Dataset) inputs(g *graph.Graph, part func(*tensor.Tensor) (*tensor.Tensor, error)) ([]*tensor.Tensor, error) {
	inOrder := !slices.ContainsFunc(g.Inputs, func(v *graph.Value) bool { return d.arrays.Get(v.Name) != nil })
	var in []*tensor.Tensor
	for i, v := range g.Inputs {
		name := v.Name
		if d.arrays.Get(name) == nil && len(g.Inputs) == 1 && d.arrays.Get("x") != nil {
			name = "x"
		} else if inOrder && i < len(d.arrays) {
			name = d.arrays[i].Name
		}
		t := d.arrays.Get(name)
		if t == nil && g.IsOpen() {
			return in, nil // the model says which ones it needs
		}
		if t == nil {
			return nil, &tensor.FileError{File: d.file, Reason: fmt.Sprintf("no array for the model's input %q: it has %v", v.Name, d.arrays.Names())}
		}
		t, err := part(t)
		if err == nil {
			t, err = d.convert(t, inputType(g, v, t))
		}
		if err == nil && !g.IsOpen() && t.Rank() != len(v.Type.Shape) {
			err = fmt.Errorf("%v where the model takes %d dimensions, such as %v", t, len(v.Type.Shape), v.Type.Shape)
		}
		if err != nil {
			return nil, &tensor.FileError{File: d.file, Record: name, Reason: err.Error()}
		}
		in = append(in, t)
	}
	return in, nil
}

// inputType returns the element type that an input takes. An open graph takes
// any: bytes are those of images, which models take as floats.
func inputType(g *graph.Graph, v *graph.Value, t *tensor.Tensor) tensor.DType {
	switch {
	case !g.IsOpen():
		return v.Type.DType
	case t.DType() == tensor.Uint8:
		return tensor.Float32
	}
	return t.DType()
}

// convert returns t as an input of the given type.
func (d *Dataset) convert(t *tensor.Tensor, want tensor.DType) (*tensor.Tensor, error) {
	have := t.DType()
	switch {
	case have == want:
		return t, nil
	case have == tensor.Uint8 && want == tensor.Float32:
		return d.normalize(t)
	case have.IsFloat() && want.IsFloat(), have.IsInteger() && want.IsInteger():
		return t.To(want)
	}
	return nil, fmt.Errorf("%v where the model takes %v", t, want)
}

// normalize returns (x/255 - mean)/std for bytes [N, C, ...].
func (d *Dataset) normalize(x *tensor.Tensor) (*tensor.Tensor, error) {
	channels := max(len(d.mean), len(d.std), 1)
	if channels > 1 && (x.Rank() < 2 || x.Dim(1) != channels) {
		return nil, fmt.Errorf("%v where mean and std are given for %d channels", x, channels)
	}
	tables := make([][256]float32, channels)
	for c := range tables {
		mean, err := channelOf(d.mean, c, channels, 0)
		if err != nil {
			return nil, err
		}
		std, err := channelOf(d.std, c, channels, 1)
		if err != nil {
			return nil, err
		}
		for v := range tables[c] {
			tables[c][v] = (float32(v)/255 - mean) / std
		}
	}
	out, err := tensor.New(tensor.Float32, x.Shape()...)
	if err != nil {
		return nil, err
	}
	src, dst := x.Contiguous().Uint8s(), out.Float32s()
	plane := len(src)
	if channels > 1 {
		plane = 1
		for _, e := range x.Shape()[2:] {
			plane *= e
		}
	}
	for i := 0; len(src) > 0 && plane > 0; i++ {
		table := &tables[i%channels]
		for j, v := range src[:plane] {
			dst[j] = table[v]
		}
		src, dst = src[plane:], dst[plane:]
	}
	return out, nil
}

// channelOf returns the value of a channel, where one value holds for all and none means missing.
func channelOf(v []float32, c, channels int, missing float32) (float32, error) {
	switch len(v) {
	case 0:
		return missing, nil
	case 1:
		return v[0], nil
	case channels:
		return v[c], nil
	}
	return 0, fmt.Errorf("mean and std are given for %d and %d channels", len(v), channels)
}
