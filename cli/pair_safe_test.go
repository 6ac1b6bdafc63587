package cli

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/octet-ml/octet/quantize"
)

// TestPairSafe quantizes, resumes, trains, inspects and measures with pair-safe weights.
func TestPairSafe(t *testing.T) {
	at := func(name string) string { return filepath.Join(t.TempDir(), name) }
	check := func(what string, layers []quantize.Layer, want bool) {
		t.Helper()
		safe, of := 0, 0
		for _, l := range layers {
			safe, of = safe+l.SafePanels, of+l.Panels
		}
		if of == 0 || (safe == of) != want {
			t.Errorf("%s: %d of %d panels are safe", what, safe, of)
		}
	}
	digits := []string{"quantize", digitsModel, "--arch", "digits", "--calib", digitsCalib}
	check("default", octetJSON[quantizeResult](t, append(digits, "-o", at("plain"))...).Layers, false)
	file, state := at("safe"), at("state")
	check("pair-safe", octetJSON[quantizeResult](t, append(digits, "--pair-safe", "-o", file, "--save-state", state)...).Layers, true)
	again := []string{"quantize", digitsModel, "--arch", "digits", "--state", state, "--calib", digitsCalib, "-o", at("again")}
	check("resumed", octetJSON[quantizeResult](t, again...).Layers, true)
	check("resumed without", octetJSON[quantizeResult](t, append(again, "--pair-safe=false")...).Layers, false)
	check("tuned", octetJSON[quantizeResult](t, "tune", digitsModel, "--arch", "digits", "--calib", digitsCalib, "--data", digitsTest,
		"--max-drop", "5%", "--cost", "modules", "--pair-safe", "-o", at("tuned")).Layers, true)
	if plan := octetJSON[inspectResult](t, "inspect", file, "--plan", "--cpu", "generic").Plan; !strings.Contains(plan, "2 of 2 panels are pair-safe") {
		t.Errorf("plan:\n%s", plan)
	}
	trained := at("trained")
	octet(t, exitOK, digitsFlags("qat", trained, "--data", digitsCalib, "--epochs", "1", "--lr", "0.01", "--batch", "64", "--pair-safe")...)
	if plan := octetJSON[inspectResult](t, "inspect", trained, "--plan", "--cpu", "generic").Plan; !strings.Contains(plan, "2 of 2 panels are pair-safe") {
		t.Errorf("plan of the trained model:\n%s", plan)
	}
	out, _ := octet(t, exitOK, "bench", "--arch", "digits", "--precision", "int8", "--runs", "2", "--pair-safe", "--profile", "--cpu", "generic")
	if !strings.Contains(out, "panels are pair-safe") {
		t.Errorf("bench prints:\n%s", out)
	}
	if _, err := octet(t, exitUsage, append(digits, "--pair-safe", "--backend", "reference", "-o", at("affine"))...); !strings.Contains(err, "--pair-safe") || !strings.Contains(err, "--backend") {
		t.Errorf("affine weights: %s", err)
	}
}
