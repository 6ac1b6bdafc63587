package cli

import (
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/octet-ml/octet/internal/shareddata"
)

// cifarClasses are the classes of CIFAR-10 in their order.
var cifarClasses = []string{"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"}

// cifarPictures writes the first images of CIFAR as JPEG files, in a folder for each class, and returns mean and std for the flags.
func cifarPictures(t *testing.T, dir string, n int) (mean, std string) {
	t.Helper()
	arrays := readArrays(t, shareddata.Path(t, "data", "cifar10", "test.npz"))
	x, y := arrays.Get("x").Contiguous().Uint8s(), arrays.Get("y").Int64s()
	for i := range n {
		pixels := x[i*3*32*32:]
		img := image.NewRGBA(image.Rect(0, 0, 32, 32))
		for p := range 32 * 32 {
			img.SetRGBA(p%32, p/32, color.RGBA{pixels[p], pixels[p+1024], pixels[p+2048], 255})
		}
		path := filepath.Join(dir, cifarClasses[y[i]], fmt.Sprintf("%04d.jpg", i))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := jpeg.Encode(f, img, &jpeg.Options{Quality: 95}); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	list := func(name string) string {
		return strings.ReplaceAll(strings.Trim(fmt.Sprint(arrays.Get(name).Float32s()), "[]"), " ", ",")
	}
	return list("mean"), list("std")
}

// TestNewUser goes from a folder of JPEG files and a file of PyTorch to an int8 model that is checked, measured, used and exported, in
// ten commands of which only the first is told how pictures become inputs.
func TestNewUser(t *testing.T) {
	weights := shareddata.Path(t, "data", "cifar10", "resnet20.th")
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	pictures := at("pictures")
	mean, std := cifarPictures(t, pictures, 160)
	if err := os.WriteFile(at("labels.txt"), []byte(strings.Join(cifarClasses, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	float, int8 := at("model.safetensors"), at("int8.safetensors")

	octet(t, exitOK, "convert", weights, "--arch", "resnet20-cifar", "--size", "32", "--mean", mean, "--std", std, "--labels", at("labels.txt"), "-o", float)
	if shown, _ := octet(t, exitOK, "inspect", float); !strings.Contains(shown, `"airplane" "automobile"`) {
		t.Errorf("inspect shows\n%s", shown)
	}
	octet(t, exitOK, "quantize", float, "--calib", pictures, "-o", int8)
	if r := octetJSON[evalResult](t, "eval", int8, "--data", pictures); r.N != 160 || *r.Right < 136 {
		t.Errorf("eval: %d of %d right", *r.Right, r.N)
	}
	octet(t, exitOK, "compare", float, int8, "--data", pictures, "--sqnr", "20")
	octet(t, exitOK, "verify", int8)
	octet(t, exitOK, "bench", int8, "--runs", "3", "--threads", "1")
	one, err := filepath.Glob(filepath.Join(pictures, "ship", "*.jpg"))
	if err != nil || len(one) == 0 {
		t.Fatalf("%v (%v)", one, err)
	}
	if said, _ := octet(t, exitOK, "run", int8, one[0], "--top", "3"); !strings.Contains(said, one[0]+":  ship ") && !strings.Contains(said, "  ship ") {
		t.Errorf("run says %s", said)
	}
	octet(t, exitOK, "quantize", float, "--calib", pictures, "--data", pictures, "--report", at("report.html"), "-o", at("again.safetensors"))
	octet(t, exitOK, "export", int8, "--onnx", at("int8.onnx"))
	for _, name := range []string{"report.html", "int8.onnx", "again.safetensors"} {
		if info, err := os.Stat(at(name)); err != nil || info.Size() < 10000 {
			t.Errorf("%s: %v", name, err)
		}
	}
}
