package aten

import (
	"math"

	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
)

// losses are those of torch.nn.functional that compare element by element, or vector by vector.
var losses = []operator{
	{"aten::mse_loss", "self:T target:T reduction:i=1", difference(func(c *call, d *build.Tensor) *build.Tensor { return c.fn(ops.Square, d) })},
	{"aten::l1_loss", "self:T target:T reduction:i=1", difference(func(c *call, d *build.Tensor) *build.Tensor { return c.fn(ops.Abs, d) })},
	{"aten::smooth_l1_loss", "self:T target:T reduction:i=1 beta:f=1", difference(smoothL1)},
	{"aten::huber_loss", "self:T target:T reduction:i=1 delta:f=1", difference(huber)},
	{"aten::binary_cross_entropy", "self:T target:T weight:T?=None reduction:i=1", loss(3, binaryCrossEntropy)},
	{"aten::binary_cross_entropy_with_logits", "self:T target:T weight:T?=None pos_weight:T?=None reduction:i=1", loss(4, binaryCrossEntropyLogits)},
	{"aten::kl_div", "self:T target:T reduction:i=1 | log_target:b=False", loss(2, klDiv)},
	{"aten::poisson_nll_loss", "input:T target:T log_input:b full:b eps:f reduction:i", loss(5, poissonLoss)},
	{"aten::soft_margin_loss", "self:T target:T reduction:i=1", loss(2, softMarginLoss)},
	{"aten::hinge_embedding_loss", "self:T target:T margin:f=1 reduction:i=1", loss(3, hingeLoss)},
	{"aten::margin_ranking_loss", "input1:T input2:T target:T margin:f=0 reduction:i=1", loss(4, rankingLoss)},
	{"aten::cosine_embedding_loss", "input1:T input2:T target:T margin:f=0 reduction:i=1", loss(4, cosineLoss)},
	{"aten::triplet_margin_loss", "anchor:T positive:T negative:T margin:f=1 p:f=2 eps:f=1e-06 swap:b=False reduction:i=1", loss(7, tripletLoss)},
}

// loss lowers a loss of each element, which the argument at reduction says to keep (0), average (1) or sum (2).
//
//go:noinline
func loss(reduction int, f func(c *call) *build.Tensor) func(*call) Value {
	return func(c *call) Value { return c.lossOf(f(c), c.int(reduction)) }
}

func (c *call) lossOf(y *build.Tensor, reduction int) Value {
	switch reduction {
	case 0:
		return y
	case 1:
		return c.apply(ops.Reduce{Fn: ops.Mean}, y)
	case 2:
		return c.apply(ops.Reduce{Fn: ops.Sum}, y)
	}
	return c.fail("unknown reduction %d", reduction)
}

// difference lowers a loss that is a function of the difference of self and target.
func difference(f func(c *call, d *build.Tensor) *build.Tensor) func(*call) Value {
	return loss(2, func(c *call) *build.Tensor { return f(c, c.arith(ops.Sub, c.tensor(0), c.tensor(1))) })
}

// fn applies a function of one element without parameters.
//
//go:noinline
func (c *call) fn(fn ops.UnaryFn, x *build.Tensor) *build.Tensor {
	return c.apply(ops.Unary{Fn: fn}, x)
}

// fromOne is 1 - x.
func (c *call) fromOne(x *build.Tensor) *build.Tensor { return c.binaryValues(ops.Sub, int64(1), x) }

// least is the greater one of x and a number.
func (c *call) least(x *build.Tensor, bound float64) *build.Tensor {
	return c.apply(ops.Unary{Fn: ops.ClampMin, Alpha: bound}, x)
}

// zeroUnless is x where a condition holds, else 0.
func (c *call) zeroUnless(condition, x *build.Tensor) *build.Tensor {
	return c.apply(ops.Where{BNumber: true}, condition, x, c.lift(int64(0)))
}

// huber is d*d/2 where |d| < delta, else delta*(|d| - delta/2).
func huber(c *call, d *build.Tensor) *build.Tensor {
	delta := c.float(3)
	size := c.fn(ops.Abs, d)
	near := c.arithNumber(ops.Mul, c.fn(ops.Square, d), 0.5)
	far := c.arithNumber(ops.Mul, c.arithNumber(ops.Sub, size, delta/2), delta)
	return c.apply(ops.Where{}, c.arithNumber(ops.Lt, size, delta), near, far)
}

