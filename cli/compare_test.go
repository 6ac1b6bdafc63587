package cli

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/octet-ml/octet/bench"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// plant writes the model at path with a fault in the weight of one layer, and returns where: float weights grow by a tenth, int8 ones are negated.
func plant(t *testing.T, path, layer string) string {
	t.Helper()
	g, err := loader.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	done := false
	for _, n := range g.Nodes {
		if n.Scope.Path != layer || len(n.Inputs) < 2 || n.Inputs[1].Const == nil {
			continue
		}
		w := n.Inputs[1].Const
		f := w.Clone()
		if w.DType() == tensor.Float32 {
			for i := range f.Float32s() {
				f.Float32s()[i] *= 1.1
			}
		} else {
			for i, v := range f.Int8s() {
				f.Int8s()[i] = -max(v, -127)
			}
		}
		n.Inputs[1].Const, done = f, true
	}
	if !done {
		t.Fatalf("%s has no weight in %v", layer, g)
	}
	out := filepath.Join(t.TempDir(), "faulty.safetensors")
	if err := loader.Save(out, g); err != nil {
		t.Fatal(err)
	}
	return out
}

// comparedModels are a float model of each kind as an octet file, with samples of it.
func comparedModels(t *testing.T) (models [][2]string) {
	digits := filepath.Join(t.TempDir(), "digits.safetensors")
	octet(t, exitOK, "convert", digitsModel, "--arch", "digits", "-o", digits)
	resnet := filepath.Join(t.TempDir(), "resnet.safetensors")
	octet(t, exitOK, "convert", tracedResNet20, "--shape", "1x3x32x32", "-o", resnet)
	random, err := bench.RandomInputs([]ops.Type{ops.F32(32, 3, 32, 32)}, 3)
	if err != nil {
		t.Fatal(err)
	}
	noise := filepath.Join(t.TempDir(), "noise.npz")
	writeArrays(t, noise, map[string]*tensor.Tensor{"x": random[0]})
	return [][2]string{{digits, digitsCalib}, {resnet, noise}}
}

// weightLayers lists the layers with weights of a model.
func weightLayers(t *testing.T, path string) (layers []string) {
	t.Helper()
	g, err := loader.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range g.Nodes {
		if len(n.Inputs) > 1 && n.Inputs[1].Const != nil && n.Inputs[1].Const.Rank() > 1 {
			layers = append(layers, n.Scope.Path)
		}
	}
	return layers
}

// TestCompareFindsFault plants a fault in each layer with weights, one at a time, of float and int8 models, and finds it.
func TestCompareFindsFault(t *testing.T) {
	for _, m := range comparedModels(t) {
		float, samples := m[0], m[1]
		int8 := filepath.Join(t.TempDir(), "int8.safetensors")
		octet(t, exitOK, "quantize", float, "--calib", samples, "-o", int8)
		layers := weightLayers(t, float)
		if len(layers) < 4 {
			t.Fatalf("layers %v", layers)
		}
		for what, pair := range map[string][2]string{"float": {float, float}, "int8": {int8, int8}, "both": {float, int8}} {
			sound := octetJSON[compareResult](t, "compare", pair[0], pair[1], "--data", samples)
			if sound.First != nil || len(sound.Layers) < len(layers) {
				t.Errorf("%s %s without a fault: %d layers, the first that departs %+v", float, what, len(sound.Layers), sound.First)
			}
			for i := 0; i < len(layers); i += 1 + len(layers)/5 {
				faulty := plant(t, pair[1], layers[i])
				r := octetJSON[compareResult](t, "compare", pair[0], faulty, "--data", samples)
				if r.First == nil || r.First.Name != layers[i] {
					t.Errorf("%s %s: a fault in %s, found in %+v", float, what, layers[i], r.First)
				}
			}
		}
	}
}

// TestCompareLimits compares with recorded outputs, within limits and beyond.
func TestCompareLimits(t *testing.T) {
	model := filepath.Join(t.TempDir(), "digits.safetensors")
	octet(t, exitOK, "convert", digitsModel, "--arch", "digits", "-o", model)
	recorded := []string{"compare", model, digitsLogits, "--data", digitsTest, "--samples", "10000"}
	if said, _ := octet(t, exitOK, append(recorded, "--atol", "1e-3", "--sqnr", "80")...); !strings.Contains(said, "0 beyond the tolerance") {
		t.Errorf("it prints %s", said)
	}
	octet(t, exitAccuracy, append(recorded, "--sqnr", "300")...)
	int8 := quantizeDigits(t)
	octet(t, exitOK, "compare", model, int8, "--data", digitsTest, "--sqnr", "15")
	for _, limit := range [][]string{{"--sqnr", "90"}, {"--atol", "1e-6"}, {"--rtol", "1e-6"}} {
		if _, said := octet(t, exitAccuracy, append([]string{"compare", model, int8, "--data", digitsTest}, limit...)...); !strings.Contains(said, "output0") {
			t.Errorf("%v: %s", limit, said)
		}
	}
	// Without data, on random inputs; and a model with itself.
	if said, _ := octet(t, exitOK, "compare", digitsModel, model, "--arch", "digits", "--atol", "0"); !strings.Contains(said, "none of") {
		t.Errorf("a model and its conversion: %s", said)
	}
	if _, said := octet(t, exitUsage, "compare", model, digitsLogits); !strings.Contains(said, "--data") {
		t.Errorf("without inputs: %s", said)
	}
	octet(t, exitFile, "compare", model, filepath.Join("..", "README.md"), "--data", digitsTest)
}
