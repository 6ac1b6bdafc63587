package quantize

import (
	"cmp"
	"context"
	"math"
	"slices"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// detection is a box x0, y0, x1, y1 in pixels with its score.
type detection struct {
	box   [4]float64
	score float64
}

// overlap is the intersection of two boxes over their union.
func overlap(a, b [4]float64) float64 {
	area := func(b [4]float64) float64 { return max(b[2]-b[0], 0) * max(b[3]-b[1], 0) }
	both := area([4]float64{max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])})
	return both / (area(a) + area(b) - both)
}

// faces decodes what the RetinaFace detector gives of a picture of h x w pixels, as its authors do: offsets from two anchors at each place of
// three levels, in units of variances 0.1 and 0.2. Those above a score of 0.45 are left that overlap none of a better score by 0.4.
func faces(out []*tensor.Tensor, h, w int) []detection {
	offsets, scores := out[0].Contiguous().Float32s(), out[1].Contiguous().Float32s()
	var all []detection
	i := 0
	for level, sides := range [][2]float64{{16, 32}, {64, 128}, {256, 512}} {
		step := 8 << level
		for y := range (h + step - 1) / step {
			for x := range (w + step - 1) / step {
				for _, side := range sides {
					o := offsets[4*i:]
					cx, cy := (float64(x)+0.5)*float64(step)+0.1*float64(o[0])*side, (float64(y)+0.5)*float64(step)+0.1*float64(o[1])*side
					dx, dy := side*math.Exp(0.2*float64(o[2]))/2, side*math.Exp(0.2*float64(o[3]))/2
					if s := float64(scores[2*i+1]); s > 0.45 {
						all = append(all, detection{[4]float64{cx - dx, cy - dy, cx + dx, cy + dy}, s})
					}
					i++
				}
			}
		}
	}
	slices.SortStableFunc(all, func(a, b detection) int { return cmp.Compare(b.score, a.score) })
	var kept []detection
	for _, d := range all {
		if !slices.ContainsFunc(kept, func(k detection) bool { return overlap(k.box, d.box) > 0.4 }) {
			kept = append(kept, d)
		}
	}
	return kept
}

// partners counts the detections above 0.5, and those of them that have a partner among others: one of an overlap of 0.9 or more whose score
// differs by 0.05 at most.
func partners(of, others []detection) (n, all int) {
	for _, d := range of {
		if d.score <= 0.5 {
			continue
		}
		all++
		if slices.ContainsFunc(others, func(o detection) bool { return overlap(d.box, o.box) >= 0.9 && math.Abs(d.score-o.score) <= 0.05 }) {
			n++
		}
	}
	return n, all
}

// variants returns pictures [1, 3, h, w] made of one: mirrored, moved by some pixels, and of other contrasts.
func variants(t testing.TB, x *tensor.Tensor, moves [][2]int) []*tensor.Tensor {
	t.Helper()
	h, w := x.Dim(2), x.Dim(3)
	src := x.Contiguous().Float32s()
	var out []*tensor.Tensor
	for i, m := range moves {
		for _, mirrored := range []bool{false, true} {
			contrast := float32(1 - 0.1*float64(i%4))
			dst := make([]float32, len(src))
			for k := range dst {
				c, y, x := k/(h*w), k/w%h, k%w
				if mirrored {
					x = w - 1 - x
				}
				y, x = min(max(y-m[0], 0), h-1), min(max(x-m[1], 0), w-1)
				dst[k] = src[(c*h+y)*w+x] * contrast
			}
			v, err := tensor.FromSlice(dst, 1, 3, h, w)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, v)
		}
	}
	return out
}

// detections runs a detector of faces on pictures.
func detections(t testing.TB, g *graph.Graph, pictures []*tensor.Tensor) [][]detection {
	t.Helper()
	s, err := g.Compile(graph.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var found [][]detection
	for _, x := range pictures {
		out, err := s.Run(context.Background(), x)
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, faces(out, x.Dim(2), x.Dim(3)))
	}
	return found
}

// TestInt8Detectors compares what detectors find in int8 with what they find in float32, in pictures that they were not calibrated on.
func TestInt8Detectors(t *testing.T) {
	t.Run("faces", testInt8Faces)
	t.Run("shapes", testInt8Shapes)
}

