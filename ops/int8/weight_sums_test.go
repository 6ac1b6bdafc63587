package int8

import (
	"math/rand/v2"
	"testing"
)

func TestPositiveSum(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for n := range 40 {
		for _, only := range []int{0, -128, 127} {
			w := make([]int8, n*n*3)
			want := int64(0)
			for i := range w {
				w[i] = int8(only)
				if only == 0 {
					w[i] = int8(rng.IntN(256))
				}
				want += max(int64(w[i]), 0)
			}
			if got := positiveSum(w); got != want {
				t.Errorf("%d weights: %d, want %d", len(w), got, want)
			}
		}
	}
}
