package ops

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/octet-ml/octet/tensor"
)

// DecomposeFn is a decomposition of matrices.
type DecomposeFn uint8

// The decompositions, of A [..., M, N] with K = min(M, N), and their outputs.
const (
	LU       DecomposeFn = iota // A = P L U: L and U in one [..., M, N], and the int32 rows, from 1, that the first K changed places with [..., K]
	Cholesky                    // A = L L^T: L [..., N, N], and int32 [...]: 0, or the order of the first leading minor that is not positive
	QR                          // A = Q R: Q [..., M, K] and R [..., K, N], Full [..., M, M] and [..., M, N]
	Eigh                        // A = V diag(L) V^T: L [..., N], ascending, and V [..., N, N]
	SVD                         // A = U diag(S) Vh: U [..., M, K], S [..., K], descending, and Vh [..., K, N], Full [..., M, M] and [..., N, N]
	numDecomposeFns
)

var decomposeNames = [numDecomposeFns]string{"lu", "cholesky", "qr", "eigh", "svd"}

// String returns the name in files.
//
//go:noinline
func (f DecomposeFn) String() string {
	if f < numDecomposeFns {
		return decomposeNames[f]
	}
	return fmt.Sprintf("DecomposeFn(%d)", uint8(f))
}

// MarshalText returns the name.
func (f DecomposeFn) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText takes a name that String gives.
func (f *DecomposeFn) UnmarshalText(text []byte) error {
	i := slices.Index(decomposeNames[:], string(text))
	if i < 0 {
		return fmt.Errorf("unknown decomposition %q", text)
	}
	*f = DecomposeFn(i)
	return nil
}

// Decompose decomposes each matrix of a batch, float32 or float64, and computes in float64: torch.linalg.lu_factor, cholesky, qr, eigh and svd.
//
// Eigenvectors and singular vectors are PyTorch's but for their signs, which are not determined: here the element of greatest magnitude in each
// column of V, or U, the first of several, is positive. Eigh and SVD end a run with a *ValueError at an element that is not finite.
type Decompose struct {
	Fn    DecomposeFn
	Upper bool // Cholesky: A = U^T U from the upper triangle; Eigh: reads that one
	Full  bool // QR, SVD: with a square Q, or U and Vh
	Check bool // Cholesky: a matrix that is not positive definite ends the run with a *ValueError
}

// Name returns the function's.
//
//go:noinline
func (op Decompose) Name() string { return op.Fn.String() }

func (op Decompose) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 1, 1); err != nil {
		return nil, err
	}
	if err := matrices(op, in); err != nil {
		return nil, err
	}
	m, n := matrixShape(in[0])
	k := min(m, n)
	rows, cols := k, k
	if op.Full {
		rows, cols = m, n
	}
	switch {
	case op.Fn == LU:
		return []Type{in[0].matrix(m, n), {DType: tensor.Int32, Shape: in[0].matrix(k).Shape}}, nil
	case op.Fn == QR:
		return checkSizes(op, in, in[0].matrix(m, rows), in[0].matrix(rows, n))
	case op.Fn == SVD:
		return checkSizes(op, in, in[0].matrix(m, rows), in[0].matrix(k), in[0].matrix(cols, n))
	case m != n:
		return nil, Errorf(op, in, "it needs square matrices")
	case op.Fn == Cholesky:
		return []Type{in[0].matrix(n, n), {DType: tensor.Int32, Shape: in[0].matrix().Shape}}, nil
	case op.Fn == Eigh:
		return []Type{in[0].matrix(n), in[0].matrix(n, n)}, nil
	}
	return nil, Errorf(op, in, "there is no decomposition %d", op.Fn)
}

// maxMatrix is the most elements of a matrix that is decomposed.
const maxMatrix = 1 << 26

// matrices checks that all inputs are matrices, or batches of them, float32 or float64.
func matrices(op Op, in []Type) error {
	if err := singleOrDouble(op, in); err != nil {
		return err
	}
	for _, t := range in {
		if len(t.Shape) < 2 {
			return Errorf(op, in, "it takes matrices")
		}
	}
	_, err := checkSizes(op, in, in...)
	return err
}

