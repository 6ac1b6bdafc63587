package ops

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// TestNMS compares with a comparison of each box with each that is kept, for boxes of one picture, of classes that lie side by side, of very
// different sizes, and for those without an area or that are no numbers.
func TestNMS(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, threshold := range []float64{-1, 0, 0.005, 0.01, 0.3, 0.55, 0.7, 0.999, 1, math.NaN()} {
		for _, n := range []int{0, 1, 2, 40, 600} {
			for kind := range 5 {
				boxes, scores := make([]float32, 4*n), make([]float32, n)
				for i := range n {
					x, y, w, h := 300*r.Float32(), 200*r.Float32(), 5+60*r.Float32(), 5+60*r.Float32()
					scores[i] = float32(r.IntN(50)) / 50
					switch kind {
					case 1:
						class := float32(301 * r.IntN(9))
						x, y = x+class, y+class
					case 2:
						size := float32(math.Exp(8*r.Float64() - 6))
						w, h = w*size, h*size
					case 3:
						w, h = w-20, h-20
					case 4:
						if w = []float32{w, w, w, 0, float32(math.NaN()), float32(math.Inf(1)), 1e30}[r.IntN(7)]; r.IntN(9) == 0 {
							x, scores[i] = float32(math.NaN()), float32(math.NaN())
						}
					}
					copy(boxes[4*i:], []float32{x, y, x + w, y + h})
				}
				checkNMS(t, threshold, boxes, scores)
			}
		}
	}
}

func checkNMS(t *testing.T, threshold float64, boxes, scores []float32) {
	t.Helper()
	b, err := tensor.FromSlice(boxes, len(scores), 4)
	if err != nil {
		t.Fatal(err)
	}
	s, err := tensor.FromSlice(scores, len(scores))
	if err != nil {
		t.Fatal(err)
	}
	out, err := Eval(NMS{Threshold: threshold}, asm.Generic, nil, b, s)
	if err != nil {
		t.Fatal(err)
	}
	order := make([]int64, len(scores))
	for i := range order {
		order[i] = int64(i)
	}
	rank := func(score float32) float64 { // a NaN stands in front
		if score != score {
			return math.Inf(1)
		}
		return float64(score)
	}
	slices.SortStableFunc(order, func(a, b int64) int { return cmp.Compare(rank(scores[b]), rank(scores[a])) })
	want := []int64{}
	for _, k := range order {
		if !slices.ContainsFunc(want, func(o int64) bool { return overlap(boxes[4*o:4*o+4], boxes[4*k:4*k+4]) > threshold }) {
			want = append(want, k)
		}
	}
	if got := out[0].Int64s()[:out[1].Int64s()[0]]; !slices.Equal(got, want) {
		t.Errorf("threshold %v of %d boxes keeps %v, want %v", threshold, len(scores), got, want)
	}
}

// overlap is the intersection of two boxes over their union, less than all thresholds where they have nothing in common.
func overlap(a, b []float32) float64 {
	w, h := min(a[2], b[2])-max(a[0], b[0]), min(a[3], b[3])-max(a[1], b[1])
	if !(w > 0 && h > 0) {
		return math.Inf(-1)
	}
	inter := float32(w * h)
	return float64(inter / (float32((a[2]-a[0])*(a[3]-a[1])) + float32((b[2]-b[0])*(b[3]-b[1])) - inter))
}
