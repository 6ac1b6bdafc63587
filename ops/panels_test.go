package ops

import (
	"testing"

	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// TestPanels packs matrices and looks for their weights where the panels say.
func TestPanels(t *testing.T) {
	for _, tier := range asm.Supported() {
		g := asm.IGemmF32For(tier)
		for _, n := range []int{1, g.NR - 1, g.NR, g.NR + 1, 3*g.NR + 2} {
			const matrices, depth = 3, 5
			l := PanelLayout{Packing: g.Info, Matrices: matrices, Depth: depth, N: n}
			p, rest := panelsOf(l, make([]float32, l.Len()+2))
			if len(rest) != 2 || len(p.Bytes()) != 4*l.Len() {
				t.Fatalf("%v, n %d: %d values follow, %d bytes are packed", tier, n, len(rest), len(p.Bytes()))
			}
			value := func(matrix, column, k int) float32 { return float32(1 + (matrix*n+column)*depth + k) }
			w := make([]float32, n*depth)
			for m := range matrices {
				for i := range w {
					w[i] = value(m, i/depth, i%depth)
				}
				g.PackB(p.Data[p.Index(m, 0):], w, 1, depth, n)
			}
			for m := range matrices {
				for column := range n {
					panel := p.Panel(m, column/g.NR)
					if &panel[0] != p.At(m, column/g.NR*g.NR) {
						t.Fatalf("%v: panel %d of matrix %d is not where its first column is", tier, column/g.NR, m)
					}
					for k := range depth {
						if got := panel[k*g.NR+column%g.NR]; got != value(m, column, k) {
							t.Fatalf("%v, n %d: weight %d of column %d of matrix %d is %v, want %v", tier, n, k, column, m, got, value(m, column, k))
						}
					}
				}
				c := &Call{Next: []byte{42}}
				next := p.Next(c, m, n)
				if m == matrices-1 {
					if len(next) != 1 || next[0] != 42 {
						t.Errorf("%v: behind the last matrix come %d bytes, not those of the layer behind", tier, len(next))
					}
				} else if &next[0] != &p.Bytes()[4*p.Index(m+1, 0)] {
					t.Errorf("%v: behind matrix %d does not come the next one", tier, m)
				}
			}
		}
	}
}

// TestPrepack checks that weights are packed once where all inputs are constants, and else for each call.
func TestPrepack(t *testing.T) {
	w, err := tensor.FromSlice([]float32{1, 2}, 2)
	if err != nil {
		t.Fatal(err)
	}
	b, err := tensor.FromSlice([]float32{3}, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, constant := range []bool{true, false} {
		packed := 0
		p := &Prepare{In: []Type{F32(1), TypeOf(w), F32(1)}, Threads: 1}
		if constant {
			p.In[2] = TypeOf(b)
		}
		k := &prepack{inputs: weightAndBias(true), size: 3, order: 2}
		k.pack = func(dst, order []float32, in packInputs, _ int) {
			packed++
			copy(order, in[0].Float32s())
			dst[0], dst[1] = order[1], order[0]
			copyBias(dst[2:], in[1])
		}
		k.start(p, "reversed")
		if (k.scratch() == 0) != constant {
			t.Errorf("constants %v: a call needs %d bytes", constant, k.scratch())
		}
		c := &Call{In: []*tensor.Tensor{nil, w, b}, Scratch: tensor.AlignedBytes(k.scratch()), Workers: make([]Worker, 1)}
		want := 1
		for range 2 {
			k.fill(c)
			if v := k.values(c); len(v) != 3 || v[0] != 2 || v[1] != 1 || v[2] != 3 {
				t.Errorf("constants %v: packed %v", constant, v)
			}
			if packed != want {
				t.Errorf("constants %v: packed %d times, want %d", constant, packed, want)
			}
			if !constant {
				want++
			}
		}
	}
}
