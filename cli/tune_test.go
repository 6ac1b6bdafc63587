package cli

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/quantize"
	"github.com/octet-ml/octet/tensor"
)

// digitsFlags are what commands that quantize the digits model have in common.
func digitsFlags(command, output string, more ...string) []string {
	return append([]string{command, digitsModel, "--arch", "digits", "--calib", digitsCalib, "-o", output}, more...)
}

// TestTune limits the digits model to 2 bits, which costs 3 points of accuracy,
// and wins them back.
func TestTune(t *testing.T) {
	dir := t.TempDir()
	out, page := filepath.Join(dir, "tuned.safetensors"), filepath.Join(dir, "report.html")
	r := octetJSON[quantizeResult](t, digitsFlags("tune", out, "--data", digitsTest, "--max-drop", "1%", "--bits", "2", "--weight-bits", "4", "--cost", "modules", "--report", page, "--compare-raw")...)
	tuning := r.Tuning
	if tuning == nil || len(tuning.Fallback) == 0 || tuning.Accuracy < tuning.Float-0.01 || tuning.Curve[0].Accuracy > tuning.Float-0.02 {
		t.Fatalf("%+v", tuning)
	}
	for _, l := range r.Layers {
		if float := slices.Contains(tuning.Fallback, l.Name); float && l.Precision != "float32" {
			t.Errorf("%s is %s", l.Name, l.Precision)
		}
	}
	e := octetJSON[evalResult](t, "eval", out, "--data", digitsTest)
	if *e.Top1 != tuning.Accuracy || *r.Quantized.Right != *e.Right || *r.Float.Right != 507 || r.Agreement == nil {
		t.Errorf("eval has %v right, the report %+v and %+v", *e.Right, r.Quantized, tuning)
	}
	if text, err := os.ReadFile(page); err != nil || !strings.Contains(string(text), "Sets of modules in float") {
		t.Errorf("the page has no tuning curve: %v", err)
	}
	table, _ := octet(t, exitOK, digitsFlags("tune", out, "--data", digitsTest, "--max-drop", "0.5", "--metric", "cosine", "--samples", "8")...)
	if !strings.Contains(table, "modules in float") {
		t.Errorf("printed\n%s", table)
	}
}

// TestTuneMissed tunes a model whose only layer belongs to no module, so that
// it cannot fall back.
func TestTuneMissed(t *testing.T) {
	dir := t.TempDir()
	r := rand.New(rand.NewPCG(1, 1))
	g := graph.New()
	y, err := g.Add1(graph.Scope{}, ops.Linear{}, g.Input("x", tensor.Float32, 1, 16), g.Const("weight", normal(t, r, 10, 16)))
	if err != nil {
		t.Fatal(err)
	}
	g.SetOutputs(y)
	model, data, out := filepath.Join(dir, "model.safetensors"), filepath.Join(dir, "x.npz"), filepath.Join(dir, "out.safetensors")
	if err := loader.Save(model, g); err != nil {
		t.Fatal(err)
	}
	if err := tensor.WriteNPZ(data, []tensor.Named{{Name: "x", Tensor: normal(t, r, 200, 16)}}); err != nil {
		t.Fatal(err)
	}
	stdout, stderr := octet(t, exitAccuracy, "tune", model, "--calib", data, "--data", data, "--max-drop", "0%", "--bits", "2", "-o", out, "--metric", "agreement")
	if !strings.Contains(stderr, "agreement is 0.") || !strings.Contains(stdout, "0 modules in float: 0.") {
		t.Errorf("printed %q and said %q", stdout, stderr)
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("a model was written all the same")
	}
}

