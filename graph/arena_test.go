package graph

import (
	"math/rand/v2"
	"testing"
)

// No two pieces that are in use at the same time overlap: of random lives, of a long chain, and of more pieces at
// the same time than are looked at one by one.
func TestLayOutApart(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	make1 := func(n int, lives func(i int) (first, last, size int)) []life {
		out := make([]life, n)
		for i := range out {
			first, last, size := lives(i)
			out[i] = life{span: new(span), first: first, last: last, size: size}
		}
		return out
	}
	for name, lives := range map[string][]life{
		"random": make1(600, func(int) (int, int, int) {
			first := r.IntN(300)
			return first, first + r.IntN(1+r.IntN(200)), 1 + r.IntN(5000)
		}),
		"chain":    make1(20000, func(i int) (int, int, int) { return i, i + 1, 64 }),
		"together": make1(3*maxNeighbours, func(i int) (int, int, int) { return i, 3 * maxNeighbours, 64 + i%3*64 }),
	} {
		size, ok := layOut(lives, 1<<30)
		if !ok {
			t.Fatalf("%s: refused", name)
		}
		for i := range lives {
			a := &lives[i]
			if a.span.start%64 != 0 || a.span.start+a.size > size {
				t.Fatalf("%s: a piece at %v in %d bytes", name, *a.span, size)
			}
			for k := range lives[:i] {
				b := &lives[k]
				if a.first <= b.last && b.first <= a.last && a.span.start < b.span.start+b.size && b.span.start < a.span.start+a.size {
					t.Fatalf("%s: %+v %v overlaps %+v %v", name, *a, *a.span, *b, *b.span)
				}
			}
		}
		if name == "chain" && size != 128 {
			t.Errorf("a chain takes %d bytes", size)
		}
	}
}

// Looking for neighbours takes work in proportion to the pieces.
func TestLayOutWork(t *testing.T) {
	placed := newIntervals(1 << 12)
	placed.work = 1 << 14
	l := &life{span: &span{0, 64}, size: 64, first: 0, last: 1<<12 - 1}
	placed.add(l)
	looked := 0
	for range 100 {
		if _, ok := placed.overlapping(nil, 0, 1<<12-1); ok {
			looked++
		}
	}
	if looked == 0 || looked > 4 || placed.end(5, 6) != 64 {
		t.Errorf("%d searches of %d steps each were within the work", looked, 1<<12)
	}
}
