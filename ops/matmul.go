package ops

import (
	"fmt"
	"unsafe"

	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// MatMul multiplies matrices as torch.matmul does: a vector on the left is a
// row, one on the right a column, and that dimension is dropped again; dimensions in
// front of the last two broadcast.
//
// Inputs: a [..., M, K] and b [..., K, N], or [..., N, K] with TransposeB.
// Output: [..., M, N].
type MatMul struct {
	TransposeB bool
}

// MatMulAttributes are the attributes of MatMul without its methods, for operators that share only those.
type MatMulAttributes MatMul

func (MatMul) Name() string { return "matmul" }

func (op MatMul) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 2, 2); err != nil {
		return nil, err
	}
	if err := floatInputs(op, in); err != nil {
		return nil, err
	}
	g, err := op.geometry(in)
	if err != nil {
		return nil, err
	}
	return fold(op, in, F32(g.out...))
}

// MACs counts the products of the definition.
func (MatMul) MACs(in, out []Type) int64 {
	return int64(out[0].Numel()) * int64(in[0].Shape[len(in[0].Shape)-1])
}

// matmulGeometry is the multiplication as batches of matrices.
type matmulGeometry struct {
	m, n, k  int
	batch    tensor.Shape
	a, b     []int        // strides of the operands' batches, in matrices
	distinct int          // matrices of b
	out      tensor.Shape // of the result
}

func (op MatMul) geometry(in []Type) (*matmulGeometry, error) {
	a, b := in[0].Shape, in[1].Shape
	if len(a) == 0 || len(b) == 0 || op.TransposeB && len(b) < 2 {
		return nil, Errorf(op, in, "both inputs need at least one dimension, and two to be transposed")
	}
	g := &matmulGeometry{m: 1, n: 1, k: a[len(a)-1]}
	var batchA, batchB tensor.Shape
	if len(a) > 1 {
		g.m, batchA = a[len(a)-2], a[:len(a)-2]
	}
	depth := b[0]
	if len(b) > 1 {
		depth, g.n, batchB = b[len(b)-2], b[len(b)-1], b[:len(b)-2]
		if op.TransposeB {
			depth, g.n = g.n, depth
		}
	}
	if depth != g.k {
		return nil, Errorf(op, in, "the depths %d and %d differ", g.k, depth)
	}
	var err error
	if g.batch, err = tensor.Broadcast(batchA, batchB); err != nil {
		return nil, Errorf(op, in, "%v", err)
	}
	_, g.a = align(batchA, len(g.batch), false)
	_, g.b = align(batchB, len(g.batch), false)
	g.distinct = 1
	for _, d := range batchB {
		g.distinct *= d
	}
	g.out = g.batch.Clone()
	if len(a) > 1 {
		g.out = append(g.out, g.m)
	}
	if len(b) > 1 {
		g.out = append(g.out, g.n)
	}
	if _, err := g.out.Numel(); err != nil {
		return nil, Errorf(op, in, "%v", err)
	}
	if g.distinct == 1 {
		// One matrix on the right: everything on the left is rows of one matrix.
		for _, d := range g.batch {
			g.m *= d
		}
		g.batch, g.a, g.b = nil, nil, nil
	}
	return g, nil
}

// offsets returns which matrices of the operands batch i multiplies.
func (g *matmulGeometry) offsets(i int) (a, b int) {
	for d := len(g.batch) - 1; d >= 0; d-- {
		k := i % g.batch[d]
		i /= g.batch[d]
		a += k * g.a[d]
		b += k * g.b[d]
	}
	return a, b
}

// Matrices is a multiplication as Count products of matrices [M, K] and [K, N], or [N, K] where b is transposed.
type Matrices struct {
	M, N, K, Count int
	Out            tensor.Shape
	geometry       *matmulGeometry
}

// Matrices returns the products that a multiplication of these types consists of.
func (op MatMul) Matrices(in []Type) (*Matrices, error) {
	g, err := op.geometry(in)
	if err != nil {
		return nil, err
	}
	m := &Matrices{M: g.m, N: g.n, K: g.k, Count: 1, Out: g.out, geometry: g}
	for _, d := range g.batch {
		m.Count *= d
	}
	return m, nil
}

