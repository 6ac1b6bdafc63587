package ops

import (
	"math"
	"unsafe"

	"github.com/octet-ml/octet/ops/asm"
)

// maxTransform is the longest Fourier transform: it is a product with a matrix
// of its length squared.
const maxTransform = 4096

// RFFT is the discrete Fourier transform of the last dimension of real values,
// as torch.fft.rfft gives it: [..., N] gives [..., N/2+1, 2], with the real and
// the imaginary part last.
type RFFT struct{}

func (RFFT) Name() string { return "rfft" }

func (op RFFT) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 1, 1); err != nil {
		return nil, err
	}
	if err := floatInputs(op, in); err != nil {
		return nil, err
	}
	s := in[0].Shape
	if len(s) == 0 || s[len(s)-1] < 1 || s[len(s)-1] > maxTransform {
		return nil, Errorf(op, in, "it transforms 1 to %d values", maxTransform)
	}
	out := append(s[:len(s)-1].Clone(), s[len(s)-1]/2+1, 2)
	return []Type{F32(out...)}, nil
}

// MACs counts the product with the matrix of the transform.
func (RFFT) MACs(in, out []Type) int64 {
	return int64(out[0].Numel()) * int64(in[0].Shape[len(in[0].Shape)-1])
}

func (op RFFT) Prepare(p *Prepare) (*Kernel, error) {
	if p.Out[0].Numel() == 0 {
		return emptyKernel(), nil
	}
	n := p.In[0].Shape[len(p.In[0].Shape)-1]
	t := newTransform(p, n, true, 1)
	rows := p.In[0].Numel() / n
	perTask, tasks := split(rows, n*t.columns/16)
	task := func(c *Call, i int, w *Worker) {
		m0, m1 := i*perTask, min((i+1)*perTask, rows)
		t.run(w, unsafe.Add(base(c.In[0]), 4*t.n*m0), unsafe.Add(base(c.Out[0]), 4*t.columns*m0), m1-m0)
	}
	return &Kernel{
		Interruptible: true,
		Run:           func(c *Call) error { c.Parallel(tasks, task); return nil },
		Choice:        t.kernel.Op + " " + t.kernel.Tier.String(),
		Parallel:      tasks,
	}, nil
}

// STFT is the short-time Fourier transform of real signals, as torch.stft gives
// it without padding: the transforms of frames of as many values as the window
// has, every Hop values, each multiplied by the window.
//
// Inputs: x [B, T] or [T] and the window [N], at most T. Output: [B, F, frames, 2], or without
// B, with the real and the imaginary part last; F is N/2+1 when OneSided, else N.
type STFT struct {
	Hop        int
	OneSided   bool
	Normalized bool // divides by sqrt(N)
}

func (STFT) Name() string { return "stft" }

func (op STFT) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 2, 2); err != nil {
		return nil, err
	}
	if err := floatInputs(op, in); err != nil {
		return nil, err
	}
	x, window := in[0].Shape, in[1].Shape
	if len(x) != 1 && len(x) != 2 || len(window) != 1 {
		return nil, Errorf(op, in, "it takes signals [B, T] or [T] and a window")
	}
	length, n := x[len(x)-1], window[0]
	if op.Hop < 1 || n < 1 || n > maxTransform || n > length {
		return nil, Errorf(op, in, "it transforms frames of 1 to %d values of the signal, a hop of at least 1 apart", maxTransform)
	}
	return []Type{F32(append(x[:len(x)-1].Clone(), op.frequencies(n), (length-n)/op.Hop+1, 2)...)}, nil
}

// MACs counts the products of the definition.
func (STFT) MACs(in, out []Type) int64 { return int64(out[0].Numel()) * int64(in[1].Shape[0]) }

func (op STFT) frequencies(n int) int {
	if op.OneSided {
		return n/2 + 1
	}
	return n
}

