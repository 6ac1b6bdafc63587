package rawfile

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"testing/iotest"
)

// TestChunks reads what a pipe has given at any place.
func TestChunks(t *testing.T) {
	data := make([]byte, 2*chunkSize+12345)
	for i := range data {
		data[i] = byte(i * 7)
	}
	var c chunks
	if err := c.fill(t.Context(), iotest.HalfReader(bytes.NewReader(data)), int64(len(data))); err != nil || c.size != int64(len(data)) {
		t.Fatal(c.size, err)
	}
	if err := iotest.TestReader(io.NewSectionReader(&c, 0, c.size), data); err != nil {
		t.Error(err)
	}
	var limited *TooLargeError
	if err := new(chunks).fill(t.Context(), bytes.NewReader(data), int64(len(data)-1)); !errors.As(err, &limited) {
		t.Errorf("a byte more than allowed gives %v", err)
	}
}

// TestContext reads a file until its context ends.
func TestContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	if err := os.WriteFile(path, []byte("abc"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	f, err := Open(ctx, path, 0)
	if err != nil || f.Size != 3 || f.InMemory() != 0 {
		t.Fatal(f, err)
	}
	defer f.Close()
	if _, err := f.ReadAt(make([]byte, 3), 0); err != nil {
		t.Error(err)
	}
	cancel()
	if _, err := f.ReadAt(make([]byte, 3), 0); !errors.Is(err, context.Canceled) {
		t.Errorf("reading after the end gives %v", err)
	}
	if _, err := Open(ctx, path, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("opening after the end gives %v", err)
	}
	if _, err := Open(t.Context(), t.TempDir(), 0); !errors.Is(err, ErrFolder) {
		t.Errorf("a folder gives %v", err)
	}
}

// countdown is a context that ends when it was asked so many times.
type countdown struct {
	context.Context
	asks int
}

func (c *countdown) Err() error {
	if c.asks--; c.asks < 0 {
		return context.Canceled
	}
	return nil
}

// A large read looks at its context between parts.
func TestContextWithinRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	if err := os.WriteFile(path, make([]byte, 3*partSize+1), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx := &countdown{t.Context(), 1 << 30}
	f, err := Open(ctx, path, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p := make([]byte, f.Size)
	for asks, want := range []int{0, partSize, 2 * partSize, 3 * partSize, len(p)} {
		ctx.asks = asks
		if n, err := f.ReadAt(p, 0); n != want || (err == nil) != (want == len(p)) {
			t.Errorf("a context that ends after %d looks: %d bytes, want %d, error %v", asks, n, want, err)
		}
	}
	ctx.asks = 1 << 30
	if n, err := f.ReadAt(p, 2); n != len(p)-2 || err != io.EOF {
		t.Errorf("past the end: %d bytes, error %v", n, err)
	}
}
