package aten

import (
	"github.com/octet-ml/octet/ops"

	"github.com/octet-ml/octet/loader/internal/build"
)

// losses are those of torch.nn.functional that models compute of their own
// outputs: reconstruction errors of autoencoders, distances of embeddings.
var losses = []operator{
	{"aten::mse_loss", "self:T target:T reduction:i=1", loss(2, func(c *call, d *build.Tensor) *build.Tensor { return c.apply(ops.Unary{Fn: ops.Square}, d) })},
	{"aten::l1_loss", "self:T target:T reduction:i=1", loss(2, func(c *call, d *build.Tensor) *build.Tensor { return c.apply(ops.Unary{Fn: ops.Abs}, d) })},
	{"aten::smooth_l1_loss", "self:T target:T reduction:i=1 beta:f=1", loss(2, smoothL1)},
	{"aten::huber_loss", "self:T target:T reduction:i=1 delta:f=1", loss(2, huber)},
}

// loss lowers a function of the difference of self and target, which the argument
// at reduction says to keep (0), average (1) or sum (2).
func loss(reduction int, f func(c *call, d *build.Tensor) *build.Tensor) func(*call) Value {
	return func(c *call) Value {
		y := f(c, c.arith(ops.Sub, c.tensor(0), c.tensor(1)))
		switch c.int(reduction) {
		case 0:
			return y
		case 1:
			return c.apply(ops.Reduce{Fn: ops.Mean}, y)
		case 2:
			return c.apply(ops.Reduce{Fn: ops.Sum}, y)
		}
		return c.fail("unknown reduction %d", c.int(reduction))
	}
}

// huber is d*d/2 where |d| < delta, else delta*(|d| - delta/2).
func huber(c *call, d *build.Tensor) *build.Tensor {
	delta := c.float(3)
	size := c.apply(ops.Unary{Fn: ops.Abs}, d)
	near := c.arithNumber(ops.Mul, c.apply(ops.Unary{Fn: ops.Square}, d), 0.5)
	far := c.arithNumber(ops.Mul, c.arithNumber(ops.Sub, size, delta/2), delta)
	return c.apply(ops.Where{}, c.arithNumber(ops.Lt, size, delta), near, far)
}

// smoothL1 is huber divided by delta, here beta.
func smoothL1(c *call, d *build.Tensor) *build.Tensor {
	if c.float(3) == 0 {
		return c.apply(ops.Unary{Fn: ops.Abs}, d)
	}
	return c.arithNumber(ops.Div, huber(c, d), c.float(3))
}
