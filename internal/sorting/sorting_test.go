package sorting

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
)

type pair struct{ key, place int }

func byKey(a, b pair) int { return cmp.Compare(a.key, b.key) }

// TestFunc compares with slices.SortStableFunc.
func TestFunc(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 200 {
		s := make([]pair, n)
		for i := range s {
			s[i] = pair{r.IntN(1 + n/3), i}
		}
		want := slices.Clone(s)
		slices.SortStableFunc(want, byKey)
		if got := Collected(slices.Values(s), byKey); !slices.Equal(got, want) {
			t.Fatalf("collected %v, want %v", got, want)
		}
		if Func(s, byKey); !slices.Equal(s, want) {
			t.Fatalf("sorted %v, want %v", s, want)
		}
	}
}