// At returns which matrices of the operands product i multiplies.
func (m *Matrices) At(i int) (a, b int) { return m.geometry.offsets(i) }

type packedMatMulKey struct {
	layout    PanelLayout
	transpose bool
}

func (op MatMul) Prepare(p *Prepare) (*Kernel, error) {
	g, err := op.geometry(p.In)
	if err != nil {
		return nil, err
	}
	if p.Out[0].Numel() == 0 {
		return emptyKernel(), nil
	}
	if g.k == 0 {
		return &Kernel{Run: func(c *Call) error { clear(c.Out[0].Bytes()); return nil }, Choice: "zeros", Parallel: 1}, nil
	}
	kernel := asm.IGemmF32For(p.Tier)
	batches := g.batch.Clone()
	count := 1
	for _, d := range batches {
		count *= d
	}
	grid := NewGrid(g.m, g.n, g.k, kernel.MR, kernel.NR, kernel.BlockN(1, max(g.k, 1)), p.Threads)
	if count >= 4*p.Threads {
		grid = NewGrid(g.m, g.n, g.k, kernel.MR, kernel.NR, kernel.BlockN(1, max(g.k, 1)), 1)
	}
	layout := PanelLayout{Packing: kernel.Info, Matrices: g.distinct, Depth: g.k, N: g.n}
	zeros := make([]float32, g.n+kernel.NR)
	weights := &prepack{inputs: []int{1}, size: layout.Len(), parts: layout.Matrices * layout.Panels()}
	weights.pack = func(dst, _ []float32, in packInputs, part int) {
		panels, _ := panelsOf(layout, dst)
		matrix, i := part/layout.Panels(), part%layout.Panels()
		src := row[float32](base(in[0]), matrix*g.k*g.n, g.k*g.n)
		n0 := i * kernel.NR
		cols := min(kernel.NR, g.n-n0)
		if op.TransposeB {
			kernel.PackBNK(panels.Panel(matrix, i), src[n0*g.k:], g.k, cols, g.k)
		} else {
			kernel.PackBKN(panels.Panel(matrix, i), src[n0:], g.k, cols, g.n)
		}
	}
	weights.start(p, packedMatMulKey{layout, op.TransposeB})
	tasks := count * grid.Tasks
	task := func(c *Call, i int, w *Worker) {
		panels, _ := panelsOf(layout, weights.values(c))
		batch := i / grid.Tasks
		a, b := g.offsets(batch)
		m0, m1, n0, n1 := grid.Task(i % grid.Tasks)
		args := &w.Args.IGemmF32
		*args = asm.IGemmF32Args{
			KS: 1, KC: g.k,
			B: panels.At(b, n0), N: n1 - n0,
			Bias: &zeros[n0], Lo: -inf, Hi: inf, CStride: 4 * g.n,
		}
		input := unsafe.Add(base(c.In[0]), 4*(a*g.m+m0)*g.k)
		output := unsafe.Add(base(c.Out[0]), 4*((batch*g.m+m0)*g.n+n0))
		gemmRows(kernel, args, input, 4*g.k, output, m1-m0)
	}
	return &Kernel{
		Interruptible: true,
		Run: func(c *Call) error {
			weights.fill(c)
			c.Parallel(tasks, task)
			return nil
		},
		Scratch:  weights.scratch(),
		Choice:   fmt.Sprintf("%s %s %dx%d", kernel.Op, kernel.Tier, kernel.MR, kernel.NR),
		Parallel: tasks,
	}, nil
}

// gemmRows runs the kernel over rows of a matrix that are stride bytes apart,
// the first at input. The first row of the output is at output.
func gemmRows(kernel *asm.IGemmF32, args *asm.IGemmF32Args, input unsafe.Pointer, stride int, output unsafe.Pointer, rows int) {
	args.A, args.AStride, args.M, args.C = input, stride, rows, (*float32)(output)
	if stride < asm.MaxStride {
		kernel.Run(args)
		return
	}
	args.AStride, args.M = 0, 1
	for m := range rows {
		args.A, args.C = unsafe.Add(input, stride*m), (*float32)(unsafe.Add(output, args.CStride*m))
		kernel.Run(args)
	}
}
