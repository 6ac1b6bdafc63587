package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/octet-ml/octet/internal/fixture"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/quantize"
	"github.com/octet-ml/octet/tensor"
)

const (
	digitsModel  = "../digits/digits.pth"
	digitsCalib  = "../digits/calib.npz"
	digitsTest   = "../digits/test.npz"
	digitsLogits = "../digits/testdata/logits.npz"
)

// octet runs a command line and checks its exit code.
func octet(t testing.TB, code int, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	if got := run(context.Background(), args, &out, &err); got != code {
		t.Fatalf("octet %s: exit code %d, want %d\n%s", strings.Join(args, " "), got, code, err.String())
	}
	return out.String(), err.String()
}

// octetJSON runs a command line with --json and decodes its one document.
func octetJSON[T any](t testing.TB, args ...string) T {
	t.Helper()
	out, _ := octet(t, exitOK, append(args, "--json")...)
	var v T
	d := json.NewDecoder(strings.NewReader(out))
	if err := d.Decode(&v); err != nil {
		t.Fatalf("octet %s: %v in %s", strings.Join(args, " "), err, out)
	}
	if d.More() {
		t.Fatalf("octet %s: more than one document: %s", strings.Join(args, " "), out)
	}
	return v
}

// quantizeDigits writes the int8 form of the digits model and returns its path.
func quantizeDigits(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "int8.safetensors")
	octet(t, exitOK, "quantize", digitsModel, "--arch", "digits", "--calib", digitsCalib, "-o", path)
	return path
}

func TestDemo(t *testing.T) {
	r := octetJSON[demoResult](t, "demo", "--threads", "1")
	if len(r.Results) != 2 || r.Results[0].Precision != "float32" || r.Results[1].Precision != "int8" {
		t.Fatalf("results %+v", r.Results)
	}
	for _, p := range r.Results {
		if p.N != 512 || p.Right < 500 || p.MedianMs <= 0 || p.Threads != 1 {
			t.Errorf("%s: %+v", p.Precision, p)
		}
	}
	if r.Agreement.SameClass < 508 || r.SpeedUp <= 0 {
		t.Errorf("agreement %+v, speed-up %v", r.Agreement, r.SpeedUp)
	}
	if f, i := r.Results[0].WeightBytes, r.Results[1].WeightBytes; float64(i) > 0.35*float64(f) {
		t.Errorf("int8 weights take %d of %d bytes", i, f)
	}
	out, _ := octet(t, exitOK, "demo")
	if !strings.Contains(out, "same class on") {
		t.Errorf("demo prints:\n%s", out)
	}
}

func TestEval(t *testing.T) {
	logits := filepath.Join(t.TempDir(), "y.npz")
	r := octetJSON[evalResult](t, "eval", digitsModel, "--arch", "digits", "--data", digitsTest, "--against", digitsLogits, "--output", logits, "--target", "0.98")
	if r.N != 512 || *r.Right != 507 || r.Precision != "float32" || r.MsPerSample <= 0 {
		t.Errorf("got %+v", r)
	}
	if r.Agreement.SameClass != 512 || *r.Agreement.MaxAbsDiff > 1e-4 {
		t.Errorf("PyTorch's logits: %+v, difference %v", r.Agreement, *r.Agreement.MaxAbsDiff)
	}
	again := octetJSON[evalResult](t, "eval", digitsModel, "--arch", "digits", "--data", digitsTest, "--against", logits, "--batch", "17")
	if *again.Agreement.MaxAbsDiff != 0 {
		t.Errorf("its own logits in other batches differ by %v", *again.Agreement.MaxAbsDiff)
	}
	out, _ := octet(t, exitAccuracy, "eval", digitsModel, "--arch", "digits", "--data", digitsTest, "--target", "0.995")
	if !strings.Contains(out, "507 (99.02 %)") {
		t.Errorf("a missed target still prints:\n%s", out)
	}
	none := filepath.Join(t.TempDir(), "none.npz")
	zeros, err := tensor.New(tensor.Float32, 512, 10)
	if err != nil {
		t.Fatal(err)
	}
	writeArrays(t, none, map[string]*tensor.Tensor{"logits": zeros})
	octet(t, exitAccuracy, "eval", quantizeDigits(t), "--data", digitsTest, "--against", none, "--target-agreement", "0.9")
}

