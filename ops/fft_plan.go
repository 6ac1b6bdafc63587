package ops

import (
	"math"
	"math/bits"
	"math/cmplx"
)

// maxRadix is the largest prime factor that a transform is divided by. Its cost grows with the factor; lengths with a
// larger one go through a convolution.
const maxRadix = 61

// fft is a discrete Fourier transform of n complex values: the tables it needs. It is not changed once it is made.
type fft struct {
	n       int
	scale   float64 // of the result, by which the caller multiplies
	factors []int
	roots   []complex128 // e^(-2 pi i k / n), conjugated for an inverse transform

	// Of Bluestein's algorithm, where n has a large prime factor: the transform as a convolution with a chirp, which
	// transforms of a power of two compute.
	chirp  []complex128
	kernel []complex128 // transform of the chirp, conjugated, divided by its length
	wide   *fft
	back   *fft
}

func newFFT(n int, inverse bool, norm FFTNorm) *fft {
	f := &fft{n: n, scale: 1}
	switch norm {
	case FFTOrtho:
		f.scale = 1 / math.Sqrt(float64(n))
	case FFTByN:
		f.scale = 1 / float64(n)
	}
	sign := -1.0
	if inverse {
		sign = 1
	}
	var ok bool
	if f.factors, ok = radices(n); !ok {
		f.factors = nil
		f.bluestein(sign)
		return f
	}
	f.roots = make([]complex128, n)
	for k := range f.roots {
		f.roots[k] = root(k, n, sign)
	}
	return f
}

// root returns e^(sign 2 pi i k / n).
func root(k, n int, sign float64) complex128 {
	sin, cos := math.Sincos(2 * math.Pi * float64(k) / float64(n))
	return complex(cos, sign*sin)
}

// radices returns factors whose product is n, false where one exceeds maxRadix.
func radices(n int) ([]int, bool) {
	var factors []int
	for n%4 == 0 {
		factors, n = append(factors, 4), n/4
	}
	for p := 2; p <= maxRadix && n > 1; p++ {
		for n%p == 0 {
			factors, n = append(factors, p), n/p
		}
	}
	return factors, n == 1
}

// bluestein writes the product k f as (k^2 + f^2 - (f-k)^2) / 2, which makes the transform a convolution.
func (f *fft) bluestein(sign float64) {
	size := 1 << bits.Len(uint(2*f.n-2))
	f.wide, f.back = newFFT(size, false, FFTPlain), newFFT(size, true, FFTPlain)
	f.roots = f.wide.roots
	f.chirp, f.kernel = make([]complex128, f.n), make([]complex128, size)
	for k := range f.chirp {
		f.chirp[k] = root(int(int64(k)*int64(k)%int64(2*f.n)), 2*f.n, sign)
		v := cmplx.Conj(f.chirp[k]) / complex(float64(size), 0)
		f.kernel[k] = v
		f.kernel[(size-k)%size] = v
	}
	f.wide.transform(f.kernel, make([]complex128, size))
}

// scratch returns how many values a caller of transform provides, with n of its own.
func (f *fft) scratch() int {
	if f.wide != nil {
		return f.n + 2*f.wide.n
	}
	return 2 * f.n
}

// transform transforms x in place, without the scale.
func (f *fft) transform(x, scratch []complex128) {
	if f.wide == nil {
		copy(scratch[:f.n], x)
		f.divide(x, scratch[:f.n], f.factors, 1)
		return
	}
	wide, scratch := scratch[:f.wide.n], scratch[f.wide.n:]
	for k, v := range x {
		wide[k] = v * f.chirp[k]
	}
	clear(wide[f.n:])
	f.wide.transform(wide, scratch)
	for k, v := range f.kernel {
		wide[k] *= v
	}
	f.back.transform(wide, scratch)
	for k := range x {
		x[k] = wide[k] * f.chirp[k]
	}
}

// divide transforms every stride-th value of src to dst: transforms of a part each, which butterflies join.
func (f *fft) divide(dst, src []complex128, factors []int, stride int) {
	if len(factors) == 0 {
		dst[0] = src[0]
		return
	}
	radix := factors[0]
	part := len(dst) / radix
	for q := range radix {
		f.divide(dst[q*part:(q+1)*part], src[q*stride:], factors[1:], stride*radix)
	}
	switch radix {
	case 2:
		f.join2(dst, part, stride)
	case 4:
		f.join4(dst, part, stride)
	default:
		f.join(dst, part, stride, radix)
	}
}

func (f *fft) join2(dst []complex128, part, stride int) {
	a, b := dst[:part], dst[part:2*part]
	for k := range a {
		t := b[k] * f.roots[k*stride]
		a[k], b[k] = a[k]+t, a[k]-t
	}
}

func (f *fft) join4(dst []complex128, part, stride int) {
	a, b, c, d := dst[:part], dst[part:2*part], dst[2*part:3*part], dst[3*part:4*part]
	quarter := f.roots[f.n/4] // -i, or i of an inverse
	for k := range a {
		x, y, z := b[k]*f.roots[k*stride], c[k]*f.roots[2*k*stride], d[k]*f.roots[3*k*stride]
		even, odd := a[k]+y, a[k]-y
		sum, diff := x+z, x-z
		turned := complex(-imag(quarter)*imag(diff), imag(quarter)*real(diff))
		a[k], b[k], c[k], d[k] = even+sum, odd+turned, even-sum, odd-turned
	}
}

func (f *fft) join(dst []complex128, part, stride, radix int) {
	var values [maxRadix]complex128
	turn := f.n / radix
	for k := range part {
		for q := range radix {
			values[q] = dst[q*part+k] * f.roots[q*k*stride]
		}
		for j := range radix {
			sum := values[0]
			for q := 1; q < radix; q++ {
				sum += values[q] * f.roots[q*j%radix*turn]
			}
			dst[j*part+k] = sum
		}
	}
}
