package graph_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// TestMaxPacked checks that a bound of packed weights leaves the forms of a convolution that keep to it, of which other tiers may
// choose another than avx2.
func TestMaxPacked(t *testing.T) {
	g, err := nn.BuildRandom(nn.Architecture{
		Name: "conv", Inputs: []nn.Input{{Name: "x", DType: tensor.Float32, Shape: []int{1, 64, 28, 28}}},
		Root: nn.Sequential{nn.Conv2d{In: 64, Out: 64, Kernel: 3, Padding: 1}},
	}, 1)
	if err != nil {
		t.Fatal(err)
	}
	const weights = 4 * 64 * 64 * 9
	for _, tier := range asm.Supported() {
		for bound, want := range map[float64]int{0: weights * 4, 4: weights * 4, 3.9: weights * 16 / 9, 1.7: weights, 1: weights} {
			s, err := g.Compile(graph.Options{CPU: tier.String(), Threads: 1, MaxPacked: bound})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if got := s.PackedBytes(); got > want || tier == asm.AVX2 && got != want {
				t.Errorf("%v, at most %v times the weights: %d bytes, want %d\n%s", tier, bound, got, want, s.Plan())
			}
			if bound == 1 && strings.Contains(s.Plan(), "winograd") {
				t.Errorf("%v: Winograd's algorithm without room for its weights:\n%s", tier, s.Plan())
			}
		}
	}
	for _, bad := range []float64{-1, 0.5, math.NaN()} {
		var option *graph.OptionError
		if _, err := g.Compile(graph.Options{MaxPacked: bad}); !errors.As(err, &option) || option.Option != "MaxPacked" {
			t.Errorf("a bound of %v: %v", bad, err)
		}
	}
}