func TestQuantizeAndInspect(t *testing.T) {
	path := filepath.Join(t.TempDir(), "int8.safetensors")
	r := octetJSON[quantizeResult](t, "quantize", digitsModel, "--arch", "digits", "--calib", digitsCalib, "-o", path, "--exclude", "fc", "--observer", "histogram")
	layers := map[string]quantize.Layer{}
	for _, l := range r.Layers {
		layers[l.Name+" "+l.Op] = l
	}
	if l := layers["block.conv2 conv2d"]; l.Precision != "int8" || l.SQNR < 30 || l.WeightScaleMax <= 0 || l.Measured == nil || l.Measured.SQNR < 20 {
		t.Errorf("block.conv2: %+v", l)
	}
	if l := layers["fc linear"]; l.Precision != "float32" || l.Reason == "" {
		t.Errorf("fc: %+v", l)
	}
	if info, err := os.Stat(path); err != nil || info.Size() != r.OutputBytes || r.InputBytes != 82875 {
		t.Errorf("%d of %d bytes, file: %v", r.OutputBytes, r.InputBytes, err)
	}
	s := octetJSON[inspectResult](t, "inspect", path, "--plan", "--code")
	if s.Format != "octet safetensors" || s.Graph.Precision != "mixed" || s.Graph.MACs-s.Graph.Int8MACs != 640 {
		t.Errorf("inspect: %s, %+v", s.Format, s.Graph)
	}
	// What only fc takes is float as well.
	if float := s.Graph.Float; len(float) != 3 || float[0].Name != "avgpool" || float[2].Name != "fc" {
		t.Errorf("in float32: %+v, want avgpool, flatten and fc", float)
	}
	if !strings.Contains(s.Plan, " bytes of packed weights\n") || !strings.Contains(s.Plan, "igemm_u8s8") || !strings.Contains(s.Code, "int8.conv2d") || s.ArenaBytes == 0 {
		t.Errorf("plan:\n%s\ncode:\n%s", s.Plan, s.Code)
	}
	out, _ := octet(t, exitOK, "inspect", path, "--plan", "--code")
	for _, want := range []string{"octet safetensors", "in float32", "plan (", "graph("} {
		if !strings.Contains(out, want) {
			t.Errorf("inspect prints no %q:\n%s", want, out)
		}
	}
	w := octetJSON[inspectResult](t, "inspect", digitsModel)
	if w.Format != "torch.save (zip)" || w.Graph != nil || len(w.Tensors) != 26 {
		t.Errorf("a state_dict: %s with %d tensors", w.Format, len(w.Tensors))
	}
}

func TestFallback(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mixed.safetensors")
	r := octetJSON[quantizeResult](t, "quantize", digitsModel, "--arch", "digits", "--calib", digitsCalib, "-o", path, "--fallback", "2")
	var float []string
	for _, l := range r.Layers {
		if l.Precision == "float32" && l.Reason != "" {
			float = append(float, l.Name)
		}
	}
	if len(float) < 2 {
		t.Errorf("in float32: %v, want two modules", float)
	}
	if s := octetJSON[inspectResult](t, "inspect", path); s.Graph.Precision != "mixed" {
		t.Errorf("precision %s, want mixed", s.Graph.Precision)
	}
}

