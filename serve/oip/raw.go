package oip

import (
	"math"

	"github.com/octet-ml/octet/tensor"
)

// Declare returns a tensor of a message without its elements, for protocols that have names, types and extents in messages of
// their own. What is not the protocol's is an *InvalidError.
func Declare(name string, datatype Datatype, extents []int64) (*Tensor, error) {
	t := &Tensor{Name: name, Datatype: datatype, Shape: make(tensor.Shape, len(extents))}
	for i, n := range extents {
		if n < 0 || n > math.MaxInt {
			return nil, invalid("shape", "extent %d", n)
		}
		t.Shape[i] = int(n)
	}
	if len(extents) > maxRank {
		return nil, invalid("shape", "%d dimensions, at most %d are possible", len(extents), maxRank)
	}
	if err := t.complete(); err != nil {
		return nil, err
	}
	if err := t.Datatype.check("datatype"); err != nil {
		return nil, err
	}
	if _, err := t.Shape.Numel(); err != nil {
		return nil, invalid("shape", "%v", err)
	}
	return t, nil
}

// SetRaw takes over data as the elements of t: little-endian or, of BYTES, each behind its length of 4 bytes.
func (t *Tensor) SetRaw(data []byte) error {
	t.Binary = true
	if t.Datatype != Bytes {
		if value, err := tensor.FromBytes(t.Datatype.DType(), data, t.Shape...); err == nil {
			t.Value = value
			t.normalize()
			return nil
		}
	}
	return t.setBinary(data, nil) // says what does not fit, and copies what is not aligned
}

// Raw returns the elements of t as SetRaw takes them; but for BYTES they are those of t itself.
func (t *Tensor) Raw() []byte {
	if t.Datatype != Bytes {
		return t.Value.Bytes()
	}
	return t.appendBinary(make([]byte, 0, t.binarySize()))
}
