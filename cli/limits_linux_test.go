package cli

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/octet-ml/octet/internal/shareddata"
	"github.com/octet-ml/octet/tensor"
)

// TestMaxMemory runs what asks for far more memory than it may have, each as a process: it is refused, and the process never has more
// than the bound and 64 MB.
func TestMaxMemory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	if err := tensor.WriteNPZ(file("x.npz"), []tensor.Named{{Name: "x", Tensor: six(t)}}); err != nil {
		t.Fatal(err)
	}
	writeZeros(t, file("zeros.npz"), 3<<30)
	bomb, out := shareddata.Path(t, "cases/hostile/bomb_outer.pt"), file("y.npz")
	const bound = 256 << 20
	for _, args := range [][]string{
		{"run", bomb, "--input", file("x.npz"), "--output", out},
		{"eval", bomb, "--data", file("x.npz")},
		{"bench", bomb, "--shape", "6"},
		{"quantize", bomb, "--calib", file("x.npz"), "-o", out},
		{"run", bomb, "--input", file("zeros.npz"), "--output", out},
		{"eval", digitsModel, "--arch", "digits", "--data", file("zeros.npz")},
		{"eval", digitsModel, "--arch", "digits", "--data", digitsTest, "--against", file("zeros.npz")},
		{"quantize", digitsModel, "--arch", "digits", "--calib", file("zeros.npz"), "-o", out},
		{"bench", "--arch", "digits", "--shape", "100000x3x512x512"},
		{"bench", "--arch", "resnet18", "--shape", "100000x3x512x512", "--precision", "int8"},
		{"bench", "--arch", "digits", "--batch", "100000000"},
		{"inspect", "/dev/zero"},
		{"run", "/dev/zero", "--input", file("x.npz"), "--output", out},
		{"run", bomb, "--input", "/dev/zero", "--output", out},
	} {
		cmd := process(t, append(args, "--max-memory", fmt.Sprint(bound))...)
		var said bytes.Buffer
		cmd.Stderr = &said
		peak, err := runPeak(t, cmd)
		code := ended(t, err)
		if code != exitFailed && code != exitFile || !strings.Contains(said.String(), "--max-memory gives more") {
			t.Errorf("octet %s: exit code %d\n%s", strings.Join(args, " "), code, said.String())
		}
		if peak > bound+64<<20 {
			t.Errorf("octet %s: %d MB in memory", strings.Join(args, " "), peak>>20)
		}
	}
	for _, args := range [][]string{{"--max-memory", "lots"}, {"--max-memory", "-1GB"}, {"--timeout", "-1s"}, {"--timeout", "soon"}} {
		octet(t, exitUsage, append([]string{"cpu"}, args...)...)
	}
}

// runPeak runs a command of process and returns the most bytes that it had in memory.
func runPeak(t *testing.T, cmd *exec.Cmd) (peak int64, err error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "status")
	cmd.Env = append(cmd.Env, tellPeak+"="+file)
	err = cmd.Run()
	status, readErr := os.ReadFile(file)
	if errors.Is(readErr, fs.ErrNotExist) { // it ended in the middle: rusage counts what this process had when it started the other, too
		return int64(cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss) << 10, err
	}
	if readErr != nil {
		t.Fatal(readErr)
	}
	for line := range strings.Lines(string(status)) {
		if kB, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			if _, err := fmt.Sscan(kB, &peak); err != nil {
				t.Fatal(err)
			}
		}
	}
	if peak == 0 {
		t.Fatalf("no peak in %s", status)
	}
	return peak << 10, err
}

