package cli

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/octet-ml/octet/internal/shareddata"
	"github.com/octet-ml/octet/tensor"
)

func TestPlainWriter(t *testing.T) {
	var b bytes.Buffer
	p := &plainWriter{w: &b}
	for text, want := range map[string]string{
		"größe\t×2\n":                             "größe\t×2\n",
		"\x1b[2J\x07\r\x00\n":                     `\x1b[2J\x07\x0d\x00` + "\n",
		"\u009b31m\u202e\n":                       `\u009b31m\u202e` + "\n",
		"\xff\xc3\n":                              `\xff\xc3` + "\n",
		strings.Repeat("a", 10*maxLine) + "\nb\n": strings.Repeat("a", maxLine+1) + "...\nb\n",
	} {
		b.Reset()
		if n, err := p.Write([]byte(text)); n != len(text) || err != nil || b.String() != want {
			t.Errorf("%.40q is written as %.80q (%d, %v)", text, b.String(), n, err)
		}
	}
}

// TestNamesOfFilesArePlain shows files whose names and messages steer a terminal, in every form.
func TestNamesOfFilesArePlain(t *testing.T) {
	dir := t.TempDir()
	x := filepath.Join(dir, "x.npz")
	ones, err := tensor.New(tensor.Float32, 1, 1, 8, 8)
	if err == nil {
		err = tensor.WriteNPZ(x, []tensor.Named{{Name: "\x1b[31mx", Tensor: ones}})
	}
	if err != nil {
		t.Fatal(err)
	}
	key, raise := shareddata.Path(t, "cases/hostile/ansi_key.pth"), shareddata.Path(t, "cases/hostile/ansi_raise.pt")
	y := filepath.Join(dir, "y.npz")
	for _, args := range [][]string{
		{"inspect", key}, {"inspect", key, "--json"}, {"inspect", key, "--arch", "digits"}, {"inspect", raise}, {"inspect", raise, "--shape", "6", "--code"},
		{"run", raise, "--input", x, "--output", y}, {"run", key, "--input", x, "--output", y}, {"eval", raise, "--data", x}, {"bench", raise, "--shape", "6"},
		{"quantize", raise, "--calib", x, "-o", y}, {"eval", digitsModel, "--arch", "digits", "--data", digitsTest, "--against", x},
		{"run", "\x1b[31mabsent", "--input", x, "--output", y}, {"\x1b[31m"}, {"inspect", "--\x1b[31m"},
	} {
		var out, errs bytes.Buffer
		run(t.Context(), args, &out, &errs)
		if text := out.String() + errs.String(); strings.ContainsAny(text, "\x1b\x07\r") || text == "" {
			t.Errorf("octet %q writes %q", args, text)
		}
	}
}
