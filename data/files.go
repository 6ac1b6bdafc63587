package data

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"

	"github.com/octet-ml/octet/data/internal/wave"
	"github.com/octet-ml/octet/internal/fastcores"
	"github.com/octet-ml/octet/tensor"
)

// files is a Source of one file for each sample.
type files struct {
	list   *fileList
	fields []Field
	shared tensor.Arrays // mean and std
	decode func(encoded []byte) (*tensor.Tensor, error)
	most   int64      // bytes of a file
	large  sync.Mutex // held while a large file is decoded
}

// largeFile is a file of which one is decoded at a time, so that memory holds one picture of a camera and not one for each CPU.
const largeFile = 1 << 20

// maxFile bounds the bytes of a file of one sample where the caller names no bound.
const maxFile = 1 << 30

// openFiles makes the source, whose element type and shape are those of its first sample.
func openFiles(ctx context.Context, l *fileList, o *Options) (*files, []*tensor.FileError, error) {
	f := &files{list: l, most: maxFile}
	if o.MaxMemory > 0 {
		f.most = min(f.most, o.MaxMemory)
	}
	sound, err := l.isSound()
	if err != nil {
		return nil, nil, err
	}
	if sound {
		f.decode = soundDecoder(o)
		for i := 0; o.Rate == 0 && i < len(l.names); i++ { // the first that can be read has the rate of all
			if _, err := f.load(i); err == nil {
				break
			}
		}
	} else {
		if f.shared, err = o.Pictures.scale(); err != nil {
			return nil, nil, err
		}
		f.decode = func(encoded []byte) (*tensor.Tensor, error) { return o.Pictures.Decode(encoded, o.MaxMemory) }
	}
	var bad []*tensor.FileError
	if o.SkipBad {
		if bad, err = f.dropBad(ctx); err != nil {
			return nil, nil, err
		}
	}
	first, err := f.load(0)
	if err != nil {
		return nil, nil, err
	}
	n := len(f.list.names)
	f.fields = []Field{{"x", first.DType(), append(tensor.Shape{n}, first.Shape()...)}}
	if f.list.labels != nil {
		f.fields = append(f.fields, Field{"y", tensor.Int64, tensor.Shape{n}})
	}
	for _, a := range f.shared {
		f.fields = append(f.fields, Field{a.Name, a.Tensor.DType(), a.Tensor.Shape()})
	}
	return f, bad, nil
}

// soundDecoder returns how sounds are read, all of one rate.
func soundDecoder(o *Options) func(encoded []byte) (*tensor.Tensor, error) {
	var mu sync.Mutex
	rate := o.Rate
	return func(encoded []byte) (*tensor.Tensor, error) {
		s, err := wave.Decode(encoded, o.MaxMemory)
		if err != nil {
			return nil, err
		}
		mu.Lock()
		defer mu.Unlock()
		if rate == 0 {
			rate = s.Rate
		}
		switch {
		case s.Rate != rate && o.Rate != 0:
			return nil, fmt.Errorf("a sound of %d Hz where the model takes %d Hz: resample it", s.Rate, rate)
		case s.Rate != rate:
			return nil, fmt.Errorf("a sound of %d Hz where the first has %d Hz: resample it", s.Rate, rate)
		}
		return tensor.FromSlice(s.Samples, s.Channels, len(s.Samples)/s.Channels)
	}
}

func (f *files) Fields() []Field         { return f.fields }
func (f *files) Place(sample int) string { return f.list.path(sample) }
func (f *files) Close() error            { return nil }

func (f *files) Read(field int, samples []int) (*tensor.Tensor, error) {
	switch name := f.fields[field].Name; name {
	case "x":
		return f.read(samples)
	case "y":
		y := make([]int64, len(samples))
		for i, k := range samples {
			y[i] = f.list.labels[k]
		}
		return tensor.FromSlice(y, len(y))
	default:
		return f.shared.Get(name).Clone(), nil
	}
}

