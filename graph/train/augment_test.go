package train

import (
	"slices"
	"testing"

	"github.com/octet-ml/octet/tensor"
)

// numbered returns n equal images of 2 channels, whose pixels all differ.
func numbered(t *testing.T, n, h, w int) *tensor.Tensor {
	t.Helper()
	x, err := tensor.New(tensor.Float32, n, 2, h, w)
	if err != nil {
		t.Fatal(err)
	}
	for i := range x.Float32s() {
		x.Float32s()[i] = float32(i%(2*h*w) + 1)
	}
	return x
}

// moved returns an image of numbered, mirrored or not, and moved.
func moved(h, w, down, right int, flip bool) []float32 {
	out := make([]float32, 2*h*w)
	for c := range 2 {
		for i := range h {
			for j := range w {
				y, x := i-down, j-right
				if y < 0 || y >= h || x < 0 || x >= w {
					continue
				}
				if flip {
					x = w - 1 - x
				}
				out[(c*h+i)*w+j] = float32((c*h+y)*w + x + 1)
			}
		}
	}
	return out
}

// TestAugment checks that each image is one of those that can come out, that all of them do, and that seed, epoch
// and sample alone say which.
func TestAugment(t *testing.T) {
	const n, h, w, padding = 2000, 4, 5, 2
	a := Augment{Seed: 3, Padding: padding, Flip: true}
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	x := numbered(t, n, h, w)
	if err := a.Apply(x, 7, all); err != nil {
		t.Fatal(err)
	}
	size := 2 * h * w
	seen := make([]int, 0)
	for image := range slices.Chunk(x.Float32s(), size) {
		found := -1
		for k := range 2 * 5 * 5 {
			if slices.Equal(image, moved(h, w, k/5%5-padding, k%5-padding, k >= 25)) {
				found = k
			}
		}
		if found < 0 {
			t.Fatalf("not a moved image: %v", image)
		}
		seen = append(seen, found)
	}
	for k := range 50 {
		if c := len(slices.DeleteFunc(slices.Clone(seen), func(s int) bool { return s != k })); c < 15 || c > 80 {
			t.Errorf("%d of %d images are moved by (%d, %d), mirrored %v", c, n, k/5%5-padding, k%5-padding, k >= 25)
		}
	}

	one := numbered(t, 1, h, w)
	if err := a.Apply(one, 7, all[9:10]); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(one.Float32s(), x.Float32s()[9*size:][:size]) {
		t.Error("sample 9 alone is another image than among others")
	}
	other := numbered(t, n, h, w)
	if err := a.Apply(other, 8, all); err != nil {
		t.Fatal(err)
	}
	if slices.Equal(other.Float32s(), x.Float32s()) {
		t.Error("another epoch sees the same images")
	}
}

func TestAugmentRefuses(t *testing.T) {
	row, err := tensor.New(tensor.Float32, 3, 8)
	if err != nil {
		t.Fatal(err)
	}
	if err := (Augment{Flip: true}).Apply(row, 0, []int{0, 1, 2}); err == nil {
		t.Error("rows were mirrored")
	}
	x := numbered(t, 2, 4, 5)
	if err := (Augment{Padding: 4}).Apply(x, 0, []int{0, 1}); err == nil {
		t.Error("images were moved by their height")
	}
	if err := (Augment{Flip: true}).Apply(x, 0, []int{0}); err == nil {
		t.Error("two images of one sample were accepted")
	}
	before := slices.Clone(x.Float32s())
	if err := (Augment{Seed: 1}).Apply(x, 0, []int{0, 1}); err != nil || !slices.Equal(before, x.Float32s()) {
		t.Errorf("an augmentation of nothing changed the images: %v", err)
	}
}
