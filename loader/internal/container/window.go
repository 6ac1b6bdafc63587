package container

import (
	"io"
	"sync"
)

// window reads the headers of records and small records, which lie close together where there are many, in few and larger
// pieces.
type window struct {
	r    io.ReaderAt
	size int64

	mu  sync.Mutex
	at  int64 // of what buf holds
	buf []byte
}

const windowSize = 8 << 10

// ReadAt is that of io.ReaderAt.
func (w *window) ReadAt(p []byte, off int64) (int, error) {
	if len(p) > windowSize/8 || off < 0 || off > w.size-int64(len(p)) {
		return w.r.ReadAt(p, off)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if off < w.at || off+int64(len(p)) > w.at+int64(len(w.buf)) {
		buf := w.buf[:cap(w.buf)]
		if buf == nil {
			buf = make([]byte, windowSize)
		}
		n, err := w.r.ReadAt(buf[:min(windowSize, w.size-off)], off)
		if w.at, w.buf = off, buf[:n]; n < len(p) {
			return copy(p, w.buf), err
		}
	}
	return copy(p, w.buf[off-w.at:]), nil
}