func TestRun(t *testing.T) {
	model, output := quantizeDigits(t), filepath.Join(t.TempDir(), "y.npz")
	octet(t, exitOK, "run", model, "--input", digitsTest, "--output", output)
	logits := filepath.Join(t.TempDir(), "logits.npz")
	octet(t, exitOK, "eval", model, "--data", digitsTest, "--output", logits)
	got, err := tensor.ReadNPZ(output, 0)
	if err != nil {
		t.Fatal(err)
	}
	want, err := tensor.ReadNPZ(logits, 0)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || !bytes.Equal(got.Get("output0").Bytes(), want.Get("y").Bytes()) {
		t.Errorf("run gives %v, or other bits than eval", got.Names())
	}
}

func TestBench(t *testing.T) {
	type document struct {
		CPU     map[string]any   `json:"cpu"`
		Results []map[string]any `json:"results"`
	}
	r := octetJSON[document](t, "bench", "--arch", "digits", "--precision", "float32,int8", "--threads", "1,2", "--batch", "1,4", "--shape", "1x1x8x8", "--runs", "3")
	if len(r.Results) != 8 || r.CPU["tier"] != tierName(t) {
		t.Fatalf("%d results on %v", len(r.Results), r.CPU)
	}
	for _, key := range []string{"model", "precision", "threads", "batch", "runs", "min_ms", "median_ms", "p90_ms", "load_ms", "gops", "percent_of_peak", "peak_rss_mb", "allocs_per_run"} {
		if _, ok := r.Results[0][key]; !ok {
			t.Errorf("no %q in %v", key, r.Results[0])
		}
	}
	out, notes := octet(t, exitOK, "bench", "--arch", "digits", "--precision", "int8", "--runs", "2", "--format", "go")
	if !strings.Contains(out, "BenchmarkModel/model=digits/precision=int8/batch=1-") || !strings.Contains(notes, "random weights") || !strings.Contains(notes, "random inputs") {
		t.Errorf("printed\n%s\nand said\n%s", out, notes)
	}
	out, _ = octet(t, exitOK, "bench", quantizeDigits(t), "--runs", "2", "--profile")
	if !strings.Contains(out, "slowest layers first") || !strings.Contains(out, "block.conv1") {
		t.Errorf("profile:\n%s", out)
	}
}

// tierName returns the tier that commands run with unless told otherwise.
func tierName(t testing.TB) string {
	t.Helper()
	tier, err := asm.Resolve("")
	if err != nil {
		t.Fatal(err)
	}
	return tier.String()
}

func TestCPU(t *testing.T) {
	r := octetJSON[cpuResult](t, "cpu", "--cpu", "generic", "--threads", "1")
	if r.CPU.Tier != "generic" || len(r.CPU.Limits) != 1 || len(r.Kernels) < 3 {
		t.Errorf("got %+v", r)
	}
	for i, k := range r.Kernels {
		if k.Tier != "generic" || i > 0 && k.Op == r.Kernels[i-1].Op {
			t.Errorf("kernel %+v on the generic tier", k)
		}
	}
	out, _ := octet(t, exitOK, "cpu", "--threads", "1")
	if !strings.Contains(out, "igemm_u8s8") || !strings.Contains(out, "memory read") {
		t.Errorf("cpu prints:\n%s", out)
	}
}

