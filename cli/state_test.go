package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestStates gives commands calibration states that are corrupt, of another model, and of a version that does
// not say which model it is of.
func TestStates(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	octet(t, exitOK, digitsFlags("quantize", at("out"), "--save-state", at("state"))...)
	state, err := os.ReadFile(at("state"))
	if err != nil {
		t.Fatal(err)
	}
	model := regexp.MustCompile(`"version":2,"model":"[0-9a-f]{64}"`)
	if !model.Match(state) {
		t.Fatalf("the state begins with %.100s", state)
	}
	from := func(text []byte) []string {
		if err := os.WriteFile(at("other"), text, 0o644); err != nil {
			t.Fatal(err)
		}
		return []string{"quantize", digitsModel, "--arch", "digits", "--state", at("other"), "-o", at("out")}
	}
	for what, text := range map[string][]byte{
		"cut":           state[:len(state)/2],
		"backend":       bytes.Replace(state, []byte(`"backend":"native"`), []byte(`"backend":"x"`), 1),
		"kind":          bytes.ReplaceAll(state, []byte(`"kind":"mse"`), []byte(`"kind":"x"`)),
		"version":       bytes.Replace(state, []byte(`"version":2`), []byte(`"version":9`), 1),
		"dynamic":       bytes.Replace(state, []byte(`"backend":"native"`), []byte(`"backend":"disc","dynamic":true`), 1),
		"another model": model.ReplaceAll(state, []byte(`"version":2,"model":"`+strings.Repeat("0", 64)+`"`)),
	} {
		if _, stderr := octet(t, exitFile, from(text)...); !strings.Contains(stderr, at("other")) {
			t.Errorf("%s: the message is %q", what, stderr)
		}
	}
	if _, stderr := octet(t, exitOK, from(model.ReplaceAll(state, []byte(`"version":1`)))...); !strings.Contains(stderr, "does not say which model") {
		t.Errorf("a state of an older version gives the message %q", stderr)
	}
	if _, stderr := octet(t, exitOK, from(state)...); strings.Contains(stderr, "model was") {
		t.Errorf("the state gives the message %q", stderr)
	}
}
