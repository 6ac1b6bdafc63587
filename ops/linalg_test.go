package ops_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"unsafe"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// matrix64 is a matrix of float64 in row-major order.
type matrix64 struct {
	m, n int
	x    []float64
}

func randomMatrix(rng *rand.Rand, m, n int) matrix64 {
	a := matrix64{m, n, make([]float64, m*n)}
	for i := range a.x {
		a.x[i] = rng.NormFloat64()
	}
	return a
}

func (a matrix64) t() matrix64 {
	b := matrix64{a.n, a.m, make([]float64, len(a.x))}
	for i := range a.m {
		for j := range a.n {
			b.x[j*a.m+i] = a.x[i*a.n+j]
		}
	}
	return b
}

func (a matrix64) times(b matrix64) matrix64 {
	c := matrix64{a.m, b.n, make([]float64, a.m*b.n)}
	for i := range a.m {
		for j := range b.n {
			for k := range a.n {
				c.x[i*b.n+j] += a.x[i*a.n+k] * b.x[k*b.n+j]
			}
		}
	}
	return c
}

// scaled multiplies the columns.
func (a matrix64) scaled(f []float64) matrix64 {
	b := matrix64{a.m, min(a.n, len(f)), nil}
	for i := range a.m {
		for j := range b.n {
			b.x = append(b.x, a.x[i*a.n+j]*f[j])
		}
	}
	return b
}

func (a matrix64) apart(b matrix64) float64 {
	var most float64
	for i, v := range a.x {
		most = math.Max(most, math.Abs(v-b.x[i]))
	}
	if len(a.x) != len(b.x) {
		return math.Inf(1)
	}
	return most
}

func unit(n int) matrix64 {
	a := matrix64{n, n, make([]float64, n*n)}
	for i := range n {
		a.x[i*n+i] = 1
	}
	return a
}

func evalMatrix(t *testing.T, op ops.Op, in ...matrix64) []matrix64 {
	t.Helper()
	var tensors []*tensor.Tensor
	for _, a := range in {
		x, err := tensor.FromSlice(a.x, a.m, a.n)
		if err != nil {
			t.Fatal(err)
		}
		tensors = append(tensors, x)
	}
	out, err := ops.Eval(op, asm.Generic, nil, tensors...)
	if err != nil {
		t.Fatal(err)
	}
	var result []matrix64
	for _, x := range out {
		if x.DType() != tensor.Float64 {
			continue
		}
		a := matrix64{1, x.Numel(), unsafe.Slice((*float64)(unsafe.Pointer(unsafe.SliceData(x.Bytes()))), x.Numel())}
		if x.Rank() == 2 {
			a.m, a.n = x.Dim(0), x.Dim(1)
		}
		result = append(result, a)
	}
	return result
}

// deficient has a rank of half its extents.
func deficient(rng *rand.Rand, m, n int) matrix64 {
	k := (min(m, n) + 1) / 2
	return randomMatrix(rng, m, k).times(randomMatrix(rng, k, n))
}

// TestDecompositions puts matrices together again, to float64's precision, of sizes that exceed those of recorded cases, of any rank and scale.
func TestDecompositions(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, size := range [][2]int{{1, 1}, {2, 3}, {5, 2}, {17, 17}, {40, 23}, {23, 40}} {
		for _, make := range []func(*rand.Rand, int, int) matrix64{randomMatrix, deficient} {
			for _, scale := range []float64{1, 1e-200, 1e200} {
				checkDecompositions(t, make(rng, size[0], size[1]).scaled(constant(scale, size[1])))
			}
		}
	}
	checkDecompositions(t, matrix64{3, 2, make([]float64, 6)})
}

func constant(v float64, n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = v
	}
	return x
}

func checkDecompositions(t *testing.T, a matrix64) {
	t.Helper()
	var norm float64
	for _, v := range a.x {
		norm = math.Max(norm, math.Abs(v))
	}
	near := func(what string, got, want matrix64, scale float64) {
		t.Helper()
		if d := got.apart(want); !(d <= 1e-12*float64(max(a.m, a.n))*scale) {
			t.Errorf("%s of %dx%d up to %g: %g apart", what, a.m, a.n, norm, d)
		}
	}
	for _, full := range []bool{false, true} {
		out := evalMatrix(t, ops.Decompose{Fn: ops.SVD, Full: full}, a)
		u, s, vh := out[0], out[1].x, out[2]
		near("U^T U", u.t().times(u), unit(u.n), 1)
		near("Vh Vh^T", vh.times(vh.t()), unit(vh.m), 1)
		product := u.scaled(s).times(matrix64{len(s), a.n, vh.x[:len(s)*a.n]})
		near("U S Vh", product, a, norm)
		for j := 1; j < len(s); j++ {
			if s[j] > s[j-1] || s[j] < 0 {
				t.Errorf("singular values %v", s)
			}
		}
		checkSigns(t, u)
		out = evalMatrix(t, ops.Decompose{Fn: ops.QR, Full: full}, a)
		near("Q R", out[0].times(out[1]), a, norm)
		near("Q^T Q", out[0].t().times(out[0]), unit(out[0].n), 1)
	}
	if norm > 1e100 || norm < 1e-100 {
		return // the square of such values is not in range
	}
	square := a.times(a.t())
	out := evalMatrix(t, ops.Decompose{Fn: ops.Eigh}, square)
	near("V L V^T", out[1].scaled(out[0].x).times(out[1].t()), square, norm*norm*float64(a.n))
	near("V^T V", out[1].t().times(out[1]), unit(a.m), 1)
	checkSigns(t, out[1])
}

