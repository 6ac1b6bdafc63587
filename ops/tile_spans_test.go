package ops

import (
	"math/rand/v2"
	"testing"
)

// TestSpans checks with random windows that spans follow each other, that what they leave out lies in the padding, and that
// the table holds the offsets of what they read.
func TestSpans(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	shorter := 0
	for range 2000 {
		dims := 1 + rng.IntN(3)
		var in, kernel, stride, padding, dilation []int
		for range dims {
			in, kernel, stride = append(in, 1+rng.IntN(9)), append(kernel, 1+rng.IntN(4)), append(stride, 1+rng.IntN(3))
			padding, dilation = append(padding, rng.IntN(8)), append(dilation, 1+rng.IntN(6))
		}
		w, _ := NewWindow(2, in, WindowParams{Kernel: kernel, Stride: stride, Padding: padding, Dilation: dilation})
		if w == nil || w.IsPointwise() {
			continue
		}
		const pixelBytes = 12
		mr, work := 1+rng.IntN(8), 1<<rng.IntN(16)
		tiles, err := NewTiles(nil, &Prepare{}, w, mr, pixelBytes, work)
		if err != nil {
			t.Fatal(err)
		}
		next := 0
		for m := 0; m < tiles.Rows; {
			s := tiles.Span(m, tiles.Rows)
			if s.M0 != next || s.M1 <= m || s.Taps < 1 || s.First < 0 || s.First+s.Taps > w.Taps() || s.Taps > tiles.Taps() {
				t.Fatalf("%+v: span %+v behind row %d", w, s, next)
			}
			for i := range s.M1 - s.M0 {
				for tap := range w.Taps() {
					source := w.Source(m+i, tap)
					if tap < s.First || tap >= s.First+s.Taps {
						if shorter++; source >= 0 {
							t.Fatalf("%+v: tap %d of row %d lies in the image, span %+v", w, tap, m+i, s)
						}
						continue
					}
					at := tiles.table[s.at+(i/mr*s.Taps+tap-s.First)*mr+i%mr]
					if source < 0 && at >= 0 || source >= 0 && at != int32(source*pixelBytes) {
						t.Fatalf("%+v: tap %d of row %d is at %d, not at pixel %d", w, tap, m+i, at, source)
					}
				}
			}
			m, next = s.M1, s.M1
		}
	}
	if shorter < 10000 {
		t.Errorf("only %d taps are left out", shorter)
	}
}
