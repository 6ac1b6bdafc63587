package ops

import (
	"math"

	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// Span are rows [M0, M1) of an image, of which one call of a matrix kernel reads the taps from First on. All others lie
// in the padding for each of them.
type Span struct {
	M0, M1      int
	First, Taps int
	at          int // of its offsets in the table
}

// GatheredTiles are rows whose taps are copied side by side, step rows a call.
func GatheredTiles(rows, step int) *Tiles { return &Tiles{Images: 1, Rows: rows, Step: step, taps: 1} }

// Span returns the rows from m on, at most to m1, that one call takes; m is a multiple of the tile's rows.
func (t *Tiles) Span(m, m1 int) Span {
	for _, s := range t.spans {
		if m < s.M1 {
			s.at += (m - s.M0) * s.Taps
			s.M0, s.M1 = m, min(s.M1, m1)
			return s
		}
	}
	return Span{M0: m, M1: min(m+t.Step, m1), Taps: t.taps, at: m * t.taps}
}

// Spans returns the spans of an image whose taps are not all of the kernel's.
func (t *Tiles) Spans() []Span {
	if len(t.spans) == 1 && t.spans[0].Taps == t.taps {
		return nil
	}
	return t.spans
}

// Taps returns how many taps a call reads at most.
func (t *Tiles) Taps() int {
	most := t.taps
	for i, s := range t.spans {
		if i == 0 {
			most = 0
		}
		most = max(most, s.Taps)
	}
	return most
}

// Ahead returns what a call for the rows of s, of those from m0 on to m1, is to bring near of the weights that follow: its share.
func (s *Span) Ahead(next []byte, m0, m1 int) []byte {
	if s.M1-s.M0 == m1-m0 {
		return next
	}
	n := min(len(next), 2*asm.WeightBlock())
	return next[n*(s.M0-m0)/(m1-m0) : n*(s.M1-m0)/(m1-m0)]
}

// splitWork is the number of multiply-accumulates that a further call costs.
const splitWork = 1 << 14

// spans divides an image into runs of whole tiles that read the same taps, in the order of the table. work is the number of
// multiply-accumulates of a row and tap.
func (w *Window) spans(mr, work int) []Span {
	rows := w.Out[0] * w.Out[1] * w.Out[2]
	overhead := splitWork / max(mr*work, 1)
	var spans []Span
	for m := 0; m < rows; m += mr {
		first, end := w.live(m, min(m+mr, rows))
		s := Span{M0: m, M1: min(m+mr, rows), First: first, Taps: end - first}
		if k := len(spans) - 1; k >= 0 {
			last := &spans[k]
			lo, hi := min(last.First, s.First), max(last.First+last.Taps, s.First+s.Taps)
			tiles := (last.M1 - last.M0) / mr
			if (hi-lo)*(tiles+1) <= last.Taps*tiles+s.Taps+overhead {
				last.First, last.Taps, last.M1 = lo, hi-lo, s.M1
				continue
			}
		}
		spans = append(spans, s)
	}
	at := 0
	for i := range spans {
		s := &spans[i]
		s.at = at
		at += roundUp(s.M1-s.M0, mr) * s.Taps
	}
	return spans
}

// live returns the smallest range of taps, at least one, that has all that lie in the image for the pixels [m0, m1).
func (w *Window) live(m0, m1 int) (first, end int) {
	first = math.MaxInt
	p := w.pixel(m0)
	for range m1 - m0 {
		lo, hi, empty := 0, 0, false
		for d, at := range [3]int{p.z, p.y, p.x} {
			from := at*w.Stride[d] - w.Pad[d]
			k0 := max(-from+w.Dilation[d]-1, 0) / w.Dilation[d]
			k1 := min((w.In[d]-1-from+w.Dilation[d])/w.Dilation[d], w.Kernel[d]) // behind the last
			empty = empty || k0 >= k1
			lo, hi = lo*w.Kernel[d]+k0, hi*w.Kernel[d]+k1-1
		}
		if !empty {
			first, end = min(first, lo), max(end, hi+1)
		}
		w.advance(&p)
	}
	if end == 0 {
		return 0, 1
	}
	return first, end
}

// isFinite reports whether a product of 0 with any of the values is 0.
func isFinite(p *Prepare, t *tensor.Tensor) bool {
	type key struct{ weight *tensor.Tensor }
	return t != nil && *Packed(p, key{t}, func() *bool {
		finite := true
		for _, v := range t.Contiguous().Float32s() {
			finite = finite && v-v == 0
		}
		return &finite
	})
}
