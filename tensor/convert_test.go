package tensor

import (
	"bytes"
	"math"
	"path/filepath"
	"testing"

	"github.com/x448/float16"
)

var allTypes = []DType{Float32, Float16, BFloat16, Float64, Int8, Uint8, Int32, Int64, Bool}

// TestToPyTorch compares every pair of types with torch.Tensor.to.
func TestToPyTorch(t *testing.T) {
	arrays, err := ReadNPZ(filepath.Join("testdata", "convert.npz"), 0)
	if err != nil {
		t.Fatal(err)
	}
	// The file has no bfloat16, and both halves as bit patterns in int32.
	load := func(name string, dtype DType) *Tensor {
		a := arrays.Get(name)
		if a == nil {
			t.Fatalf("no fixture %s", name)
		}
		if dtype != Float16 && dtype != BFloat16 {
			return a
		}
		bits := make([]uint16, a.Numel())
		for i, v := range a.Int32s() {
			bits[i] = uint16(v)
		}
		h := must(FromSlice(bits, a.Shape()...))
		h.dtype = dtype
		return h
	}
	for _, s := range allTypes {
		src := load(s.String(), s)
		for _, d := range allTypes {
			got, err := src.To(d)
			if err != nil {
				t.Fatal(err)
			}
			if s == d {
				if got != src {
					t.Errorf("%v to itself made a copy", s)
				}
				continue
			}
			want := load(s.String()+"_to_"+d.String(), d)
			if !got.Shape().Equal(want.Shape()) || got.DType() != d {
				t.Fatalf("%v to %v: %v, want %v", s, d, got, want)
			}
			size := d.Size()
			for i := range want.Numel() {
				if g, w := got.Bytes()[i*size:(i+1)*size], want.Bytes()[i*size:(i+1)*size]; !bytes.Equal(g, w) {
					wide := must(src.To(Float64))
					t.Errorf("%v to %v: element %d, %v, became % x, PyTorch has % x", s, d, i, Data[float64](wide)[i], g, w)
					break
				}
			}
		}
	}
}

func TestToNaNInf(t *testing.T) {
	src := must(FromSlice([]float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))}, 3))
	for _, d := range []DType{Float16, BFloat16, Float64} {
		back := must(must(src.To(d)).To(Float64))
		v := Data[float64](back)
		if !math.IsNaN(v[0]) || !math.IsInf(v[1], 1) || !math.IsInf(v[2], -1) {
			t.Errorf("%v: NaN, +Inf, -Inf became %v", d, v)
		}
	}
	check := func(d DType, want ...int64) {
		got := must(must(src.To(d)).To(Int64)).Int64s()
		for i, w := range want {
			if got[i] != w {
				t.Errorf("to %v: %v became %v, want %v", d, src.Float32s(), got, want)
				return
			}
		}
	}
	check(Int64, math.MinInt64, math.MinInt64, math.MinInt64)
	check(Int32, math.MinInt32, math.MinInt32, math.MinInt32)
	check(Int8, 0, 0, 0)
	check(Uint8, 0, 0, 0)
	check(Bool, 1, 1, 1)
	if bits := Data[uint16](must(src.To(BFloat16)))[0]; bits != 0x7fc0 {
		t.Errorf("NaN became bfloat16 %#04x, want 0x7fc0", bits)
	}
	// The payload of this NaN would round up into the sign bit.
	ones := must(FromSlice([]float32{math.Float32frombits(0x7fffffff)}, 1))
	if bits := Data[uint16](must(ones.To(BFloat16)))[0]; bits != 0x7fc0 {
		t.Errorf("NaN of all ones became bfloat16 %#04x, want 0x7fc0", bits)
	}
}

// TestHalfRoundTrip sends every bit pattern of both 16-bit floats through
// float32 and back, and rounds the midpoints between neighbours to even.
func TestHalfRoundTrip(t *testing.T) {
	bits := make([]uint16, 1<<16)
	for i := range bits {
		bits[i] = uint16(i)
	}
	for _, d := range []DType{Float16, BFloat16} {
		src := must(FromSlice(bits, len(bits)))
		src.dtype = d
		wide := must(src.To(Float32))
		back := Data[uint16](must(wide.To(d)))
		for i, v := range wide.Float32s() {
			want := uint16(i)
			if v != v {
				if d == Float16 && !float16.Frombits(back[i]).IsNaN() ||
					d == BFloat16 && back[i] != 0x7fc0 {
					t.Fatalf("%v: NaN %#04x came back as %#04x", d, i, back[i])
				}
				continue
			}
			if back[i] != want {
				t.Fatalf("%v: %#04x is %v and came back as %#04x", d, i, v, back[i])
			}
		}
		// Bit patterns of one sign are ordered as their values are.
		values := wide.Float32s()
		var mid []float32
		var even []uint16
		for i := 0; i+1 < 1<<15; i++ {
			lo, hi := float64(values[i]), float64(values[i+1])
			if math.IsInf(hi, 0) || hi != hi {
				break
			}
			mid = append(mid, float32((lo+hi)/2))
			even = append(even, uint16(i+i&1))
		}
		got := Data[uint16](must(must(FromSlice(mid, len(mid))).To(d)))
		for i := range mid {
			if got[i] != even[i] {
				t.Fatalf("%v: midpoint %v became %#04x, want the even %#04x", d, mid[i], got[i], even[i])
			}
		}
	}
}

func TestToViewsAndErrors(t *testing.T) {
	src := must(counted(t, Int32, Shape{40, 60}).Permute(1, 0))
	got := must(src.To(Float32))
	if !got.IsContiguous() || !got.Shape().Equal(Shape{60, 40}) {
		t.Fatalf("got %v", got)
	}
	for i, v := range got.Float32s() {
		if want := float32(i%40*60 + i/40); v != want {
			t.Fatalf("element %d is %v, want %v", i, v, want)
		}
	}
	empty := must(must(New(Float32, 0, 3)).To(Int8))
	if empty.Numel() != 0 || empty.DType() != Int8 {
		t.Errorf("empty became %v", empty)
	}
	for _, bad := range []DType{Invalid, 77} {
		if _, err := got.To(bad); err == nil {
			t.Errorf("converted to %v", bad)
		}
	}
	q := must(New(Int8, 2)).WithQParams(PerTensor(Int8, 0.5, 0))
	if _, err := q.To(Float32); err == nil {
		t.Error("converted a quantized tensor without its scale")
	}
	if got, err := q.To(Int8); err != nil || got != q {
		t.Errorf("quantized to its own type: %v, %v", got, err)
	}
}
