package aten

import (
	"slices"

	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// classLosses compare scores of classes with the right ones.
var classLosses = []operator{
	{"aten::cross_entropy_loss", "self:T target:T weight:T?=None reduction:i=1 ignore_index:i=-100 label_smoothing:f=0", crossEntropy},
	{"aten::nll_loss", nllParams, nllLoss},
	{"aten::nll_loss2d", nllParams, nllLoss},
	{"aten::nll_loss_nd", nllParams, nllLoss},
	{"aten::nll_loss_forward", "self:T target:T weight:T? reduction:i ignore_index:i", nllLossForward},
	{"aten::nll_loss2d_forward", "self:T target:T weight:T? reduction:i ignore_index:i", nllLossForward},
	{"aten::ctc_loss", "log_probs:T targets:T input_lengths:T target_lengths:T" + ctcParams, ctcLoss},
	{"aten::ctc_loss", "log_probs:T targets:T input_lengths:I target_lengths:I" + ctcParams, ctcLoss},
}

const nllParams = "self:T target:T weight:T?=None reduction:i=1 ignore_index:i=-100"

const ctcParams = " blank:i=0 reduction:i=1 zero_infinity:b=False"

// classAxis is the dimension of the classes: the first one of a single sample, else the second.
func classAxis(x *build.Tensor) int { return min(x.Rank()-1, 1) }

// chosen is what the targets choose of each sample.
type chosen struct {
	score   *build.Tensor // of the right class
	weight  *build.Tensor // of that class
	counted *build.Tensor // whether the sample counts, which one of the ignored class does not
}

// choose looks up the classes of the targets, which have the shape of the scores but for the dimension of the classes.
func (c *call) choose(x, target, weight *build.Tensor, ignored int64) chosen {
	if x.Rank() < 1 || target.Rank() != x.Rank()-1 || !x.DType().IsFloat() || target.DType() != tensor.Int64 {
		c.fail("scores %v and classes %v: floats [N, C, ...] and int64 [N, ...] are needed", x.Type(), target.Type())
		return chosen{c.anything(), c.anything(), c.anything()}
	}
	axis := classAxis(x)
	at := c.reshape(target, slices.Insert(slices.Clone(c.Dims(target)), axis, build.Extent(1)))
	samples := slices.Delete(slices.Clone(c.Dims(x)), axis, axis+1)
	c.assertDims(samples, c.Dims(target), "as many classes as samples are needed") // Gather takes fewer
	counted := c.arithNumber(ops.Ne, target, ignored)
	index := c.zeroUnless(c.arithNumber(ops.Ne, at, ignored), at)
	score := c.reshape(c.apply(ops.Gather{Axis: axis}, x, index), c.Dims(target))
	if weight == nil {
		return chosen{score, c.cast(counted, x.DType()), counted}
	}
	c.sameTypes(x, weight)
	c.classWeight(x, weight) // which must be as many as there are classes
	w := c.atIndices(weight, []int{0}, []*build.Tensor{c.zeroUnless(counted, target)})
	return chosen{score, c.zeroUnless(counted, w), counted}
}

// classWeight gives the weights of the classes the shape to multiply scores by.
func (c *call) classWeight(x, weight *build.Tensor) *build.Tensor {
	if weight.Rank() != 1 || c.extent(weight, 0) != c.extent(x, classAxis(x)) {
		c.fail("weights %v of the classes of %v", weight.Type(), x.Type())
		return weight
	}
	to := make([]*build.Number, x.Rank())
	for i := range to {
		to[i] = build.Extent(1)
	}
	to[classAxis(x)] = c.length(weight)
	return c.reshape(weight, to)
}

// negativeLogLikelihood is the loss, and the weights of all samples that count.
func (c *call) negativeLogLikelihood(x, target, weight *build.Tensor, reduction int, ignored int64) (loss, total *build.Tensor) {
	s := c.choose(x, target, weight, ignored)
	y := c.zeroUnless(s.counted, c.arith(ops.Mul, c.fn(ops.Neg, s.score), s.weight))
	if reduction == 0 {
		return y, c.cast(c.lift(0.0), x.DType())
	}
	total = c.apply(ops.Reduce{Fn: ops.Sum}, s.weight)
	y = c.apply(ops.Reduce{Fn: ops.Sum}, y)
	switch reduction {
	case 1:
		return c.arith(ops.Div, y, total), total
	case 2:
		return y, total
	}
	c.fail("unknown reduction %d", reduction)
	return y, total
}

func nllLoss(c *call) Value {
	y, _ := c.negativeLogLikelihood(c.tensor(0), c.tensor(1), c.tensor(2), c.int(3), int64(c.int(4)))
	return y
}

func nllLossForward(c *call) Value {
	y, total := c.negativeLogLikelihood(c.tensor(0), c.tensor(1), c.tensor(2), c.int(3), int64(c.int(4)))
	return &Tuple{Items: []Value{y, total}}
}

// crossEntropy is the negative log-likelihood of the softmax. A target of as many dimensions as the scores holds the
// probabilities of the classes.
func crossEntropy(c *call) Value {
	x, target, weight := c.tensor(0), c.tensor(1), c.tensor(2)
	smoothing := c.float(5)
	if x.Rank() < 1 || smoothing < 0 || smoothing > 1 {
		return c.fail("scores %v, label smoothing %v", x.Type(), smoothing)
	}
	axis := classAxis(x)
	scores := c.apply(ops.Softmax{Axis: axis, Log: true}, x)
	if target.Rank() == x.Rank() {
		return c.crossEntropyOf(scores, target, weight, c.int(3), smoothing)
	}
	ignored := int64(c.int(4))
	loss, total := c.negativeLogLikelihood(scores, target, weight, c.int(3), ignored)
	if smoothing == 0 {
		return loss
	}
	all := scores
	if weight != nil {
		all = c.arith(ops.Mul, scores, c.classWeight(scores, weight))
	}
	sum := c.fn(ops.Neg, c.apply(ops.Reduce{Fn: ops.Sum, Axes: []int{axis}}, all))
	smooth := c.zeroUnless(c.arithNumber(ops.Ne, target, ignored), sum)
	if c.int(3) > 0 {
		smooth = c.apply(ops.Reduce{Fn: ops.Sum}, smooth)
	}
	if c.int(3) == 1 {
		smooth = c.arith(ops.Div, smooth, total)
	}
	share := smoothing / float64(c.extent(x, axis))
	return c.arith(ops.Add, c.arithNumber(ops.Mul, loss, 1-smoothing), c.arithNumber(ops.Mul, smooth, share))
}

// crossEntropyOf is crossEntropy for probabilities of the classes.
func (c *call) crossEntropyOf(scores, target, weight *build.Tensor, reduction int, smoothing float64) Value {
	if !target.DType().IsFloat() {
		return c.fail("scores %v and probabilities %v: floats are needed", scores.Type(), target.Type())
	}
	c.assertDims(c.Dims(scores), c.Dims(target), "scores and probabilities must have the same shape")
	axis := classAxis(scores)
	if c.int(4) >= 0 {
		return c.fail("ignore_index %d: probabilities name no class", c.int(4))
	}
	if smoothing > 0 {
		share := smoothing / float64(c.extent(scores, axis))
		target = c.arithNumber(ops.Add, c.arithNumber(ops.Mul, target, 1-smoothing), share)
	}
	y := c.arith(ops.Mul, scores, target)
	if weight != nil {
		c.sameTypes(scores, weight)
		y = c.arith(ops.Mul, y, c.classWeight(scores, weight))
	}
	// The mean is of the samples, not of the classes.
	return c.lossOf(c.fn(ops.Neg, c.apply(ops.Reduce{Fn: ops.Sum, Axes: []int{axis}}, y)), reduction)
}

// ctcLoss is the loss of sequences without an alignment; its mean is of the losses divided by the lengths of the targets.
func ctcLoss(c *call) Value {
	x, targets := c.tensor(0), c.cast(c.tensor(1), tensor.Int64)
	if x.Rank() == 2 {
		x = c.reshape(x, slices.Insert(slices.Clone(c.Dims(x)), 1, build.Extent(1)))
	} else if x.Rank() != 3 {
		return c.fail("logarithms %v: [T, N, C] or [T, C] are needed", x.Type())
	}
	lengths := make([]*build.Tensor, 2)
	for i := range lengths {
		if t, ok := c.args[2+i].(*build.Tensor); ok {
			lengths[i] = c.reshape(c.cast(t, tensor.Int64), []*build.Number{build.Extent(-1)})
			continue
		}
		v, err := c.Vector(c.numbers(2 + i))
		c.failed(err)
		lengths[i] = build.NewTensor(v)
	}
	y := c.apply(ops.CTCLoss{Blank: c.int(4), ZeroInfinity: c.bool(6)}, x, targets, lengths[0], lengths[1])
	switch {
	case c.int(5) == 1:
		y = c.arith(ops.Div, y, c.cast(c.apply(ops.Unary{Fn: ops.ClampMin, Alpha: 1}, lengths[1]), x.DType()))
	case c.int(5) == 0 && c.tensor(0).Rank() == 2:
		return c.selected(y, 0, build.Extent(0))
	}
	return c.lossOf(y, c.int(5))
}
