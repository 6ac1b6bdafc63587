package cli

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/octet-ml/octet/digits"
	"github.com/octet-ml/octet/internal/fixture"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/tensor"
)

// interrupted is a training of the digits model of 8 epochs with 32 steps each that is stopped on its way.
type interrupted struct{ out, checkpoint, log string }

func newInterrupted(t *testing.T) interrupted {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	return interrupted{at("model"), at("checkpoint"), at("log")}
}

const interruptedSteps = 8 * 32

func (r interrupted) args(more ...string) []string {
	return digitsFlags("qat", r.out, append([]string{"--data", digitsCalib, "--distill", "--bits", "2", "--weight-bits", "4", "--lr", "0.001",
		"--optimizer", "adam", "--schedule", "cosine", "--batch", "8", "--epochs", "8", "--log", r.log}, more...)...)
}

// stop begins training in a process of its own, sends it the signal once the log has so many lines, and returns what it
// wrote to stderr.
func (r interrupted) stop(t *testing.T, signal os.Signal, lines int, args ...string) string {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("processes have no signals here")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, args...)
	cmd.Env = append(os.Environ(), asCommand+"=1")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for sent := false; ; {
		select {
		case err := <-ended:
			if !sent || err == nil {
				t.Fatalf("the training ended by itself: %v\n%s", err, stderr.String())
			}
			if code := cmd.ProcessState.ExitCode(); signal == os.Interrupt && code != exitFailed {
				t.Fatalf("exit code %d, want %d\n%s", code, exitFailed, stderr.String())
			}
			if _, err := os.Stat(r.out); err == nil {
				t.Error("a model was written all the same")
			}
			return stderr.String()
		case <-tick.C:
			if text, err := os.ReadFile(r.log); !sent && err == nil && bytes.Count(text, []byte("\n")) >= lines {
				sent = true
				if err := cmd.Process.Signal(signal); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// logged returns the lines of a log but for the times, and how many of them are those of steps.
func logged(t *testing.T, path string) (lines []string, steps int) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		what, _, ok := strings.Cut(line, `,"seconds":`)
		if !ok {
			t.Fatalf("%s has the line %q", path, line)
		}
		if lines = append(lines, what); strings.HasPrefix(what, `{"step":`) {
			steps++
		}
	}
	return lines, steps
}

// saved returns the steps that the checkpoint has.
func (r interrupted) saved(t *testing.T) int {
	t.Helper()
	arrays, err := tensor.ReadNPZ(r.checkpoint, 0)
	if err != nil {
		t.Fatal(err)
	}
	var state struct{ Steps int }
	if err := json.Unmarshal(arrays.Get("state").Uint8s(), &state); err != nil {
		t.Fatal(err)
	}
	return state.Steps
}

// check compares a training that has ended with one that was not disturbed.
func (r interrupted) check(t *testing.T, whole interrupted) {
	t.Helper()
	sameFiles(t, r.out, whole.out)
	lines, _ := logged(t, r.log)
	want, steps := logged(t, whole.log)
	if steps != interruptedSteps || !slices.Equal(lines, want) {
		t.Errorf("the log has %d lines, and is not that of an undisturbed training with %d steps and %d lines", len(lines), steps, len(want))
	}
}

// TestQATStopped interrupts a training, as Ctrl-C does, and kills another: both go on from their checkpoints to the
// bits and the log of an undisturbed one.
func TestQATStopped(t *testing.T) {
	whole := newInterrupted(t)
	octet(t, exitOK, whole.args()...)

	t.Run("interrupted", func(t *testing.T) {
		r := newInterrupted(t)
		args := r.args("--checkpoint", r.checkpoint, "--resume")
		for _, lines := range []int{40, 100} { // the second time, what was resumed is interrupted
			stderr := r.stop(t, os.Interrupt, lines, args...)
			_, steps := logged(t, r.log)
			if n := r.saved(t); n != steps || n < lines-8 || n >= interruptedSteps {
				t.Errorf("the checkpoint has %d steps, the log %d", n, steps)
			}
			if !strings.Contains(stderr, r.checkpoint) || !strings.Contains(stderr, "--resume") || !strings.Contains(stderr, "interrupted") {
				t.Errorf("it says %q", stderr)
			}
		}
		octet(t, exitOK, args...)
		r.check(t, whole)
	})
	t.Run("killed", func(t *testing.T) {
		r := newInterrupted(t)
		args := r.args("--checkpoint", r.checkpoint, "--resume", "--checkpoint-every", "12")
		r.stop(t, os.Kill, 90, args...)
		before, err := os.ReadFile(r.log)
		if err != nil {
			t.Fatal(err)
		}
		_, made := logged(t, r.log)
		steps := r.saved(t)
		if lost := made - steps; lost < 0 || lost > 12 {
			t.Errorf("the checkpoint has %d steps of %d", steps, made)
		}
		// Lines of lost steps, and one that was being written.
		torn := string(before) + `{"step":256,"epoch":8,"loss":0.5,"rate":0,"seconds":1}` + "\n" + `{"step":257,"epo`
		if err := os.WriteFile(r.log, []byte(torn), 0o644); err != nil {
			t.Fatal(err)
		}
		octet(t, exitOK, args...)
		r.check(t, whole)
		after, err := os.ReadFile(r.log)
		if err != nil {
			t.Fatal(err)
		}
		kept := strings.Split(string(before), "\n")[:steps] // with lines of epochs among them
		if !strings.HasPrefix(string(after), strings.Join(kept, "\n")+"\n") {
			t.Error("steps before the checkpoint were made again")
		}
	})
}

// TestQATInterruptedAnywhere interrupts a training again and again, within steps and between them, until it is done: the
// checkpoints are those of whole steps, and model and log those of an undisturbed training.
func TestQATInterruptedAnywhere(t *testing.T) {
	whole, r := newInterrupted(t), newInterrupted(t)
	few := func(r interrupted, more ...string) []string {
		return r.args(append([]string{"--epochs", "2"}, more...)...)
	}
	octet(t, exitOK, few(whole)...)
	code, interruptions, steps := exitFailed, 0, 0
	for looks := 1500; code != exitOK; looks += 131 {
		var out, stderr bytes.Buffer
		code = run(fixture.EndingAt(t, looks), few(r, "--checkpoint", r.checkpoint, "--resume"), &out, &stderr)
		if code == exitOK {
			break
		}
		if code != exitFailed || !strings.Contains(stderr.String(), "octet: interrupted\n") {
			t.Fatalf("exit code %d: %s", code, stderr.String())
		}
		if _, err := os.Stat(r.checkpoint); err != nil {
			continue // in front of the first step
		}
		n := r.saved(t)
		if _, logged := logged(t, r.log); logged != n {
			t.Errorf("the checkpoint has %d steps, the log %d", n, logged)
		}
		if n > steps {
			interruptions, steps = interruptions+1, n
		}
	}
	if interruptions < 3 {
		t.Errorf("the training was interrupted %d times between its steps", interruptions)
	}
	sameFiles(t, r.out, whole.out)
	lines, _ := logged(t, r.log)
	if want, _ := logged(t, whole.log); !slices.Equal(lines, want) {
		t.Errorf("the log has %d lines, and is not that of an undisturbed training with %d", len(lines), len(want))
	}
}

// TestQATCheckpointRefused checks that a checkpoint which is damaged, or of something else, is an error that names it
// and says what to do, and that the output and the log stay as they were.
func TestQATCheckpointRefused(t *testing.T) {
	r := newInterrupted(t)
	args := func(more ...string) []string {
		return r.args(append([]string{"--epochs", "1", "--checkpoint", r.checkpoint}, more...)...)
	}
	octet(t, exitOK, args()...)
	whole, err := os.ReadFile(r.checkpoint)
	if err != nil {
		t.Fatal(err)
	}
	before := map[string][]byte{}
	for _, path := range []string{r.out, r.log} {
		if before[path], err = os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
	}
	g, err := digits.Load()
	if err != nil {
		t.Fatal(err)
	}
	g.Constants()[0].Const.Float32s()[0] += 1
	model := filepath.Join(t.TempDir(), "model.safetensors")
	if err := loader.Save(model, g); err != nil {
		t.Fatal(err)
	}
	other := func(more ...string) []string { return append([]string{"--resume"}, more...) }
	flipped := slices.Clone(whole)
	flipped[len(flipped)/2] ^= 1
	dataset, err := os.ReadFile(digitsCalib)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		file []byte
		says string
		args []string
	}{
		{"truncated", whole[:len(whole)/2], "not a whole checkpoint", other()},
		{"empty", nil, "not a whole checkpoint", other()},
		{"damaged", flipped, "not a whole checkpoint", other()},
		{"text", []byte("no checkpoint at all"), "not a whole checkpoint", other()},
		{"a data set", dataset, "checkpoint", other()},
		{"another rate", whole, `--lr "0.001" where this training has "0.01"`, other("--lr", "0.01")},
		{"another optimizer", whole, `--optimizer "adam" where`, other("--optimizer", "adamw")},
		{"an optimizer with other moments", whole, `--optimizer "adam" where`, other("--optimizer", "sgd")},
		{"a longer schedule", whole, `--epochs "1" where this training has "2"`, other("--epochs", "2")},
		{"another temperature", whole, `--temperature "4" where`, other("--temperature", "2")},
		{"other bits", whole, "the quantization ", other("--bits", "3")},
		{"another backend", whole, "the quantization ", other("--backend", "disc")},
		{"other modules", whole, "the quantization ", other("--exclude", "fc")},
		{"another seed", whole, "seed 1", other("--seed", "2")},
		{"another batch", whole, "batches of 8", other("--batch", "16")},
		{"other data", whole, "the data ", other("--data", digitsTest)},
		{"another model", whole, "the model ", other()},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := os.WriteFile(r.checkpoint, c.file, 0o644); err != nil {
				t.Fatal(err)
			}
			line := args(c.args...)
			if c.name == "another model" {
				line[1] = model
				line = slices.Delete(line, 2, 4) // its architecture is in the file
			}
			out, stderr := octet(t, exitFile, line...)
			if out != "" || !strings.Contains(stderr, "octet: "+r.checkpoint+": ") || !strings.Contains(stderr, c.says) || !strings.Contains(stderr, "or begin anew") {
				t.Errorf("printed %q and said %q, want %q", out, stderr, c.says)
			}
			for _, path := range slices.Sorted(maps.Keys(before)) {
				if text, err := os.ReadFile(path); err != nil || !bytes.Equal(text, before[path]) {
					t.Errorf("%s has changed: %v", path, err)
				}
			}
		})
	}

	t.Run("a foreign log", func(t *testing.T) {
		if err := os.WriteFile(r.checkpoint, whole, 0o644); err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{"a diary\nof mine\n", "{\"step\":1}\n{}\n"} {
			if err := os.WriteFile(r.log, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			_, stderr := octet(t, exitFile, args("--resume")...)
			if now, err := os.ReadFile(r.log); err != nil || string(now) != text || !strings.Contains(stderr, r.log+": line") {
				t.Errorf("the file has %q (%v) and octet says %q", now, err, stderr)
			}
		}
	})
}
