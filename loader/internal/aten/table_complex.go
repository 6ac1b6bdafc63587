package aten

import (
	"math"
	"slices"

	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// Complex numbers are pairs of float32 or float64 in a last dimension that programs do not see.
var complexNumbers = []operator{
	{"aten::view_as_real", "self:T", viewAsReal},
	{"aten::view_as_complex", "self:T", viewAsComplex},
	{"aten::complex", "real:T imag:T", complexOf},
	{"aten::real", "self:T", part(0)},
	{"aten::imag", "self:T", part(1)},
	{"aten::conj", "self:T", conj},
	{"aten::angle", "self:T", angle},
	{"aten::polar", "abs:T angle:T", func(c *call) Value { return c.polar(c.tensor(0), c.tensor(1)) }},
	{"aten::is_complex", "self:T", func(c *call) Value { return c.tensor(0).Complex }},
}

// complexNumber is a complex number as a tensor without dimensions.
func (c *call) complexNumber(v complex128, part tensor.DType) *build.Tensor {
	return asComplex(c.constOf([]float64{real(v), imag(v)}, part, 2))
}

// besides returns a complex number as a tensor whose parts do not widen those of another one.
func (c *call) besides(v, other Value) Value {
	z, ok := v.(complex128)
	if !ok {
		return v
	}
	part := defaultFloat
	if t, ok := other.(*build.Tensor); ok && t.DType() == tensor.Float64 {
		part = tensor.Float64
	}
	return c.complexNumber(z, part)
}

// asComplex makes pairs complex numbers.
func asComplex(t *build.Tensor) *build.Tensor {
	t = build.Alias(t)
	t.Complex = true
	return t
}

// pairs returns complex numbers as pairs.
func pairs(t *build.Tensor) *build.Tensor {
	t = build.Alias(t)
	t.Complex = false
	return t
}

func viewAsReal(c *call) Value {
	if !c.tensor(0).Complex {
		return c.fail("the numbers are real")
	}
	return pairs(c.tensor(0))
}

func viewAsComplex(c *call) Value {
	x := c.tensor(0)
	if x.Rank() < 1 || c.extent(x, x.Rank()-1) != 2 || !singleOrDouble(x) {
		return c.fail("a tensor of shape %v", x.Type().Shape)
	}
	return asComplex(x)
}

func complexOf(c *call) Value {
	re, im := c.tensor(0), c.tensor(1)
	to := build.BroadcastDims([][]*build.Number{c.Dims(re), c.Dims(im)}, max(re.Rank(), im.Rank()))
	return c.complexFrom(c.expand(re, to), c.expand(im, to))
}

// partOf returns the real or the imaginary parts.
func (c *call) partOf(t *build.Tensor, i int) *build.Tensor {
	p := pairs(t)
	return c.selected(p, p.Rank()-1, build.Extent(i))
}

//go:noinline
func part(i int) func(*call) Value {
	return func(c *call) Value {
		t := c.tensor(0)
		if !t.Complex {
			if i == 0 {
				return build.Alias(t)
			}
			return c.fail("the numbers are real")
		}
		return c.partOf(t, i)
	}
}

func conj(c *call) Value {
	t := c.tensor(0)
	if !t.Complex {
		return build.Alias(t)
	}
	return c.conj(t)
}

func (c *call) conj(t *build.Tensor) *build.Tensor {
	return c.complexFrom(c.partOf(t, 0), c.apply(ops.Unary{Fn: ops.Neg}, c.partOf(t, 1)))
}

// complexFrom joins real and imaginary parts.
func (c *call) complexFrom(re, im *build.Tensor) *build.Tensor {
	return asComplex(c.apply(ops.Stack{Axis: -1}, re, im))
}

// complexMoves are the operators that move or add up numbers into new memory: the real and the imaginary parts go the same way.
var complexMoves = map[string]bool{
	"aten::cat": true, "aten::stack": true, "aten::where": true, "aten::flip": true, "aten::roll": true, "aten::index": true, "aten::index_select": true, "aten::gather": true,
	"aten::repeat_interleave": true, "aten::tril": true, "aten::triu": true, "aten::cumsum": true, "aten::constant_pad_nd": true, "aten::pad": true, "aten::take": true,
	"aten::copy": true, "aten::hstack": true, "aten::vstack": true, "aten::index_put": true, "aten::index_add": true, "aten::index_copy": true, "aten::scatter": true,
	"aten::scatter_add": true, "aten::masked_select": true, "aten::masked_fill": true, "aten::diag": true, "aten::diag_embed": true, "aten::rot90": true, "aten::fliplr": true, "aten::flipud": true,
	"aten::trace": true, "aten::diff": true, "aten::block_diag": true, "aten::fill": true, "aten::index_fill": true, "aten::nan_to_num": true,
}

// complexValues are the arguments of complexMoves that are values where they are numbers: of integers, too, the imaginary part is zero.
var complexValues = map[string][]int{
	"aten::where": {1, 2}, "aten::constant_pad_nd": {2}, "aten::masked_fill": {2}, "aten::index_fill": {3}, "aten::scatter": {3}, "aten::fill": {1},
}

// holdsComplex reports whether an argument is or holds complex numbers.
func holdsComplex(v Value) bool {
	switch v := v.(type) {
	case *build.Tensor:
		return v.Complex
	case complex128:
		return true
	}
	items, _ := Items(v)
	return slices.ContainsFunc(items, func(x Value) bool {
		t, ok := x.(*build.Tensor)
		return ok && t.Complex
	})
}

// byParts evaluates a row for the real and for the imaginary parts of its arguments. Real numbers beside complex ones have
// imaginary parts of zero. Integers and bools are indices, extents and conditions, and stay.
func byParts(lower func(*call) Value) func(*call) Value {
	return func(c *call) Value {
		whole := slices.Clone(c.args)
		for _, k := range complexValues[c.name] {
			if k < len(whole) {
				whole[k] = c.asFloat(whole[k])
			}
		}
		var parts [2]*build.Tensor
		for i := range parts {
			c.args = make([]Value, len(whole))
			for k, v := range whole {
				c.args[k] = c.partOfValue(v, i)
			}
			parts[i], _ = lower(c).(*build.Tensor)
		}
		c.args = whole
		if c.Err() != nil || parts[0] == nil || parts[1] == nil {
			return c.unsupported("on complex numbers")
		}
		return c.complexFrom(parts[0], parts[1])
	}
}

// asFloat makes floats of integers and bools.
func (c *call) asFloat(v Value) Value {
	if t, ok := v.(*build.Tensor); ok && !t.Complex && !t.DType().IsFloat() {
		return c.cast(t, defaultFloat)
	}
	if n := build.AsNumber(v); n != nil {
		return n.To(build.Float)
	}
	return v
}

func (c *call) partOfValue(v Value, i int) Value {
	switch x := v.(type) {
	case complex128:
		return [2]float64{real(x), imag(x)}[i]
	case *build.Tensor:
		if x.Complex || x.DType().IsFloat() {
			return c.partOf(c.ensureComplex(x), i)
		}
	case *List:
		items := make([]Value, len(x.Items))
		for k, item := range x.Items {
			items[k] = c.partOfValue(item, i)
		}
		return &List{Items: items}
	}
	if kind, ok := build.KindOf(v); ok && kind == build.Float && i == 1 {
		return 0.0
	}
	return v
}

// complexParts are the types of the parts of complex types, by PyTorch's numbers of those.
var complexParts = map[int]tensor.DType{9: tensor.Float32, 10: tensor.Float64}

// convertComplex returns complex numbers with parts of a type, a new tensor.
func (c *call) convertComplex(t *build.Tensor, part tensor.DType) *build.Tensor {
	p := pairs(t)
	if p.DType() != part {
		p = c.cast(p, part)
	}
	if !t.Complex {
		return c.toComplex(p)
	}
	return asComplex(build.NewTensor(c.read(p)))
}

// toComplex gives real numbers an imaginary part.
func (c *call) toComplex(t *build.Tensor) *build.Tensor {
	return c.complexFrom(t, c.apply(ops.Full{Like: true, DType: t.DType()}, t))
}

func angle(c *call) Value {
	t := c.tensor(0)
	if !t.Complex {
		if !t.DType().IsFloat() {
			t = c.cast(t, defaultFloat)
		}
		y := c.apply(ops.Where{ANumber: true, BNumber: true}, c.arithNumber(ops.Lt, t, int64(0)), c.lift(math.Pi), c.lift(0.0))
		return c.apply(ops.Where{ANumber: true, KeepB: true}, c.fn(ops.IsNaN, t), c.lift(math.NaN()), c.cast(y, t.DType()))
	}
	return c.angleOf(t)
}

// complexAbs is the absolute value.
func (c *call) complexAbs(t *build.Tensor) *build.Tensor {
	return c.apply(ops.Reduce{Fn: ops.Norm, P: 2, Axes: []int{-1}}, pairs(t))
}

// complexShaped is shaped of complex numbers.
func (c *call) complexShaped(t *build.Tensor, to []*build.Number) *build.Tensor {
	return asComplex(c.shaped(pairs(t), append(slices.Clone(to), build.Extent(2))))
}

// complexArith applies a function of two elements to complex numbers, of which one may be real.
func (c *call) complexArith(fn ops.BinaryFn, a, b *build.Tensor) *build.Tensor {
	if c.Err() != nil {
		return c.anything()
	}
	switch {
	case fn == ops.Add || fn == ops.Sub:
		return asComplex(c.arith(fn, pairs(c.ensureComplex(a)), pairs(c.ensureComplex(b))))
	case fn == ops.Mul && !a.Complex:
		return c.complexScaled(fn, b, a)
	case (fn == ops.Mul || fn == ops.Div) && !b.Complex:
		return c.complexScaled(fn, a, b)
	case fn == ops.Mul:
		return c.complexProduct(a, b)
	case fn == ops.Div:
		power := c.apply(ops.Reduce{Fn: ops.Sum, Axes: []int{-1}}, c.apply(ops.Unary{Fn: ops.Square}, pairs(b)))
		return c.complexScaled(ops.Div, c.complexProduct(c.ensureComplex(a), c.conj(b)), power)
	case fn == ops.Pow:
		return c.complexPower(a, b)
	case fn == ops.Eq || fn == ops.Ne:
		of := ops.All
		if fn == ops.Ne {
			of = ops.Any
		}
		return c.apply(ops.Reduce{Fn: of, Axes: []int{-1}}, c.arith(fn, pairs(c.ensureComplex(a)), pairs(c.ensureComplex(b))))
	}
	c.unsupported("on complex numbers")
	return c.anything()
}

func (c *call) ensureComplex(t *build.Tensor) *build.Tensor {
	if t.Complex || c.Err() != nil {
		return t
	}
	if !t.DType().IsFloat() {
		t = c.cast(t, defaultFloat)
	}
	return c.toComplex(t)
}

// complexScaled multiplies or divides both parts by real numbers.
func (c *call) complexScaled(fn ops.BinaryFn, t, by *build.Tensor) *build.Tensor {
	return c.complexFrom(c.arith(fn, c.partOf(t, 0), by), c.arith(fn, c.partOf(t, 1), by))
}

func (c *call) complexProduct(a, b *build.Tensor) *build.Tensor {
	ar, ai, br, bi := c.partOf(a, 0), c.partOf(a, 1), c.partOf(b, 0), c.partOf(b, 1)
	re := c.arith(ops.Sub, c.arith(ops.Mul, ar, br), c.arith(ops.Mul, ai, bi))
	return c.complexFrom(re, c.arith(ops.Add, c.arith(ops.Mul, ar, bi), c.arith(ops.Mul, ai, br)))
}

// polar returns complex numbers by absolute value and angle.
func (c *call) polar(size, angle *build.Tensor) *build.Tensor {
	return c.complexFrom(c.arith(ops.Mul, size, c.apply(ops.Unary{Fn: ops.Cos}, angle)), c.arith(ops.Mul, size, c.apply(ops.Unary{Fn: ops.Sin}, angle)))
}

// overParts evaluates a function of two operands that is linear in each, such as a product of matrices, of complex numbers.
func (c *call) overParts(a, b *build.Tensor, f func(a, b *build.Tensor) *build.Tensor) *build.Tensor {
	a, b = c.ensureComplex(a), c.ensureComplex(b)
	if c.Err() != nil {
		return c.anything()
	}
	ar, ai, br, bi := c.partOf(a, 0), c.partOf(a, 1), c.partOf(b, 0), c.partOf(b, 1)
	return c.complexFrom(c.arith(ops.Sub, f(ar, br), f(ai, bi)), c.arith(ops.Add, f(ar, bi), f(ai, br)))
}
