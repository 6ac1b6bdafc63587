package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/octet-ml/octet/tensor"
)

// TestModelKnowsItself quantizes with flags on pictures, and evaluates, runs and quantizes further without them.
func TestModelKnowsItself(t *testing.T) {
	test, flags := digitPictures(t, digitsTest, false)
	labels := filepath.Join(t.TempDir(), "labels.txt")
	names := "digit-0\ndigit-1\ndigit-2\ndigit-3\ndigit-4\ndigit-5\ndigit-6\ndigit-7\ndigit-8\ndigit-9\n"
	if err := os.WriteFile(labels, []byte(names), 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "int8.safetensors")
	octet(t, exitOK, append([]string{"quantize", digitsModel, "--arch", "digits", "--calib", test, "--labels", labels, "-o", out}, flags...)...)

	shown, _ := octet(t, exitOK, "inspect", out)
	digest, err := fileDigest(digitsModel)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"digits.pth, SHA-256 " + digest, "written by", "graph       SHA-256 ", "input: float32[-1 1 -1 -1]", "channels 1, mean [", `10: ["digit-0"`} {
		if !strings.Contains(shown, want) {
			t.Errorf("inspect does not show %q:\n%s", want, shown)
		}
	}
	r := octetJSON[evalResult](t, "eval", out, "--data", test)
	if r.N != 512 || *r.Right < 480 {
		t.Errorf("%d of %d right", *r.Right, r.N)
	}
	picture := filepath.Join(test, "digit-3")
	said, _ := octet(t, exitOK, "run", out, picture, "--top", "1")
	if lines := strings.Count(said, "\n"); lines == 0 || strings.Count(said, "  digit-3 ") < lines-3 {
		t.Errorf("pictures of a 3:\n%s", said)
	}
	// Arrays of bytes without mean and std of their own are normalized in the same way.
	bare := filepath.Join(t.TempDir(), "bare.npz")
	digits := readArrays(t, digitsTest)
	writeArrays(t, bare, map[string]*tensor.Tensor{"x": digits.Get("x"), "y": digits.Get("y")})
	if r := octetJSON[evalResult](t, "eval", out, "--data", bare); r.N != 512 || *r.Right < 480 {
		t.Errorf("of arrays %d of %d right", *r.Right, r.N)
	}
	if _, stderr := octet(t, exitOK, "eval", out, "--data", test, "--mean", "0.25"); !strings.Contains(stderr, "--mean: [0.25] in place of [") {
		t.Errorf("a flag in place of what the model says: %q", stderr)
	}
}
