package container

import (
	"encoding/binary"
	"fmt"

	"github.com/octet-ml/octet/tensor"
)

// Wide is an element type of files that octet does not compute in: its values are kept in a wider type.
type Wide struct {
	Name   string       // PyTorch's
	Size   int          // bytes of an element in the file
	Signed bool         // else without a sign
	DType  tensor.DType // what holds the values
	bits   tensor.DType // a type of the same size
}

// The element types that are widened.
var (
	Int16  = &Wide{"int16", 2, true, tensor.Int32, tensor.Float16}
	Uint16 = &Wide{"uint16", 2, false, tensor.Int32, tensor.Float16}
	Uint32 = &Wide{"uint32", 4, false, tensor.Int64, tensor.Int32}
	Uint64 = &Wide{"uint64", 8, false, tensor.Int64, tensor.Int64}
)

// WideOf returns the type of a name that is widened, nil for every other name.
func WideOf(name string) *Wide {
	for _, w := range []*Wide{Int16, Uint16, Uint32, Uint64} {
		if w.Name == name {
			return w
		}
	}
	return nil
}

// Widen returns the elements in data, little-endian, as those of DType. Only uint64 has values that do not fit.
func (w *Wide) Widen(data []byte) ([]byte, error) {
	n := len(data) / w.Size
	out := tensor.AlignedBytes(n * w.DType.Size())
	for i := range n {
		at := data[i*w.Size:]
		switch w {
		case Int16:
			binary.LittleEndian.PutUint32(out[4*i:], uint32(int16(binary.LittleEndian.Uint16(at))))
		case Uint16:
			binary.LittleEndian.PutUint32(out[4*i:], uint32(binary.LittleEndian.Uint16(at)))
		case Uint32:
			binary.LittleEndian.PutUint64(out[8*i:], uint64(binary.LittleEndian.Uint32(at)))
		case Uint64:
			v := binary.LittleEndian.Uint64(at)
			if int64(v) < 0 {
				return nil, fmt.Errorf("element %d is %d: numbers of uint64 are read up to 2^63-1, as int64", i, v)
			}
			binary.LittleEndian.PutUint64(out[8*i:], v)
		}
	}
	return out, nil
}

// View copies a view of elements in data into a tensor of DType. Offset and strides count elements.
func (w *Wide) View(data []byte, offset int, shape, strides []int) (*tensor.Tensor, error) {
	t, err := tensor.View(w.bits, data, offset, shape, strides)
	if err != nil {
		return nil, err
	}
	wide, err := w.Widen(t.Clone().Bytes())
	if err != nil {
		return nil, err
	}
	return tensor.FromBytes(w.DType, wide, shape...)
}
