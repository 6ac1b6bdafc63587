package data

import (
	"fmt"
	"slices"

	"github.com/octet-ml/octet/tensor"
)

// Source gives samples by their index. A source holds none of them: it reads what it is asked for, from any number of goroutines.
type Source interface {
	// Fields lists the arrays that samples are of. They stay the same.
	Fields() []Field
	// Read returns the samples of the given indices of one field, in their order, [len(samples), ...]; a field without
	// dimensions whole, whatever the indices. The tensor is the caller's.
	Read(field int, samples []int) (*tensor.Tensor, error)
	// Place says where a sample comes from, such as the path of its picture, "" where nothing but its index does.
	Place(sample int) string
	// Close gives back what the source holds open.
	Close() error
}

// Field is an array of samples.
type Field struct {
	Name  string
	DType tensor.DType
	// Shape has the samples first; without dimensions the array holds for all samples. Where samples
	// differ it is that of the first.
	Shape tensor.Shape
}

func (f Field) String() string { return fmt.Sprintf("%v%v", f.DType, f.Shape) }

// rank returns the number of dimensions.
func (f Field) rank() int { return len(f.Shape) }

// fieldNamed returns the index of the field of a name, -1 where there is none.
func fieldNamed(fields []Field, name string) int {
	return slices.IndexFunc(fields, func(f Field) bool { return f.Name == name })
}

func fieldNames(fields []Field) []string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
	}
	return names
}

// readAll returns a field whole.
func readAll(s Source, field int) (*tensor.Tensor, error) {
	shape := s.Fields()[field].Shape
	if len(shape) == 0 {
		return s.Read(field, nil)
	}
	return s.Read(field, upTo(0, shape[0]))
}

// upTo returns the indices [from, to).
func upTo(from, to int) []int {
	list := make([]int, to-from)
	for i := range list {
		list[i] = from + i
	}
	return list
}

// rowsOf returns rows of t, which is contiguous, along its first dimension.
func rowsOf(t *tensor.Tensor, rows []int) (*tensor.Tensor, error) {
	if t.Rank() == 0 {
		return t.Clone(), nil
	}
	shape := t.Shape().Clone()
	shape[0] = len(rows)
	out, err := tensor.New(t.DType(), shape...)
	if err != nil {
		return nil, err
	}
	src, dst := t.Bytes(), out.Bytes()
	size := len(dst) / max(len(rows), 1)
	for i, k := range rows {
		copy(dst[i*size:][:size], src[k*size:][:size])
	}
	return out, nil
}