// testInt8Faces compares what a detector of faces finds in int8 with what it finds in float32, in pictures that it was not calibrated
// on. Most of its faces are of some ten pixels, of which half a pixel is an overlap of 0.9.
func testInt8Faces(t *testing.T) {
	m, images := faceDetector(t)
	photo := images.batches[0][0]
	calib := &dataset{}
	for _, x := range variants(t, photo, [][2]int{{0, 0}, {-9, 14}, {11, -6}, {5, 21}}) {
		calib.batches = append(calib.batches, []*tensor.Tensor{x})
	}
	test := variants(t, photo, [][2]int{{3, 5}, {-4, 10}, {7, -13}})
	q := New(Options{})
	calibrate(t, q, m, calib)
	comparePartners(t, "faces", detections(t, m, test), detections(t, quantized(t, q, m), test), 300, 97)
}

// comparePartners fails where float has fewer than least detections above 0.5, or less than so many percent on either side have a partner.
func comparePartners(t *testing.T, what string, float, int8 [][]detection, least, percent int) {
	t.Helper()
	all, found, others, right := 0, 0, 0, 0
	for i := range float {
		n, of := partners(float[i], int8[i])
		found, all = found+n, all+of
		n, of = partners(int8[i], float[i])
		right, others = right+n, others+of
	}
	t.Logf("%s: %d of %d detections in float32 have a partner in int8, %d of %d in int8 one in float32", what, found, all, right, others)
	if all < least || 100*found < percent*all || 100*right < percent*others {
		t.Errorf("%s: %d of %d detections in float32 have a partner in int8, %d of %d in int8 one in float32", what, found, all, right, others)
	}
}

// testInt8Shapes has an SSDlite of torchvision with non-maximum suppression inside, which was trained to find drawn shapes
// (testdata/gen/shapes.py), quantized as by default. Partners have the same class.
func testInt8Shapes(t *testing.T) {
	m, err := loader.Load("testdata/shapes.ts.pt")
	if err != nil {
		t.Fatal(err)
	}
	pictures, err := tensor.ReadNPZ("testdata/shapes.npz", 0)
	if err != nil {
		t.Fatal(err)
	}
	calib := &dataset{}
	for _, x := range unstacked(t, pictures.Get("calib")) {
		calib.batches = append(calib.batches, []*tensor.Tensor{x})
	}
	test := unstacked(t, pictures.Get("test"))
	q := New(Options{})
	calibrate(t, q, m, calib)
	int8 := quantized(t, q, m)
	found := shapes(t, int8, test)
	g, err := int8.Concrete()
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range g.Nodes {
		if _, float := n.Op.(ops.Conv); float {
			t.Errorf("%s is float32", n.Scope.Path)
		}
	}
	comparePartners(t, "shapes", shapes(t, m, test), found, 150, 95)
}

// unstacked returns pictures [N, 3, H, W] of bytes one by one, from 0 to 1.
func unstacked(t *testing.T, all *tensor.Tensor) []*tensor.Tensor {
	t.Helper()
	h, w := all.Dim(2), all.Dim(3)
	var out []*tensor.Tensor
	for bytes := all.Contiguous().Bytes(); len(bytes) > 0; bytes = bytes[3*h*w:] {
		x := make([]float32, 3*h*w)
		for i := range x {
			x[i] = float32(bytes[i]) / 255
		}
		v, err := tensor.FromSlice(x, 3, h, w)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
	return out
}

// shapes returns what the detector of shapes finds. Boxes of different classes lie apart.
func shapes(t *testing.T, g *graph.Graph, pictures []*tensor.Tensor) [][]detection {
	t.Helper()
	s, err := g.Compile(graph.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var found [][]detection
	for _, x := range pictures {
		out, err := s.Run(context.Background(), x)
		if err != nil {
			t.Fatal(err)
		}
		boxes, scores, labels := out[0].Contiguous().Float32s(), out[1].Contiguous().Float32s(), out[2].Contiguous().Int64s()
		var list []detection
		for i, score := range scores {
			d := detection{score: float64(score)}
			for k := range d.box {
				d.box[k] = float64(boxes[4*i+k]) + 1000*float64(labels[i])
			}
			list = append(list, d)
		}
		found = append(found, list)
	}
	return found
}
