package aten

import (
	"math"
	"slices"
	"strings"

	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// Linear algebra, on a few decompositions of package ops.
var linearAlgebra = []operator{
	{"aten::linalg_inv", "A:T", inverse(true)},
	{"aten::inverse", "self:T", inverse(true)},
	{"aten::linalg_inv_ex", "A:T | check_errors:b=False", inverse(false)},
	{"aten::linalg_det", "A:T", det},
	{"aten::det", "self:T", det},
	{"aten::_linalg_det", "A:T", withLU(det)},
	{"aten::linalg_slogdet", "A:T", slogdet},
	{"aten::slogdet", "self:T", slogdet},
	{"aten::_linalg_slogdet", "A:T", withLU(slogdet)},
	{"aten::logdet", "self:T", logdet},
	{"aten::linalg_solve", "A:T B:T | left:b=True", solve(-1)},
	{"aten::linalg_solve_ex", "A:T B:T | left:b=True check_errors:b=False", solve(3)},
	{"aten::_linalg_solve_ex", "A:T B:T | left:b=True check_errors:b=False", solveWithLU},
	{"aten::linalg_solve_triangular", "self:T B:T | upper:b left:b=True unitriangular:b=False", solveTriangular},
	{"aten::triangular_solve", "self:T A:T upper:b=True transpose:b=False unitriangular:b=False", oldTriangularSolve},
	{"aten::linalg_lu_factor", "A:T | pivot:b=True", luFactor},
	{"aten::linalg_lu_factor_ex", "A:T | pivot:b=True check_errors:b=False", luFactor},
	{"aten::_lu_with_info", "self:T pivot:b=True check_errors:b=True", luFactor},
	{"aten::linalg_lu", "A:T | pivot:b=True", luParts},
	{"aten::lu_unpack", "LU_data:T LU_pivots:T unpack_data:b=True unpack_pivots:b=True", luUnpack},
	{"aten::linalg_lu_solve", "LU:T pivots:T B:T | left:b=True adjoint:b=False", luSolve},
	{"aten::lu_solve", "self:T LU_data:T LU_pivots:T", func(c *call) Value { return c.luSolve(c.tensor(1), c.tensor(2), c.tensor(0), false) }},
	{"aten::linalg_cholesky", "self:T | upper:b=False", cholesky(-1)},
	{"aten::cholesky", "self:T upper:b=False", cholesky(-1)},
	{"aten::linalg_cholesky_ex", "self:T | upper:b=False check_errors:b=False", cholesky(2)},
	{"aten::cholesky_solve", "self:T input2:T upper:b=False", func(c *call) Value { return c.choleskySolve(c.tensor(0), c.tensor(1), c.bool(2)) }},
	{"aten::cholesky_inverse", "self:T upper:b=False", func(c *call) Value { return c.choleskySolve(c.identity(c.tensor(0)), c.tensor(0), c.bool(1)) }},
	{"aten::linalg_qr", "A:T mode:s='reduced'", qr},
	{"aten::qr", "self:T some:b=True", func(c *call) Value { return c.decomposed2(ops.Decompose{Fn: ops.QR, Full: !c.bool(1)}) }},
	{"aten::linalg_svd", "A:T full_matrices:b=True | driver:s?=None", func(c *call) Value { return c.svd(c.bool(1), true, false) }},
	{"aten::_linalg_svd", "A:T full_matrices:b=False compute_uv:b=True | driver:s?=None", func(c *call) Value { return c.svd(c.bool(1), c.bool(2), false) }},
	{"aten::svd", "self:T some:b=True compute_uv:b=True", func(c *call) Value { return c.svd(!c.bool(1), c.bool(2), true) }},
	{"aten::linalg_svdvals", "A:T | driver:s?=None", func(c *call) Value { return c.singularValues(c.tensor(0)) }},
	{"aten::linalg_eigh", "self:T UPLO:s='L'", eigh},
	{"aten::_linalg_eigh", "A:T UPLO:s='L' compute_v:b=True", eigh},
	{"aten::linalg_eigvalsh", "self:T UPLO:s='L'", func(c *call) Value { return c.applyAll(c.eigh(), c.tensor(0))[0] }},
	{"aten::linalg_lstsq", "self:T b:T rcond:f?=None | driver:s?=None", leastSquares},
	{"aten::linalg_pinv", "self:T rcond:N hermitian:b=False", func(c *call) Value { return c.pseudoinverse(c.hermitianIf(2), nil, c.args[1]) }},
	{"aten::linalg_pinv", "self:T | atol:N?=None rtol:N?=None hermitian:b=False", func(c *call) Value { return c.pseudoinverse(c.hermitianIf(3), c.args[1], c.args[2]) }},
	{"aten::pinverse", "self:T rcond:f=1e-15", func(c *call) Value { return c.pseudoinverse(c.tensor(0), nil, c.args[1]) }},
	{"aten::linalg_matrix_rank", "self:T tol:N hermitian:b=False", rankAbove},
	{"aten::linalg_matrix_rank", "input:T tol:T hermitian:b=False", rankAbove},
	{"aten::linalg_matrix_rank", "self:T | atol:N?=None rtol:N?=None hermitian:b=False", rank},
	{"aten::linalg_matrix_rank", "input:T | atol:T?=None rtol:T?=None hermitian:b=False", rank},
	{"aten::linalg_matrix_exp", "self:T", func(c *call) Value { return c.apply(ops.MatrixExp{}, c.tensor(0)) }},
	{"aten::linalg_matrix_power", "self:T n:i", func(c *call) Value { return c.matrixPower(c.tensor(0), c.int(1)) }},
	{"aten::linalg_matrix_norm", "self:T ord:n dim:I=[] keepdim:b=False | dtype:i?=None", linalgNorm},
	{"aten::linalg_matrix_norm", "self:T ord:s='fro' dim:I=[] keepdim:b=False | dtype:i?=None", linalgNorm},
	{"aten::linalg_norm", "self:T ord:n?=None dim:I?=None keepdim:b=False | dtype:i?=None", linalgNorm},
	{"aten::linalg_norm", "self:T ord:s dim:I?=None keepdim:b=False | dtype:i?=None", linalgNorm},
	{"aten::nuclear_norm", "self:T keepdim:b=False", func(c *call) Value { return c.matrixNorm(c.tensor(0), "nuc", []int{-2, -1}, c.bool(1)) }},
	{"aten::nuclear_norm", "self:T dim:I keepdim:b=False", func(c *call) Value { return c.matrixNorm(c.tensor(0), "nuc", c.ints(1), c.bool(2)) }},
	{"aten::linalg_cond", "self:T p:n?=None", condition},
	{"aten::linalg_cond", "self:T p:s", condition},
	{"aten::linalg_multi_dot", "tensors:L", func(c *call) Value { return c.multiDot(c.tensors(0)) }},
	{"aten::chain_matmul", "matrices:L", func(c *call) Value { return c.multiDot(c.tensors(0)) }},
	{"aten::kron", "self:T other:T", kron},
	{"aten::linalg_vecdot", "x:T y:T | dim:i=-1", vecdot},
	{"aten::linalg_diagonal", "A:T | offset:i=0 dim1:i=-2 dim2:i=-1", diagonal},
	{"aten::linalg_tensorinv", "self:T ind:i=2", tensorInverse},
	{"aten::linalg_householder_product", "input:T tau:T", householderProduct},
	{"aten::orgqr", "self:T input2:T", householderProduct},
}

// swapped exchanges the last two dimensions.
func (c *call) swapped(t *build.Tensor) *build.Tensor {
	n := t.Rank()
	if n < 2 {
		c.fail("a tensor of %d dimensions where matrices are needed", n)
	}
	if c.Err() != nil {
		return c.anything()
	}
	order := identityOrder(n)
	order[n-1], order[n-2] = n-2, n-1
	return c.permuted(t, order)
}

// identity returns identity matrices of the shape of a batch.
func (c *call) identity(t *build.Tensor) *build.Tensor {
	ones := c.apply(ops.Full{Like: true, Value: 1, DType: t.DType()}, t)
	return c.apply(ops.Trilu{}, c.apply(ops.Trilu{Upper: true}, ones))
}

// batched expands the batches of two operands, matrices [..., M, N], to that of both.
func (c *call) batched(a, b *build.Tensor) (x, y *build.Tensor) {
	if a.Rank() < 2 || b.Rank() < 2 {
		c.fail("tensors of %d and %d dimensions where matrices are needed", a.Rank(), b.Rank())
	}
	if c.Err() != nil {
		return c.anything(), c.anything()
	}
	da, db := c.Dims(a), c.Dims(b)
	na, nb := len(da)-2, len(db)-2
	batch := build.BroadcastDims([][]*build.Number{da[:na], db[:nb]}, max(na, nb))
	return c.expand(a, slices.Concat(batch, da[na:])), c.expand(b, slices.Concat(batch, db[nb:]))
}

// system solves A X = B, or X A = B, of batches that broadcast. It returns the second output of ops.Solve, too.
func (c *call) system(op ops.Solve, a, b *build.Tensor, left bool) (x, info *build.Tensor) {
	if !left {
		op.Transpose = !op.Transpose
		b = c.swapped(b)
	}
	a, b = c.batched(a, b)
	out := c.applyAll(op, a, b)
	x = out[0]
	if !left {
		x = c.swapped(x)
	}
	return x, out[1]
}

func tuple(items ...*build.Tensor) *Tuple {
	t := &Tuple{Items: make([]Value, len(items))}
	for i, x := range items {
		t.Items[i] = x
	}
	return t
}

func (c *call) missing(what string) *Missing { return &Missing{What: c.name + ": " + what} }

//go:noinline
func inverse(check bool) func(*call) Value {
	return func(c *call) Value {
		a := c.tensor(0)
		out := c.applyAll(ops.Solve{Check: check || c.bool(1)}, a, c.identity(a))
		if check {
			return out[0]
		}
		return tuple(out[0], out[1])
	}
}

// solve is torch.linalg.solve. B is a vector, or a batch of them, where it has the shape of A without the last dimension. check is the place
// of check_errors, with a second result, or -1.
//
//go:noinline
func solve(check int) func(*call) Value {
	return func(c *call) Value {
		a, b, left := c.tensor(0), c.tensor(1), c.bool(2)
		vector := b.Rank() == 1 || b.Rank() == a.Rank()-1 && c.shape(b).Equal(c.shape(a)[:b.Rank()])
		if vector {
			b = c.reshape(b, append(slices.Clone(c.Dims(b)), build.Extent(1)))
		}
		x, info := c.system(ops.Solve{Check: check < 0 || c.bool(check)}, a, b, left || vector)
		if vector && c.Err() == nil {
			x = c.reshape(x, c.Dims(x)[:x.Rank()-1])
		}
		if check < 0 {
			return x
		}
		return tuple(x, info)
	}
}

func solveWithLU(c *call) Value {
	t, _ := solve(3)(c).(*Tuple)
	if c.Err() != nil {
		return nil
	}
	return &Tuple{Items: []Value{t.Items[0], c.missing("LU"), c.missing("pivots"), t.Items[1]}}
}

func withLU(lower func(*call) Value) func(*call) Value {
	return func(c *call) Value {
		v := lower(c)
		items := []Value{v}
		if t, ok := v.(*Tuple); ok {
			items = t.Items
		}
		return &Tuple{Items: append(slices.Clone(items), c.missing("LU"), c.missing("pivots"))}
	}
}

func triangular(upper, unit bool) ops.Solve {
	if upper {
		return ops.Solve{Fn: ops.SolveUpper, Unit: unit}
	}
	return ops.Solve{Fn: ops.SolveLower, Unit: unit}
}

func solveTriangular(c *call) Value {
	x, _ := c.system(triangular(c.bool(2), c.bool(4)), c.tensor(0), c.tensor(1), c.bool(3))
	return x
}

func oldTriangularSolve(c *call) Value {
	op := triangular(c.bool(2), c.bool(4))
	op.Transpose = c.bool(3)
	x, _ := c.system(op, c.tensor(1), c.tensor(0), true)
	return tuple(x, build.Alias(c.tensor(1)))
}

func (c *call) diagonalOf(t *build.Tensor) *build.Tensor {
	return c.apply(ops.Diagonal{Axis1: -2, Axis2: -1}, t)
}

// determinant returns the diagonal of U, and the determinant of the permutation, 1 or -1.
func (c *call) determinant() (diagonal, sign *build.Tensor) {
	a := c.tensor(0)
	n := c.extent(a, a.Rank()-1)
	lu := c.applyAll(ops.Decompose{Fn: ops.LU}, a)
	if c.Err() != nil {
		return c.anything(), c.anything()
	}
	rows := make([]int64, n)
	for i := range rows {
		rows[i] = int64(i + 1)
	}
	moved := c.apply(ops.Reduce{Fn: ops.Sum, Axes: []int{-1}}, c.arith(ops.Ne, lu[1], c.intsOf(rows, n)))
	odd := c.cast(c.arithNumber(ops.Remainder, moved, int64(2)), a.DType())
	return c.diagonalOf(lu[0]), c.arithNumber(ops.Add, c.arithNumber(ops.Mul, odd, -2.0), 1.0)
}

func det(c *call) Value {
	u, sign := c.determinant()
	return c.arith(ops.Mul, sign, c.apply(ops.Reduce{Fn: ops.Prod, Axes: []int{-1}}, u))
}

func slogdet(c *call) Value {
	u, sign := c.determinant()
	sign = c.arith(ops.Mul, sign, c.apply(ops.Reduce{Fn: ops.Prod, Axes: []int{-1}}, c.fn(ops.Sign, u)))
	return tuple(sign, c.apply(ops.Reduce{Fn: ops.Sum, Axes: []int{-1}}, c.fn(ops.Log, c.fn(ops.Abs, u))))
}

func logdet(c *call) Value {
	t, _ := slogdet(c).(*Tuple)
	if c.Err() != nil {
		return nil
	}
	sign, log := t.Items[0].(*build.Tensor), t.Items[1].(*build.Tensor)
	return c.apply(ops.Where{ANumber: true, KeepB: true}, c.arithNumber(ops.Lt, sign, int64(0)), c.lift(math.NaN()), log)
}

func luFactor(c *call) Value {
	if !c.bool(1) {
		return c.unsupported("without pivoting")
	}
	out := c.applyAll(ops.Decompose{Fn: ops.LU}, c.tensor(0))
	if c.name == "aten::linalg_lu_factor" {
		return tuple(out[0], out[1])
	}
	// The first zero on the diagonal, from 1.
	zero := c.arithNumber(ops.Eq, c.diagonalOf(out[0]), int64(0))
	first := c.applyAll(ops.ArgMax{Axis: -1}, c.cast(zero, tensor.Int32))[0]
	info := c.arith(ops.Mul, c.arithNumber(ops.Add, first, int64(1)), c.apply(ops.Reduce{Fn: ops.Any, Axes: []int{-1}}, zero))
	return tuple(out[0], out[1], c.cast(info, tensor.Int32))
}

func luParts(c *call) Value {
	if !c.bool(1) {
		return c.unsupported("without pivoting")
	}
	out := c.applyAll(ops.Decompose{Fn: ops.LU}, c.tensor(0))
	return c.unpacked(out[0], out[1])
}

func luUnpack(c *call) Value { return c.unpacked(c.tensor(0), c.tensor(1)) }

// rowOrder returns the order of the rows of [..., M, N] that pivots make.
func (c *call) rowOrder(lu, pivots *build.Tensor) (order *build.Tensor, m int) {
	m = c.extent(lu, lu.Rank()-2)
	return c.apply(ops.RowOrder{M: m}, pivots), m
}

// unpacked returns P, L and U.
func (c *call) unpacked(lu, pivots *build.Tensor) Value {
	order, m := c.rowOrder(lu, pivots)
	n := c.extent(lu, lu.Rank()-1)
	p := c.swapped(c.cast(c.apply(ops.OneHot{Classes: m}, order), lu.DType()))
	k := min(m, n)
	l := c.apply(ops.Slice{Axis: -1, End: k, Step: 1}, c.apply(ops.Trilu{Diagonal: -1}, lu))
	u := c.apply(ops.Slice{Axis: -2, End: k, Step: 1}, c.apply(ops.Trilu{Upper: true}, lu))
	return tuple(p, c.arith(ops.Add, l, c.identity(l)), u)
}

func luSolve(c *call) Value {
	lu, pivots, b := c.tensor(0), c.tensor(1), c.tensor(2)
	left, adjoint := c.bool(3), c.bool(4)
	if left {
		return c.luSolve(lu, pivots, b, adjoint)
	}
	return c.swapped(c.luSolve(lu, pivots, c.swapped(b), !adjoint))
}

// luSolve solves A X = B, or A^T X = B, given the factors of A = P L U.
func (c *call) luSolve(lu, pivots, b *build.Tensor, transposed bool) *build.Tensor {
	order, m := c.rowOrder(lu, pivots)
	p := c.cast(c.apply(ops.OneHot{Classes: m}, order), lu.DType()) // P^T
	lower, upper := triangular(false, true), triangular(true, false)
	if transposed {
		lower.Transpose, upper.Transpose = true, true
		b, _ = c.system(upper, lu, b, true)
		b, _ = c.system(lower, lu, b, true)
		return c.matmul(c.swapped(p), b)
	}
	b, _ = c.system(lower, lu, c.matmul(p, b), true)
	b, _ = c.system(upper, lu, b, true)
	return b
}

// cholesky is torch.linalg.cholesky. check is the place of check_errors, with a second result, or -1.
//
//go:noinline
func cholesky(check int) func(*call) Value {
	return func(c *call) Value {
		out := c.applyAll(ops.Decompose{Fn: ops.Cholesky, Upper: c.bool(1), Check: check < 0 || c.bool(check)}, c.tensor(0))
		if check < 0 {
			return out[0]
		}
		return tuple(out[0], out[1])
	}
}

// choleskySolve solves A X = B given L of A = L L^T, or U of U^T U.
func (c *call) choleskySolve(b, factor *build.Tensor, upper bool) *build.Tensor {
	op := triangular(upper, false)
	op.Transpose = upper
	b, _ = c.system(op, factor, b, true)
	op.Transpose = !upper
	b, _ = c.system(op, factor, b, true)
	return b
}

func (c *call) decomposed2(op ops.Decompose) Value {
	out := c.applyAll(op, c.tensor(0))
	return tuple(out[0], out[1])
}

func qr(c *call) Value {
	switch c.string(1) {
	case "reduced":
		return c.decomposed2(ops.Decompose{Fn: ops.QR})
	case "complete":
		return c.decomposed2(ops.Decompose{Fn: ops.QR, Full: true})
	case "r":
		return &Tuple{Items: []Value{c.missing("Q"), c.applyAll(ops.Decompose{Fn: ops.QR}, c.tensor(0))[1]}}
	}
	return c.fail("unknown mode %q", c.string(1))
}

// svd returns U, S and Vh, or V. Without vectors only S.
func (c *call) svd(full, vectors, v bool) Value {
	out := c.applyAll(ops.Decompose{Fn: ops.SVD, Full: full}, c.tensor(0))
	if !vectors {
		return &Tuple{Items: []Value{c.missing("U"), out[1], c.missing("V")}}
	}
	if v {
		out[2] = c.swapped(out[2])
	}
	return tuple(out[0], out[1], out[2])
}

func (c *call) singularValues(t *build.Tensor) *build.Tensor {
	return c.applyAll(ops.Decompose{Fn: ops.SVD}, t)[1]
}

func (c *call) eigh() ops.Decompose {
	triangle := strings.ToUpper(c.string(1))
	if triangle != "L" && triangle != "U" {
		c.fail("the triangle %q is neither L nor U", c.string(1))
	}
	return ops.Decompose{Fn: ops.Eigh, Upper: triangle == "U"}
}

func eigh(c *call) Value { return c.decomposed2(c.eigh()) }

// isSignificant tells singular values [..., K] that count from those that are as small as rounding errors, at most max(atol, rtol * S[0]). By default
// rtol is the larger extent times the machine epsilon, but 0 where atol is given.
func (c *call) isSignificant(a, s *build.Tensor, atol, rtol Value) *build.Tensor {
	eps := 0x1p-23
	if a.DType() == tensor.Float64 {
		eps = 0x1p-52
	}
	perMatrix := func(v Value) Value {
		if t, ok := v.(*build.Tensor); ok {
			return c.reshape(t, append(slices.Clone(c.Dims(t)), build.Extent(1)))
		}
		return v
	}
	atol, rtol = perMatrix(atol), perMatrix(rtol)
	if rtol == nil {
		rtol = eps * float64(max(c.extent(a, a.Rank()-1), c.extent(a, a.Rank()-2)))
		if t, ok := atol.(*build.Tensor); ok {
			rtol = c.binaryValues(ops.Mul, c.arithNumber(ops.Le, t, int64(0)), rtol)
		} else if f, ok := build.ToFloat(atol); ok && f > 0 {
			rtol = 0.0
		}
	}
	greatest := c.apply(ops.Reduce{Fn: ops.AMax, Axes: []int{-1}, KeepDims: true}, s)
	bound := c.binaryValues(ops.Mul, greatest, rtol)
	if atol != nil {
		bound = c.binaryValues(ops.Max, bound, atol)
	}
	return c.arith(ops.Gt, s, bound)
}

// pseudoinverse is V diag(1/S) U^T over the singular values that count. That a matrix is hermitian, as callers may say, changes nothing.
func (c *call) pseudoinverse(a *build.Tensor, atol, rtol Value) *build.Tensor {
	if c.isEmpty(a) {
		return c.swapped(c.likeOf(a, 0, a.DType()))
	}
	out := c.applyAll(ops.Decompose{Fn: ops.SVD}, a)
	if c.Err() != nil {
		return c.anything()
	}
	u, s, vh := out[0], out[1], out[2]
	s = c.apply(ops.Where{BNumber: true}, c.isSignificant(a, s, atol, rtol), s, c.lift(math.Inf(1)))
	s = c.reshape(s, append(slices.Clone(c.Dims(s)), build.Extent(1)))
	return c.swapped(c.matmul(u, c.arith(ops.Div, vh, s)))
}

// rankAbove is the rank with one absolute tolerance.
func rankAbove(c *call) Value { return c.matrixRank(c.hermitianIf(2), c.args[1], 0.0) }

func rank(c *call) Value { return c.matrixRank(c.hermitianIf(3), c.args[1], c.args[2]) }

// hermitianIf is the matrix whose lower triangle is read, as it is where argument i says that it is Hermitian.
func (c *call) hermitianIf(i int) *build.Tensor {
	a := c.tensor(0)
	if !c.bool(i) {
		return a
	}
	// Gradients pass to the whole matrix, as in PyTorch.
	lower := c.arith(ops.Add, c.op1("tril", a), c.swapped(c.op2("tril", a, int64(-1))))
	return c.arith(ops.Add, a, c.apply(ops.Detach{}, c.arith(ops.Sub, lower, a)))
}

// isEmpty reports whether matrices have no element.
func (c *call) isEmpty(a *build.Tensor) bool {
	return a.Rank() > 1 && (c.extent(a, a.Rank()-1) == 0 || c.extent(a, a.Rank()-2) == 0)
}

func (c *call) matrixRank(a *build.Tensor, atol, rtol Value) *build.Tensor {
	if c.isEmpty(a) {
		return c.fullOf(c.Dims(a)[:a.Rank()-2], 0, tensor.Int64)
	}
	return c.apply(ops.Reduce{Fn: ops.Sum, Axes: []int{-1}}, c.isSignificant(a, c.singularValues(a), atol, rtol))
}

// leastSquares is torch.linalg.lstsq, by the pseudoinverse. What else there is depends on the driver, of which the default is gelsy.
func leastSquares(c *call) Value {
	a, b, driver := c.tensor(0), c.tensor(1), c.string(3)
	vector := b.Rank() == a.Rank()-1
	if vector {
		b = c.reshape(b, append(slices.Clone(c.Dims(b)), build.Extent(1)))
	}
	x := c.matmul(c.pseudoinverse(a, nil, c.args[2]), b)
	none := func(d tensor.DType) *build.Tensor { return c.fullOf([]*build.Number{build.Extent(0)}, 0, d) }
	residuals, rank, values := none(a.DType()), none(tensor.Int64), none(a.DType())
	if driver != "gels" {
		rank = c.matrixRank(a, nil, c.args[2])
	}
	if driver == "gelsd" || driver == "gelss" {
		values = c.singularValues(a)
	}
	if driver != "" && driver != "gelsy" && c.extent(a, a.Rank()-2) > c.extent(a, a.Rank()-1) {
		residuals = c.apply(ops.Reduce{Fn: ops.Sum, Axes: []int{-2}}, c.fn(ops.Square, c.arith(ops.Sub, c.matmul(a, x), b)))
	}
	if vector && c.Err() == nil {
		x = c.reshape(x, c.Dims(x)[:x.Rank()-1])
	}
	return tuple(x, residuals, rank, values)
}