// checkSizes returns types whose matrices are not too large.
func checkSizes(op Op, in []Type, types ...Type) ([]Type, error) {
	for _, t := range types {
		if _, err := t.Shape.Numel(); err != nil {
			return nil, Errorf(op, in, "%v", err)
		}
		if m, n := matrixShape(t); len(t.Shape) > 1 && m*n > maxMatrix {
			return nil, Errorf(op, in, "matrices of more than %d elements", maxMatrix)
		}
	}
	return types, nil
}

// matrixShape returns the extents of the matrices in a batch.
//
//go:noinline
func matrixShape(t Type) (rows, cols int) {
	n := len(t.Shape)
	if n < 2 {
		return 0, 0
	}
	return t.Shape[n-2], t.Shape[n-1]
}

// matrix returns a batch of others of the same element type.
func (t Type) matrix(shape ...int) Type {
	batch := t.Shape[: len(t.Shape)-2 : len(t.Shape)-2]
	return Type{DType: t.DType, Shape: append(batch, shape...)}
}

// matrixKernel runs f for each matrix of the batches, with some float64 and int32 of scratch memory. check is nil or runs behind it.
func matrixKernel(batch Type, choice string, room, ints int, f func(c *Call, i int, scratch []float64, ints []int32), check func(c *Call) error) *Kernel {
	count := batch.matrix().Numel()
	task := func(c *Call, i int, w *Worker) {
		f(c, i, scratchOf[float64](w.Scratch, 0, room), scratchOf[int32](w.Scratch, 8*room, ints))
	}
	return &Kernel{
		Interruptible: true,
		Run: func(c *Call) error {
			c.Parallel(count, task)
			if check == nil || c.interrupted() {
				return nil
			}
			return check(c)
		},
		WorkerScratch: scratchBytes(8, room) + 4*ints,
		Choice:        choice,
		Parallel:      count,
	}
}

// loadMatrix reads n elements of a tensor from one on.
func loadMatrix(dst []float64, t *tensor.Tensor, from int) {
	if t.DType() == tensor.Float64 {
		copy(dst, row[float64](base(t), from, len(dst)))
		return
	}
	for i, v := range t.Float32s()[from : from+len(dst)] {
		dst[i] = float64(v)
	}
}

//go:noinline
func storeMatrix(t *tensor.Tensor, from int, src []float64) {
	for i, v := range src {
		setFloat(t, from+i, v)
	}
}

func (op Decompose) Prepare(p *Prepare) (*Kernel, error) {
	d := &decomposition{op: op}
	d.m, d.n = matrixShape(p.In[0])
	d.k = min(d.m, d.n)
	long := max(d.m, d.n)
	switch op.Fn {
	case LU:
		return matrixKernel(p.In[0], "elimination", d.m*d.n, 0, d.lu, nil), nil
	case Cholesky:
		var check func(*Call) error
		if op.Check {
			check = d.positive
		}
		return matrixKernel(p.In[0], "elimination", d.n*d.n, 0, d.cholesky, check), nil
	case QR:
		_, d.c = matrixShape(p.Out[0])
		return matrixKernel(p.In[0], "reflections", d.m*d.n+d.m*d.c+d.k+long, 0, d.qr, nil), nil
	case Eigh:
		kernel := matrixKernel(p.In[0], "rotations", 2*d.n*d.n, d.n, d.eigh, nil)
		kernel.Run = d.finite(kernel.Run)
		return kernel, nil
	}
	d.c = d.k
	if op.Full {
		d.c = long
	}
	kernel := matrixKernel(p.In[0], "rotations", d.k*long+d.k*d.k+long*d.k+long*d.c+d.k+long, d.k, d.svd, nil)
	kernel.Run = d.finite(kernel.Run)
	return kernel, nil
}

// decomposition is a Decompose of matrices [M, N].
type decomposition struct {
	op      Decompose
	m, n, k int
	c       int // columns of Q, and of the longer one of U and V
}