func TestExitCodes(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte("no model at all"), 0o644); err != nil {
		t.Fatal(err)
	}
	write := func(name, array string, x *tensor.Tensor) string {
		path := filepath.Join(dir, name)
		if err := tensor.WriteNPZ(path, []tensor.Named{{Name: array, Tensor: x}}); err != nil {
			t.Fatal(err)
		}
		return path
	}
	five, err := tensor.New(tensor.Float32, 4, 5, 16, 16)
	if err != nil {
		t.Fatal(err)
	}
	labels, err := tensor.New(tensor.Int64, 4)
	if err != nil {
		t.Fatal(err)
	}
	otherShape, calibWithoutX := write("five.npz", "x", five), write("labels.npz", "y", labels)
	eval := func(args ...string) []string { return append([]string{"eval", "--data", digitsTest}, args...) }
	for _, c := range []struct {
		name string
		code int
		says string
		args []string
	}{
		{"unknown command", exitUsage, "unknown command", []string{"fly"}},
		{"unknown flag", exitUsage, "unknown flag", eval(digitsModel, "--speed")},
		{"no model", exitUsage, "accepts 1 arg", eval()},
		{"no data", exitUsage, `"data" not set`, []string{"eval", digitsModel}},
		{"no output", exitUsage, `"output" not set`, []string{"quantize", digitsModel, "--calib", digitsCalib}},
		{"no threads", exitUsage, "--threads 0", eval(digitsModel, "--threads", "0")},
		{"several threads", exitUsage, "one number", eval(digitsModel, "--threads", "1,2")},
		{"unknown tier", exitUsage, "unknown CPU tier", eval(digitsModel, "--cpu", "mmx")},
		{"unknown architecture", exitUsage, "unknown architecture", eval(digitsModel, "--arch", "alexnet")},
		{"empty batch", exitUsage, "--batch 0", eval(digitsModel, "--arch", "digits", "--batch", "0")},
		{"agreement with nothing", exitUsage, "--against", eval(digitsModel, "--arch", "digits", "--target-agreement", "1")},
		{"unknown backend", exitUsage, "nonesuch", []string{"quantize", digitsModel, "--arch", "digits", "--calib", digitsCalib, "-o", dir + "/o", "--backend", "nonesuch"}},
		{"unknown observer", exitUsage, "nonesuch", []string{"quantize", digitsModel, "--arch", "digits", "--calib", digitsCalib, "-o", dir + "/o", "--observer", "nonesuch"}},
		{"unknown module", exitUsage, "nonesuch", []string{"quantize", digitsModel, "--arch", "digits", "--calib", digitsCalib, "-o", dir + "/o", "--exclude", "nonesuch"}},
		{"no calibration", exitUsage, `"calib" not set`, []string{"quantize", digitsModel, "--arch", "digits", "-o", dir + "/o"}},
		{"17 bits", exitUsage, "--bits 17", []string{"quantize", digitsModel, "--arch", "digits", "--calib", digitsCalib, "-o", dir + "/o", "--bits", "17"}},
		{"1 bit", exitUsage, "--bits 1", digitsFlags("quantize", dir+"/o", "--bits", "1")},
		{"dynamic with a backend of the toolkit", exitUsage, "option Dynamic", digitsFlags("quantize", dir+"/o", "--dynamic", "--backend", "disc")},
		{"an observer that weights cannot have", exitUsage, "per-channel", digitsFlags("quantize", dir+"/o", "--weight-observer", "mse")},
		{"nothing compared", exitUsage, "--compare -1", digitsFlags("quantize", dir+"/o", "--compare", "-1")},
		{"no samples", exitFile, calibWithoutX, []string{"quantize", digitsModel, "--arch", "digits", "--calib", calibWithoutX, "-o", dir + "/o"}},
		{"samples of other channels", exitFile, otherShape + ": samples 0 to 4: ", []string{"quantize", digitsModel, "--arch", "digits", "--calib", otherShape, "-o", dir + "/o"}},
		{"samples of other channels to measure on", exitFile, otherShape + ": samples 0 to 4: ", digitsFlags("quantize", dir+"/o", "--data", otherShape)},
		{"samples of other channels to tune on", exitFile, otherShape + ": ", digitsFlags("tune", dir+"/o", "--data", otherShape, "--max-drop", "1%")},
		{"samples of other channels to train on", exitFile, otherShape + ": ", digitsFlags("qat", dir+"/o", "--data", otherShape, "--distill", "--batch", "4", "--epochs", "1", "--lr", "0.1")},
		{"samples of other channels to train by", exitFile, otherShape + ": samples 0 to 4: ", digitsFlags("qat", dir+"/o", "--data", digitsCalib, "--eval", otherShape, "--epochs", "1", "--lr", "0.1")},
		{"samples of other channels to evaluate", exitFile, otherShape + ": samples 0 to 4: ", []string{"eval", digitsModel, "--arch", "digits", "--data", otherShape}},
		{"samples of other channels to run on", exitFile, otherShape + ": ", []string{"run", digitsModel, "--arch", "digits", "--input", otherShape, "--output", dir + "/o"}},
		{"samples of another rank", exitFile, digitsLogits, []string{"quantize", digitsModel, "--arch", "digits", "--calib", digitsLogits, "-o", dir + "/o"}},
		{"no labels", exitUsage, "no labels", []string{"tune", digitsModel, "--arch", "digits", "--calib", digitsCalib, "--data", otherShape, "-o", dir + "/o", "--max-drop", "1%", "--metric", "top1"}},
		{"unknown rounding", exitUsage, "nonesuch", []string{"quantize", digitsModel, "--arch", "digits", "--calib", digitsCalib, "-o", dir + "/o", "--rounding", "nonesuch"}},
		{"not a share", exitUsage, "--max-drop", []string{"tune", digitsModel, "--arch", "digits", "--calib", digitsCalib, "--data", digitsTest, "-o", dir + "/o", "--max-drop", "a bit"}},
		{"unknown metric", exitUsage, "nonesuch", []string{"tune", digitsModel, "--arch", "digits", "--calib", digitsCalib, "--data", digitsTest, "-o", dir + "/o", "--max-drop", "1%", "--metric", "nonesuch"}},
		{"unknown cost", exitUsage, "nonesuch", []string{"tune", digitsModel, "--arch", "digits", "--calib", digitsCalib, "--data", digitsTest, "-o", dir + "/o", "--max-drop", "1%", "--cost", "nonesuch"}},
		{"not a state", exitFile, text, []string{"quantize", "merge", text, "-o", dir + "/o"}},
		{"nothing to measure", exitUsage, "--arch", []string{"bench"}},
		{"unknown precision", exitUsage, "int4", []string{"bench", "--arch", "digits", "--precision", "int4", "--runs", "1"}},
		{"bad shape", exitUsage, "--shape", []string{"bench", "--arch", "digits", "--shape", "1x-1"}},
		{"huge shape", exitUsage, "--shape", []string{"bench", "--arch", "digits", "--shape", "9999999999x9999999999x9999999999"}},
		{"two formats", exitUsage, "exclude each other", []string{"bench", "--arch", "digits", "--json", "--format", "go"}},
		{"plan of weights", exitUsage, "--arch", []string{"inspect", digitsModel, "--plan"}},
		{"not a model", exitFile, text, eval(text)},
		{"not a data set", exitFile, text, []string{"eval", digitsModel, "--arch", "digits", "--data", text}},
		{"weights without architecture", exitFile, "--arch", eval(digitsModel)},
		{"another architecture", exitFile, "does not fit resnet18", eval(digitsModel, "--arch", "resnet18")},
		{"logits of another shape", exitFile, digitsTest, eval(digitsModel, "--arch", "digits", "--against", digitsTest)},
		{"no such file", exitFailed, "no such file", eval(dir + "/none")},
		{"no such folder", exitFailed, "no such file", []string{"quantize", digitsModel, "--arch", "digits", "--calib", digitsCalib, "-o", dir + "/none/o"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, stderr := octet(t, c.code, c.args...)
			if out != "" || !strings.Contains(stderr, c.says) || !strings.HasPrefix(stderr, "octet: ") {
				t.Errorf("printed %q and said %q, want %q", out, stderr, c.says)
			}
		})
	}
	if left, _ := filepath.Glob(dir + "/o*"); len(left) > 0 {
		t.Errorf("failed commands left %v", left)
	}
}