// smoothL1 is huber divided by delta, here beta.
func smoothL1(c *call, d *build.Tensor) *build.Tensor {
	if c.float(3) == 0 {
		return c.fn(ops.Abs, d)
	}
	return c.arithNumber(ops.Div, huber(c, d), c.float(3))
}

// sameTypes refuses floats of different types, and other numbers than floats, which PyTorch computes with in neither.
func (c *call) sameTypes(a, b *build.Tensor) {
	if a.DType() != b.DType() || !a.DType().IsFloat() {
		c.fail("%v and %v: both must hold the same type of floats", a.Type(), b.Type())
	}
}

// binaryCrossEntropy is -(target log(x) + (1 - target) log(1 - x)), of logarithms of at least -100.
func binaryCrossEntropy(c *call) *build.Tensor {
	x, target, weight := c.tensor(0), c.tensor(1), c.tensor(2)
	c.sameTypes(x, target)
	c.assertDims(c.Dims(x), c.Dims(target), "input and target must have the same shape")
	c.assertAll(c.arith(ops.LogicalAnd, c.arithNumber(ops.Ge, x, int64(0)), c.arithNumber(ops.Le, x, int64(1))), "all elements of input should be between 0 and 1")
	log := c.least(c.fn(ops.Log, x), -100)
	logRest := c.least(c.fn(ops.Log1p, c.fn(ops.Neg, x)), -100)
	y := c.arith(ops.Sub, c.arith(ops.Mul, c.arithNumber(ops.Sub, target, int64(1)), logRest), c.arith(ops.Mul, target, log))
	return c.weighted(y, weight)
}

// weighted multiplies the losses by weights, which may be nil.
func (c *call) weighted(y, weight *build.Tensor) *build.Tensor {
	if weight == nil {
		return y
	}
	c.sameTypes(y, weight)
	return c.arith(ops.Mul, y, c.expand(weight, c.Dims(y)))
}

// binaryCrossEntropyLogits is binaryCrossEntropy of sigmoid(x), where elements of targets count as pos_weight says.
func binaryCrossEntropyLogits(c *call) *build.Tensor {
	x, target, weight, positive := c.tensor(0), c.tensor(1), c.tensor(2), c.tensor(3)
	c.sameTypes(x, target)
	log := c.fn(ops.LogSigmoid, x)
	if positive != nil {
		c.sameTypes(x, positive)
		counts := c.arithNumber(ops.Add, c.arith(ops.Mul, c.arithNumber(ops.Sub, positive, int64(1)), target), int64(1))
		log = c.arith(ops.Mul, log, counts)
	}
	y := c.arith(ops.Sub, c.arith(ops.Mul, c.fromOne(target), x), log)
	return c.weighted(y, weight)
}

// klDiv is target * (log(target) - x), where log_target says that the target is a logarithm already.
func klDiv(c *call) *build.Tensor {
	x, target := c.tensor(0), c.tensor(1)
	c.sameTypes(x, target)
	if c.bool(3) {
		return c.arith(ops.Mul, c.fn(ops.Exp, target), c.arith(ops.Sub, target, x))
	}
	return c.arith(ops.Sub, c.timesLog(target, target, ops.Log), c.arith(ops.Mul, target, x))
}

// poissonLoss is exp(x) - target*x, or x - target*log(x + eps) where x is no logarithm; full adds Stirling's
// approximation of log(target!).
func poissonLoss(c *call) *build.Tensor {
	x, target := c.tensor(0), c.tensor(1)
	var y *build.Tensor
	if c.bool(2) {
		y = c.arith(ops.Sub, c.fn(ops.Exp, x), c.arith(ops.Mul, target, x))
	} else {
		y = c.arith(ops.Sub, x, c.arith(ops.Mul, target, c.fn(ops.Log, c.arithNumber(ops.Add, x, c.float(4)))))
	}
	if !c.bool(3) {
		return y
	}
	root := c.arithNumber(ops.Mul, c.fn(ops.Log, c.arithNumber(ops.Mul, target, 2*math.Pi)), 0.5)
	factorial := c.arith(ops.Add, c.arith(ops.Sub, c.arith(ops.Mul, target, c.fn(ops.Log, target)), target), root)
	few := c.arithNumber(ops.Le, target, int64(1))
	return c.arith(ops.Add, y, c.apply(ops.Where{ANumber: true, KeepB: true}, few, c.lift(0.0), factorial))
}