func six(t *testing.T) *tensor.Tensor {
	t.Helper()
	x, err := tensor.FromSlice([]float32{1, 1, 1, 1, 1, 1}, 6)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// writeZeros writes an array of n zero bytes that takes a thousandth of that in its file.
func writeZeros(t *testing.T, path string, n int64) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(f)
	w, err := z.Create("x.npy")
	if err != nil {
		t.Fatal(err)
	}
	header := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (%d,), }\n", n/4)
	if _, err := fmt.Fprintf(w, "\x93NUMPY\x01\x00%c%c%s", len(header), 0, header); err != nil {
		t.Fatal(err)
	}
	zeros := make([]byte, 1<<20)
	for range 64 { // the rest is refused before it is missed
		if _, err := w.Write(zeros); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestWatchMemory lets a command that nothing else refuses take memory without end.
func TestWatchMemory(t *testing.T) {
	taken := bytes.Repeat([]byte{1}, 2*memorySlack)
	l := &limits{maxMemory: 1 << 20}
	ended := make(chan error, 1)
	l.enforce(t.Context(), make(chan struct{}), func(err error) { ended <- err })
	if err := <-ended; !is[*overMemoryError](err) {
		t.Errorf("ended with %v", err)
	}
	runtime.KeepAlive(taken)
}

// TestEnds interrupts commands in all that can take long, and lets the time that they have run out: they end by themselves, with exit code 1.
func TestEnds(t *testing.T) {
	dir := t.TempDir()
	x, pipe, out := filepath.Join(dir, "x.npz"), filepath.Join(dir, "pipe"), filepath.Join(dir, "y.npz")
	ones, err := tensor.FromSlice(bytes.Repeat([]byte{1}, 21), 21)
	if err == nil {
		ones, err = ones.To(tensor.Float32)
	}
	if err == nil {
		err = tensor.WriteNPZ(x, []tensor.Named{{Name: "x", Tensor: ones}})
	}
	if err == nil {
		err = syscall.Mkfifo(pipe, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	nested := shareddata.Path(t, "cases/hostile/nested.pt")
	for _, args := range [][]string{
		{"run", nested, "--input", x, "--output", out},                                    // a run without end
		{"run", pipe, "--input", x, "--output", out},                                      // nobody writes the file
		{"run", nested, "--input", pipe, "--output", out},                                 // nor the data
		{"quantize", digitsModel, "--arch", "digits", "--calib", digitsCalib, "-o", pipe}, // nobody reads the result
		{"bench", "--arch", "resnet18", "--runs", "1000000"},                              // a long measurement
		{"qat", digitsModel, "--arch", "digits", "--calib", digitsCalib, "--data", digitsTest, "--epochs", "100000", "--lr", "1e-5", "-o", out},
	} {
		for _, how := range []string{"SIGINT", "SIGTERM", "--timeout"} {
			full := args
			if how == "--timeout" {
				full = append(args[:len(args):len(args)], "--timeout", "300ms")
			}
			cmd := process(t, full...)
			var said bytes.Buffer
			cmd.Stderr = &said
			startHandling(t, cmd)
			want := "not done within"
			if how != "--timeout" {
				want = "interrupted"
				time.Sleep(300 * time.Millisecond) // so that it comes in the middle; it may come at any time
				sig := syscall.SIGINT
				if how == "SIGTERM" {
					sig = syscall.SIGTERM
				}
				if err := cmd.Process.Signal(sig); err != nil {
					t.Fatal(err)
				}
			}
			if code := ended(t, cmd.Wait()); code != exitFailed || !strings.Contains(said.String(), want) {
				t.Errorf("%s octet %s: exit code %d\n%s", how, strings.Join(args, " "), code, said.String())
			}
		}
	}
}

// startHandling starts a process and waits until it handles signals.
func startHandling(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd.Env, cmd.ExtraFiles = append(cmd.Env, tellReady+"=1"), []*os.File{w}
	err = cmd.Start()
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(r); err != nil {
		t.Fatal(err)
	}
}

// TestInterruptAtOnce interrupts a command before it has done anything but to handle signals.
func TestInterruptAtOnce(t *testing.T) {
	for range 10 {
		cmd := process(t, "bench", "--arch", "resnet18", "--runs", "1000000")
		var said bytes.Buffer
		cmd.Stderr = &said
		startHandling(t, cmd)
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if code := ended(t, cmd.Wait()); code != exitFailed || !strings.Contains(said.String(), "interrupted") {
			t.Errorf("exit code %d\n%s", code, said.String())
		}
	}
}
