// Package rawfile opens files that are to be read at any place: those that are on a disk as they are, and what
// can only be read once, such as a pipe, from memory.
package rawfile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// File is a file of known size.
type File struct {
	Size int64
	// Disk is the file itself, nil of what is in memory.
	Disk *os.File

	ctx    context.Context
	at     io.ReaderAt
	memory chunks
}

// ErrFolder says that a path is that of a folder.
var ErrFolder = errors.New("a folder, not a file")

// TooLargeError says that a pipe has given more than may be kept in memory.
type TooLargeError struct{ Limit int64 }

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("it does not end within the %d bytes that are allowed", e.Limit)
}

// Open opens the file at path. Of a pipe or device it reads at most limit bytes, of which a *TooLargeError says that they
// are not all. Reading fails once ctx has ended.
func Open(ctx context.Context, path string, limit int64) (*File, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	switch {
	case err != nil:
	case info.IsDir():
		err = &fs.PathError{Op: "read", Path: path, Err: ErrFolder}
	case info.Mode().IsRegular():
		return &File{Size: info.Size(), Disk: f, ctx: ctx, at: f}, nil
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	defer f.Close()
	r := &File{ctx: ctx}
	if err := r.memory.fill(ctx, f, limit); err != nil {
		return nil, err
	}
	r.Size, r.at = r.memory.size, &r.memory
	return r, nil
}

// partSize is how many bytes are read between two looks at the context.
const partSize = 256 << 10

// ReadAt is that of io.ReaderAt. It ends with the context.
func (f *File) ReadAt(p []byte, off int64) (n int, err error) {
	for {
		if err := f.ctx.Err(); err != nil {
			return n, err
		}
		read, err := f.at.ReadAt(p[n:min(n+partSize, len(p))], off+int64(n))
		if n += read; err != nil || n == len(p) {
			return n, err
		}
	}
}

// InMemory returns how many bytes of memory the file itself takes.
func (f *File) InMemory() int64 { return f.memory.size }

// Detach makes reading independent of the context that the file was opened with.
func (f *File) Detach() { f.ctx = context.Background() }

// Close closes the file, where it is on a disk.
func (f *File) Close() error {
	if f.Disk == nil {
		return nil
	}
	return f.Disk.Close()
}

// chunks are what was read of a pipe, all but the last of chunkSize. What is there is never copied to make room.
type chunks struct {
	list [][]byte
	size int64
}

const chunkSize = 1 << 20

func (c *chunks) fill(ctx context.Context, r io.Reader, limit int64) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		chunk := make([]byte, chunkSize)
		n, err := io.ReadFull(r, chunk)
		c.list, c.size = append(c.list, chunk[:n]), c.size+int64(n)
		switch {
		case c.size > limit:
			return &TooLargeError{limit}
		case err == io.EOF, err == io.ErrUnexpectedEOF:
			return nil
		case err != nil:
			return err
		}
	}
}

func (c *chunks) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, fs.ErrInvalid
	}
	for n < len(p) {
		if off >= c.size {
			return n, io.EOF
		}
		m := copy(p[n:], c.list[off/chunkSize][off%chunkSize:])
		n, off = n+m, off+int64(m)
	}
	return n, nil
}
