package ops

import (
	"fmt"
	"slices"

	"github.com/octet-ml/octet/tensor"
)

// SolveFn says which part of a matrix a system of equations has.
type SolveFn uint8

// The parts.
const (
	SolveGeneral SolveFn = iota
	SolveLower           // the lower triangle; what is above counts as zero
	SolveUpper
	numSolveFns
)

var solveNames = [numSolveFns]string{"general", "lower", "upper"}

// String returns the name in files.
//
//go:noinline
func (f SolveFn) String() string {
	if f < numSolveFns {
		return solveNames[f]
	}
	return fmt.Sprintf("SolveFn(%d)", uint8(f))
}

// MarshalText returns the name.
func (f SolveFn) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText takes a name that String gives.
func (f *SolveFn) UnmarshalText(text []byte) error {
	i := slices.Index(solveNames[:], string(text))
	if i < 0 {
		return fmt.Errorf("unknown system %q", text)
	}
	*f = SolveFn(i)
	return nil
}

// Solve solves A X = B, as torch.linalg.solve and solve_triangular do, by LU decomposition or substitution in float64.
//
// Inputs: A [..., N, N] and B [..., N, K], float32 or float64, with the same batch. Outputs: X [..., N, K] and int32 [...], the first place from 1
// on the diagonal of U that is zero where A is singular, else 0.
type Solve struct {
	Fn        SolveFn
	Unit      bool // of a triangle: with ones on the diagonal, whatever stands there
	Transpose bool // A^T X = B
	Check     bool // a general A that is singular ends the run with a *ValueError
}

func (Solve) Name() string { return "solve" }

func (op Solve) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 2, 2); err != nil {
		return nil, err
	}
	if err := matrices(op, in); err != nil {
		return nil, err
	}
	rows, cols := matrixShape(in[0])
	n, _ := matrixShape(in[1])
	batch := in[0].matrix().Shape
	if rows != cols || n != rows || !batch.Equal(in[1].matrix().Shape) || op.Fn >= numSolveFns {
		return nil, Errorf(op, in, "it takes [..., N, N] and [..., N, K] of the same batch")
	}
	return []Type{in[1].matrix(matrixShape(in[1])), {DType: tensor.Int32, Shape: batch}}, nil
}

// MACs counts those of both substitutions, N^2 for each column, and of the elimination: (N-1)^2 + (N-2)^2 + ... + 1.
func (op Solve) MACs(in, _ []Type) int64 {
	n, k := matrixShape(in[1])
	each := int64(n) * int64(n) * int64(k)
	if op.Fn == SolveGeneral {
		each += int64(n-1) * int64(n) * int64(2*n-1) / 6
	} else {
		each = int64(n) * int64(n+1) / 2 * int64(k)
	}
	return each * int64(in[1].matrix().Numel())
}

func (op Solve) Prepare(p *Prepare) (*Kernel, error) {
	n, k := matrixShape(p.In[1])
	run := func(c *Call, i int, scratch []float64, pivots []int32) {
		a, b := scratch[:n*n], scratch[n*n:]
		loadMatrix(a, c.In[0], i*n*n)
		loadMatrix(b, c.In[1], i*n*k)
		if info := c.Out[1].Int32s(); op.Fn == SolveGeneral {
			if !factorLU(a, n, n, pivots, c.interrupted) {
				return
			}
			info[i] = singular(a, n)
			solveLU(a, n, pivots, b, k, op.Transpose, c.interrupted)
		} else {
			info[i] = 0
			t := triangle{a, n, op.Fn == SolveUpper, op.Unit, op.Transpose}
			t.solve(b, k, c.interrupted)
		}
		storeMatrix(c.Out[0], i*n*k, b)
	}
	var check func(*Call) error
	if op.Check {
		check = func(c *Call) error {
			for i, at := range c.Out[1].Int32s() {
				if at != 0 {
					return &ValueError{op.Name(), fmt.Sprintf("matrix %d of the batch is singular: element %d on the diagonal of U is zero", i, at)}
				}
			}
			return nil
		}
	}
	return matrixKernel(p.In[1], "substitution", n*n+n*k, n, run, check), nil
}

// MatrixExp is the exponential of square matrices [..., N, N], float32 or float64, as torch.linalg.matrix_exp computes it: a power series of the matrix
// divided by a power of two, squared again (Golub and Van Loan, 9.3), in float64. What is not finite gives NaN.
type MatrixExp struct{}

func (MatrixExp) Name() string { return "matrix_exp" }

func (op MatrixExp) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 1, 1); err != nil {
		return nil, err
	}
	if err := matrices(op, in); err != nil {
		return nil, err
	}
	if m, n := matrixShape(in[0]); m != n {
		return nil, Errorf(op, in, "it needs square matrices")
	}
	return []Type{{DType: in[0].DType, Shape: in[0].Shape}}, nil
}

// MACs counts the products of the series; how often it is squared depends on the values.
func (MatrixExp) MACs(in, _ []Type) int64 {
	_, n := matrixShape(in[0])
	return seriesTerms * int64(n) * int64(in[0].Numel())
}

func (op MatrixExp) Prepare(p *Prepare) (*Kernel, error) {
	_, n := matrixShape(p.In[0])
	return matrixKernel(p.In[0], "series", 3*n*n, 0, func(c *Call, i int, scratch []float64, _ []int32) {
		a := scratch[:n*n]
		loadMatrix(a, c.In[0], i*n*n)
		exponential(a, n, scratch[n*n:], c.interrupted)
		storeMatrix(c.Out[0], i*n*n, a)
	}, nil), nil
}

// RowOrder gives the order of M rows after exchanges of an LU decomposition: of A = P L U row i of L U is row order[i] of A.
//
// Input: int32 [..., K], the rows, counted from 1, that row k changed places with. Output: int64 [..., M]. A row that is none ends the run with a *ValueError.
type RowOrder struct {
	M int
}

func (RowOrder) Name() string { return "row_order" }

func (op RowOrder) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 1, 1); err != nil {
		return nil, err
	}
	rank := len(in[0].Shape)
	if in[0].DType != tensor.Int32 || in[0].Q != nil || rank < 1 || in[0].Shape[rank-1] > op.M {
		return nil, Errorf(op, in, "it takes int32 rows of a matrix that has %d", op.M)
	}
	shape := append(in[0].Shape[:rank-1:rank-1], op.M)
	if _, err := shape.Numel(); err != nil {
		return nil, Errorf(op, in, "%v", err)
	}
	return []Type{{DType: tensor.Int64, Shape: shape}}, nil
}

func (op RowOrder) Prepare(p *Prepare) (*Kernel, error) {
	k := p.In[0].Shape[len(p.In[0].Shape)-1]
	return &Kernel{
		Run: func(c *Call) error {
			pivots, orders := c.In[0].Int32s(), c.Out[0].Int64s()
			for ; len(orders) > 0; pivots, orders = pivots[k:], orders[op.M:] {
				for i := range op.M {
					orders[i] = int64(i)
				}
				for i, p := range pivots[:k] {
					if p < 1 || int(p) > op.M {
						return &ValueError{op.Name(), fmt.Sprintf("row %d of %d", p, op.M)}
					}
					orders[i], orders[p-1] = orders[p-1], orders[i]
				}
			}
			return nil
		},
		Choice:   "exchanges",
		Parallel: 1,
	}, nil
}
