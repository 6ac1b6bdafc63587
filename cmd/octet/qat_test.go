package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// TestQATResume trains the digits model with few bits, which wins accuracy back, and checks that training in
// two runs, the second going on from the checkpoint of the first, writes the bits of one run.
func TestQATResume(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	train := func(out, epochs string, more ...string) qatResult {
		return octetJSON[qatResult](t, digitsFlags("qat", at(out), append([]string{"--data", digitsCalib, "--eval", digitsTest, "--distill",
			"--bits", "2", "--weight-bits", "4", "--lr", "0.001", "--optimizer", "adam", "--batch", "16", "--epochs", epochs}, more...)...)...)
	}
	whole := train("whole", "4", "--log", at("log"))
	if whole.Float.Right != 507 || whole.Trained.Right <= whole.Calibrated.Right || whole.LastLoss >= whole.FirstLoss {
		t.Errorf("float %v, calibrated %v, trained %v, loss from %v to %v", whole.Float, whole.Calibrated, whole.Trained, whole.FirstLoss, whole.LastLoss)
	}
	train("part", "2", "--checkpoint", at("state"))
	// Values that are computed again change no bit.
	if resumed := train("resumed", "4", "--checkpoint", at("state"), "--resume", "--recompute", "smallest"); resumed.ArenaBytes == 0 || resumed.ArenaBytes >= whole.ArenaBytes {
		t.Errorf("a step takes %d bytes with --recompute smallest, %d without", resumed.ArenaBytes, whole.ArenaBytes)
	}
	want, err := os.ReadFile(at("whole"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(at("resumed")); err != nil || !bytes.Equal(got, want) {
		t.Errorf("the resumed model is not that of one run: %v", err)
	}
	log, err := os.ReadFile(at("log"))
	if err != nil || bytes.Count(log, []byte("\n")) != whole.Steps+whole.Epochs {
		t.Errorf("the log has %d lines for %d steps: %v", bytes.Count(log, []byte("\n")), whole.Steps, err)
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
