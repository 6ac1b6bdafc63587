package int8_test

import (
	"compress/gzip"
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/ops/int8"
	"github.com/octet-ml/octet/tensor"
)

// dynamicRanges is what testdata/gen/dynamic_range.py records.
type dynamicRanges struct {
	Weight []int
	Scales []float32
	Bias   []float32
	Cases  []struct {
		Name   string
		Rows   int
		X      []float32
		Layers []struct {
			Reduce bool
			Scale  float64
			Zero   int32
			Y      []float32
		}
		Decomposed []struct {
			Lo, Hi     int32
			Eps, Scale float64
			Zero       int32
			Q          []int32
		}
	}
}

func readDynamicRanges(t *testing.T) *dynamicRanges {
	t.Helper()
	f, err := os.Open("testdata/dynamic_range.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var r dynamicRanges
	if err := json.NewDecoder(z).Decode(&r); err != nil {
		t.Fatal(err)
	}
	return &r
}

// identity makes a layer visible: its weight is 1, in units of 1, on the diagonal.
func identity(k int) *tensor.Tensor {
	w, _ := tensor.New(tensor.Int8, k, k)
	for i := range k {
		w.Int8s()[i*k+i] = 1
	}
	return w.WithQParams(tensor.PerTensor(tensor.Int8, 1, 0))
}

// TestDynamicLinearWholeInput compares with PyTorch on every tier: scale, zero point and integers of the whole input bit
// for bit, by what a layer with the identity for a weight gives, and layers up to roundings of their float32 outputs.
func TestDynamicLinearWholeInput(t *testing.T) {
	r := readDynamicRanges(t)
	n := len(r.Scales)
	k := len(r.Weight) / n
	weight, _ := tensor.New(tensor.Int8, n, k)
	for i, v := range r.Weight {
		weight.Bytes()[i] = byte(v)
	}
	q := &tensor.QParams{DType: tensor.Int8, Scheme: tensor.PerChannelSymmetric, Scale: r.Scales, ZeroPoint: make([]int32, n), Min: -128, Max: 127}
	weight = weight.WithQParams(q)
	bias, _ := tensor.FromSlice(r.Bias, n)
	for _, c := range r.Cases {
		x, _ := tensor.FromSlice(c.X, c.Rows, k)
		for _, tier := range asm.Supported() {
			for _, threads := range []int{1, 3} {
				eval := func(op int8.DynamicLinear, in ...*tensor.Tensor) []float32 {
					pool := ops.NewPool(threads)
					defer pool.Close()
					out, err := ops.Eval(op, tier, pool, in...)
					if err != nil {
						t.Fatal(err)
					}
					return out[0].Float32s()
				}
				for _, l := range c.Layers {
					by := int8.InputRange{Rule: int8.WholeInput, Hi: 255}
					if l.Reduce {
						by.Hi = 127
					}
					checkInputs(t, c.Name, eval(int8.DynamicLinear{Range: by}, x, identity(k)), c.X, float32(l.Scale), l.Zero, 0, 255)
					y := eval(int8.DynamicLinear{LinearAttributes: ops.LinearAttributes{HasBias: true}, Range: by}, x, weight, bias)
					for i, want := range l.Y {
						if c.Name == "odd ties" { // which oneDNN rounds with the zero point added
							continue
						}
						if d := math.Abs(float64(y[i] - want)); !(d <= 1e-5*math.Abs(float64(want))+1e-5*l.Scale*127*float64(r.Scales[i%n])) {
							t.Errorf("%s, %v, reduced %v: output %d is %v, want %v", c.Name, tier, l.Reduce, i, y[i], want)
							break
						}
					}
				}
				for _, d := range c.Decomposed {
					by := int8.InputRange{Rule: int8.WholeInputEps, Lo: d.Lo, Hi: d.Hi, Eps: d.Eps}
					got := eval(int8.DynamicLinear{Range: by}, x, identity(k))
					for i, q := range d.Q {
						if want := float32(q-d.Zero) * float32(d.Scale); got[i] != want {
							t.Errorf("%s, %v, %+v: element %d is %v, want %v", c.Name, tier, by, i, got[i], want)
							break
						}
					}
				}
			}
		}
	}
}

// checkInputs compares values that were quantized and dequantized.
func checkInputs(t *testing.T, name string, got, x []float32, scale float32, zero int32, lo, hi float64) {
	t.Helper()
	for i, v := range x {
		q := min(max(math.RoundToEven(float64(v*(1/scale)))+float64(zero), lo), hi)
		if want := float32(int32(q)-zero) * scale; got[i] != want {
			t.Errorf("%s: element %d is %v, want %v", name, i, got[i], want)
			return
		}
	}
}
