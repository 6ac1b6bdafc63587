package cli

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/tensor"
)

// digitPictures writes the images of a file of digits as PNG files, in a folder for each class or, flat, in their order, and
// returns the folder and the flags that read them.
func digitPictures(t *testing.T, path string, flat bool) (dir string, flags []string) {
	t.Helper()
	arrays, err := tensor.ReadNPZ(path, 0)
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	x, y := arrays.Get("x").Uint8s(), arrays.Get("y").Int64s()
	for i, label := range y {
		m := image.NewGray(image.Rect(0, 0, 8, 8))
		copy(m.Pix, x[64*i:])
		var b bytes.Buffer
		if err := png.Encode(&b, m); err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(dir, fmt.Sprintf("digit-%d", label), fmt.Sprintf("%04d.png", i))
		if flat {
			name = filepath.Join(dir, fmt.Sprintf("%04d.png", i))
		}
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	value := func(name string) string { return fmt.Sprint(arrays.Get(name).Float32s()[0]) }
	return dir, []string{"--channels", "1", "--mean", value("mean"), "--std", value("std")}
}

// TestPictures evaluates, calibrates, tunes, trains and runs on folders of pictures: with the results that the same images have in an .npz file.
func TestPictures(t *testing.T) {
	test, flags := digitPictures(t, digitsTest, false)
	calib, _ := digitPictures(t, digitsCalib, true)
	model := []string{digitsModel, "--arch", "digits"}
	with := func(verb string, args ...string) []string {
		return append(append(append([]string{verb}, model...), args...), flags...)
	}
	want := octetJSON[evalResult](t, "eval", digitsModel, "--arch", "digits", "--data", digitsTest)
	got := octetJSON[evalResult](t, with("eval", "--data", test)...)
	if *got.Right != *want.Right || got.N != want.N {
		t.Errorf("%d of %d pictures right, of the arrays %d of %d", *got.Right, got.N, *want.Right, want.N)
	}
	out := filepath.Join(t.TempDir(), "int8.safetensors")
	octet(t, exitOK, with("quantize", "--calib", calib, "--data", test, "-o", out)...)
	if !bytes.Equal(withoutInfo(t, out), withoutInfo(t, quantizeDigits(t))) {
		t.Error("calibrated on pictures the model is another one than on arrays")
	}
	octet(t, exitOK, with("tune", "--calib", calib, "--data", test, "--max-drop", "5%", "-o", out)...)
	octet(t, exitOK, with("qat", "--calib", calib, "--data", test, "--epochs", "1", "--lr", "0.001", "-o", out)...)
}

// TestRunPictures runs a model on a folder and on one picture, and prints the likeliest classes by name.
func TestRunPictures(t *testing.T) {
	calib, flags := digitPictures(t, digitsCalib, true)
	model := []string{"run", digitsModel, "--arch", "digits"}
	whole, parts := filepath.Join(t.TempDir(), "a.npz"), filepath.Join(t.TempDir(), "b.npz")
	octet(t, exitOK, append(model, "--input", digitsCalib, "--output", whole)...)
	octet(t, exitOK, append(append(model, calib, "--batch", "100", "--output", parts), flags...)...)
	a, b := readArrays(t, whole)[0].Tensor, readArrays(t, parts)[0].Tensor
	if !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Error("pictures in batches have other outputs than the arrays at once")
	}
	labels := filepath.Join(t.TempDir(), "labels.txt")
	if err := os.WriteFile(labels, []byte("zero\none\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	picture := filepath.Join(calib, "0000.png")
	said, _ := octet(t, exitOK, append(append(model, picture, "--top", "2", "--labels", labels), flags...)...)
	names := []string{"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"}
	row := a.Float32s()[:10]
	if name := names[slices.Index(row, slices.Max(row))]; !strings.HasPrefix(said, picture+":  "+name+" ") || strings.Count(said, "  ") != 2 {
		t.Errorf("top 2 of a picture taken for %s: %s", name, said)
	}
}

// TestPictureErrors names what is wrong, and the flag that helps.
func TestPictureErrors(t *testing.T) {
	calib, flags := digitPictures(t, digitsCalib, true)
	model := []string{"eval", digitsModel, "--arch", "digits", "--data"}
	for _, c := range []struct {
		code int
		args []string
		says string
	}{
		{exitFile, []string{calib}, "[3, 8, 8] (--size, --crop and --channels)"},
		{exitUsage, []string{calib, "--size", "big"}, `--size "big": write 224`},
		{exitUsage, []string{calib, "--channels", "2"}, "--channels 2: 1 (grey) or 3"},
		{exitUsage, []string{calib, "--mean", "127"}, "--mean: channel 0 has 127"},
		{exitUsage, []string{calib, "--sample-rate", "-1"}, "--sample-rate -1"},
		{exitFailed, []string{calib + "x"}, "no such file"},
	} {
		if _, said := octet(t, c.code, append(model, c.args...)...); !strings.Contains(said, c.says) {
			t.Errorf("%v: %s", c.args, said)
		}
	}
	if err := os.WriteFile(filepath.Join(calib, "bad.jpg"), []byte("no picture"), 0o600); err != nil {
		t.Fatal(err)
	}
	args := append(append(model, calib), flags...)
	if _, said := octet(t, exitFile, args...); !strings.Contains(said, "bad.jpg: it cannot be decoded") {
		t.Errorf("a bad file: %s", said)
	}
	if _, said := octet(t, exitOK, append(args, "--skip-bad")...); !strings.Contains(said, "1 samples left out") {
		t.Errorf("with --skip-bad: %s", said)
	}
}

// withoutInfo returns the bytes of an octet file that says nothing of itself but what all say.
func withoutInfo(t *testing.T, path string) []byte {
	t.Helper()
	g, err := loader.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	g.Info = nil
	bare := filepath.Join(t.TempDir(), "bare.safetensors")
	if err := loader.Save(bare, g); err != nil {
		t.Fatal(err)
	}
	return read(t, bare)
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func readArrays(t *testing.T, path string) tensor.Arrays {
	t.Helper()
	arrays, err := tensor.ReadNPZ(path, 0)
	if err != nil {
		t.Fatal(err)
	}
	return arrays
}
