package atomicfile

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// A temporary file is named after its target, so that the next write of the target finds those that killed processes have
// left. Who writes one holds a lock on it from before it has any contents until it is renamed; the system ends
// the lock with the process.
const (
	temporarySuffix = ".tmp"
	randomBytes     = 8   // of a uint64
	maxBase         = 200 // bytes of the target's name; names of 255 are common, and the rest is needed
)

func temporaryPrefix(path string) string {
	base := filepath.Base(path)
	// Where names are UTF-8 to the system, half a character is none.
	return "." + strings.ToValidUTF8(base[:min(len(base), maxBase)], "") + "."
}

// create makes the temporary file, locked, and removes those that nobody holds.
func (t *target) create() (*os.File, error) {
	if t.info != nil {
		if err := t.writable(); err != nil {
			return nil, t.named(nil, err)
		}
	}
	dir, prefix := filepath.Dir(t.path), temporaryPrefix(t.path)
	removeLeft(dir, prefix)
	mode := fs.FileMode(0o666) // less what the user masks
	if t.info != nil {
		mode = t.info.Mode().Perm() | 0o600
	}
	for {
		random := binary.BigEndian.AppendUint64(nil, rand.Uint64())
		f, err := os.OpenFile(filepath.Join(dir, prefix+hex.EncodeToString(random)+temporarySuffix), os.O_RDWR|os.O_CREATE|os.O_EXCL, mode)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if e, ok := errors.AsType[*fs.PathError](err); ok {
			return nil, &fs.PathError{Op: e.Op, Path: t.given, Err: e.Err}
		}
		if err != nil {
			return nil, err
		}
		// Between the two, another write may have taken it for one that was left.
		if lock(f) != errHeld && isAt(f, f.Name()) {
			return f, nil
		}
		_ = f.Close()
	}
}

// removeLeft removes the temporary files of a target that no process holds. What cannot be removed stays.
func removeLeft(dir, prefix string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if !e.Type().IsRegular() || !isTemporary(e.Name(), prefix) {
			continue
		}
		name := filepath.Join(dir, e.Name())
		f, err := os.Open(name)
		if err != nil {
			continue
		}
		if lock(f) == nil && isAt(f, name) {
			_ = os.Remove(name)
		}
		_ = f.Close()
	}
}

func isTemporary(name, prefix string) bool {
	random, ok := strings.CutPrefix(name, prefix)
	if !ok {
		return false
	}
	if random, ok = strings.CutSuffix(random, temporarySuffix); !ok {
		return false
	}
	b, err := hex.DecodeString(random)
	return err == nil && len(b) == randomBytes
}

// isAt reports whether an open file still has its name.
func isAt(f *os.File, name string) bool {
	a, err := f.Stat()
	if err != nil {
		return false
	}
	b, err := os.Lstat(name)
	return err == nil && os.SameFile(a, b)
}

// discard removes a temporary file.
func discard(f *os.File) error {
	closed := f.Close()
	return errors.Join(os.Remove(f.Name()), closed)
}

// errHeld says that another process, or another write of this one, holds the lock.
var errHeld = errors.New("the file is in use")
