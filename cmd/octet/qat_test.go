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
	train("resumed", "4", "--checkpoint", at("state"), "--resume")
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
	} {
		out := filepath.Join(t.TempDir(), "o")
		octet(t, exitUsage, digitsFlags("qat", out, append([]string{"--data", digitsCalib, "--epochs", "1", "--lr", "0.1"}, more...)...)...)
	}
}

// TestQATAugment trains on moved and mirrored digits, and resumes: the second half sees the images that one run sees.
func TestQATAugment(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	train := func(out, epochs string, more ...string) {
		octetJSON[qatResult](t, digitsFlags("qat", at(out), append([]string{"--data", digitsCalib, "--distill", "--lr", "0.001", "--batch", "16", "--epochs", epochs}, more...)...)...)
	}
	augment := []string{"--random-crop", "1", "--random-flip"}
	train("plain", "2")
	train("whole", "2", augment...)
	train("part", "1", append(augment, "--checkpoint", at("state"))...)
	train("resumed", "2", append(augment, "--checkpoint", at("state"), "--resume")...)
	read := func(name string) []byte {
		t.Helper()
		data, err := os.ReadFile(at(name))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	if bytes.Equal(read("plain"), read("whole")) {
		t.Error("augmented images train the same model")
	}
	if !bytes.Equal(read("resumed"), read("whole")) {
		t.Error("the resumed model is not that of one run")
	}
	octet(t, exitUsage, digitsFlags("qat", at("o"), "--data", digitsCalib, "--distill", "--epochs", "1", "--lr", "0.1", "--random-crop", "-1")...)
}
