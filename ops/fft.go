package ops

import (
	"fmt"
	"slices"
	"unsafe"

	"github.com/octet-ml/octet/tensor"
)

// maxFFT is the longest transform of FFT, whose tables take 16 bytes a value and more.
const maxFFT = 1 << 20

// FFTNorm is what a Fourier transform of n values is divided by.
type FFTNorm uint8

const (
	FFTPlain FFTNorm = iota // 1
	FFTOrtho                // sqrt(n)
	FFTByN                  // n
	numFFTNorms
)

var fftNormNames = [numFFTNorms]string{"none", "ortho", "n"}

// String returns the name in files.
//
//go:noinline
func (n FFTNorm) String() string {
	if n < numFFTNorms {
		return fftNormNames[n]
	}
	return fmt.Sprintf("FFTNorm(%d)", uint8(n))
}

// MarshalText returns the name.
func (n FFTNorm) MarshalText() ([]byte, error) { return []byte(n.String()), nil }

// UnmarshalText takes a name that String gives.
func (n *FFTNorm) UnmarshalText(text []byte) error {
	i := slices.Index(fftNormNames[:], string(text))
	if i < 0 {
		return fmt.Errorf("unknown normalization %q", text)
	}
	*n = FFTNorm(i)
	return nil
}

// FFT is the discrete Fourier transform of complex values, as torch.fft.fft and torch.fft.ifft give it: [..., N, 2] gives
// the same shape, with the real and the imaginary part last. It takes float32 or float64 and computes in float64, in
// N log N steps whatever the prime factors of N.
type FFT struct {
	Inverse bool // e^(+2 pi i k f / N)
	Norm    FFTNorm
}

func (FFT) Name() string { return "fft" }

func (op FFT) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 1, 1); err != nil {
		return nil, err
	}
	t := in[0]
	if t.DType != tensor.Float32 && t.DType != tensor.Float64 || t.Q != nil {
		return nil, Errorf(op, in, "it takes float32 or float64")
	}
	s := t.Shape
	if len(s) < 2 || s[len(s)-1] != 2 || s[len(s)-2] < 1 || s[len(s)-2] > maxFFT {
		return nil, Errorf(op, in, "it transforms 1 to %d complex values, a pair each", maxFFT)
	}
	if op.Norm >= numFFTNorms {
		return nil, Errorf(op, in, "unknown normalization %d", op.Norm)
	}
	return []Type{{DType: t.DType, Shape: s.Clone()}}, nil
}

func (op FFT) Prepare(p *Prepare) (*Kernel, error) {
	total := p.Out[0].Numel()
	if total == 0 {
		return emptyKernel(), nil
	}
	n := p.In[0].Shape[len(p.In[0].Shape)-2]
	rows := total / (2 * n)
	f := newFFT(n, op.Inverse, op.Norm)
	perTask, tasks := split(rows, 8*len(f.roots))
	run := fftRows[float32]
	if p.In[0].DType == tensor.Float64 {
		run = fftRows[float64]
	}
	task := func(c *Call, i int, w *Worker) {
		scratch := scratchOf[complex128](w.Scratch, 0, f.scratch())
		run(f, base(c.Out[0]), base(c.In[0]), i*perTask, min((i+1)*perTask, rows), scratch)
	}
	return &Kernel{
		Interruptible: true,
		Run:           func(c *Call) error { c.Parallel(tasks, task); return nil },
		WorkerScratch: scratchBytes(16, f.scratch()),
		Choice:        "rows",
		Parallel:      tasks,
	}, nil
}

// fftRows transforms some rows of n pairs.
func fftRows[T float32 | float64](f *fft, dst, src unsafe.Pointer, from, to int, scratch []complex128) {
	x, scratch := scratch[:f.n], scratch[f.n:]
	for r := from; r < to; r++ {
		in, out := row[T](src, 2*f.n*r, 2*f.n), row[T](dst, 2*f.n*r, 2*f.n)
		for i := range x {
			x[i] = complex(float64(in[2*i]), float64(in[2*i+1]))
		}
		f.transform(x, scratch)
		for i, v := range x {
			out[2*i], out[2*i+1] = T(real(v)*f.scale), T(imag(v)*f.scale)
		}
	}
}

// Grad transforms the other way: the matrix of the transform is symmetric, and its adjoint is its conjugate.
func (op FFT) Grad(b GradBuilder, _, _, dout []Ref, _ []bool) []Ref {
	op.Inverse = !op.Inverse
	return []Ref{b.Apply(op, dout[0])}
}
