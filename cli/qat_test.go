package cli

import (
	"bytes"
	"cmp"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/octet-ml/octet/graph/train"
	"github.com/octet-ml/octet/internal/shareddata"
)

// TestQATResume trains the digits model with few bits, which wins accuracy back, and checks that training in
// two runs, the second going on from the checkpoint of the first, writes the bits of one run.
func TestQATResume(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	train := func(out, epochs string, more ...string) qatResult {
		return octetJSON[qatResult](t, digitsFlags("qat", at(out), append([]string{"--data", digitsCalib, "--eval", digitsTest, "--distill",
			"--bits", "2", "--weight-bits", "4", "--lr", "0.001", "--optimizer", "adam", "--schedule", "constant", "--batch", "16", "--epochs", epochs}, more...)...)...)
	}
	whole := train("whole", "4", "--log", at("log"))
	if whole.Float.Right != 507 || whole.Trained.Right <= whole.Calibrated.Right || whole.LastLoss >= whole.FirstLoss {
		t.Errorf("float %v, calibrated %v, trained %v, loss from %v to %v", whole.Float, whole.Calibrated, whole.Trained, whole.FirstLoss, whole.LastLoss)
	}
	train("part", "2", "--checkpoint", at("state"), "--log", at("log of both"))
	// As if it had been stopped before it measured the second epoch.
	text, err := os.ReadFile(at("log of both"))
	if err != nil {
		t.Fatal(err)
	}
	text = text[:bytes.LastIndexByte(text[:len(text)-1], '\n')+1]
	if err := os.WriteFile(at("log of both"), text, 0o644); err != nil {
		t.Fatal(err)
	}
	// Values that are computed again change no bit.
	if resumed := train("resumed", "4", "--checkpoint", at("state"), "--resume", "--log", at("log of both"), "--recompute", "smallest"); resumed.ArenaBytes == 0 || resumed.ArenaBytes >= whole.ArenaBytes {
		t.Errorf("a step takes %d bytes with --recompute smallest, %d without", resumed.ArenaBytes, whole.ArenaBytes)
	}
	sameFiles(t, at("resumed"), at("whole"))
	lines, steps := logged(t, at("log"))
	if steps != whole.Steps || len(lines) != whole.Steps+whole.Epochs || !strings.Contains(lines[len(lines)-1], `"accuracy":`) {
		t.Errorf("the log has %d lines for %d steps, and ends with %s", len(lines), whole.Steps, lines[len(lines)-1])
	}
	if both, _ := logged(t, at("log of both")); !slices.Equal(both, lines) {
		t.Errorf("the log of two runs has %d lines, and is not that of one", len(both))
	}
}

// sameFiles compares the file of a resumed training with that of one run.
func sameFiles(t *testing.T, resumed, whole string) {
	t.Helper()
	want, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(resumed); err != nil || !bytes.Equal(got, want) {
		t.Errorf("the model of a resumed training is not that of one run: %v", err)
	}
}

func TestQATFlags(t *testing.T) {
	for _, more := range [][]string{
		{"--epochs", "0"}, {"--lr", "-1"}, {"--optimizer", "nesterov"}, {"--schedule", "none"}, {"--resume"}, {"--momentum", "1"}, {"--temperature", "2"},
		{"--recompute", "48"}, {"--recompute", "-1MB"}, {"--recompute", "0.000001MB"}, {"--recompute", "NaNGB"}, {"--recompute", "most"},
	} {
		out := filepath.Join(t.TempDir(), "o")
		octet(t, exitUsage, digitsFlags("qat", out, append([]string{"--data", digitsCalib, "--epochs", "1", "--lr", "0.1"}, more...)...)...)
	}
}

