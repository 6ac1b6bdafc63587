package main

import (
	"archive/zip"
	"encoding/json"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/octet-ml/octet/internal/shareddata"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/tensor"
)

// both is where modules lie that one PyTorch exported and traced (loader/testdata/gen/both.py).
var both = filepath.Join("..", "..", "loader", "testdata", "both")

// TestExportedLikeTraced has modules exported and traced by the same PyTorch: plans are the same,
// and results to the bit, in float32 and in int8. A program of one batch size is given that.
func TestExportedLikeTraced(t *testing.T) {
	dir := t.TempDir()
	own := filepath.Join("..", "..", "loader", "testdata", "exported")
	cifar, bert := filepath.Join(dir, "images.npz"), shareddata.Path(t, "data", "bert_sst2", "calib.npz")
	firstSamples(t, openCIFAR(t).calib, cifar, 128)
	images, err := tensor.ReadNPZ(filepath.Join(own, "same.1.npz"), 0)
	if err != nil {
		t.Fatal(err)
	}
	small := filepath.Join(dir, "small.npz")
	if err := tensor.WriteNPZ(small, []tensor.Named{{Name: "x", Tensor: images.Get("x")}}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		traced   string
		exported []string // of which those with a fixed batch have a number in their names
		data     string
		shape    string
	}{
		{filepath.Join(own, "same"), []string{"same", "same_fixed_1"}, small, "1x3x8x8"},
		{filepath.Join(both, "resnet20"), []string{"resnet20", "resnet20_64"}, cifar, "64x3x32x32"},
		{filepath.Join(both, "mobilenet_v2"), []string{"mobilenet_v2"}, cifar, "2x3x32x32"},
		{filepath.Join(both, "bert"), []string{"bert"}, bert, "2x64:int64,2x64:int64,2x64:int64"},
	} {
		plan := func(file string, shape bool) string {
			args := []string{"inspect", file, "--plan"}
			if shape {
				args = append(args, "--shape", c.shape)
			}
			out, _ := octet(t, exitOK, args...)
			_, plan, _ := strings.Cut(out, "\nplan")
			return plan
		}
		results := func(file string) string {
			quantized, output, all := filepath.Join(dir, "int8.octet"), filepath.Join(dir, "out.npz"), ""
			octet(t, exitOK, "quantize", file, "--calib", c.data, "-o", quantized, "--compare", "0")
			for _, model := range []string{file, quantized} {
				octet(t, exitOK, "eval", model, "--data", c.data, "--output", output)
				y, err := os.ReadFile(output)
				if err != nil {
					t.Fatal(err)
				}
				all += string(y)
			}
			return all
		}
		wantPlan, want := plan(c.traced+".ts.pt", true), results(c.traced+".ts.pt")
		for _, name := range c.exported {
			file := filepath.Join(filepath.Dir(c.traced), strings.TrimSuffix(name, "_1")+".pt2")
			open := filepath.Base(c.traced) == name
			if got := plan(file, open); got == "" || got != wantPlan {
				t.Errorf("%s: the plan is\n%s\nand of the traced one\n%s", name, got, wantPlan)
			}
			if results(file) != want {
				t.Errorf("%s: other bits than the traced one's", name)
			}
		}
	}
}

// trained writes ResNet-20 as it was exported with the weights of the shared checkpoint.
func trained(t *testing.T, name string) string {
	t.Helper()
	weights, err := loader.StateDict(shareddata.Path(t, "data", "cifar10", "resnet20_zip.pth"))
	if err != nil {
		t.Fatal(err)
	}
	from, err := zip.OpenReader(filepath.Join(both, name+".pt2"))
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	read := func(f *zip.File) []byte {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	var config struct {
		Config map[string]struct {
			Path string `json:"path_name"`
		}
	}
	for _, f := range from.File {
		if strings.HasSuffix(f.Name, "weights_config.json") {
			if err := json.Unmarshal(read(f), &config); err != nil {
				t.Fatal(err)
			}
		}
	}
	values := make(map[string]*tensor.Tensor)
	for key, c := range config.Config {
		if values[c.Path] = weights.Get(key); values[c.Path] == nil {
			t.Fatalf("the checkpoint has no %s", key)
		}
	}
	file := filepath.Join(t.TempDir(), name+".pt2")
	out, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(out)
	for _, f := range from.File {
		data := read(f)
		if v := values[path.Base(f.Name)]; v != nil && strings.Contains(f.Name, "/weights/") {
			if data = v.Contiguous().Bytes(); v.DType() != tensor.Float32 && v.DType() != tensor.Int64 {
				t.Fatalf("%s is %v", f.Name, v)
			}
		}
		w, err := z.Create(f.Name)
		if err == nil {
			_, err = w.Write(data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestExportedCIFAR takes an exported ResNet-20 through the workflow. The program whose batch is
// 64 counts each of the 1017 images once.
func TestExportedCIFAR(t *testing.T) {
	if testing.Short() {
		t.Skip("a whole data set")
	}
	c, dir := openCIFAR(t), t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	var first []byte
	for _, name := range []string{"resnet20", "resnet20_64"} {
		model := trained(t, name)
		r := octetJSON[evalResult](t, "eval", model, "--data", c.test, "--against", c.logits)
		if r.N != 1017 || *r.Right != 932 || r.Agreement.N != 1017 || r.Agreement.SameClass != 1017 {
			t.Errorf("%s: %d of %d right, the class of PyTorch on %d of %d", name, *r.Right, r.N, r.Agreement.SameClass, r.Agreement.N)
		}
		q := octetJSON[quantizeResult](t, "quantize", model, "-o", at(name), "--calib", c.calib, "--data", c.test)
		if q.Float.N != 1017 || *q.Float.Right != 932 || q.Quantized.N != 1017 || *q.Quantized.Right < 925 {
			t.Errorf("%s: float %+v, int8 %+v", name, q.Float, q.Quantized)
		}
		octet(t, exitOK, "eval", at(name), "--data", c.test, "--output", at("out.npz"))
		got, err := os.ReadFile(at("out.npz"))
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = got
		}
		if !slices.Equal(got, first) {
			t.Errorf("%s: other int8 bits than with an open batch", name)
		}
	}
}

// TestExportedFilters leaves modules of an exported program in float32 by their names and classes.
func TestExportedFilters(t *testing.T) {
	dir := t.TempDir()
	few := filepath.Join(dir, "few.npz")
	firstSamples(t, openCIFAR(t).calib, few, 70)
	for _, c := range []struct {
		args   []string
		layers int
	}{
		{nil, 20},
		{[]string{"--exclude", "layer2.*"}, 14},
		{[]string{"--exclude-class", "Block"}, 2},
		{[]string{"--exclude-class", "torch.nn.Conv2d"}, 1},
		{[]string{"--include", "layer3.0.conv?"}, 2},
		{[]string{"--exclude-op", "linear"}, 19},
		{[]string{"--fallback", "2"}, 18},
		{[]string{"--dynamic"}, 1},
	} {
		for _, name := range []string{"resnet20", "resnet20_64"} {
			r := octetJSON[quantizeResult](t, append([]string{"quantize", filepath.Join(both, name+".pt2"), "-o", filepath.Join(dir, "out"), "--calib", few}, c.args...)...)
			n := 0
			for _, l := range r.Layers {
				if l.Precision == "int8" && l.WeightScaleMax > 0 {
					n++
				}
			}
			if n != c.layers {
				t.Errorf("%s, %v: %d layers in int8, want %d", name, c.args, n, c.layers)
			}
		}
	}
}
