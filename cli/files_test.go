package cli

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// process returns a command line as a process of its own.
func process(t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, args...)
	cmd.Env = append(os.Environ(), asCommand+"=1")
	return cmd
}

// ended returns the exit code of a process that has ended by itself.
func ended(t testing.TB, err error) int {
	t.Helper()
	if err == nil {
		return exitOK
	}
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok || exit.ExitCode() < 0 {
		t.Fatalf("the process has not ended by itself: %v", err)
	}
	return exit.ExitCode()
}

func copied(t testing.TB, from, to string) string {
	t.Helper()
	b, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, b, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	return to
}

// TestOutputIsInput gives every command that writes a file one that it reads, or writes besides, under another name.
func TestOutputIsInput(t *testing.T) {
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	model, calib, data := copied(t, digitsModel, file("model.pth")), copied(t, digitsCalib, file("calib.npz")), copied(t, digitsTest, file("data.npz"))
	against := copied(t, digitsLogits, file("logits.npz"))
	octet(t, exitOK, "quantize", model, "--arch", "digits", "--calib", calib, "--save-state", file("state"))
	octet(t, exitOK, "quantize", model, "--arch", "digits", "--calib", calib, "--save-state", file("state2"))
	sources := []string{model, calib, data, against, file("state"), file("state2")}
	before := map[string][]byte{}
	for _, path := range sources {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		before[path] = b
		if err := errors.Join(os.Symlink(path, path+".link"), os.Link(path, path+".hard")); err != nil {
			t.Fatal(err)
		}
	}
	qat := []string{"qat", model, "--arch", "digits", "--calib", calib, "--data", data, "--eval", against, "--epochs", "1", "--lr", "1e-3"}
	quantize := []string{"quantize", model, "--arch", "digits", "--calib", calib, "--data", data}
	tune := []string{"tune", model, "--arch", "digits", "--calib", calib, "--data", data, "--max-drop", "1%"}
	eval := []string{"eval", model, "--arch", "digits", "--data", data, "--against", against}
	run := []string{"run", model, "--arch", "digits", "--input", calib}
	out := []string{"-o", file("out")}
	for _, c := range []struct {
		args []string
		flag string
		bad  []string
	}{
		{quantize, "-o", []string{model, calib, data}},
		{slices.Concat(quantize, out), "--report", []string{model, calib, data, file("out")}},
		{slices.Concat(quantize, out), "--save-state", []string{model, calib, data, file("out")}},
		{slices.Concat(quantize[:4], out[:0], []string{"--state", file("state")}), "-o", []string{model, file("state")}},
		{tune, "-o", []string{model, calib, data}},
		{qat, "-o", []string{model, calib, data, against}},
		{slices.Concat(qat, out), "--checkpoint", []string{model, calib, data, against, file("out")}},
		{slices.Concat(qat, out), "--log", []string{model, calib, data, against, file("out")}},
		{slices.Concat(qat, out, []string{"--checkpoint", file("ck"), "--resume"}), "--log", []string{file("ck")}},
		{eval, "--output", []string{model, data, against}},
		{run, "--output", []string{model, calib}},
		{[]string{"quantize", "merge", file("state"), file("state2")}, "-o", []string{file("state"), file("state2")}},
	} {
		for _, path := range c.bad {
			names := []string{path}
			if before[path] != nil {
				names = append(names, path+".link", path+".hard")
			}
			for _, name := range names {
				_, stderr := octet(t, exitUsage, slices.Concat(c.args, []string{c.flag, name})...)
				if !strings.Contains(stderr, c.flag+" "+name+" is the file of ") {
					t.Errorf("%s %s %s: %s", c.args[0], c.flag, name, stderr)
				}
			}
		}
	}
	for path, was := range before {
		if is, err := os.ReadFile(path); err != nil || !bytes.Equal(is, was) {
			t.Errorf("%s has changed: %v", path, err)
		}
	}
	// A state may be continued where it lies.
	octet(t, exitOK, "quantize", model, "--arch", "digits", "--calib", calib, "--state", file("state"), "--save-state", file("state.link"))
}

