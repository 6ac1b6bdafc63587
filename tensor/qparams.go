package tensor

import (
	"fmt"
	"math"
	"slices"
)

// QScheme names how quantization parameters map to a tensor, with PyTorch's terms.
type QScheme uint8

// The schemes. Affine ones have any zero point, symmetric ones the middle of
// the range; per-channel ones have one scale and zero point for each index of an axis.
const (
	PerTensorAffine QScheme = iota
	PerTensorSymmetric
	PerChannelAffine
	PerChannelSymmetric
)

// PerChannel reports whether the scheme has one scale per index of an axis.
func (s QScheme) PerChannel() bool { return s == PerChannelAffine || s == PerChannelSymmetric }

// Symmetric reports whether the zero point is the middle of the range.
func (s QScheme) Symmetric() bool { return s == PerTensorSymmetric || s == PerChannelSymmetric }

// String returns PyTorch's name: "per_tensor_affine".
func (s QScheme) String() string {
	names := [...]string{"per_tensor_affine", "per_tensor_symmetric", "per_channel_affine", "per_channel_symmetric"}
	if int(s) < len(names) {
		return names[s]
	}
	return fmt.Sprintf("QScheme(%d)", uint8(s))
}

// ParseQScheme returns the scheme with PyTorch's name.
func ParseQScheme(name string) (QScheme, error) {
	for s := PerTensorAffine; s <= PerChannelSymmetric; s++ {
		if s.String() == name {
			return s, nil
		}
	}
	return 0, fmt.Errorf("tensor: unknown quantization scheme %q", name)
}

// MarshalText returns PyTorch's name, and an error for a scheme without one.
func (s QScheme) MarshalText() ([]byte, error) {
	if s > PerChannelSymmetric {
		return nil, fmt.Errorf("tensor: %v has no name", s)
	}
	return []byte(s.String()), nil
}

// UnmarshalText takes a name that ParseQScheme takes.
func (s *QScheme) UnmarshalText(text []byte) (err error) {
	*s, err = ParseQScheme(string(text))
	return err
}

// QParams says what the integers of a quantized tensor mean:
// real = scale * (q - zero point).
type QParams struct {
	DType     DType // Uint8, Int8 or Int32
	Scheme    QScheme
	Scale     []float32 // one, or one per index of Axis
	ZeroPoint []int32   // as many as Scale
	Axis      int       // of per-channel schemes
	Min, Max  int32     // the integers in use, within the range of DType
}

// PerTensor returns affine parameters over the whole range of dtype.
// It is not inlined, for the size of programs: docs/architecture.md.
//
//go:noinline
func PerTensor(dtype DType, scale float32, zeroPoint int32) *QParams {
	lo, hi := QRange(dtype)
	return &QParams{DType: dtype, Scheme: PerTensorAffine, Scale: []float32{scale}, ZeroPoint: []int32{zeroPoint}, Min: lo, Max: hi}
}

// QRange returns the least and greatest integer of a quantized element type.
func QRange(dtype DType) (lo, hi int32) {
	switch dtype {
	case Uint8:
		return 0, 255
	case Int8:
		return -128, 127
	case Int32:
		return math.MinInt32, math.MaxInt32
	}
	return 0, 0
}

// Validate reports the first thing that is wrong with q for a tensor of the
// given shape: lengths, a scale that is not positive and finite, a zero point
// or range outside the element type.
func (q *QParams) Validate(shape Shape) error {
	lo, hi := QRange(q.DType)
	if lo == hi {
		return fmt.Errorf("tensor: %v is not a quantized element type", q.DType)
	}
	want := 1
	if q.Scheme.PerChannel() {
		if q.Axis < 0 || q.Axis >= len(shape) {
			return fmt.Errorf("tensor: quantization axis %d is out of range for shape %v", q.Axis, shape)
		}
		want = shape[q.Axis]
	}
	if len(q.Scale) != want || len(q.ZeroPoint) != want {
		return fmt.Errorf("tensor: %d scales and %d zero points where shape %v needs %d", len(q.Scale), len(q.ZeroPoint), shape, want)
	}
	if q.Min < lo || q.Max > hi || q.Min >= q.Max {
		return fmt.Errorf("tensor: quantized range [%d, %d] does not fit %v", q.Min, q.Max, q.DType)
	}
	for i, s := range q.Scale {
		if !(s > 0) || math.IsInf(float64(s), 0) {
			return fmt.Errorf("tensor: quantization scale %d is %v: it must be positive and finite", i, s)
		}
		if z := q.ZeroPoint[i]; z < lo || z > hi {
			return fmt.Errorf("tensor: zero point %d is outside %v", z, q.DType)
		}
	}
	return nil
}

// Equal reports whether both describe the same mapping.
func (q *QParams) Equal(o *QParams) bool {
	if q == nil || o == nil {
		return q == o
	}
	return q.DType == o.DType && q.Scheme == o.Scheme && q.Axis == o.Axis && q.Min == o.Min && q.Max == o.Max &&
		slices.Equal(q.Scale, o.Scale) && slices.Equal(q.ZeroPoint, o.ZeroPoint)
}

// Clone returns a copy that shares no memory with q.
func (q *QParams) Clone() *QParams {
	if q == nil {
		return nil
	}
	c := *q
	c.Scale, c.ZeroPoint = slices.Clone(q.Scale), slices.Clone(q.ZeroPoint)
	return &c
}

// String formats per-tensor parameters as "u8(scale=0.0235, zero=3)".
func (q *QParams) String() string {
	if q == nil {
		return "none"
	}
	if !q.Scheme.PerChannel() && len(q.Scale) == 1 && len(q.ZeroPoint) == 1 {
		return fmt.Sprintf("%s(scale=%g, zero=%d)", q.DType.Short(), q.Scale[0], q.ZeroPoint[0])
	}
	return fmt.Sprintf("%s(axis=%d, %d scales)", q.DType.Short(), q.Axis, len(q.Scale))
}
