package aten

import (
	"slices"
	"strings"

	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// narrowType is an integer type of PyTorch that octet does not have: values are kept in a wider one.
type narrowType struct {
	kept   tensor.DType
	bits   int
	signed bool
}

// shortType is int16 in PyTorch's numbering.
const shortType = 2

// narrowTypes are by PyTorch's numbers. PyTorch stores unsigned ones, but computes with none of them, so that only int16
// follows through operators, as build.Storage.Short. Values of uint64 from 2^63 on are not had.
var narrowTypes = map[int]*narrowType{
	shortType: {tensor.Int32, 16, true},
	27:        {tensor.Int32, 16, false},
	28:        {tensor.Int64, 32, false},
	29:        {tensor.Int64, 64, false},
}

// wrapping are the operators whose results of int16 may leave its range.
var wrapping = []string{"add", "sub", "subtract", "rsub", "mul", "multiply", "neg", "negative", "abs", "absolute", "pow", "square", "div", "divide", "floor_divide", "bitwise_left_shift", "__lshift__", "addcmul"}

// narrowed returns a result as PyTorch has it: of the type that the program named, or of int16 where its operands are.
func (c *call) narrowed(v Value) Value {
	if c.complex {
		return c.eachResult(v, func(t *build.Tensor) *build.Tensor { return c.ensureComplex(t) })
	}
	if c.narrow != nil {
		n := c.narrow
		return c.eachResult(v, func(t *build.Tensor) *build.Tensor {
			if t.DType() != n.kept || t.Store.Short && n.signed {
				return t
			}
			return c.wrapped(t, n)
		})
	}
	shorts, known := false, false
	return c.eachResult(v, func(t *build.Tensor) *build.Tensor {
		if c.typed || t.DType() != tensor.Int32 || t.Store.Short {
			return t // of another type, or a view
		}
		if !known {
			shorts, known = c.onShorts(), true
		}
		switch {
		case !shorts:
			return t
		case slices.Contains(wrapping, strings.TrimPrefix(c.name, "aten::")):
			return c.wrapped(t, narrowTypes[shortType])
		}
		t.Store.Short = true
		return t
	})
}

// eachResult applies a function to the tensor that a result is, or to those of a tuple. Lists have views, or are arguments.
func (c *call) eachResult(v Value, f func(*build.Tensor) *build.Tensor) Value {
	if c.Err() != nil {
		return v
	}
	switch v := v.(type) {
	case *build.Tensor:
		return f(v)
	case *Tuple:
		for i, x := range v.Items {
			if t, ok := x.(*build.Tensor); ok && c.Err() == nil {
				v.Items[i] = f(t)
			}
		}
	}
	return v
}

// wrapped keeps the lowest bits of integers, as a tensor of its own.
func (c *call) wrapped(t *build.Tensor, n *narrowType) *build.Tensor {
	switch {
	case n.bits == 64:
		return t
	case !n.signed:
		return c.arithNumber(ops.BitAnd, t, int64(1)<<n.bits-1)
	}
	half := int64(1) << (n.bits - 1)
	t = c.arithNumber(ops.Sub, c.arithNumber(ops.BitAnd, c.arithNumber(ops.Add, t, half), 2*half-1), half)
	t.Store.Short = true
	return t
}

// onShorts reports whether tensors of int16 are among the operands, and none of int32 that makes more of them. Those
// without dimensions do not count beside others.
func (c *call) onShorts() bool {
	short, wide := -1, -1 // the most dimensions, 1 for all above
	look := func(v Value) {
		t, ok := v.(*build.Tensor)
		if !ok {
			return
		}
		if rank := min(t.Rank(), 1); t.Store.Short {
			short = max(short, rank)
		} else if t.DType() == tensor.Int32 && t.Type().Q == nil {
			wide = max(wide, rank)
		}
	}
	for _, a := range c.args {
		look(a)
		if l, ok := a.(*List); ok && len(l.Items) > 0 {
			if _, tensors := l.Items[0].(*build.Tensor); tensors {
				for _, x := range l.Items {
					look(x)
				}
			}
		}
	}
	return short >= 0 && short > wide
}

// mixedBytes reports whether one tensor is of int8 and the other of uint8, of which PyTorch makes int16.
func mixedBytes(x, y *build.Tensor) bool {
	a, b := x.DType(), y.DType()
	return (a == tensor.Int8 && b == tensor.Uint8 || a == tensor.Uint8 && b == tensor.Int8) && min(x.Rank(), 1) == min(y.Rank(), 1)
}