// TestUnwritable checks that a file which cannot be written is complained about under the name that was
// given, before any work: nothing else is written or changed.
func TestUnwritable(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	keep := at("keep")
	if err := os.WriteFile(keep, []byte("as it was"), 0o644); err != nil {
		t.Fatal(err)
	}
	qat := func(more ...string) []string {
		return digitsFlags("qat", keep, append([]string{"--data", digitsCalib, "--distill", "--epochs", "1", "--lr", "0.01"}, more...)...)
	}
	for _, bad := range []string{at("none/file"), at("keep/file"), dir} {
		for _, args := range [][]string{
			digitsFlags("quantize", bad, "--report", keep, "--save-state", keep),
			digitsFlags("quantize", keep, "--report", bad),
			digitsFlags("quantize", keep, "--save-state", bad),
			digitsFlags("tune", keep, "--data", digitsTest, "--max-drop", "1%", "--report", bad),
			append(qat(), "-o", bad),
			qat("--checkpoint", bad), qat("--log", bad), qat("--save-state", bad),
			{"eval", digitsModel, "--arch", "digits", "--data", digitsTest, "--output", bad},
			{"run", digitsModel, "--arch", "digits", "--input", digitsTest, "--output", bad},
			{"quantize", "merge", keep, "-o", bad},
		} {
			out, stderr := octet(t, exitFailed, args...)
			if out != "" || !strings.Contains(stderr, " "+bad+": ") {
				t.Errorf("%s: printed %q and said %q, want %s named", strings.Join(args, " "), out, stderr, bad)
			}
		}
	}
	if text, err := os.ReadFile(keep); err != nil || string(text) != "as it was" {
		t.Errorf("a file that could be written holds %q: %v", text, err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("the folder holds %v: %v", left, err)
	}
}

func TestUnsupportedOperators(t *testing.T) {
	path := filepath.Join(t.TempDir(), "later.safetensors")
	graph := `{"version":2,"nodes":[{"op":"int8.curl"},{"op":"int8.quadra"}]}`
	if err := loader.WriteSafetensors(path, map[string]string{"octet": graph}, nil); err != nil {
		t.Fatal(err)
	}
	_, stderr := octet(t, exitUnsupported, "inspect", path)
	if !strings.Contains(stderr, "int8.curl") || !strings.Contains(stderr, "int8.quadra") {
		t.Errorf("said %q, want both operators", stderr)
	}
}

func TestInterrupt(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var out, stderr bytes.Buffer
	path := filepath.Join(t.TempDir(), "int8.safetensors")
	code := run(ctx, []string{"quantize", digitsModel, "--arch", "digits", "--calib", digitsCalib, "-o", path}, &out, &stderr)
	if code != exitFailed || out.Len() > 0 || stderr.String() != "octet: interrupted\n" {
		t.Errorf("exit code %d, printed %q and said %q", code, out.String(), stderr.String())
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("the interrupted command left its output: %v", err)
	}
}

// TestInterruptCalibration interrupts at several points of calibrating,
// measuring and tuning: nothing is left, not even of what was to be saved first.
func TestInterruptCalibration(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, looks := range []int{3, 20, 50} {
		for _, args := range [][]string{
			digitsFlags("quantize", at("model"), "--save-state", at("state"), "--report", at("page"), "--batch", "4"),
			digitsFlags("tune", at("model"), "--data", digitsTest, "--max-drop", "0%", "--bits", "2", "--report", at("page"), "--batch", "4"),
			digitsFlags("qat", at("model"), "--data", digitsCalib, "--eval", digitsTest, "--distill", "--epochs", "3", "--lr", "0.001", "--batch", "4"),
		} {
			var out, stderr bytes.Buffer
			code := run(fixture.EndingAt(t, looks), args, &out, &stderr)
			if code != exitFailed || out.Len() > 0 || stderr.String() != "octet: interrupted\n" {
				t.Errorf("%s after %d looks: exit code %d, printed %q and said %q", args[0], looks, code, out.String(), stderr.String())
			}
			if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
				t.Errorf("%s after %d looks left %v: %v", args[0], looks, left, err)
			}
		}
	}
}
