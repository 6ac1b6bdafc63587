package data

import (
	"context"

	"github.com/octet-ml/octet/tensor"
)

// memory is a Source of arrays in memory.
type memory struct {
	fields []Field
	arrays tensor.Arrays
}

func newMemory(arrays tensor.Arrays) *memory {
	m := &memory{}
	for _, a := range arrays {
		m.fields = append(m.fields, Field{a.Name, a.Tensor.DType(), a.Tensor.Shape()})
		m.arrays = append(m.arrays, tensor.Named{Name: a.Name, Tensor: a.Tensor.Contiguous()})
	}
	return m
}

func (m *memory) Fields() []Field  { return m.fields }
func (m *memory) Place(int) string { return "" }
func (m *memory) Close() error     { return nil }

func (m *memory) Read(field int, samples []int) (*tensor.Tensor, error) {
	return rowsOf(m.arrays[field].Tensor, samples)
}

// arrayFile is the Source of an .npz or .npy file.
type arrayFile struct {
	*tensor.ArrayFile
	fields []Field
}

// openArrays opens the .npz or .npy file at path. The array of the latter is x.
func openArrays(ctx context.Context, path string, maxMemory int64) (*arrayFile, error) {
	file, err := tensor.OpenArrays(ctx, path, maxMemory)
	if err != nil {
		return nil, err
	}
	a := &arrayFile{ArrayFile: file}
	for _, f := range file.Arrays {
		name := f.Name
		if len(file.Arrays) == 1 && name == "" {
			name = "x"
		}
		a.fields = append(a.fields, Field{name, f.DType, f.Shape})
	}
	return a, nil
}

func (a *arrayFile) Fields() []Field  { return a.fields }
func (a *arrayFile) Place(int) string { return "" }

func (a *arrayFile) Read(field int, samples []int) (*tensor.Tensor, error) {
	f := a.Arrays[field]
	if len(f.Shape) == 0 || len(samples) == f.Shape[0] && isRange(samples) {
		return f.Whole()
	}
	return f.Rows(samples)
}

// isRange reports whether samples are 0, 1, 2 and so on.
func isRange(samples []int) bool {
	for i, k := range samples {
		if i != k {
			return false
		}
	}
	return true
}