// softMarginLoss is log(1 + exp(-target*x)).
func softMarginLoss(c *call) *build.Tensor {
	return c.fn(ops.Log1p, c.fn(ops.Exp, c.fn(ops.Neg, c.arith(ops.Mul, c.tensor(0), c.tensor(1)))))
}

// hingeLoss is x for a target of 1 and max(0, margin - x) for -1; of both for any other.
func hingeLoss(c *call) *build.Tensor {
	x, target := c.tensor(0), c.tensor(1)
	rest := c.least(c.binaryValues(ops.Sub, c.float(2), x), 0)
	return c.arith(ops.Add, c.zeroUnless(c.arithNumber(ops.Ne, target, int64(1)), rest), c.zeroUnless(c.arithNumber(ops.Ne, target, int64(-1)), x))
}

// rankingLoss is max(0, margin - target*(a - b)).
func rankingLoss(c *call) *build.Tensor {
	a, b, target := c.tensor(0), c.tensor(1), c.tensor(2)
	if a.Rank() != b.Rank() || a.Rank() != target.Rank() {
		c.fail("inputs of %d and %d dimensions, and a target of %d", a.Rank(), b.Rank(), target.Rank())
	}
	gain := c.arith(ops.Mul, c.fn(ops.Neg, target), c.arith(ops.Sub, a, b))
	return c.least(c.arithNumber(ops.Add, gain, c.float(3)), 0)
}

// cosineLoss is 1 - cos(a, b) for a target of 1 and max(0, cos(a, b) - margin) for -1.
func cosineLoss(c *call) *build.Tensor {
	a, b, target := c.tensor(0), c.tensor(1), c.tensor(2)
	if target.Rank() > 1 || a.Rank() != target.Rank()+1 || b.Rank() != a.Rank() {
		c.fail("inputs of %d and %d dimensions, and a target of %d", a.Rank(), b.Rank(), target.Rank())
		return c.anything()
	}
	sum := func(x, y *build.Tensor) *build.Tensor {
		return c.apply(ops.Reduce{Fn: ops.Sum, Axes: []int{-1}}, c.arith(ops.Mul, x, y))
	}
	size := func(x *build.Tensor) *build.Tensor { return c.arithNumber(ops.Add, sum(x, x), 1e-12) }
	cosine := c.arith(ops.Div, sum(a, b), c.fn(ops.Sqrt, c.arith(ops.Mul, size(a), size(b))))
	near := c.fromOne(cosine)
	far := c.least(c.arithNumber(ops.Sub, cosine, c.float(3)), 0)
	return c.arith(ops.Add, c.zeroUnless(c.arithNumber(ops.Eq, target, int64(1)), near), c.zeroUnless(c.arithNumber(ops.Eq, target, int64(-1)), far))
}

// tripletLoss is max(0, margin + |anchor - positive| - |anchor - negative|); swap takes the nearer one of the two from the negative.
func tripletLoss(c *call) *build.Tensor {
	a, p, n := c.tensor(0), c.tensor(1), c.tensor(2)
	if a.Rank() != p.Rank() || a.Rank() != n.Rank() {
		c.fail("tensors of %d, %d and %d dimensions", a.Rank(), p.Rank(), n.Rank())
	}
	far := c.distance(a, n, c.float(4), c.float(5), false)
	if c.bool(6) {
		far = c.arith(ops.Min, far, c.distance(p, n, c.float(4), c.float(5), false))
	}
	near := c.distance(a, p, c.float(4), c.float(5), false)
	return c.least(c.arith(ops.Sub, c.arithNumber(ops.Add, near, c.float(3)), far), 0)
}
