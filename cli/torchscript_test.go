package cli

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/octet-ml/octet/bench"
	"github.com/octet-ml/octet/internal/shareddata"
	"github.com/octet-ml/octet/tensor"
)

// TestTorchScriptCIFAR evaluates the ResNet-20 that PyTorch traced.
func TestTorchScriptCIFAR(t *testing.T) {
	c := openCIFAR(t)
	r := octetJSON[evalResult](t, "eval", shareddata.Path(t, "data", "cifar10", "resnet20.ts.pt"), "--data", c.test, "--against", c.logits)
	if r.N != 1017 || *r.Right != 932 || r.Precision != "float32" {
		t.Errorf("%d of %d right in %s, want 932 of 1017 in float32", *r.Right, r.N, r.Precision)
	}
	if r.Agreement.SameClass != 1017 || *r.Agreement.MaxAbsDiff > 1e-4 {
		t.Errorf("PyTorch's class on %d, logits differ by up to %g", r.Agreement.SameClass, *r.Agreement.MaxAbsDiff)
	}
}

// TestTorchScriptInt8 evaluates the ResNet-20 that PyTorch quantized, against
// what PyTorch's int8 gives. The one image that differs does so by roundings of
// float32; see docs/coverage.md.
func TestTorchScriptInt8(t *testing.T) {
	if testing.Short() {
		t.Skip("a whole data set")
	}
	c := openCIFAR(t)
	r := octetJSON[evalResult](t, "eval", shareddata.Path(t, "data", "cifar10", "resnet20_torch_int8.ts.pt"), "--data", c.test,
		"--against", shareddata.Path(t, "data", "cifar10", "resnet20_torch_int8_logits.npz"))
	if *r.Right != 928 || r.Precision != "int8" {
		t.Errorf("%d of %d right in %s, want 928 in int8", *r.Right, r.N, r.Precision)
	}
	if r.Agreement.SameClass < 1016 {
		t.Errorf("the class of PyTorch's int8 on %d of %d, want 1016", r.Agreement.SameClass, r.N)
	}
}

// TestTorchScriptBERT evaluates a traced BERT on sentences.
func TestTorchScriptBERT(t *testing.T) {
	if testing.Short() {
		t.Skip("a whole data set")
	}
	data := shareddata.Path(t, "data", "bert_sst2", "dev.npz")
	r := octetJSON[evalResult](t, "eval", shareddata.Path(t, "data", "bert_sst2", "model.ts.pt"), "--data", data, "--against", data)
	if *r.Right != 692 || r.Agreement.SameClass != r.N || *r.Agreement.MaxAbsDiff > 1e-4 {
		t.Errorf("%d of %d right, PyTorch's class on %d, logits differ by up to %g", *r.Right, r.N, r.Agreement.SameClass, *r.Agreement.MaxAbsDiff)
	}
}

// TestTorchScriptFaces runs a face detector on an image.
func TestTorchScriptFaces(t *testing.T) {
	input := shareddata.Path(t, "data", "face", "mnet025_io.npz")
	output := filepath.Join(t.TempDir(), "out.npz")
	octet(t, exitOK, "run", shareddata.Path(t, "data", "face", "mnet025.ts.pt"), "--input", input, "--output", output)
	want, err := tensor.ReadNPZ(input, 0)
	if err != nil {
		t.Fatal(err)
	}
	got, err := tensor.ReadNPZ(output, 0)
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{"boxes", "scores", "landmarks"} {
		y, w := got.Get(fmt.Sprintf("output%d", i)), want.Get(name).Contiguous()
		if !y.Shape().Equal(w.Shape()) {
			t.Fatalf("%s: %v, want %v", name, y, w)
		}
		for k, v := range y.Contiguous().Float32s() {
			if d := math.Abs(float64(v - w.Float32s()[k])); !(d <= 1e-4) {
				t.Fatalf("%s: element %d is %v, want %v", name, k, v, w.Float32s()[k])
			}
		}
	}
}