// TestQATRecipe trains without a flag that says how: the default recipe, which moves the ends of all ranges alike.
func TestQATRecipe(t *testing.T) {
	recipe := func(out string, more ...string) {
		octet(t, exitOK, digitsFlags("qat", out, append([]string{"--data", digitsCalib, "--distill", "--bits", "4", "--weight-bits", "4", "--batch", "64", "--epochs", "1"}, more...)...)...)
	}
	dir := t.TempDir()
	recipe(filepath.Join(dir, "default"))
	recipe(filepath.Join(dir, "spelled"), "--optimizer", "adam", "--lr", "0.0003", "--scale-lr", "0.0003", "--schedule", "cosine", "--temperature", "4")
	sameFiles(t, filepath.Join(dir, "default"), filepath.Join(dir, "spelled"))

	f := trainFlags{optimizer: "adam", schedule: "cosine", epochs: 1, lr: 0.001, scaleLR: 0.002, recompute: "off"}
	o, err := f.options(nil, 1)
	if err != nil {
		t.Fatal(err)
	}
	var params []*train.Parameter
	for _, levels := range []int{15, 255, 15, 14} {
		params = append(params, &train.Parameter{Kind: train.Scale, Levels: levels})
	}
	params = append(params, &train.Parameter{Kind: train.Weight}, &train.Parameter{Kind: train.ZeroPoint})
	f.byLevels(&o, params)
	for i, want := range []float64{2, 2.0 * 15 / 255, 2, 2.0 * 15 / 14, 0, 2} {
		g := slices.IndexFunc(o.Groups, func(g train.Group) bool { return g.Match(params[i]) })
		if got := append(o.Groups, train.Group{})[cmp.Or(g+1, len(o.Groups)+1)-1].Rate; math.Abs(got-want) > 1e-12 {
			t.Errorf("parameter %d has the rate %v, not %v", i, got, want)
		}
	}
}

// TestQATAugment trains on moved and mirrored digits, and resumes: the second half sees the images that one run sees.
func TestQATAugment(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	train := func(out, epochs string, more ...string) {
		octetJSON[qatResult](t, digitsFlags("qat", at(out), append([]string{"--data", digitsCalib, "--distill", "--lr", "0.001", "--schedule", "constant", "--batch", "16", "--epochs", epochs}, more...)...)...)
	}
	augment := []string{"--random-crop", "1", "--random-flip"}
	train("plain", "2")
	train("whole", "2", augment...)
	train("part", "1", append(augment, "--checkpoint", at("state"))...)
	train("resumed", "2", append(augment, "--checkpoint", at("state"), "--resume")...)
	plain, err := os.ReadFile(at("plain"))
	if err != nil {
		t.Fatal(err)
	}
	if whole, err := os.ReadFile(at("whole")); err != nil || bytes.Equal(plain, whole) {
		t.Errorf("augmented images train the same model: %v", err)
	}
	sameFiles(t, at("resumed"), at("whole"))
	octet(t, exitUsage, digitsFlags("qat", at("o"), "--data", digitsCalib, "--distill", "--epochs", "1", "--lr", "0.1", "--random-crop", "-1")...)
}

// TestQATTorchScript trains a traced model, which does not say what shapes it takes: the data says. It learns
// what the same model from a state_dict does, and goes on from a checkpoint.
func TestQATTorchScript(t *testing.T) {
	if testing.Short() {
		t.Skip("a model and images of some size")
	}
	c := openCIFAR(t)
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	few := at("few.npz")
	firstSamples(t, shareddata.Path(t, "data", "cifar10", "train.npz"), few, 128)
	train := func(out string, more ...string) qatResult {
		return octetJSON[qatResult](t, append([]string{"qat", "-o", at(out), "--calib", few, "--data", few, "--eval", few, "--distill", "--bits", "4", "--weight-bits", "4",
			"--lr", "0.0001", "--optimizer", "adam", "--schedule", "constant", "--batch", "32"}, more...)...)
	}
	traced := shareddata.Path(t, "data", "cifar10", "resnet20.ts.pt")
	r := train("traced", traced, "--epochs", "2")
	if r.Steps != 8 || r.Float == nil || r.Float.N != 128 || r.Trained.Right < 64 || !(r.LastLoss < r.FirstLoss) {
		t.Errorf("%+v: float %v, calibrated %v, trained %v", r, r.Float, r.Calibrated, r.Trained)
	}
	if e := octetJSON[evalResult](t, "eval", at("traced"), "--data", few); e.Precision != "int8" || *e.Right != r.Trained.Right {
		t.Errorf("eval has %d right in %s, training %d", *e.Right, e.Precision, r.Trained.Right)
	}
	if d := train("built", c.model, "--arch", "resnet20-cifar", "--epochs", "2"); d.FirstLoss != r.FirstLoss || d.LastLoss != r.LastLoss || *d.Trained != *r.Trained {
		t.Errorf("from a state_dict: %+v with %v, traced: %+v with %v", d, d.Trained, r, r.Trained)
	}
	train("part", traced, "--epochs", "1", "--checkpoint", at("state"))
	train("resumed", traced, "--epochs", "2", "--checkpoint", at("state"), "--resume")
	sameFiles(t, at("resumed"), at("traced"))
}