// read decodes samples, several at a time, into one tensor.
func (f *files) read(samples []int) (*tensor.Tensor, error) {
	if len(samples) == 0 {
		return tensor.New(f.fields[0].DType, append([]int{0}, f.fields[0].Shape[1:]...)...)
	}
	first, err := f.load(samples[0])
	if err != nil {
		return nil, err
	}
	out, err := tensor.New(first.DType(), append([]int{len(samples)}, first.Shape()...)...)
	if err != nil {
		return nil, err
	}
	size := copy(out.Bytes(), first.Bytes())
	err = parallel(len(samples)-1, func(i int) error {
		t, err := f.load(samples[i+1])
		if err != nil {
			return err
		}
		if !t.Shape().Equal(first.Shape()) {
			return &tensor.FileError{File: f.list.path(samples[i+1]), Err: &UnevenError{t, first, f.list.path(samples[0])}}
		}
		copy(out.Bytes()[(i+1)*size:], t.Bytes())
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// UnevenError says that a sample cannot be in one batch with another one.
type UnevenError struct {
	Sample, Other *tensor.Tensor
	OtherPlace    string
}

func (e *UnevenError) Error() string {
	return fmt.Sprintf("it is %v where %s is %v: samples of one batch have one size", e.Sample, e.OtherPlace, e.Other)
}

// load reads and decodes one sample.
func (f *files) load(k int) (*tensor.Tensor, error) {
	path := f.list.path(k)
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, &tensor.FileError{File: path, Err: err}
	case !info.Mode().IsRegular():
		return nil, &tensor.FileError{File: path, Reason: "not a regular file"}
	case info.Size() > f.most:
		return nil, &tensor.FileError{File: path, Err: &tensor.BudgetError{What: "the file", Need: info.Size(), Limit: f.most}}
	case info.Size() > largeFile:
		f.large.Lock()
		defer f.large.Unlock()
		// The last picture is garbage as large as this one. Marking takes little beside decoding: weights and planes have no pointers.
		runtime.GC()
	}
	encoded, err := os.ReadFile(path)
	if err != nil {
		return nil, &tensor.FileError{File: path, Err: err}
	}
	t, err := f.decode(encoded)
	if err != nil {
		return nil, &tensor.FileError{File: path, Reason: "it cannot be decoded", Err: err}
	}
	return t, nil
}

// dropBad decodes all samples and leaves out those that cannot be.
func (f *files) dropBad(ctx context.Context) ([]*tensor.FileError, error) {
	errs := make([]error, len(f.list.names))
	err := parallel(len(errs), func(i int) error {
		_, errs[i] = f.load(i)
		return ctx.Err()
	})
	if err != nil {
		return nil, err
	}
	var bad []*tensor.FileError
	kept := &fileList{root: f.list.root, classes: f.list.classes}
	for i, err := range errs {
		if err == nil {
			kept.names = append(kept.names, f.list.names[i])
			if f.list.labels != nil {
				kept.labels = append(kept.labels, f.list.labels[i])
			}
			continue
		}
		fe, ok := errors.AsType[*tensor.FileError](err)
		if !ok {
			fe = &tensor.FileError{File: f.list.path(i), Err: err}
		}
		bad = append(bad, fe)
	}
	if len(kept.names) == 0 {
		return nil, &tensor.FileError{File: f.list.root, Reason: fmt.Sprintf("none of its %d files can be decoded", len(errs)), Err: bad[0]}
	}
	f.list = kept
	return bad, nil
}

// parallel calls do for 0 to n-1 from as many goroutines as there are CPUs, and returns the error of the least index that has one, of those
// that were called.
func parallel(n int, do func(i int) error) error {
	var mu sync.Mutex
	next, at := 0, n
	var first error
	var wg sync.WaitGroup
	for range min(fastcores.Threads(), n) {
		wg.Go(func() {
			for {
				mu.Lock()
				i := next
				next++
				stop := i >= at
				mu.Unlock()
				if stop {
					return
				}
				if err := do(i); err != nil {
					mu.Lock()
					if i < at {
						at, first = i, err
					}
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	return first
}