// TestCalibrateInParts saves calibrations of two halves of the data and joins them.
func TestCalibrateInParts(t *testing.T) {
	dir := t.TempDir()
	arrays, err := tensor.ReadNPZ(digitsCalib, 0)
	if err != nil {
		t.Fatal(err)
	}
	n := arrays.Get("x").Dim(0)
	at := func(name string) string { return filepath.Join(dir, name) }
	for i, part := range []string{"a", "b"} {
		half := make(tensor.Arrays, len(arrays))
		for k, a := range arrays {
			half[k] = a
			if a.Name == "x" || a.Name == "y" {
				if half[k].Tensor, err = a.Tensor.Slice(0, i*n/2, (i+1)*n/2, 1); err != nil {
					t.Fatal(err)
				}
				half[k].Tensor = half[k].Tensor.Contiguous()
			}
		}
		if err := tensor.WriteNPZ(at(part+".npz"), half); err != nil {
			t.Fatal(err)
		}
		octet(t, exitOK, "quantize", digitsModel, "--arch", "digits", "--calib", at(part+".npz"), "--save-state", at(part+".json"), "--exclude", "fc")
	}
	octet(t, exitOK, "quantize", "merge", at("a.json"), at("b.json"), "-o", at("both.json"))
	octet(t, exitOK, "quantize", digitsModel, "--arch", "digits", "--state", at("both.json"), "-o", at("merged"))
	octet(t, exitOK, "quantize", digitsModel, "--arch", "digits", "--state", at("a.json"), "--calib", at("b.npz"), "-o", at("resumed"))
	octet(t, exitOK, "quantize", digitsModel, "--arch", "digits", "--calib", digitsCalib, "-o", at("whole"), "--exclude", "fc")
	whole, err := os.ReadFile(at("whole"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"merged", "resumed"} {
		if got, err := os.ReadFile(at(name)); err != nil || string(got) != string(whole) {
			t.Errorf("the %s model is not that of one calibration: %v", name, err)
		}
	}
}

// TestQuantizeFlags checks that flags reach the quantizer.
func TestQuantizeFlags(t *testing.T) {
	out := filepath.Join(t.TempDir(), "o")
	precisions := func(more ...string) map[string]quantize.Layer {
		layers := make(map[string]quantize.Layer)
		for _, l := range octetJSON[quantizeResult](t, digitsFlags("quantize", out, append(more, "--compare", "0")...)...).Layers {
			layers[l.Name+" "+l.Op] = l
		}
		return layers
	}
	for _, c := range []struct {
		flags string
		int8  []string // of the four convolutions and the linear layer
	}{
		{"--include block", []string{"block.conv1", "block.conv2"}},
		{"--include-op linear", []string{"fc"}},
		{"--exclude-op conv2d", []string{"fc"}},
		{"--exclude-class Conv2d --backend disc", []string{"fc"}},
		{"--include-class Linear", []string{"fc"}},
		{"--exclude block.* --exclude *onv?", []string{"fc"}},
		{"--dynamic", []string{"fc"}},
	} {
		var got []string
		for _, l := range precisions(strings.Fields(c.flags)...) {
			if l.Precision == "int8" && l.WeightScaleMax > 0 {
				got = append(got, l.Name)
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, c.int8) {
			t.Errorf("%s: %v are int8, want %v", c.flags, got, c.int8)
		}
	}
	full, few := precisions()["conv2 conv2d"], precisions("--weight-bits", "3", "--weight-observer", "moving-average")["conv2 conv2d"]
	if few.SQNR > full.SQNR-20 || few.SQNR < 3 {
		t.Errorf("3 bits give a weight %v dB, 8 bits %v", few.SQNR, full.SQNR)
	}
	if learned := precisions("--weight-bits", "3", "--rounding", "learned", "--correct-bias", "--equalize")["conv2 conv2d"]; learned.SQNR >= full.SQNR-20 || learned.SQNR < 3 {
		t.Errorf("3 bits with learned rounding give a weight %v dB", learned.SQNR)
	}
	tensorScale := precisions("--backend", "disc", "--device", "aarch64")["conv2 conv2d"]
	if perChannel := precisions("--backend", "disc", "--device", "x86")["conv2 conv2d"]; tensorScale.SQNR >= perChannel.SQNR {
		t.Errorf("one scale gives a weight %v dB, one per channel %v", tensorScale.SQNR, perChannel.SQNR)
	}
}

// TestDynamicLearned rounds by learning what is quantized while running, which takes data.
func TestDynamicLearned(t *testing.T) {
	dir := t.TempDir()
	files := map[string][]byte{}
	for _, rounding := range []string{"nearest", "learned"} {
		out := filepath.Join(dir, rounding)
		octet(t, exitOK, digitsFlags("quantize", out, "--dynamic", "--weight-bits", "4", "--rounding", rounding)...)
		b, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		files[rounding] = b
	}
	if bytes.Equal(files["nearest"], files["learned"]) {
		t.Error("learned rounding gives the nearest integers")
	}
	if _, said := octet(t, exitUsage, "quantize", digitsModel, "--arch", "digits", "--dynamic", "--rounding", "learned", "-o", filepath.Join(dir, "o")); !strings.Contains(said, "calib") {
		t.Errorf("without data: %s", said)
	}
}
