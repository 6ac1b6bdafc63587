package main

import (
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/octet-ml/octet/internal/shareddata"
	"github.com/octet-ml/octet/tensor"
)

func TestClassify(t *testing.T) {
	weights := shareddata.Path(t, "data", "cifar10", "resnet20.th")
	arrays, err := tensor.ReadNPZ(shareddata.Path(t, "data", "cifar10", "test.npz"), 0)
	if err != nil {
		t.Fatal(err)
	}
	x, labels := arrays.Get("x").Uint8s(), arrays.Get("y").Int64s()
	right := 0
	const n = 20
	for i := range n {
		pixels := x[i*3*32*32:]
		img := image.NewRGBA(image.Rect(0, 0, 32, 32))
		for p := range 32 * 32 {
			img.SetRGBA(p%32, p/32, color.RGBA{pixels[p], pixels[p+1024], pixels[p+2048], 255})
		}
		path := filepath.Join(t.TempDir(), "image.png")
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := png.Encode(f, img); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		classes, err := classify("resnet20-cifar", weights, path)
		if err != nil {
			t.Fatal(err)
		}
		if int64(classes[0].index) == labels[i] {
			right++
		}
	}
	if right < n-3 {
		t.Errorf("%d of %d images right", right, n)
	}
}