// checkSigns finds a positive element of greatest magnitude in each column.
func checkSigns(t *testing.T, a matrix64) {
	t.Helper()
	for j := range a.n {
		var most, least float64
		for i := range a.m {
			most, least = math.Max(most, a.x[i*a.n+j]), math.Min(least, a.x[i*a.n+j])
		}
		if -least > most*(1+1e-5) {
			t.Errorf("column %d has elements from %g to %g", j, least, most)
		}
	}
}

// TestSolvePrecision compares with matrices whose inverses and exponentials are known.
func TestSolvePrecision(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for _, n := range []int{1, 2, 33} {
		a, x := randomMatrix(rng, n, n), randomMatrix(rng, n, 3)
		for _, transposed := range []bool{false, true} {
			left := a
			if transposed {
				left = a.t()
			}
			got := evalMatrix(t, ops.Solve{Transpose: transposed, Check: true}, a, left.times(x))[0]
			if d := got.apart(x); d > 1e-9 {
				t.Errorf("A X = B of %d, transposed %v: %g apart", n, transposed, d)
			}
		}
	}
	for _, angle := range []float64{0, 1e-9, 1, 300} {
		got := evalMatrix(t, ops.MatrixExp{}, matrix64{2, 2, []float64{0, -angle, angle, 0}})[0]
		want := matrix64{2, 2, []float64{math.Cos(angle), -math.Sin(angle), math.Sin(angle), math.Cos(angle)}}
		if d := got.apart(want); d > 1e-12 {
			t.Errorf("e^A of a turn by %g: %g apart", angle, d)
		}
	}
}

// TestLinearAlgebraErrors checks that values which have no result end with a *ValueError that says which matrix and why.
func TestLinearAlgebraErrors(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	for _, c := range []struct {
		op   ops.Op
		a    []float64 // two matrices [2, 2]
		want string
	}{
		{ops.Solve{Check: true}, []float64{1, 0, 0, 1, 1, 2, 2, 4}, "matrix 1 of the batch is singular: element 2"},
		{ops.Decompose{Fn: ops.Cholesky, Check: true}, []float64{1, 0, 0, 1, 1, 2, 2, 1}, "matrix 1 of the batch is not positive definite: its leading minor of order 2"},
		{ops.Decompose{Fn: ops.Cholesky, Check: true}, []float64{nan, 0, 0, 1, 1, 0, 0, 1}, "matrix 0"},
		{ops.Decompose{Fn: ops.Eigh}, []float64{1, 0, 0, 1, 1, 2, inf, 1}, "matrix 1 of the batch has an element that is not finite"},
		{ops.Decompose{Fn: ops.SVD}, []float64{1, nan, 0, 1, 1, 2, 2, 1}, "matrix 0 of the batch has an element that is not finite"},
	} {
		x, err := tensor.FromSlice(c.a, 2, 2, 2)
		if err != nil {
			t.Fatal(err)
		}
		in := []*tensor.Tensor{x}
		if _, ok := c.op.(ops.Solve); ok {
			in = append(in, x)
		}
		_, err = ops.Eval(c.op, asm.Generic, nil, in...)
		var value *ops.ValueError
		if !errors.As(err, &value) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: error %v, want %q", c.op, err, c.want)
		}
	}
	order, err := tensor.FromSlice([]int32{2, 4}, 2)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ops.Eval(ops.RowOrder{M: 3}, asm.Generic, nil, order); err == nil || !strings.Contains(err.Error(), "row 4 of 3") {
		t.Errorf("a row that is none: %v", err)
	}
	large := ops.F32(1<<14, 1<<14)
	for _, op := range []ops.Op{ops.Decompose{Fn: ops.SVD}, ops.MatrixExp{}, ops.Decompose{Fn: ops.DecomposeFn(9)}} {
		in := []ops.Type{large}
		if fmt.Sprint(op) == "{DecomposeFn(9) false false false}" {
			in[0] = ops.F32(2, 2)
		}
		if _, err := op.Infer(in); err == nil {
			t.Errorf("%v takes %v", op, in)
		}
	}
}