// TestTorchScriptTools inspects, quantizes and measures a traced model.
func TestTorchScriptTools(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("a whole data set")
	}
	c := openCIFAR(t)
	model := shareddata.Path(t, "data", "cifar10", "resnet20.ts.pt")
	r := octetJSON[inspectResult](t, "inspect", model)
	block := bench.Module{Path: "layer2.0", Class: "resnet_ref.BasicBlock", Parameters: 14080}
	if r.Graph.Precision != "" || !slices.Contains(r.Graph.Tree, block) || !slices.Contains(r.Graph.Operators, bench.Operator{Name: "aten::_convolution", Count: 19}) {
		t.Errorf("inspect gives %+v", r.Graph)
	}
	r = octetJSON[inspectResult](t, "inspect", model, "--shape", "2x3x32x32", "--code", "--plan")
	block.MACs, block.Output = 7077888, "f32[2, 32, 16, 16]"
	if r.Graph.Precision != "float32" || !slices.Contains(r.Graph.Tree, block) || r.Code == "" || r.Plan == "" {
		t.Errorf("inspect --shape gives %+v", r.Graph)
	}
	octet(t, exitUsage, "inspect", model, "--code")

	int8 := filepath.Join(t.TempDir(), "int8.octet")
	octet(t, exitOK, "quantize", model, "-o", int8, "--calib", c.calib)
	e := octetJSON[evalResult](t, "eval", int8, "--data", c.test, "--against", c.logits)
	if *e.Right < 925 || e.Precision != "int8" || e.Agreement.SameClass < 1000 {
		t.Errorf("quantized: %d of %d right in %s, the class of float32 on %d", *e.Right, e.N, e.Precision, e.Agreement.SameClass)
	}

	guessed := octetJSON[bench.Measurements](t, "bench", model, "--runs", "1")
	if notes := guessed.Results[0].Notes; len(notes) != 1 || !strings.Contains(notes[0], "f32[1, 3, 224, 224]") {
		t.Errorf("bench without a shape notes %q", notes)
	}
	report := octetJSON[bench.Measurements](t, "bench", model, "--shape", "1x3x32x32", "--precision", "float32,int8", "--batch", "2", "--runs", "1")
	if len(report.Results) != 2 || report.Results[1].Precision != "int8" || report.Results[1].Batch != 2 {
		t.Errorf("bench gives %+v", report.Results)
	}
}

// TestTorchScriptQuantize quantizes the traced models: modules go by the names
// and classes that the archives give them.
func TestTorchScriptQuantize(t *testing.T) {
	t.Parallel()
	cifar, bert, face := openCIFAR(t), "bert_sst2", "face"
	dir := t.TempDir()
	out, state := filepath.Join(dir, "out"), filepath.Join(dir, "state.json")
	data := func(folder, name string) string { return shareddata.Path(t, "data", folder, name) }
	for _, c := range []struct {
		name   string
		args   []string
		layers int    // with weights, in int8
		has    string // one of them
	}{
		{"resnet20", []string{data("cifar10", "resnet20.ts.pt"), "--calib", cifar.calib}, 20, "layer2.0.conv1"},
		{"resnet20 without a class", []string{data("cifar10", "resnet20.ts.pt"), "--calib", cifar.calib, "--exclude-class", "torch.nn.Conv2d"}, 1, "linear"},
		{"resnet20 without a class of its own", []string{data("cifar10", "resnet20.ts.pt"), "--calib", cifar.calib, "--exclude-class", "BasicBlock"}, 2, "conv1"},
		{"bert", []string{data(bert, "model.ts.pt"), "--calib", data(bert, "calib.npz"), "--save-state", state}, 26, "bert.encoder.layer.3.output.dense"},
		{"bert from a state", []string{data(bert, "model.ts.pt"), "--state", state, "--data", data(bert, "dev.npz")}, 26, "classifier"},
		{"bert dynamic, shapes from samples", []string{data(bert, "model.ts.pt"), "--dynamic", "--calib", data(bert, "calib.npz")}, 26, "classifier"},
		{"bert dynamic, shapes from data", []string{data(bert, "model.ts.pt"), "--dynamic", "--data", data(bert, "dev.npz")}, 26, "classifier"},
		{"bert without attention", []string{data(bert, "model.ts.pt"), "--state", state, "--data", data(bert, "dev.npz"), "--exclude", "bert.encoder.layer.*.attention"}, 10, "classifier"},
		{"face detector", []string{data(face, "mnet025.ts.pt"), "--calib", data(face, "mnet025_io.npz")}, 56, "ClassHead.1.conv1x1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if testing.Short() && c.args[0] != data("cifar10", "resnet20.ts.pt") {
				t.Skip("the larger models")
			}
			r := octetJSON[quantizeResult](t, append([]string{"quantize", "-o", out, "--compare", "0"}, c.args...)...)
			var int8 []string
			for _, l := range r.Layers {
				if l.Precision == "int8" && l.WeightScaleMax > 0 {
					int8 = append(int8, l.Name)
				}
			}
			if len(int8) != c.layers || !slices.Contains(int8, c.has) {
				t.Errorf("%d layers are int8, want %d with %s: %v", len(int8), c.layers, c.has, int8)
			}
		})
	}
	_, stderr := octet(t, exitUsage, "quantize", data(bert, "model.ts.pt"), "--dynamic", "-o", out)
	if !strings.Contains(stderr, "--calib or --data") {
		t.Errorf("without samples it says %q", stderr)
	}
}
