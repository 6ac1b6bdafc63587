package recent_test

import (
	"slices"
	"testing"

	"github.com/octet-ml/octet/internal/recent"
)

func TestList(t *testing.T) {
	var l recent.List[int]
	if v, ok := l.Latest(); ok {
		t.Errorf("an empty list has %d", v)
	}
	for i := range 5 {
		l.Add(i)
	}
	order := func(want ...int) {
		t.Helper()
		if !slices.Equal(l.All(), want) {
			t.Fatalf("the list is %v, want %v", l.All(), want)
		}
	}
	order(4, 3, 2, 1, 0)
	if v, ok := l.Use(func(v int) bool { return v < 3 }); v != 2 || !ok {
		t.Errorf("the first below 3 is %d, %v", v, ok)
	}
	order(2, 4, 3, 1, 0)
	if v, ok := l.Use(func(v int) bool { return v > 9 }); ok {
		t.Errorf("%d is above 9", v)
	}
	var gone []int
	l.Keep(3, func(v int) { gone = append(gone, v) })
	order(2, 4, 3)
	if !slices.Equal(gone, []int{0, 1}) {
		t.Errorf("%v went, want the least recently used first", gone)
	}
	bytes := 30
	l.Drop(func() bool { return bytes > 15 }, func(int) { bytes -= 10 })
	order(2)
	l.Keep(0, nil)
	order(2)
	if v, ok := l.Latest(); v != 2 || !ok || l.Len() != 1 {
		t.Errorf("the latest of %d is %d, %v", l.Len(), v, ok)
	}
}

func TestUseDoesNotAllocate(t *testing.T) {
	var l recent.List[*string]
	for _, s := range []string{"a", "b", "c"} {
		l.Add(&s)
	}
	key := []byte("a")
	if n := testing.AllocsPerRun(10, func() { l.Use(func(s *string) bool { return *s == string(key) }) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
