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

// TestStatePreparation quantizes from states of pictures: they say how those became inputs, and a flag or another part may not say otherwise.
func TestStatePreparation(t *testing.T) {
	calib, flags := digitPictures(t, digitsCalib, true)
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	model := []string{"quantize", digitsModel, "--arch", "digits"}
	with := func(args ...string) []string { return append(append([]string(nil), model...), args...) }
	names := at("names.txt")
	if err := os.WriteFile(names, []byte("a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	calibrate := func(state string, args ...string) {
		octet(t, exitOK, append(with("--calib", calib, "--size", "8", "--save-state", state), append(args, flags...)...)...)
	}
	calibrate(at("state"), "--labels", names)
	octet(t, exitOK, append(with("--calib", calib, "--size", "8", "--labels", names, "-o", at("once")), flags...)...)
	octet(t, exitOK, with("--state", at("state"), "-o", at("later"))...)
	if !bytes.Equal(readFile(t, at("once")), readFile(t, at("later"))) {
		t.Error("quantized from a state, the model is another one, or says less of itself")
	}
	octet(t, exitOK, with("--state", at("state"), "--calib", calib, "--size", "8", "-o", at("later"))...)
	for flag, value := range map[string]string{"--size": "8x9", "--crop": "8", "--channels": "3", "--mean": "0.25", "--std": "0.25", "--sample-rate": "8000"} {
		for _, more := range [][]string{nil, {"--calib", calib}} {
			_, stderr := octet(t, exitUsage, append(with("--state", at("state"), "-o", at("out"), flag, value), more...)...)
			if name := strings.ReplaceAll(flag[2:], "-", " "); !strings.Contains(stderr, name) || !strings.Contains(stderr, "--state") {
				t.Errorf("%s %s: %q", flag, value, stderr)
			}
		}
	}

	// Parts: the second is of flags that the first has not.
	calibrate(at("0"), "--shard", "0/2")
	calibrate(at("1"), "--shard", "1/2")
	calibrate(at("1-other"), "--shard", "1/2", "--exif-rotation")
	octet(t, exitOK, "quantize", "merge", at("0"), at("1"), "-o", at("merged"))
	octet(t, exitOK, with("--state", at("merged"), "--labels", names, "-o", at("later"))...)
	if !bytes.Equal(readFile(t, at("once")), readFile(t, at("later"))) {
		t.Error("merged parts give another model")
	}
	if _, stderr := octet(t, exitFile, "quantize", "merge", at("0"), at("1-other"), "-o", at("merged")); !strings.Contains(stderr, "Exif rotation") || !strings.Contains(stderr, "1/2") {
		t.Errorf("shards that are prepared otherwise: %q", stderr)
	}
	calibrate(at("other"), "--exif-rotation")
	if _, stderr := octet(t, exitFile, "quantize", "merge", at("state"), at("other"), "-o", at("merged")); !strings.Contains(stderr, "Exif rotation") || !strings.Contains(stderr, at("other")) {
		t.Errorf("parts that are prepared otherwise: %q", stderr)
	}
}