func (op STFT) Prepare(p *Prepare) (*Kernel, error) {
	if p.Out[0].Numel() == 0 {
		return emptyKernel(), nil
	}
	length, n := p.In[0].Shape[len(p.In[0].Shape)-1], p.In[1].Shape[0]
	scale := 1.0
	if op.Normalized {
		scale = 1 / math.Sqrt(float64(n))
	}
	t := newTransform(p, n, op.OneSided, scale)
	frames := (length-n)/op.Hop + 1
	mr := t.kernel.MR
	blocks := (frames + mr - 1) / mr
	tasks := p.In[0].Numel() / length * blocks
	task := func(c *Call, i int, w *Worker) {
		signal, first := i/blocks, i%blocks*mr
		count := min(mr, frames-first)
		framed := scratchOf[float32](w.Scratch, 0, mr*n)
		result := scratchOf[float32](w.Scratch, 4*mr*n, mr*t.columns)
		window := row[float32](base(c.In[1]), 0, n)
		for r := range count {
			x := row[float32](base(c.In[0]), signal*length+(first+r)*op.Hop, n)
			y := framed[r*n : (r+1)*n]
			for j, v := range x {
				y[j] = v * window[j]
			}
		}
		t.run(w, unsafe.Pointer(&framed[0]), unsafe.Pointer(&result[0]), count)
		// Frames become columns, complex numbers staying together.
		for f := range t.columns / 2 {
			out := row[float32](base(c.Out[0]), ((signal*t.columns/2+f)*frames+first)*2, 2*count)
			for r := range count {
				out[2*r], out[2*r+1] = result[r*t.columns+2*f], result[r*t.columns+2*f+1]
			}
		}
	}
	return &Kernel{
		Interruptible: true,
		Run:           func(c *Call) error { c.Parallel(tasks, task); return nil },
		WorkerScratch: scratchBytes(4, mr, n+t.columns),
		Choice:        t.kernel.Op + " " + t.kernel.Tier.String(),
		Parallel:      tasks,
	}, nil
}

// transform multiplies rows of n values by the matrix of the discrete Fourier
// transform.
type transform struct {
	n, columns int // columns: two for each frequency
	kernel     *asm.IGemmF32
	packed     *Panels[float32]
	zeros      []float32
}

type packedTransformKey struct {
	n, columns int
	scale      float64
	kernel     asm.Info
}

func newTransform(p *Prepare, n int, oneSided bool, scale float64) *transform {
	t := &transform{n: n, columns: 2 * STFT{OneSided: oneSided}.frequencies(n), kernel: asm.IGemmF32For(p.Tier)}
	t.zeros = make([]float32, t.columns+t.kernel.NR)
	t.packed = Packed(p, packedTransformKey{n, t.columns, scale, t.kernel.Info}, func() *Panels[float32] {
		layout := PanelLayout{Packing: t.kernel.Info, Matrices: 1, Depth: n, N: t.columns}
		dst := &Panels[float32]{layout, alignedFloats(layout.Len())}
		t.kernel.PackBNK(dst.Data, transformMatrix(n, t.columns, scale), n, t.columns, n)
		return dst
	})
	return t
}

// transformMatrix returns the matrix of the transform, transposed: a row of n for each column.
func transformMatrix(n, columns int, scale float64) []float32 {
	cos, sin := make([]float32, n), make([]float32, n)
	for i := range n {
		s, c := math.Sincos(2 * math.Pi * float64(i) / float64(n))
		cos[i], sin[i] = float32(c*scale), float32(-s*scale)
	}
	matrix := make([]float32, columns*n)
	for f := range columns / 2 {
		for i := range n {
			matrix[2*f*n+i], matrix[(2*f+1)*n+i] = cos[f*i%n], sin[f*i%n]
		}
	}
	return matrix
}

// run transforms rows.
func (t *transform) run(w *Worker, src, dst unsafe.Pointer, rows int) {
	args := &w.Args.IGemmF32
	*args = asm.IGemmF32Args{
		KS: 1, KC: t.n, B: t.packed.At(0, 0), N: t.columns,
		Bias: &t.zeros[0], Lo: -inf, Hi: inf, CStride: 4 * t.columns,
	}
	gemmRows(t.kernel, args, src, 4*t.n, dst, rows)
}
