//go:build !nopytorch

package loader

import (
	"bytes"
	"math"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/tensor"
)

// TestDoublesFarFromZero normalizes float64 numbers whose mean is far above their deviations: what is given is the mean plus
// small multiples of a power of two, which float64 holds exactly, so that the results are those of the multiples. PyTorch
// rounds the mean, and is off by up to 2^-53 times mean over deviation.
func TestDoublesFarFromZero(t *testing.T) {
	const n, rows = 24, 2
	multiple := func(i int) float64 { return float64(i*i%17 - 5) }
	for name, to := range map[string]struct{ mean, unit float64 }{
		"near":  {3, 1},
		"far":   {1000, 0x1p-10},
		"below": {-30000, 0x1p-7},
		"large": {1 << 30, 0x1p-14},
	} {
		x := must(tensor.New(tensor.Float64, rows, 1, n))
		for i := range tensor.Data[float64](x) {
			tensor.Data[float64](x)[i] = to.mean + multiple(i)*to.unit
		}
		row := spreadOf(n, 0, multiple)
		all := spreadOf(rows*n, 0, multiple)
		eps := 1e-5 / (to.unit * to.unit)
		normalized := func(s func(i int) spread) []float64 {
			want := make([]float64, rows*n)
			for i := range want {
				p := s(i)
				want[i] = (multiple(i) - p.mean) / math.Sqrt(p.variance+eps)
			}
			return want
		}
		ofRow := func(i int) spread { return spreadOf(n, i/n*n, multiple) }
		ofAll := func(int) spread { return all }
		unbiased := func(s spread, count float64) float64 { return s.variance * count / (count - 1) * to.unit * to.unit }
		for body, want := range map[string][]float64{
			"y = torch.layer_norm(x, [24], None, None, 1.0e-05)\n":                           normalized(ofRow),
			"y = torch.layer_norm(x, [1, 24])\n":                                             normalized(ofRow),
			"y, _0, _1 = torch.native_layer_norm(x, [24], None, None, 1.0e-05)\n":            normalized(ofRow),
			"y = torch.group_norm(x, 1)\n":                                                   normalized(ofRow),
			"y = torch.instance_norm(x, None, None, None, None, True, 0.1, 1.0e-05, True)\n": normalized(ofRow),
			"y = torch.batch_norm(x, None, None, None, None, True, 0.1, 1.0e-05, True)\n":    normalized(ofAll),
			"y = torch.var(x)\n":                                      {unbiased(all, rows*n)},
			"y = torch.std(x, [0, 1, 2], False)\n":                    {math.Sqrt(all.variance) * to.unit},
			"y = torch.select(torch.var(x, [2]), 0, 0)\n":             {unbiased(row, n)},
			"y = torch.var(torch.transpose(x, 0, 2), [0])\n":          {unbiased(row, n), unbiased(ofRow(n), n)},
			"y, _0 = torch.var_mean(torch.transpose(x, 0, 2), [0])\n": {unbiased(row, n), unbiased(ofRow(n), n)},
			"y, _0 = torch.std_mean(x)\n":                             {math.Sqrt(unbiased(all, rows*n))},
		} {
			y := runDouble(t, body, x)
			largest := 0.0
			for _, w := range want {
				largest = max(largest, math.Abs(w))
			}
			for i, w := range want {
				if len(y) != len(want) || !(math.Abs(y[i]-w) <= 0x1p-49*largest) {
					t.Errorf("%s: %s gives %v, want %v", name, body, y, want)
					break
				}
			}
		}
	}
}

// spread is the mean and the biased variance of some numbers.
type spread struct{ mean, variance float64 }

func spreadOf(n, from int, at func(i int) float64) spread {
	var s spread
	for i := range n {
		s.mean += at(from+i) / float64(n)
	}
	for i := range n {
		d := at(from+i) - s.mean
		s.variance += d * d / float64(n)
	}
	return s
}

// runDouble returns what a module's body gives for x.
func runDouble(t *testing.T, body string, x *tensor.Tensor) []float64 {
	t.Helper()
	data := moduleM(body + "return y").archive(t)
	s := must(must(LoadFrom(bytes.NewReader(data), int64(len(data)))).Compile(graph.Options{Threads: 1}))
	defer s.Close()
	y := must(s.Run(t.Context(), x))[0]
	if y.DType() != tensor.Float64 {
		t.Errorf("%s gives %v", body, y)
		return nil
	}
	return tensor.Data[float64](y.Contiguous())
}
