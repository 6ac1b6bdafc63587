package exported

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// TestOverlaps compares which of many views of one memory share some of it with what comparing each with all others gives.
func TestOverlaps(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		memories := [2][]byte{make([]byte, 4*24), make([]byte, 4*24)}
		stored := tensor.NewStorage(4*24, func([]byte) error { return nil })
		saved := make([]*tensor.Tensor, 1+r.IntN(8))
		for i := range saved {
			size := r.IntN(5)
			offset, shape, strides := r.IntN(24-max(2*size-1, 0)), []int{size}, []int{1 + r.IntN(2)}
			var err error
			if in := r.IntN(3); in < 2 {
				saved[i], err = tensor.View(tensor.Float32, memories[in], offset, shape, strides)
			} else {
				saved[i], err = stored.View(tensor.Float32, offset, shape, strides)
			}
			if err != nil {
				t.Fatal(err)
			}
			switch r.IntN(4) {
			case 0:
				saved[i] = nil
			case 1:
				saved[i] = saved[r.IntN(i+1)]
			}
		}
		tied := joinTied(saved)
		with := overlaps(spansOf(saved), tied, compareSpans)
		for i, a := range saved {
			some := false
			for j, b := range saved {
				meet := a != nil && b != nil && tied[i] != tied[j] && overlap(a, b)
				some = some || meet
				if with[i] == j && !meet {
					t.Fatalf("%d shares memory with %d: %v", i, j, saved)
				}
			}
			if some != (with[i] >= 0) {
				t.Fatalf("%d: %d of %v", i, with[i], saved)
			}
		}
	}
}

func overlap(a, b *tensor.Tensor) bool {
	memory, first, last := a.Span()
	memory2, first2, last2 := b.Span()
	return memory == memory2 && a.Numel() > 0 && b.Numel() > 0 && first < last2 && first2 < last
}

// TestMostInputs loads and specializes a program with as many weights as one may have, and counts how often two are compared.
func TestMostInputs(t *testing.T) {
	n := maxInputs - 1
	text := strings.Replace(program, `"inputs": [{"as_tensor": {"name": "p_w"}}`, `"inputs": [`+numbered(n-1, `{"as_tensor": {"name": "p%d"}},`)+`{"as_tensor": {"name": "p_w"}}`, 1)
	text = strings.Replace(text, `"input_specs": [`, `"input_specs": [`+numbered(n-1, `{"parameter": {"arg": {"name": "p%[1]d"}, "parameter_name": "w%[1]d"}},`), 1)
	text = strings.Replace(text, `"tensor_values": {`, `"tensor_values": {`+numbered(n-1, `"p%d": `+metaW+`,`), 1)
	memory := bytes.Repeat([]byte{0}, 8*n)
	saved := make([]*tensor.Tensor, n+1)
	for i := range n {
		x, err := tensor.FromBytes(tensor.Float32, memory[8*i:8*i+8], 2)
		if err != nil {
			t.Fatal(err)
		}
		saved[i] = x
	}
	compared := 0
	overlaps(spansOf(saved), joinTied(saved), func(a, b span) int { compared++; return compareSpans(a, b) })
	if compared > 20*n {
		t.Errorf("%d comparisons of %d weights", compared, n)
	}
	p, err := ParseProgram("p.json", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	m, err := NewModel(p, saved, build.DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	g, err := m.Specialize([]ops.Type{{DType: tensor.Float32, Shape: tensor.Shape{3, 2}}}, "")
	if err != nil {
		t.Fatal(err)
	}
	if len(g.Inputs) != 1 || len(g.Nodes) != 1 {
		t.Errorf("%d inputs and %d nodes", len(g.Inputs), len(g.Nodes))
	}
}
