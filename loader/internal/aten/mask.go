package aten

import (
	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// maskOf returns a mask as masked_fill and masked_scatter of PyTorch 1 read it: of elements that are neither bool nor
// uint8 they take the lowest byte, which must be 0 or 1. Later versions take bool alone.
func (c *call) maskOf(m *build.Tensor) *build.Tensor {
	switch d := m.DType(); d {
	case tensor.Bool, tensor.Uint8:
		return m
	case tensor.Float32, tensor.Float64:
		// A float whose lowest byte is 0 has 8 significant bits less. That of 1 is none that a mask would have.
		c.assertMask(c.coarse(c.cast(m, tensor.Float64), map[tensor.DType]float64{tensor.Float32: 1<<37 + 1, tensor.Float64: 1<<8 + 1}[d]))
		return c.likeOf(m, 0, tensor.Bool)
	case tensor.Float16, tensor.BFloat16:
		c.unsupported("by a mask of %v", d)
		return m
	}
	low := c.binaryValues(ops.BitAnd, c.cast(m, tensor.Int64), int64(255))
	c.assertMask(c.arithNumber(ops.Le, low, int64(1)))
	return c.arithNumber(ops.Eq, low, int64(1))
}

// coarse reports for each of float64 values whether it has few significant bits: where rounding it to them, by Veltkamp's
// splitting with 2^n+1 for n bits less, gives the value itself. Subnormal values of float32 have not.
func (c *call) coarse(x *build.Tensor, splitter float64) *build.Tensor {
	large := c.arithNumber(ops.Mul, x, splitter)
	same := c.arith(ops.Eq, c.arith(ops.Sub, large, c.arith(ops.Sub, large, x)), x)
	size := c.apply(ops.Unary{Fn: ops.Abs}, x)
	normal := c.arith(ops.LogicalOr, c.arithNumber(ops.Ge, size, 0x1p-126), c.arithNumber(ops.Eq, x, int64(0)))
	special := c.apply(ops.Unary{Fn: ops.LogicalNot}, c.apply(ops.Unary{Fn: ops.IsFinite}, x))
	return c.arith(ops.LogicalOr, special, c.arith(ops.LogicalAnd, same, normal))
}

// assertMask raises unless all elements are true.
func (c *call) assertMask(ok *build.Tensor) {
	c.assertAll(ok, "Mask tensor can take 0 and 1 values only")
}

// assertDims raises unless two shapes are the same, of the example and of every run.
func (c *call) assertDims(a, b []*build.Number, message string) {
	if len(a) != len(b) {
		c.fail("%s", message)
		return
	}
	for i := range a {
		if a[i].Known != nil && b[i].Known != nil && a[i].Known != b[i].Known {
			c.fail("%s: %v and %v in dimension %d", message, a[i].Known, b[i].Known, i)
		}
		if !build.SameExtent(a[i], b[i]) && len(a[i].Deps)+len(b[i].Deps) > 0 {
			c.assertAll(c.arith(ops.Eq, build.OfNumber(a[i]), build.OfNumber(b[i])), message)
		}
	}
}

// assertAll raises PyTorch's RuntimeError unless all elements are true.
func (c *call) assertAll(ok *build.Tensor, message string) {
	v := c.read(c.apply(ops.Reduce{Fn: ops.All}, ok))
	if c.Err() == nil {
		_, err := c.Add(ops.Assert{Message: "the model raises RuntimeError: " + message}, v)
		c.failed(err)
	}
}
