package cli

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFromPipe reads models and data from pipes, which have neither a size nor a beginning to go back to.
func TestFromPipe(t *testing.T) {
	if _, err := os.Stat("/dev/stdin"); err != nil {
		t.Skip(err)
	}
	dir := t.TempDir()
	int8 := quantizeDigits(t)
	y := filepath.Join(dir, "y.npz")
	for _, c := range []struct {
		stdin string
		args  []string
		code  int
	}{
		{int8, []string{"run", "/dev/stdin", "--input", digitsCalib, "--output", y}, exitOK},
		{digitsModel, []string{"run", "/dev/stdin", "--arch", "digits", "--input", digitsCalib, "--output", y}, exitOK},
		{digitsCalib, []string{"run", int8, "--input", "/dev/stdin", "--output", y}, exitOK},
		{digitsModel, []string{"inspect", "/dev/stdin"}, exitOK},
		{digitsModel, []string{"inspect", "/dev/stdin", "--arch", "digits"}, exitOK},
		{int8, []string{"inspect", "/dev/stdin"}, exitOK},
		{digitsTest, []string{"eval", int8, "--data", "/dev/stdin"}, exitOK},
		{digitsLogits, []string{"eval", int8, "--data", digitsTest, "--against", "/dev/stdin"}, exitOK},
		{int8, []string{"bench", "/dev/stdin", "--runs", "1"}, exitOK},
		{digitsModel, []string{"quantize", "/dev/stdin", "--arch", "digits", "--calib", digitsCalib, "-o", y}, exitOK},
		{digitsCalib, []string{"quantize", digitsModel, "--arch", "digits", "--calib", "/dev/stdin", "-o", y}, exitOK},
		{os.DevNull, []string{"run", "/dev/stdin", "--input", digitsCalib, "--output", y}, exitFile},
		{digitsCalib, []string{"run", "/dev/stdin", "--input", digitsCalib, "--output", y}, exitFile},
	} {
		cmd := process(t, c.args...)
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		var said bytes.Buffer
		cmd.Stderr = &said
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		f, err := os.Open(c.stdin)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(in, f) // the process may have had enough
		f.Close()
		in.Close()
		if code := ended(t, cmd.Wait()); code != c.code {
			t.Errorf("octet %s < %s: exit code %d, want %d\n%s", strings.Join(c.args, " "), c.stdin, code, c.code, said.String())
		}
	}
}
