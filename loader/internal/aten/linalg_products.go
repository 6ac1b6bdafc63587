package aten

import (
	"math"
	"slices"

	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
)

// matrixPower multiplies by squaring.
func (c *call) matrixPower(t *build.Tensor, n int) *build.Tensor {
	if n < 0 {
		t, n = c.applyAll(ops.Solve{Check: true}, t, c.identity(t))[0], -n
	}
	if n <= 0 {
		return c.identity(t)
	}
	var y *build.Tensor
	for {
		if n%2 == 1 && y == nil {
			y = t
		} else if n%2 == 1 {
			y = c.matmul(y, t)
		}
		if n /= 2; n == 0 || c.Err() != nil {
			return y
		}
		t = c.matmul(t, t)
	}
}

// multiDot is the product of matrices, of which the first may be a row and the last a column, in the order that takes the fewest multiplications.
func (c *call) multiDot(list []*build.Tensor) *build.Tensor {
	n := len(list)
	if n == 0 || n > 256 {
		c.fail("a product of %d matrices", n)
		return c.anything()
	}
	extents := make([]int, n+1)
	for i, t := range list {
		if t.Rank() != 2 && !(t.Rank() == 1 && (i == 0 || i == n-1)) {
			c.fail("a tensor of %d dimensions in a product of matrices", t.Rank())
			return c.anything()
		}
		if t.Rank() == 2 || i > 0 {
			extents[i] = c.extent(t, 0)
		} else {
			extents[i] = 1
		}
		extents[i+1] = 1
		if t.Rank() == 2 {
			extents[i+1] = c.extent(t, 1)
		}
	}
	// cost[i][j] is that of the product from i to j, split[i][j] where its last one stands.
	cost, split := make([]float64, n*n), make([]int, n*n)
	for length := 1; length < n; length++ {
		for i := 0; i+length < n; i++ {
			j := i + length
			cost[i*n+j] = math.Inf(1)
			for k := i; k < j; k++ {
				product := float64(extents[i]) * float64(extents[k+1]) * float64(extents[j+1])
				if sum := cost[i*n+k] + cost[(k+1)*n+j] + product; sum < cost[i*n+j] {
					cost[i*n+j], split[i*n+j] = sum, k
				}
			}
		}
	}
	var multiply func(i, j int) *build.Tensor
	multiply = func(i, j int) *build.Tensor {
		if i == j || c.Err() != nil {
			return list[i]
		}
		k := split[i*n+j]
		return c.matmul(multiply(i, k), multiply(k+1, j))
	}
	return multiply(0, n-1)
}

// kron multiplies each element of a with all of b.
func kron(c *call) Value {
	a, b := c.tensor(0), c.tensor(1)
	rank := max(a.Rank(), b.Rank())
	left, right, whole := make([]*build.Number, 2*rank), make([]*build.Number, 2*rank), make([]*build.Number, rank)
	extent := func(t *build.Tensor, i int) int {
		if i -= rank - t.Rank(); i < 0 {
			return 1
		}
		return c.extent(t, i)
	}
	for i := range rank {
		m, n := extent(a, i), extent(b, i)
		left[2*i], left[2*i+1] = build.Extent(m), build.Extent(1)
		right[2*i], right[2*i+1] = build.Extent(1), build.Extent(n)
		whole[i] = build.Extent(m * n)
	}
	if c.Err() != nil {
		return nil
	}
	return c.shaped(c.binaryValues(ops.Mul, c.shaped(a, left), c.shaped(b, right)), whole)
}

func vecdot(c *call) Value {
	x, y := c.tensor(0), c.tensor(1)
	axis := c.axis(2, max(x.Rank(), y.Rank()))
	if x.Complex {
		x = c.conj(x)
	}
	product := c.binaryValues(ops.Mul, x, y)
	return c.reduced(ops.Reduce{Fn: ops.Sum, Axes: []int{axis}}, product)
}

func tensorInverse(c *call) Value {
	t, ind := c.tensor(0), c.int(1)
	if ind < 1 || ind >= t.Rank() {
		return c.fail("the first %d dimensions of %d", ind, t.Rank())
	}
	shape := c.shape(t)
	m, err := shape[:ind].Numel()
	if n, _ := shape[ind:].Numel(); c.Err() != nil || err != nil || m != n {
		return c.fail("the shape %v is no square matrix", shape)
	}
	square := c.reshape(t, []*build.Number{build.Extent(m), build.Extent(m)})
	dims := c.Dims(t)
	y := c.applyAll(ops.Solve{Check: true}, square, c.identity(square))[0]
	return c.reshape(y, slices.Concat(dims[ind:], dims[:ind]))
}

// householderProduct is the first columns of the product of the reflections I - tau v v^T, whose vectors are the columns below the diagonal:
// I - V T V^T, where 1/T has 1/tau on the diagonal and V^T V above it (Joffrain and others, 2006).
func householderProduct(c *call) Value {
	a, tau := c.tensor(0), c.tensor(1)
	if a.Rank() < 2 || tau.Rank() != a.Rank()-1 {
		return c.fail("tensors of %d and %d dimensions", a.Rank(), tau.Rank())
	}
	m, n, k := c.extent(a, a.Rank()-2), c.extent(a, a.Rank()-1), c.extent(tau, tau.Rank()-1)
	if m < n || n < k {
		return c.fail("%d reflections of %d rows and %d columns", k, m, n)
	}
	eye := c.identity(a)
	v := c.apply(ops.Slice{Axis: -1, End: k, Step: 1}, c.arith(ops.Add, c.apply(ops.Trilu{Diagonal: -1}, a), eye))
	if c.Err() != nil {
		return nil
	}
	gram := c.matmul(c.swapped(v), v)
	row := c.reshape(tau, slices.Insert(slices.Clone(c.Dims(tau)), tau.Rank()-1, build.Extent(1)))
	t := c.apply(ops.Where{}, c.arithNumber(ops.Ne, c.identity(gram), int64(0)), c.arith(ops.Div, c.identity(gram), row), gram)
	top := c.swapped(c.apply(ops.Slice{Axis: -2, End: n, Step: 1}, v))
	x, _ := c.system(triangular(true, false), t, top, true)
	return c.arith(ops.Sub, eye, c.matmul(v, x))
}