// TestOutputOnStdout writes files to stdout, as a pipe and as a file that has something already. What is printed goes to stderr.
func TestOutputOnStdout(t *testing.T) {
	if _, err := os.Stat("/dev/stdout"); err != nil {
		t.Skip(err)
	}
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain.safetensors")
	args := []string{"quantize", digitsModel, "--arch", "digits", "--calib", digitsCalib, "-o"}
	octet(t, exitOK, append(args, plain)...)
	want, err := os.ReadFile(plain)
	if err != nil {
		t.Fatal(err)
	}
	var piped, said bytes.Buffer
	cmd := process(t, append(args, "/dev/stdout")...)
	cmd.Stdout, cmd.Stderr = &piped, &said
	if err := cmd.Run(); err != nil || !bytes.Equal(piped.Bytes(), want) || !strings.Contains(said.String(), "block.conv2") {
		t.Errorf("a pipe got %d bytes, want %d: %v\n%s", piped.Len(), len(want), err, said.String())
	}
	file, err := os.Create(filepath.Join(dir, "redirected"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteString("before"); err != nil {
		t.Fatal(err)
	}
	cmd = process(t, append(args, "/dev/stdout", "--json")...)
	cmd.Stdout = file
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(file.Name()); err != nil || string(got) != "before"+string(want) {
		t.Errorf("a file that stdout was led to has %d bytes, want %d: %v", len(got), len("before")+len(want), err)
	}
}

// TestOutputDevice lets every flag that names a file to write name a device, which stays one.
func TestOutputDevice(t *testing.T) {
	device := nullDevice(t)
	for _, args := range [][]string{
		{"quantize", digitsModel, "--arch", "digits", "--calib", digitsCalib, "-o", device, "--report", device, "--save-state", device},
		{"tune", digitsModel, "--arch", "digits", "--calib", digitsCalib, "--data", digitsTest, "--max-drop", "50%", "-o", device},
		{"qat", digitsModel, "--arch", "digits", "--calib", digitsCalib, "--data", digitsTest, "--epochs", "1", "--lr", "1e-4", "-o", device, "--checkpoint", device, "--log", device},
		{"eval", digitsModel, "--arch", "digits", "--data", digitsTest, "--output", device},
		{"run", digitsModel, "--arch", "digits", "--input", digitsCalib, "--output", device},
	} {
		octet(t, exitOK, args...)
		if info, err := os.Stat(device); err != nil || info.Mode()&os.ModeCharDevice == 0 {
			t.Fatalf("octet %s has replaced the device: %v", args[0], err)
		}
	}
}

// TestHardLinkIsTold replaces one of two names of a file and says so.
func TestHardLinkIsTold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "y.npz")
	if err := errors.Join(os.WriteFile(path, []byte("old"), 0o600), os.Link(path, path+"2")); err != nil {
		t.Fatal(err)
	}
	_, stderr := octet(t, exitOK, "run", digitsModel, "--arch", "digits", "--input", digitsCalib, "--output", path)
	if !strings.Contains(stderr, "2 names") {
		t.Errorf("stderr: %s", stderr)
	}
	if old, err := os.ReadFile(path + "2"); err != nil || string(old) != "old" {
		t.Errorf("the other name has %q: %v", old, err)
	}
}

// TestDash says what to write instead of the name that stands for stdin and stdout elsewhere, and leaves no file of that name.
func TestDash(t *testing.T) {
	t.Chdir(t.TempDir())
	for says, args := range map[string][]string{
		"-o -: /dev/stdout":     {"convert", "model.safetensors", "-o", "-"},
		"MODEL -: /dev/stdin":   {"convert", "-", "-o", "out.safetensors"},
		"--calib -: /dev/stdin": {"quantize", "model.safetensors", "--calib", "-", "-o", "out.safetensors"},
	} {
		if _, stderr := octet(t, exitUsage, args...); !strings.Contains(stderr, says) {
			t.Errorf("%q does not say %q: %s", args, says, stderr)
		}
	}
	if list, err := os.ReadDir("."); err != nil || len(list) > 0 {
		t.Errorf("files %v were made, error %v", list, err)
	}
}
