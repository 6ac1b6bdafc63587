//go:build !noserve

package cli

import (
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/octet-ml/octet/internal/shareddata"
	"github.com/octet-ml/octet/tensor"
)

// TestServeEnds ends servers that read a model or its example, warm a model up by a run without end, or wait for requests. They end
// by themselves without draining, unless SIGTERM ends one that was ready: an hour would be noticed.
func TestServeEnds(t *testing.T) {
	dir := t.TempDir()
	pipe, x, model := filepath.Join(dir, "pipe"), filepath.Join(dir, "x.npz"), quantizeDigits(t)
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	ones, err := tensor.FromSlice(slices.Repeat([]float32{1}, 21), 21)
	if err == nil {
		err = tensor.WriteNPZ(x, []tensor.Named{{Name: "x", Tensor: ones}})
	}
	if err != nil {
		t.Fatal(err)
	}
	nested := shareddata.Path(t, "cases/hostile/nested.pt")
	for _, args := range [][]string{{"m=" + pipe}, {"d=" + model, "--warm", pipe}, {"m=" + nested, "--warm", x}} {
		for _, sig := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
			cmd := process(t, append([]string{"serve", "--addr", "unix:" + filepath.Join(dir, "socket"), "--drain", "1h"}, args...)...)
			startHandling(t, cmd)
			time.Sleep(300 * time.Millisecond) // so that it comes in the middle; it may come at any time
			if err := cmd.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			ended(t, cmd.Wait())
		}
	}
	for sig, drain := range map[os.Signal]string{syscall.SIGTERM: "0s", os.Interrupt: "1h"} {
		if code := startServe(t, "d="+model, "--drain", drain).end(sig); code != exitOK {
			t.Errorf("%v: exit code %d", sig, code)
		}
	}
	// A load that hangs, as one of a file system that does not answer does, holds nothing up.
	bytes, err := os.ReadFile(model)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "d.safetensors")
	if err := os.WriteFile(file, bytes, 0o600); err != nil {
		t.Fatal(err)
	}
	s := startServe(t, "d="+file, "--drain", "0s")
	if err := os.Rename(pipe, file); err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond)
	if code := s.end(syscall.SIGTERM); code != exitOK {
		t.Errorf("with a load that hangs: exit code %d", code)
	}
}
