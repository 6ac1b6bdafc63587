package loader

import (
	"fmt"
	"math"
	"testing"

	"github.com/octet-ml/octet/tensor"
)

// differ says in what a tensor differs from another, in type, shape and elements,
// by more than a relative or an absolute difference. Two NaN are equal; the sign of
// zero does not count.
func differ(got, want *tensor.Tensor, tol, abs float64) string {
	if got.DType() != want.DType() || !got.Shape().Equal(want.Shape()) {
		return fmt.Sprintf("%v, want %v", got, want)
	}
	if (got.QParams() == nil) != (want.QParams() == nil) || want.QParams() != nil && !got.QParams().Equal(want.QParams()) {
		return fmt.Sprintf("%v, want %v", got, want)
	}
	switch want.DType() {
	case tensor.Float16:
		tol = max(tol, 1e-3)
	case tensor.BFloat16:
		tol = max(tol, 8e-3)
	}
	if q := want.QParams(); q != nil {
		got, want = got.WithQParams(nil), want.WithQParams(nil)
	}
	if want.DType().IsComplex() {
		return differ(parts(got), parts(want), tol, abs)
	}
	g, err := got.To(tensor.Float64)
	if err != nil {
		return err.Error()
	}
	w, err := want.To(tensor.Float64)
	if err != nil {
		return err.Error()
	}
	a, b := tensor.Data[float64](g), tensor.Data[float64](w)
	for i := range b {
		if a[i] == b[i] || a[i] != a[i] && b[i] != b[i] {
			continue
		}
		if d := math.Abs(a[i] - b[i]); !(d <= math.Max(tol*math.Max(1, math.Abs(b[i])), abs*1.001)) || math.IsInf(b[i], 0) {
			return fmt.Sprintf("element %d is %v, want %v", i, a[i], b[i])
		}
	}
	return ""
}

// parts are the real and imaginary parts of complex numbers.
func parts(x *tensor.Tensor) *tensor.Tensor {
	real, err := x.ViewAsReal()
	if err != nil {
		panic(err)
	}
	return real
}

func zeros(t *testing.T, d tensor.DType, shape ...int) *tensor.Tensor {
	t.Helper()
	x, err := tensor.New(d, shape...)
	if err != nil {
		t.Fatal(err)
	}
	return x
}
