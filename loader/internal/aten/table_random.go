package aten

import (
	"math"

	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// ownGenerator is the parameter for a generator other than PyTorch's own, which no program can hold.
const ownGenerator = " generator:v?=None"

// randoms draw from PyTorch's generator.
var randoms = []operator{
	{"aten::manual_seed", "seed:i", manualSeed},
	{"aten::rand", "size:I" + newTensor + ownGenerator, random(ops.Uniform, 0, 1)},
	{"aten::randn", "size:I" + newTensor + ownGenerator, random(ops.Normal, 0, 1)},
	{"aten::rand_like", "self:T" + newTensor + " memory_format:i?=None", randomLike(ops.Uniform, 0, 1)},
	{"aten::randn_like", "self:T" + newTensor + " memory_format:i?=None", randomLike(ops.Normal, 0, 1)},
	{"aten::randint", "high:i size:I" + newTensor + ownGenerator, randint(-1, 0, 1)},
	{"aten::randint", "low:i high:i size:I" + newTensor + ownGenerator, randint(0, 1, 2)},
	{"aten::randint_like", "self:T high:i" + newTensor + " memory_format:i?=None", randintLike(-1, 1)},
	{"aten::randint_like", "self:T low:i high:i" + newTensor + " memory_format:i?=None", randintLike(1, 2)},
	{"aten::randperm", "n:i" + newTensor + ownGenerator, randperm},
	{"aten::uniform", "self:T from:f=0 to:f=1 |" + ownGenerator, drawn(ops.Uniform)},
	{"aten::normal_", "self:T mean:f=0 std:f=1 |" + ownGenerator, inPlaceOf(drawn(ops.Normal))},
	{"aten::normal_functional", "self:T mean:f=0 std:f=1 |" + ownGenerator, drawn(ops.Normal)},
	{"aten::normal", "mean:T std:f=1 |" + ownGenerator, normal},
	{"aten::normal", "mean:N std:T |" + ownGenerator, normal},
	{"aten::normal", "mean:f std:f size:I |" + ownGenerator + " dtype:i?=None layout:i?=None device:v?=None pin_memory:b?=None", normalOf},
	{"aten::log_normal", "self:T mean:f=1 std:f=2 |" + ownGenerator, drawn(ops.LogNormal)},
	{"aten::exponential", "self:T lambd:f=1 |" + ownGenerator, drawn(ops.Exponential)},
	{"aten::geometric", "self:T p:f |" + ownGenerator, drawn(ops.Geometric)},
	{"aten::cauchy", "self:T median:f=0 sigma:f=1 |" + ownGenerator, drawn(ops.Cauchy)},
	{"aten::random", "self:T |" + ownGenerator, func(c *call) Value { return c.drawLike(ops.Random{Fn: ops.AnyInteger}, c.tensor(0)) }},
	{"aten::random", "self:T to:i |" + ownGenerator, func(c *call) Value {
		return c.drawLike(ops.Random{Fn: ops.Integers, High: c.int64(1)}, c.tensor(0))
	}},
	{"aten::random", "self:T from:i to:i? |" + ownGenerator, randomFrom},
	{"aten::bernoulli", "self:T |" + ownGenerator, bernoulliLike(0)},
	{"aten::bernoulli", "self:T p:N |" + ownGenerator, bernoulliLike(1)},
	{"aten::bernoulli_", "self:T p:N=0.5 |" + ownGenerator, inPlaceOf(func(c *call) Value { return c.bernoulli(c.tensor(0), c.args[1]) })},
	{"aten::multinomial", "self:T num_samples:i replacement:b=False |" + ownGenerator, multinomial},
	{"aten::dropout", "input:T p:f train:b", dropout(false)},
	{"aten::feature_dropout", "input:T p:f train:b", dropout(true)},
	{"aten::alpha_dropout", "input:T p:f train:b", alphaDropout(false)},
	{"aten::feature_alpha_dropout", "input:T p:f train:b", alphaDropout(true)},
	{"aten::native_dropout", "input:T p:f train:b?", nativeDropout},
}

// manualSeed is torch.manual_seed, from where on the numbers are those of the seed.
func manualSeed(c *call) Value {
	g, err := c.generator()
	if err != nil {
		return c.failed(err)
	}
	c.store(g, c.apply(ops.SeedGenerator{}, c.cast(c.lift(c.args[0]), tensor.Int64)))
	return nil
}

// drawLike draws numbers of the type and shape of a tensor.
func (c *call) drawLike(op ops.Random, like *build.Tensor) *build.Tensor {
	op.DType = like.DType()
	return c.draw(op, like)
}

//go:noinline
func random(fn ops.RandomFn, a, b float64) func(*call) Value {
	return func(c *call) Value {
		return c.drawLike(ops.Random{Fn: fn, A: a, B: b}, c.fullOf(c.numbers(0), 0, c.dtypeOr(1, defaultFloat)))
	}
}

//go:noinline
func randomLike(fn ops.RandomFn, a, b float64) func(*call) Value {
	return func(c *call) Value {
		x := c.tensor(0)
		return c.draw(ops.Random{Fn: fn, DType: c.dtypeOr(1, x.DType()), A: a, B: b}, x)
	}
}

// integersAt returns a distribution of integers with its bounds at arguments, from 0 where low is -1.
func (c *call) integersAt(low, high int) ops.Random {
	op := ops.Random{Fn: ops.Integers, High: c.int64(high)}
	if low >= 0 {
		op.Low = c.int64(low)
	}
	return op
}

//go:noinline
func randint(low, high, size int) func(*call) Value {
	return func(c *call) Value {
		return c.drawLike(c.integersAt(low, high), c.fullOf(c.numbers(size), 0, c.dtypeOr(size+1, tensor.Int64)))
	}
}

//go:noinline
func randintLike(low, high int) func(*call) Value {
	return func(c *call) Value {
		op := c.integersAt(low, high)
		op.DType = c.dtypeOr(high+1, c.tensor(0).DType())
		return c.draw(op, c.tensor(0))
	}
}

func randperm(c *call) Value {
	y := c.draw(ops.Random{Fn: ops.Permutation, DType: tensor.Int64}, c.fullOf(c.numbers(0), 0, tensor.Int64))
	return c.cast(y, c.dtypeOr(1, tensor.Int64))
}

func randomFrom(c *call) Value {
	op := ops.Random{Fn: ops.Integers, Low: c.int64(1), High: math.MaxInt64}
	if c.isNone(2) {
		return c.unsupported("from a number without a bound")
	}
	op.High = c.int64(2)
	return c.drawLike(op, c.tensor(0))
}

// drawn draws in the type and shape of a tensor, with parameters behind it.
//
//go:noinline
func drawn(fn ops.RandomFn) func(*call) Value {
	return func(c *call) Value {
		op := ops.Random{Fn: fn, A: c.float(1)}
		if fn != ops.Exponential && fn != ops.Geometric {
			op.B = c.float(2)
		}
		op.OneByOne = fn == ops.Normal && !c.tensor(0).IsContiguous()
		return c.drawLike(op, c.tensor(0))
	}
}

// inPlaceOf writes what a row gives to its first argument.
//
//go:noinline
func inPlaceOf(lower func(*call) Value) func(*call) Value {
	return func(c *call) Value {
		if y, ok := lower(c).(*build.Tensor); ok && c.Err() == nil {
			c.store(c.tensor(0), y)
		}
		return c.args[0]
	}
}

// normal draws around means and with deviations of which one is a tensor at least. No gradient passes to either.
func normal(c *call) Value {
	mean, std := c.lift(c.args[0]), c.lift(c.args[1])
	_, narrow := c.args[1].(float64)
	like := c.arith(ops.Add, mean, std)
	op := ops.Random{Fn: ops.Normal, B: 1}
	if narrow {
		op.B = c.float(1)
		return c.apply(ops.Detach{}, c.arith(ops.Add, c.drawLike(op, build.NewTensor(c.read(mean))), mean))
	}
	return c.apply(ops.Detach{}, c.arith(ops.Add, c.arith(ops.Mul, c.drawLike(op, like), std), mean))
}

func normalOf(c *call) Value {
	return c.drawLike(ops.Random{Fn: ops.Normal, A: c.float(0), B: c.float(1)}, c.fullOf(c.numbers(2), 0, c.dtypeOr(4, defaultFloat)))
}

// bernoulliLike draws in the order of dimensions, whatever the order in memory.
//
//go:noinline
func bernoulliLike(chance int) func(*call) Value {
	return func(c *call) Value { return c.bernoulli(build.NewTensor(c.read(c.tensor(0))), c.args[chance]) }
}

// bernoulli draws 1 with a chance, a number or that of each element, else 0.
func (c *call) bernoulli(x *build.Tensor, chance Value) *build.Tensor {
	p, ok := chance.(*build.Tensor)
	if !ok {
		v, err := c.PlainValue(chance)
		c.failed(err)
		f, _ := build.ToFloat(v)
		return c.drawLike(ops.Random{Fn: ops.Bernoulli, A: f}, x)
	}
	return c.draw(ops.Random{Fn: ops.Bernoulli, DType: x.DType(), Each: true}, build.NewTensor(c.read(c.expand(p, c.Dims(x)))))
}

// multinomial draws indices of the last dimension with chances in proportion to its elements.
func multinomial(c *call) Value {
	x, n := c.tensor(0), c.int(1)
	if x.Rank() < 1 || x.Rank() > 2 || !x.DType().IsFloat() || n < 1 || n > maxComputed {
		return c.fail("%d samples of %v", n, x.Type())
	}
	if !c.bool(2) && n > c.extent(x, x.Rank()-1) {
		return c.fail("%d samples without replacement of %v", n, x.Type())
	}
	if c.bool(2) && n > 1 {
		sums := c.apply(ops.PrefixScan{Axis: -1}, x)
		all := c.apply(ops.Slice{Axis: -1, Start: -1, End: math.MaxInt, Step: 1}, sums)
		dims := append(append([]*build.Number(nil), c.Dims(x)[:x.Rank()-1]...), build.Extent(n))
		u := c.drawLike(ops.Random{Fn: ops.Uniform, B: 1}, c.fullOf(dims, 0, tensor.Float64))
		return c.placesIn(c.cast(c.arith(ops.Div, sums, all), tensor.Float64), u, false, false)
	}
	q := c.arith(ops.Div, x, c.drawLike(ops.Random{Fn: ops.Exponential, A: 1}, x))
	if n == 1 {
		return c.apply(ops.ArgMax{Axis: -1, KeepDims: true}, q)
	}
	return c.applyAll(ops.TopK{K: n, Axis: -1}, q)[1]
}

// kept returns 1 for what dropout keeps, with one number for each channel of an image where channels is set. It returns nil where
// nothing is left out.
func (c *call) kept(channels bool) *build.Tensor {
	x, p := c.tensor(0), c.float(1)
	if !(p >= 0 && p <= 1) {
		c.fail("a chance of %v", p)
	}
	if !c.bool(2) || p == 0 || c.Err() != nil {
		return nil
	}
	if channels && x.Rank() < 2 {
		c.fail("channels of %v", x.Type())
		return nil
	}
	like := x
	if channels {
		dims := append([]*build.Number(nil), c.Dims(x)[:2]...)
		for range x.Rank() - 2 {
			dims = append(dims, build.Extent(1))
		}
		like = c.fullOf(dims, 0, x.DType())
	}
	if p == 1 {
		return c.likeOf(like, 0, x.DType())
	}
	return c.drawLike(ops.Random{Fn: ops.Bernoulli, A: 1 - p}, like)
}

// dropout is torch.nn.functional.dropout, which does nothing outside of training.
//
//go:noinline
func dropout(channels bool) func(*call) Value {
	return func(c *call) Value {
		kept := c.kept(channels)
		switch p := c.float(1); {
		case kept == nil:
			return build.Alias(c.tensor(0))
		case p < 1:
			kept = c.arithNumber(ops.Div, kept, 1-p)
		}
		return c.arith(ops.Mul, c.tensor(0), kept)
	}
}

// alphaDropout leaves mean and deviation of what SELU gives as they are.
//
//go:noinline
func alphaDropout(channels bool) func(*call) Value {
	return func(c *call) Value {
		kept := c.kept(channels)
		p := c.float(1)
		switch {
		case kept == nil:
			return build.Alias(c.tensor(0))
		case p == 1:
			return c.arith(ops.Mul, c.tensor(0), kept)
		}
		const alpha = 1.7580993408473766
		a := 1 / math.Sqrt((alpha*alpha*p+1)*(1-p))
		shift := c.arithNumber(ops.Add, c.arithNumber(ops.Mul, c.arithNumber(ops.Sub, kept, 1.0), alpha*a), alpha*a*p)
		return c.arith(ops.Add, c.arith(ops.Mul, c.tensor(0), c.arithNumber(ops.Mul, kept, a)), shift)
	}
}

// nativeDropout returns the mask besides.
func nativeDropout(c *call) Value {
	x, p := c.tensor(0), c.float(1)
	if !(p >= 0 && p <= 1) {
		return c.fail("a chance of %v", p)
	}
	if !c.isNone(2) && !c.bool(2) {
		return &Tuple{Items: []Value{build.NewTensor(c.read(x)), c.likeOf(x, 1, tensor.Bool)}}
	}
	mask, scale := c.draw(ops.Random{Fn: ops.Bernoulli, DType: tensor.Bool, A: 1 - p}, x), 0.0
	if p < 1 {
		scale = 1 / (1 - p)
	}
	return &Tuple{Items: []Value{c.arithNumber(ops.Mul, c.arith(ops.Mul, x, mask), scale), mask}}
}
