package aten

import (
	"math"
	"slices"

	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// composed are rare operators, made of others by their names as PyTorch's documentation says them.
var composed = []operator{
	{"aten::addr", "self:T vec1:T vec2:T | beta:n=1 alpha:n=1", func(c *call) Value {
		y := c.op2("mul", c.op2("outer", c.args[1], c.args[2]), c.args[4])
		if beta, ok := build.ToFloat(c.plainArg(3)); ok && beta == 0 {
			return y
		}
		return c.op2("add", c.op2("mul", c.args[0], c.args[3]), y)
	}},
	{"aten::block_diag", "tensors:L", blockDiagonal},
	{"aten::cartesian_prod", "tensors:L", cartesianProduct},
	{"aten::combinations", "self:T r:i=2 with_replacement:b=False", combinations},
	{"aten::copysign", "self:T other:N", func(c *call) Value {
		size := c.op1("abs", c.op2("mul", c.tensor(0), 1.0))
		return c.op3("where", c.op1("signbit", c.lift(c.args[1])), c.op1("neg", size), size)
	}},
	{"aten::corrcoef", "self:T", correlation},
	{"aten::cov", "self:T | correction:i=1 fweights:T?=None aweights:T?=None", covariance},
	{"aten::diagflat", "self:T offset:i=0", func(c *call) Value { return c.op2("diag", c.flat(c.tensor(0)), c.args[1]) }},
	{"aten::frexp", "self:T", mantissaAndExponent},
	{"aten::gcd", "self:T other:N", binary(ops.GCD)},
	{"aten::heaviside", "self:T values:T", func(c *call) Value {
		if c.tensor(0).DType() != c.tensor(1).DType() {
			return c.fail("%v and %v: both must hold the same type", c.tensor(0).Type(), c.tensor(1).Type())
		}
		above := c.cast(c.op2("gt", c.args[0], int64(0)), c.tensor(0).DType())
		return c.op3("where", c.op2("eq", c.args[0], int64(0)), c.args[1], above)
	}},
	{"aten::isreal", "self:T", func(c *call) Value {
		if t := c.tensor(0); t.Complex {
			return c.op2("eq", c.partOf(t, 1), int64(0))
		}
		return c.op1("ones_like", c.op2("eq", c.args[0], c.args[0]))
	}},
	{"aten::lcm", "self:T other:N", func(c *call) Value {
		d := c.op2("gcd", c.args[0], c.args[1])
		by := c.op2("add", d, c.op2("eq", d, int64(0))) // both are 0
		return c.op1("abs", c.op2("mul", c.op2("div_trunc", c.args[0], by), c.args[1]))
	}},
	{"aten::ldexp", "self:T other:T", func(c *call) Value { return c.op2("mul", c.args[0], c.op2("pow", 2.0, c.args[1])) }},
	{"aten::logaddexp2", "self:T other:T", func(c *call) Value {
		most := c.op2("maximum", c.args[0], c.args[1])
		at := c.op3("where", c.op1("isinf", most), c.op1("zeros_like", most), most) // whose difference to itself is NaN
		part := func(v Value) Value { return c.op1("exp2", c.op2("sub", v, at)) }
		return c.op2("add", at, c.op1("log2", c.op2("add", part(c.args[0]), part(c.args[1]))))
	}},
	{"aten::multi_margin_loss", "self:T target:T p:n=1 margin:n=1 weight:T?=None reduction:i=1", multiMarginLoss},
	{"aten::multilabel_margin_loss", "self:T target:T reduction:i=1", multiLabelMarginLoss},
	{"aten::nextafter", "self:T other:T", nextAfter},
	{"aten::logspace", "start:N end:N steps:i base:f=10" + newTensor, logSpace},
	{"aten::histogram", "self:T bins:i=100 | range:F?=None weight:T?=None density:b=False", histogramCounts},
	{"aten::histogram", "self:T bins:T | weight:T?=None density:b=False", histogramOf},
	{"aten::pdist", "self:T p:f=2", pairDistances},
	{"aten::put", "self:T index:T source:T accumulate:b=False", func(c *call) Value {
		t := c.tensor(0)
		at := &List{Items: []Value{c.flat(c.tensor(1))}}
		return c.reshape(c.op("index_put", c.flat(t), at, c.flat(c.tensor(2)), c.args[3]), c.Dims(t))
	}},
	{"aten::renorm", "self:T p:n dim:i maxnorm:n", renormalize},
	{"aten::_aminmax", "self:T", func(c *call) Value { return tuple(c.op1("amin", c.args[0]), c.op1("amax", c.args[0])) }},
	{"aten::_euclidean_dist", "x1:T x2:T", func(c *call) Value { return c.op2("cdist", c.args[0], c.args[1]) }},
	{"aten::_is_all_true", "self:T", func(c *call) Value { return c.op1("all", c.args[0]) }},
	{"aten::_is_any_true", "self:T", func(c *call) Value { return c.op1("any", c.args[0]) }},
	{"aten::_prelu_kernel", "self:T weight:T", func(c *call) Value {
		return c.op3("where", c.op2("gt", c.args[0], int64(0)), c.args[0], c.op2("mul", c.args[0], c.args[1]))
	}},
	{"aten::_safe_softmax", "self:T dim:i dtype:i?=None", func(c *call) Value {
		masked := c.op3("all", c.op2("eq", c.args[0], math.Inf(-1)), c.args[1], true)
		c.args[0] = c.op3("masked_fill", c.args[0], masked, 0.0) // else these rows have NaN for a gradient
		y := c.op("softmax", c.args...)
		return c.op3("where", masked, c.op1("zeros_like", y), y)
	}},
	{"aten::log_sigmoid_forward", "self:T", func(c *call) Value { return c.withMissing(c.op1("log_sigmoid", c.args[0]), "the buffer") }},
	{"aten::_fused_rms_norm", "input:T normalized_shape:I weight:T?=None eps:f?=None", func(c *call) Value { return c.withMissing(c.op("rms_norm", c.args...), "rstd") }},
	{"aten::_weight_norm_interface", "v:T g:T dim:i=0", func(c *call) Value { return c.withMissing(c.op("_weight_norm", c.args...), "the norms") }},
	{"aten::conv_tbc", "self:T weight:T bias:T pad:i=0", func(c *call) Value {
		order := func(i ...int64) Value { return &List{Items: []Value{i[0], i[1], i[2]}} }
		y := c.op("conv1d", c.op2("permute", c.args[0], order(1, 2, 0)), c.op2("permute", c.args[1], order(2, 1, 0)), c.args[2], int64(1), c.args[3])
		return c.op2("permute", y, order(2, 0, 1))
	}},
}

// op1, op2 and op3 are op of as many arguments: a list of them would be made at each of the calls, which makes the program 10 kB larger.
//
//go:noinline
func (c *call) op1(name string, a Value) *build.Tensor { return c.op(name, a) }

//go:noinline
func (c *call) op2(name string, a, b Value) *build.Tensor { return c.op(name, a, b) }

//go:noinline
func (c *call) op3(name string, a, b, d Value) *build.Tensor { return c.op(name, a, b, d) }

// op evaluates another operator. "div_trunc" is div rounded toward zero.
//
//go:noinline
func (c *call) op(name string, args ...Value) *build.Tensor {
	if c.Err() != nil {
		return c.anything()
	}
	var keywords map[string]Value
	if name == "div_trunc" {
		name, keywords = "div", map[string]Value{"rounding_mode": "trunc"}
	}
	v, err := c.Dispatch("aten::"+name, args, keywords)
	t, ok := v.(*build.Tensor)
	if err != nil || !ok {
		if err == nil {
			err = unsupportedf("")
		}
		c.failed(err)
		return c.anything()
	}
	return t
}

// blockDiagonal puts matrices along the diagonal of a larger one.
func blockDiagonal(c *call) Value {
	in := c.tensors(0)
	for i, t := range in {
		if t.Rank() > 2 {
			return c.fail("of a tensor of %d dimensions", t.Rank())
		}
		in[i] = c.op1("atleast_2d", t)
	}
	if c.Err() != nil {
		return nil
	}
	width := 0
	for _, t := range in {
		width += c.extent(t, 1)
	}
	if !c.mayCut(len(in)) || c.Err() != nil {
		return c.anything()
	}
	rows, at := &List{}, 0
	for _, t := range c.common(in) {
		n := c.extent(t, 1)
		rows.Items = append(rows.Items, c.op2("constant_pad_nd", t, &List{Items: []Value{int64(at), int64(width - at - n)}}))
		at += n
	}
	return c.op1("cat", rows)
}

// cartesianProduct is every choice of one element of each vector, as a row.
func cartesianProduct(c *call) Value {
	in := c.tensors(0)
	if len(in) == 1 {
		return build.Alias(in[0])
	}
	grids, err := c.Dispatch("aten::meshgrid", []Value{c.args[0]}, map[string]Value{"indexing": "ij"})
	items, ok := Items(grids)
	if err != nil || !ok {
		return c.failed(err)
	}
	columns := &List{}
	for _, g := range items {
		t, _ := g.(*build.Tensor)
		columns.Items = append(columns.Items, c.flat(t))
	}
	return c.op2("stack", columns, int64(1))
}

// combinations is every choice of r elements of a vector in their order, as a row.
func combinations(c *call) Value {
	x, r := c.tensor(0), c.int(1)
	if x.Rank() != 1 || r < 1 {
		return c.fail("of %d elements of %v", r, x.Type())
	}
	n, step := c.extent(x, 0), 1
	if c.bool(2) {
		step = 0
	}
	if r > max(n, 1<<10) {
		return c.fail("of %d elements of %v", r, x.Type())
	}
	var at []int64
	row := make([]int, r)
	for i := range row {
		row[i] = i * step
	}
	for c.Err() == nil && row[r-1] < n {
		for _, i := range row {
			at = append(at, int64(i))
		}
		if len(at) > maxComputed {
			return c.fail("of %d elements of %v: too many", r, x.Type())
		}
		i := r - 1
		for i > 0 && row[i]+1 > n-1-(r-1-i)*step {
			i--
		}
		row[i]++
		for j := i + 1; j < r; j++ {
			row[j] = row[j-1] + step
		}
	}
	return c.op2("index", x, &List{Items: []Value{c.intsOf(at, len(at)/r, r)}})
}

// covariance is that of the rows of a matrix, whose columns may count several times and have weights (torch.cov).
func covariance(c *call) Value {
	x, correction := c.tensor(0), c.args[1]
	if x.Rank() > 2 || c.Err() != nil {
		return c.fail("of a tensor of %d dimensions", x.Rank())
	}
	vector := x.Rank() < 2 || c.extent(x, 0) == 1 // PyTorch drops the dimensions of one
	x = c.op2("mul", c.op1("atleast_2d", x), 1.0)
	if c.Err() != nil {
		return x
	}
	n := c.Dims(x)[1]
	var total, degrees Value = n, nil
	var weights *build.Tensor
	if f, a := c.tensor(2), c.tensor(3); f != nil || a != nil {
		if weights = f; f == nil {
			weights = a
		} else if a != nil {
			weights = c.op2("mul", f, a)
		}
		total = c.op1("sum", weights)
		degrees = c.op2("sub", total, correction)
		if a != nil {
			degrees = c.op2("sub", total, c.op2("mul", c.op2("div", c.op1("sum", c.op2("mul", weights, a)), total), correction))
		}
	} else {
		degrees = c.mustArith(ops.Sub, n, build.AsNumber(correction))
	}
	weighted := func(t *build.Tensor) *build.Tensor {
		if weights == nil {
			return t
		}
		return c.op2("mul", t, weights)
	}
	mean := c.op2("div", c.op3("sum", weighted(x), int64(1), true), total)
	x = c.op2("sub", x, mean)
	y := c.op2("div", c.op2("mm", x, c.op1("t", weighted(x))), c.op2("clamp_min", c.lift(degrees), int64(0)))
	if vector {
		return c.reshape(y, nil)
	}
	return y
}

// correlation is covariance by the deviations, within -1 and 1 (torch.corrcoef).
func correlation(c *call) Value {
	y := c.op1("cov", c.args[0])
	if y.Rank() == 0 {
		return c.op2("div", y, y)
	}
	d := c.op1("sqrt", c.op1("diag", y))
	return c.op3("clamp", c.op2("div", c.op2("div", y, c.op2("unsqueeze", d, int64(1))), d), int64(-1), int64(1))
}

// mantissaAndExponent reads the exponent of the float64.
func mantissaAndExponent(c *call) Value {
	x := c.tensor(0)
	if d := x.DType(); d != tensor.Float32 && d != tensor.Float64 || x.Complex {
		return c.fail("of %v: float32 or float64 is needed", x.Type())
	}
	wide := c.cast(x, tensor.Float64)
	exponent := c.op2("sub", c.op2("bitwise_and", c.op2("bitwise_right_shift", c.apply(ops.Bits{DType: tensor.Int64}, wide), int64(52)), int64(0x7ff)), int64(1022))
	none := c.op2("logical_or", c.op2("eq", x, int64(0)), c.op1("logical_not", c.op1("isfinite", x)))
	exponent = c.op3("where", none, c.op1("zeros_like", exponent), exponent)
	half := c.op2("bitwise_right_shift", exponent, int64(1)) // by halves, or 2^-1024 would be 0
	power := func(n *build.Tensor) *build.Tensor { return c.op2("pow", 2.0, c.cast(n, tensor.Float64)) }
	mantissa := c.op2("mul", c.op2("mul", wide, power(c.op1("neg", half))), power(c.op2("sub", half, exponent)))
	return tuple(c.cast(mantissa, x.DType()), c.cast(exponent, tensor.Int32))
}

// logSpace gives powers of a base whose exponents lie at equal distances, whole ones for integers.
func logSpace(c *call) Value {
	for i := range 2 {
		if t, ok := c.args[i].(*build.Tensor); ok {
			c.args[i] = c.itemOf(t, build.Float)
		}
	}
	d, n := c.dtypeOr(4, defaultFloat), c.int(2)
	if n < 0 || n > maxComputed {
		return c.fail("%d steps", n)
	}
	start, end, base := c.float(0), c.float(1), c.float(3)
	step := (end - start) / float64(max(n-1, 1))
	if !d.IsFloat() {
		start, end = math.Trunc(start), math.Trunc(end)
		step = math.Trunc((end - start) / float64(max(n-1, 1)))
	}
	values := make([]float64, n)
	for i := range values {
		if values[i] = math.Pow(base, start+step*float64(i)); i >= n/2 && n > 1 {
			values[i] = math.Pow(base, end-step*float64(n-1-i))
		}
	}
	return c.constOf(values, d, n)
}

// nextAfter is the next number towards another one: its bits are those of the next integer.
func nextAfter(c *call) Value {
	x, y := c.tensor(0), c.tensor(1)
	d := x.DType()
	bits, float := tensor.Int32, tensor.Float32
	least := float64(math.SmallestNonzeroFloat32)
	if d == tensor.Float64 {
		bits, float, least = tensor.Int64, tensor.Float64, math.SmallestNonzeroFloat64
	}
	if d != float || y.DType() != float || x.Complex {
		return c.unsupported("of %v and %v", x.Type(), y.Type())
	}
	x, y = c.op2("add", x, c.op1("zeros_like", y)), c.op2("add", y, c.op1("zeros_like", x))
	grows := c.op2("eq", c.op2("gt", y, x), c.op2("gt", x, int64(0)))
	step := c.op2("sub", c.op2("mul", c.cast(grows, bits), int64(2)), int64(1))
	next := c.apply(ops.Bits{DType: float}, c.op2("add", c.apply(ops.Bits{DType: bits}, x), step))
	next = c.op3("where", c.op2("eq", x, int64(0)), c.op2("copysign", c.constOf([]float64{least}, float), y), next)
	next = c.op3("where", c.op2("eq", x, y), y, next)
	return c.op3("where", c.op1("isnan", x), x, c.op3("where", c.op1("isnan", y), y, next))
}

// histogramCounts is a histogram of bins of equal width, over a range or from the least to the greatest element.
func histogramCounts(c *call) Value {
	x, bins := c.tensor(0), c.int(1)
	if bins < 1 || bins > maxComputed || !singleOrDouble(x) {
		return c.unsupported("%d bins of %v", bins, x.Type())
	}
	var least, most *build.Tensor
	if c.isNone(2) {
		least, most = c.op1("amin", x), c.op1("amax", x)
	} else {
		ends := c.floats(2)
		if len(ends) != 2 || !(ends[0] <= ends[1]) {
			return c.fail("the range %v", ends)
		}
		least, most = c.constOf(ends[:1], x.DType()), c.constOf(ends[1:], x.DType())
	}
	half := c.op2("mul", c.cast(c.op2("eq", least, most), x.DType()), 0.5)
	least, most = c.op2("sub", least, half), c.op2("add", most, half)
	step := c.op2("div", c.op2("sub", most, least), float64(bins))
	at := make([]float64, bins+1)
	for i := range at {
		at[i] = float64(i)
	}
	up := c.constOf(at, x.DType(), len(at))
	edges := c.op2("add", least, c.op2("mul", step, up))
	fromEnd := c.op2("sub", most, c.op2("mul", step, c.op2("rsub", up, float64(bins)))) // from both ends, as linspace
	edges = c.op3("where", c.op2("lt", up, float64((bins+1)/2)), edges, fromEnd)
	return c.histogram(edges, c.tensor(3), c.bool(4))
}

func histogramOf(c *call) Value { return c.histogram(c.tensor(1), c.tensor(2), c.bool(3)) }

// histogram sums the weights of the elements between neighboring edges, the last of which belongs to the last bin.
func (c *call) histogram(edges, weight *build.Tensor, density bool) Value {
	x := c.flat(c.tensor(0))
	if edges.Rank() != 1 || c.Err() != nil {
		return c.fail("edges %v", edges.Type())
	}
	bins := c.extent(edges, 0) - 1
	if bins < 1 {
		return c.fail("%d bins", bins)
	}
	if weight == nil {
		weight = c.op1("ones_like", x)
	} else {
		weight = c.flat(weight)
	}
	first, last := c.selected(edges, 0, build.Extent(0)), c.selected(edges, 0, build.Extent(bins))
	inside := c.op2("logical_and", c.op2("ge", x, first), c.op2("le", x, last))
	at := c.op3("clamp", c.op2("sub", c.placesIn(edges, x, false, true), int64(1)), int64(0), int64(bins-1))
	sums := c.op("scatter_add", c.fullOf([]*build.Number{build.Extent(bins)}, 0, x.DType()), int64(0), at, c.op2("mul", weight, inside))
	if density {
		sums = c.op2("div", c.op2("div", sums, c.op1("sum", sums)), c.op1("diff", edges))
	}
	return tuple(sums, edges)
}

// multiMarginLoss is the hinge loss of several classes (torch.nn.MultiMarginLoss).
func multiMarginLoss(c *call) Value {
	x, target := c.tensor(0), c.tensor(1)
	if x.Rank() > 2 || target.Rank() > 1 || x.Rank() == 2 && target.Rank() == 0 {
		return c.fail("scores %v and classes %v", x.Type(), target.Type())
	}
	single := x.Rank() < 2
	if single {
		x, target = c.op1("atleast_2d", x), c.flat(target)
	}
	if c.Err() != nil {
		return x
	}
	column := c.op2("unsqueeze", target, int64(1))
	z := c.op2("clamp_min", c.op2("sub", c.op2("add", x, c.args[3]), c.op3("gather", x, int64(1), column)), int64(0))
	z = c.op2("pow", z, c.args[2])
	if w := c.tensor(4); w != nil {
		z = c.op2("mul", z, c.op2("index", w, &List{Items: []Value{column}}))
	}
	other := c.op2("ne", c.op1("arange", c.Dims(x)[1]), column)
	z = c.op2("div", c.op2("sum", c.op3("where", other, z, c.op1("zeros_like", z)), int64(1)), c.Dims(x)[1])
	if single {
		z = c.reshape(z, nil)
	}
	return c.lossOf(z, c.int(5))
}

// multiLabelMarginLoss is the hinge loss between the classes that a sample has, listed in front of a -1, and those that it has not.
func multiLabelMarginLoss(c *call) Value {
	x, target := c.op1("atleast_1d", c.args[0]), c.op1("atleast_1d", c.args[1])
	if x.Rank() > 2 || target.Rank() != x.Rank() || c.Err() != nil {
		return c.fail("scores %v and classes %v", x.Type(), target.Type())
	}
	c.assertDims(c.Dims(x), c.Dims(target), "scores and classes must have the same shape")
	last := int64(x.Rank() - 1)
	listed := c.op2("cumprod", c.op2("to", c.op2("ne", target, int64(-1)), int64(4)), last)
	at := c.op2("mul", target, listed)
	has := c.op2("gt", c.op("scatter_add", c.op1("zeros_like", target), last, at, listed), int64(0))
	right := c.op2("unsqueeze", c.op3("gather", x, last, at), int64(-1))
	z := c.op2("clamp_min", c.op2("add", c.op2("sub", c.op2("unsqueeze", x, int64(-2)), right), int64(1)), int64(0))
	counts := c.op2("logical_and", c.op2("unsqueeze", c.op2("gt", listed, int64(0)), int64(-1)), c.op2("unsqueeze", c.op1("logical_not", has), int64(-2)))
	z = c.op2("sum", c.op3("where", counts, z, c.op1("zeros_like", z)), &List{Items: []Value{int64(-2), int64(-1)}})
	return c.lossOf(c.op2("div", z, c.Dims(x)[last]), c.int(2))
}

// pairDistances are the distances of each row to all behind it.
func pairDistances(c *call) Value {
	x := c.tensor(0)
	if x.Rank() != 2 {
		return c.fail("of a tensor of %d dimensions", x.Rank())
	}
	n := c.extent(x, 0)
	if n > maxComputed || n*n > maxComputed {
		return c.fail("of %v: too many", x.Type())
	}
	var first, second []int64
	for i := range n {
		for j := i + 1; j < n; j++ {
			first, second = append(first, int64(i)), append(second, int64(j))
		}
	}
	row := func(at []int64) *build.Tensor { return c.apply(ops.IndexSelect{}, x, c.intsOf(at, len(at))) }
	return c.distance(row(first), row(second), c.float(1), 0, false)
}

// renormalize scales what lies along a dimension down to a greatest norm.
func renormalize(c *call) Value {
	x, others := c.tensor(0), &List{}
	axis := c.axis(2, x.Rank())
	for i := range x.Rank() {
		if i != axis {
			others.Items = append(others.Items, int64(i))
		}
	}
	norm := c.op("linalg_vector_norm", x, c.args[1], others, true)
	factor := c.op3("where", c.op2("gt", norm, c.args[3]), c.op2("mul", c.op1("reciprocal", c.op2("add", norm, 1e-7)), c.args[3]), c.op1("ones_like", norm))
	return c.op2("mul", x, factor)
}

// copyOf returns the operator of which another is the form that copies: "aten::permute" of "aten::permute_copy". It returns "" where there is none.
func (t Table) copyOf(name string) string {
	n := len(name) - len("_copy")
	if n < 0 || name[n:] != "_copy" || !t.Has(name[:n]) {
		return ""
	}
	return name[:n]
}

// cloned returns a result with memory of its own.
func (c *call) cloned(v Value) Value {
	switch v := v.(type) {
	case *build.Tensor:
		return c.op1("clone", v)
	case *List:
		items := slices.Clone(v.Items)
		for i, x := range items {
			items[i] = c.cloned(x)
		}
		return &List{Items: items}
	}
	return v
}
