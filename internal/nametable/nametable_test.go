package nametable

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// TestAgainstMap adds names, some of them twice, and compares with a map.
func TestAgainstMap(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, table := range []*Table{{}, New(0), New(5000)} {
		var names []string
		at := func(i int) string { return names[i] }
		want := make(map[string]int)
		for range 10000 {
			name := fmt.Sprint(random.IntN(7000))
			place, seen := want[name]
			if found := table.Find(name, at); seen && found != place || !seen && found != -1 {
				t.Fatalf("%q is found at %d, want %d, %v", name, found, place, seen)
			}
			if !seen {
				place = len(names)
				want[name] = place
			}
			if got := table.Add(name, len(names), at); got != place {
				t.Fatalf("%q is added at %d, want %d", name, got, place)
			}
			if !seen {
				names = append(names, name)
			}
		}
		if table.n != len(want) {
			t.Errorf("%d names, want %d", table.n, len(want))
		}
	}
}

// TestSameHash finds names whose hashes are the same by the names.
func TestSameHash(t *testing.T) {
	names := []string{"a", "b", "c"}
	at := func(i int) string { return names[i] }
	table := New(0)
	for i := range names[:2] {
		table.slots[table.free(7)] = slot{7, uint32(i) + 1}
	}
	for i, want := range []int{0, 1, -1} {
		if got := table.find(names[i], 7, at); got != want {
			t.Errorf("%q is found at %d, want %d", names[i], got, want)
		}
	}
}
