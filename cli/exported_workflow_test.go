package cli

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
var both = filepath.Join("..", "loader", "testdata", "both")

// TestExportedLikeTraced has modules exported and traced by the same PyTorch: plans are the same,
// and results to the bit, in float32 and in int8. A program of one batch size is given that.
func TestExportedLikeTraced(t *testing.T) {
	dir := t.TempDir()
	own := filepath.Join("..", "loader", "testdata", "exported")
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

// rewritten writes an archive with records that edit returns in place of those it is given.
func rewritten(t *testing.T, file string, edit func(name string, data []byte) []byte) string {
	t.Helper()
	from, err := zip.OpenReader(file)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	path := filepath.Join(t.TempDir(), filepath.Base(file))
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(out)
	for _, f := range from.File {
		w, err := z.Create(f.Name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(edit(f.Name, recordOf(t, f))); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func recordOf(t *testing.T, f *zip.File) []byte {
	t.Helper()
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

// trained writes ResNet-20 as it was exported with the weights of the shared checkpoint.
func trained(t *testing.T, name string) string {
	t.Helper()
	weights, err := loader.StateDict(shareddata.Path(t, "data", "cifar10", "resnet20_zip.pth"))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(both, name+".pt2")
	names := make(map[string]string) // of weights, by their records
	rewritten(t, file, func(record string, data []byte) []byte {
		if !strings.HasSuffix(record, "weights_config.json") {
			return data
		}
		var config struct {
			Config map[string]struct {
				Path string `json:"path_name"`
			}
		}
		if err := json.Unmarshal(data, &config); err != nil {
			t.Fatal(err)
		}
		for name, c := range config.Config {
			names[c.Path] = name
		}
		return data
	})
	return rewritten(t, file, func(record string, data []byte) []byte {
		name := names[path.Base(record)]
		if name == "" || !strings.Contains(record, "/weights/") {
			return data
		}
		w := weights.Get(name)
		if w == nil || len(w.Contiguous().Bytes()) != len(data) {
			t.Fatalf("%s is %v", name, w)
		}
		return w.Contiguous().Bytes()
	})
}

// TestExportedCIFAR takes an exported ResNet-20 through the workflow. The program whose batch is
// 64 counts each of the 1017 images once.
func TestExportedCIFAR(t *testing.T) {
	t.Parallel()
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
	t.Parallel()
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

// TestExportedTraining trains exported programs, and finds modules to leave in float32: what a
// program with an open batch and one with a fixed one give is the same.
func TestExportedTraining(t *testing.T) {
	if testing.Short() {
		t.Skip("a model and images of some size")
	}
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	few := at("few.npz")
	firstSamples(t, shareddata.Path(t, "data", "cifar10", "train.npz"), few, 150)
	calib := at("calib.npz")
	firstSamples(t, few, calib, 64)
	var first *qatResult
	for _, name := range []string{"resnet20", "resnet20_64"} {
		model := trained(t, name)
		r := octetJSON[qatResult](t, "qat", model, "-o", at(name), "--calib", calib, "--data", few, "--eval", few, "--distill", "--bits", "4", "--weight-bits", "4",
			"--lr", "0.0001", "--optimizer", "adam", "--epochs", "1", "--exclude", "linear")
		if r.Steps != 2 || r.Float.N != 150 || r.Trained.N != 150 || r.Trained.Right < 75 {
			t.Errorf("%s: %+v: float %+v, trained %+v", name, r, r.Float, r.Trained)
		}
		if first == nil {
			first = &r
		}
		if r.FirstLoss != first.FirstLoss || r.LastLoss != first.LastLoss || *r.Trained != *first.Trained {
			t.Errorf("%s: losses %v and %v where those with an open batch are %v and %v", name, r.FirstLoss, r.LastLoss, first.FirstLoss, first.LastLoss)
		}
		if e := octetJSON[evalResult](t, "eval", at(name), "--data", few); e.Precision != "mixed" || *e.Right != r.Trained.Right || e.N != 150 {
			t.Errorf("%s: eval has %d of %d right in %s, training %d", name, *e.Right, e.N, e.Precision, r.Trained.Right)
		}
	}
	tuned := octetJSON[quantizeResult](t, "tune", trained(t, "resnet20_64"), "--calib", calib, "--data", few, "--max-drop", "2%", "--bits", "3", "--weight-bits", "3", "-o", at("tuned"))
	if tuned.Tuning == nil || len(tuned.Tuning.Fallback) == 0 || tuned.Tuning.Accuracy < tuned.Tuning.Float-0.02 {
		t.Errorf("tuned %+v", tuned.Tuning)
	}
}

// TestExportedState calibrates an exported program in two parts: merged they are the whole.
func TestExportedState(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	model := filepath.Join(both, "resnet20_64.pt2")
	firstSamples(t, openCIFAR(t).calib, at("few.npz"), 64)
	octet(t, exitOK, "quantize", model, "--calib", at("few.npz"), "-o", at("whole"), "--save-state", at("state.json"), "--compare", "0")
	octet(t, exitOK, "quantize", model, "--state", at("state.json"), "-o", at("again"), "--compare", "0")
	sameFiles(t, at("again"), at("whole"))
}

// TestExportedChoice names one of the programs of an archive to each command.
func TestExportedChoice(t *testing.T) {
	file, dir := shareddata.Path(t, "pt2", "two_models_214.pt2"), t.TempDir()
	arrays, err := tensor.ReadNPZ(strings.TrimSuffix(file, "pt2")+"npz", 0)
	if err != nil {
		t.Fatal(err)
	}
	x := arrays.Get("x_mlp")
	y, err := tensor.New(tensor.Int64, x.Dim(0))
	if err != nil {
		t.Fatal(err)
	}
	data, out := filepath.Join(dir, "data.npz"), filepath.Join(dir, "out")
	if err := tensor.WriteNPZ(data, []tensor.Named{{Name: "x", Tensor: x}, {Name: "y", Tensor: y}}); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"inspect", file}, {"bench", file, "--runs", "1"}, {"run", file, "--input", data, "--output", out + ".npz"}, {"eval", file, "--data", data},
		{"quantize", file, "--calib", data, "-o", out}, {"tune", file, "--calib", data, "--data", data, "--max-drop", "1", "-o", out},
		{"qat", file, "--calib", data, "--data", data, "--epochs", "1", "--lr", "0.01", "--batch", "1", "-o", out},
	} {
		octet(t, exitOK, append(args, "--model", "mlp")...)
		if _, stderr := octet(t, exitUsage, args...); !strings.Contains(stderr, "holds several models, mlp, cnn") {
			t.Errorf("%v says %q", args, stderr)
		}
		if _, stderr := octet(t, exitUsage, append(args, "--model", "rnn")...); !strings.Contains(stderr, "it has mlp, cnn") {
			t.Errorf("%v of another model says %q", args, stderr)
		}
	}
}

// TestExportedBounds keeps the range of a batch in what is made of a program: data is cut into batches
// within, and others are refused.
func TestExportedBounds(t *testing.T) {
	file, dir := shareddata.Path(t, "pt2", "cnn_214.pt2"), t.TempDir()
	data, out := filepath.Join(dir, "data.npz"), filepath.Join(dir, "cnn.octet")
	x, err := tensor.New(tensor.Float32, 20, 3, 16, 16)
	if err != nil {
		t.Fatal(err)
	}
	for i := range x.Float32s() {
		x.Float32s()[i] = float32(i%17) / 17
	}
	if err := tensor.WriteNPZ(data, []tensor.Named{{Name: "x", Tensor: x}}); err != nil {
		t.Fatal(err)
	}
	octet(t, exitOK, "quantize", file, "--calib", data, "-o", out)
	for model, want := range map[string]string{file: "is 20 where the model takes 1 to 16", out: "its extent 0 is 20 where the graph takes 0 to 16"} {
		if r := octetJSON[evalResult](t, "eval", model, "--data", data); r.N != 20 {
			t.Errorf("%s: %d samples", model, r.N)
		}
		if _, stderr := octet(t, exitFile, "run", model, "--input", data, "--output", filepath.Join(dir, "out.npz")); !strings.Contains(stderr, want) {
			t.Errorf("%s says %q, want %q", model, stderr, want)
		}
	}
}

// TestExportedCUDA runs a program that was exported on a GPU, and says so.
func TestExportedCUDA(t *testing.T) {
	file := shareddata.Path(t, "pt2", "cnn_214.pt2")
	gpu := rewritten(t, file, func(name string, data []byte) []byte {
		if !strings.HasSuffix(name, ".json") {
			return data
		}
		changed := strings.NewReplacer(`"type": "cpu"`, `"type": "cuda"`, `"type":"cpu"`, `"type":"cuda"`).Replace(string(data))
		if strings.Contains(name, "models/") && changed == string(data) {
			t.Fatal("the program names no device")
		}
		return []byte(changed)
	})
	if out, _ := octet(t, exitOK, "inspect", gpu); !strings.Contains(out, "cuda") {
		t.Errorf("inspect does not say that values were on a GPU:\n%s", out)
	}
	input := strings.TrimSuffix(file, "pt2") + "npz"
	var results []string
	for _, model := range []string{file, gpu} {
		out := filepath.Join(t.TempDir(), "out.npz")
		octet(t, exitOK, "run", model, "--input", input, "--output", out)
		y, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		results = append(results, string(y))
	}
	if results[0] != results[1] {
		t.Error("other results than on the CPU")
	}
}
