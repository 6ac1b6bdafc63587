package quantize

import (
	"errors"
	"math"
	"math/big"
	"math/rand/v2"
	"reflect"
	"testing"
)

// addVector adds a vector to sums.
func addVector(t *testing.T, b *binned, v []float64) {
	t.Helper()
	largest := make([]float64, len(b.exponents))
	for i, x := range v {
		largest[i/b.group] = max(largest[i/b.group], math.Abs(x))
	}
	if err := b.begin(largest); err != nil {
		t.Fatal(err)
	}
	for i, x := range v {
		d := b.division(i / b.group)
		b.addRow(i, &d, []float32{float32(x)})
	}
}

// TestBinned adds vectors whose elements lie up to 80 powers of two apart in many orders and parts, which all have the same bits, and
// compares with exact sums.
func TestBinned(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	const groups, group, vectors = 3, 5, 40
	for range 200 {
		var all [][]float64
		largest := 0.0
		exact := make([]*big.Float, groups*group)
		for i := range exact {
			exact[i] = new(big.Float).SetPrec(500)
		}
		spread := r.IntN(80)
		for range vectors {
			v := make([]float64, groups*group)
			e := r.IntN(spread+1) - 40
			for i := range v {
				if r.IntN(8) > 0 {
					v[i] = float64(float32(math.Ldexp(r.Float64()*2-1, e+r.IntN(6))))
				}
				largest = max(largest, math.Abs(v[i]))
				exact[i].Add(exact[i], new(big.Float).SetFloat64(v[i]))
			}
			all = append(all, v)
		}
		var first *binned
		for range 6 {
			r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
			whole := newBinned(groups, group)
			for at := 0; at < vectors; {
				part, end := newBinned(groups, group), at+r.IntN(vectors-at)+1
				for _, v := range all[at:end] {
					addVector(t, part, v)
				}
				read, err := part.state().binned(groups, group)
				if err != nil || !reflect.DeepEqual(read, part) {
					t.Fatalf("read back as %+v, want %+v: %v", read, part, err)
				}
				if err := whole.add(read); err != nil {
					t.Fatal(err)
				}
				at = end
			}
			if first == nil {
				first = whole
			}
			if !reflect.DeepEqual(whole, first) {
				t.Fatalf("the order matters: %+v and %+v", whole, first)
			}
		}
		for i, want := range exact {
			w, _ := want.Float64()
			if have := first.sum(i); math.Abs(have-w) > largest*vectors*0x1p-30 {
				t.Errorf("sum %d is %v, want %v, of elements up to %v", i, have, w, largest)
			}
		}
	}
}

// TestBinnedLimits adds what is zero, tiny, as large as can be and too large, and too many vectors.
func TestBinnedLimits(t *testing.T) {
	b := newBinned(1, 1)
	for _, v := range []float64{0, 0x1p-149, 0} {
		addVector(t, b, []float64{v})
	}
	if have := b.sum(0); have != 0x1p-149 {
		t.Errorf("the sum is %v", have)
	}
	addVector(t, b, []float64{-math.MaxFloat32})
	addVector(t, b, []float64{-math.MaxFloat32})
	if have := b.sum(0); have != -2*math.MaxFloat32 {
		t.Errorf("the sum is %v", have)
	}
	for _, v := range []float64{0x1p901, math.Inf(1), math.NaN()} {
		if err := b.begin([]float64{v}); !errors.Is(err, ErrRange) {
			t.Errorf("%v: %v", v, err)
		}
	}
	// The most of what may be added keeps its sign.
	b = newBinned(1, 1)
	v := float64(math.Nextafter32(1, 0))
	for range maxVectors {
		addVector(t, b, []float64{v})
	}
	if have := b.sum(0); have != maxVectors*v {
		t.Errorf("the sum is %v", have)
	}
	if b.begin([]float64{1}) == nil || b.add(b) == nil {
		t.Error("more vectors than fit are added")
	}
}