// finite refuses elements that are not.
func (d *decomposition) finite(run func(*Call) error) func(*Call) error {
	return func(c *Call) error {
		for i := range c.In[0].Numel() {
			if x := floatAt(c.In[0], i); math.IsNaN(x) || math.IsInf(x, 0) {
				return &ValueError{d.op.Name(), fmt.Sprintf("matrix %d of the batch has an element that is not finite: %v", i/(d.m*d.n), x)}
			}
		}
		return run(c)
	}
}

func (d *decomposition) lu(c *Call, i int, a []float64, _ []int32) {
	loadMatrix(a, c.In[0], i*d.m*d.n)
	factorLU(a, d.m, d.n, c.Out[1].Int32s()[i*d.k:(i+1)*d.k], c.interrupted)
	storeMatrix(c.Out[0], i*d.m*d.n, a)
}

func (d *decomposition) cholesky(c *Call, i int, a []float64, _ []int32) {
	d.symmetric(c, i, a)
	c.Out[1].Int32s()[i] = int32(factorCholesky(a, d.n, c.interrupted))
	if d.op.Upper {
		transpose(a, d.n)
	}
	storeMatrix(c.Out[0], i*d.n*d.n, a)
}

// symmetric reads one triangle of a matrix into both.
func (d *decomposition) symmetric(c *Call, i int, a []float64) {
	loadMatrix(a, c.In[0], i*d.n*d.n)
	for i := range d.n {
		for j := range i {
			if d.op.Upper {
				a[i*d.n+j] = a[j*d.n+i]
			} else {
				a[j*d.n+i] = a[i*d.n+j]
			}
		}
	}
}

func transpose(a []float64, n int) {
	for i := range n {
		for j := range i {
			a[i*n+j], a[j*n+i] = a[j*n+i], a[i*n+j]
		}
	}
}

func (d *decomposition) positive(c *Call) error {
	for i, minor := range c.Out[1].Int32s() {
		if minor != 0 {
			return &ValueError{d.op.Name(), fmt.Sprintf("matrix %d of the batch is not positive definite: its leading minor of order %d is not positive", i, minor)}
		}
	}
	return nil
}

func (d *decomposition) qr(c *Call, i int, scratch []float64, _ []int32) {
	a, scratch := scratch[:d.m*d.n], scratch[d.m*d.n:]
	q, scratch := scratch[:d.m*d.c], scratch[d.m*d.c:]
	tau, work := scratch[:d.k], scratch[d.k:]
	loadMatrix(a, c.In[0], i*d.m*d.n)
	factorQR(a, d.m, d.n, tau, work, c.interrupted)
	makeQ(q, d.c, a, d.m, d.n, tau, work, c.interrupted)
	storeMatrix(c.Out[0], i*d.m*d.c, q)
	for r := range d.m {
		clear(a[r*d.n : r*d.n+min(r, d.n)])
	}
	storeMatrix(c.Out[1], i*d.c*d.n, a[:d.c*d.n])
}

func (d *decomposition) eigh(c *Call, i int, scratch []float64, order []int32) {
	n := d.n
	a, v := scratch[:n*n], scratch[n*n:]
	d.symmetric(c, i, a)
	jacobiEigh(a, v, n, c.interrupted)
	sortOrder(order, func(x int32) float64 { return a[int(x)*(n+1)] })
	for j, from := range order {
		setFloat(c.Out[0], i*n+j, a[int(from)*(n+1)])
		vector := v[int(from)*n : (int(from)+1)*n]
		sign := signOf(vector)
		for r, x := range vector {
			setFloat(c.Out[1], (i*n+r)*n+j, sign*x)
		}
	}
}

// sortOrder sorts 0, 1, 2 and so on by their keys, ascending, by insertion: what makes the keys is cubic.
func sortOrder(order []int32, key func(int32) float64) {
	for i := range order {
		order[i] = int32(i)
		for j := i; j > 0 && cmp.Less(key(order[j]), key(order[j-1])); j-- {
			order[j], order[j-1] = order[j-1], order[j]
		}
	}
}

