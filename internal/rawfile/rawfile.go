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
	"path"
	"path/filepath"
)

// File is a file of known size.
type File struct {
	Size int64
	// Disk is the file itself, nil of what is not on a disk.
	Disk *os.File

	file   fs.File // nil of what is in memory
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

// System has the files of the system by their own paths, which fs.FS has no rules for.
type System struct{}

// Open is os.Open.
func (System) Open(path string) (fs.File, error) { return os.Open(path) }

// Stat is os.Stat.
func (System) Stat(path string) (fs.FileInfo, error) { return os.Stat(path) }

// Join joins the parts of a path in fsys.
func Join(fsys fs.FS, parts ...string) string {
	if fsys == fs.FS(System{}) {
		return filepath.Join(parts...)
	}
	return path.Join(parts...)
}

// Open opens the file of the system at path, as OpenIn does.
func Open(ctx context.Context, path string, limit int64) (*File, error) {
	return OpenIn(ctx, System{}, path, limit)
}

// OpenIn opens the file at path. Of a pipe or device, and of what can only be read in order, it reads at most limit bytes, of which a
// *TooLargeError says that they are not all. Reading fails once ctx has ended.
func OpenIn(ctx context.Context, fsys fs.FS, path string, limit int64) (*File, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f, err := fsys.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	switch at, ok := f.(io.ReaderAt); {
	case err != nil:
	case info.IsDir():
		err = &fs.PathError{Op: "read", Path: path, Err: ErrFolder}
	case ok && info.Mode().IsRegular():
		disk, _ := f.(*os.File)
		return &File{Size: info.Size(), Disk: disk, file: f, ctx: ctx, at: at}, nil
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
		read, err := f.at.ReadAt(p[n:n+min(partSize, len(p)-n)], off+int64(n))
		if n += read; err != nil || n == len(p) {
			return n, err
		}
	}
}

// InMemory returns how many bytes of memory the file itself takes.
func (f *File) InMemory() int64 { return f.memory.size }

// Detach makes reading independent of the context that the file was opened with.
func (f *File) Detach() { f.ctx = context.Background() }

// Close closes the file, where it is not in memory.
func (f *File) Close() error {
	if f.file == nil {
		return nil
	}
	return f.file.Close()
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
