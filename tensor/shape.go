package tensor

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Shape is the extent of a tensor in each dimension, outermost first. An empty
// shape is a scalar.
type Shape []int

// maxNumel elements of 8 bytes fill what a process can address: 2^47 bytes where
// int has 64 bits, else what an int counts.
const maxNumel = (math.MaxInt - Alignment) / 8 >> (math.MaxInt >> 62 * 16)

// Numel returns the number of elements. It fails on a negative extent and when
// elements of 8 bytes could not be addressed.
func (s Shape) Numel() (int, error) {
	n := 1
	empty := false
	for _, d := range s {
		switch {
		case d < 0:
			return 0, fmt.Errorf("tensor: shape %v has a negative extent", s)
		case d == 0:
			empty = true
		case n > maxNumel/d:
			return 0, fmt.Errorf("tensor: shape %v has too many elements: at most %d can be addressed", s, maxNumel)
		default:
			n *= d
		}
	}
	if empty {
		return 0, nil
	}
	return n, nil
}

// numel is Numel of a shape already checked.
func (s Shape) numel() int {
	n := 1
	for _, d := range s {
		n *= d
	}
	return n
}

// Strides returns the row-major strides of a contiguous tensor of this shape,
// in elements.
//
//go:noinline
func (s Shape) Strides() []int {
	strides := make([]int, len(s))
	n := 1
	for i := len(s) - 1; i >= 0; i-- {
		strides[i] = n
		n *= max(s[i], 1)
	}
	return strides
}

// Equal reports whether both shapes have the same rank and extents.
func (s Shape) Equal(o Shape) bool { return slices.Equal(s, o) }

// Clone returns a copy.
//
//go:noinline
func (s Shape) Clone() Shape { return slices.Clone(s) }

// String formats the shape as [1 3 224 224] is written in PyTorch: "[1, 3, 224, 224]".
func (s Shape) String() string {
	var b strings.Builder
	b.WriteByte('[')
	for i, d := range s {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(strconv.Itoa(d))
	}
	b.WriteByte(']')
	return b.String()
}

// Axis resolves a possibly negative dimension index against the rank, as
// PyTorch does: -1 is the last dimension.
func (s Shape) Axis(axis int) (int, error) {
	rank := max(len(s), 1)
	if axis < -rank || axis >= rank {
		return 0, fmt.Errorf("tensor: dimension %d is out of range for shape %v", axis, s)
	}
	if axis < 0 {
		axis += rank
	}
	return axis, nil
}

// Broadcast returns the shape two operands have together under PyTorch's
// broadcasting rules: dimensions align at the end, and extents are equal or 1.
func Broadcast(a, b Shape) (Shape, error) {
	out := make(Shape, max(len(a), len(b)))
	for i := range out {
		da, db := 1, 1
		if j := i - len(out) + len(a); j >= 0 {
			da = a[j]
		}
		if j := i - len(out) + len(b); j >= 0 {
			db = b[j]
		}
		switch {
		case da == db || db == 1:
			out[i] = da
		case da == 1:
			out[i] = db
		default:
			return nil, fmt.Errorf("tensor: shapes %v and %v do not broadcast", a, b)
		}
	}
	return out, nil
}