// signOf returns the sign of the element of greatest magnitude, which rounding does not decide between: of several the first.
//
//go:noinline
func signOf(x []float64) float64 {
	greatest := 0.0
	for _, v := range x {
		if math.Abs(v) > math.Abs(greatest)*(1+0x1p-20) {
			greatest = v
		}
	}
	return math.Copysign(1, greatest)
}

// svd computes that of the matrix or its transpose, with as many rows as columns or more: L x K.
func (d *decomposition) svd(c *Call, i int, scratch []float64, order []int32) {
	long, k := max(d.m, d.n), d.k
	take := func(n int) []float64 {
		x := scratch[:n]
		scratch = scratch[n:]
		return x
	}
	a, v, basis, q, tau, work := take(k*long), take(k*k), take(long*k), take(long*d.c), take(k), take(long)
	loadMatrix(basis, c.In[0], i*d.m*d.n)
	// The rows of a are the shorter side.
	for r := range d.m {
		for s := range d.n {
			if d.m < d.n {
				a[r*long+s] = basis[r*d.n+s]
			} else {
				a[s*long+r] = basis[r*d.n+s]
			}
		}
	}
	scale := normalize(a)
	jacobiSVD(a, v, k, long, c.interrupted)
	values := tau
	for j := range k {
		values[j] = math.Sqrt(dotProduct(a[j*long:(j+1)*long], a[j*long:(j+1)*long]))
	}
	sortOrder(order, func(x int32) float64 { return -values[x] })
	rank := 0
	for j, from := range order {
		setFloat(c.Out[1], i*k+j, values[from]*scale)
		if values[from] > 0x1p-52*float64(long)*values[order[0]] {
			rank = j + 1
		}
	}
	// What singular values of zero and Full leave open is any basis of the rest.
	for r := range long {
		for j, from := range order[:rank] {
			basis[r*rank+j] = a[int(from)*long+r] / values[from]
		}
	}
	columns := basis[:long*rank]
	if rank < d.c {
		reflections := a[:long*rank]
		copy(reflections, columns)
		factorQR(reflections, long, rank, values[:rank], work, c.interrupted)
		makeQ(q, d.c, reflections, long, rank, values[:rank], work, c.interrupted)
	}
	for r := range long {
		copy(q[r*d.c:r*d.c+rank], columns[r*rank:(r+1)*rank])
	}
	d.storeVectors(c, i, q, v, order, work)
}

// normalize divides by the greatest magnitude, so that squares are finite, and returns it.
func normalize(a []float64) float64 {
	var scale float64
	for _, x := range a {
		scale = max(scale, math.Abs(x))
	}
	if scale == 0 {
		return 1
	}
	for i := range a {
		a[i] /= scale
	}
	return scale
}

// storeVectors writes U and Vh: the singular vectors of the longer side are the columns of q [L, C], those of the shorter one rows of v.
func (d *decomposition) storeVectors(c *Call, i int, q, v []float64, order []int32, column []float64) {
	long, k := max(d.m, d.n), d.k
	for j := range d.c {
		for r := range long {
			column[r] = q[r*d.c+j]
		}
		var other []float64
		if j < k {
			other = v[int(order[j])*k : (int(order[j])+1)*k]
		}
		sign := signOf(column[:long])
		left, right, rows, cols := column[:long], other, d.c, k
		if d.m < d.n {
			left, right, rows, cols = other, column[:long], k, d.c
			if j < k {
				sign = signOf(other)
			}
		}
		for r, x := range left {
			setFloat(c.Out[0], (i*d.m+r)*rows+j, sign*x)
		}
		if right != nil {
			storeScaled(c.Out[2], (i*cols+j)*d.n, right, sign)
		}
	}
}

func storeScaled(t *tensor.Tensor, from int, src []float64, f float64) {
	for i, v := range src {
		setFloat(t, from+i, f*v)
	}
}
