package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// target is what a path leads to.
type target struct {
	given string      // the path as the caller has it
	path  string      // with symbolic links followed
	info  fs.FileInfo // nil: it does not exist
	fd    int         // the descriptor of this process that it is; -1: none
}

// Target returns the file that writing to path replaces or makes: path with symbolic links followed. Links may
// lead to what does not exist yet.
func Target(path string) (string, error) {
	t, err := resolve(path)
	if err != nil {
		return "", err
	}
	return t.path, nil
}

// Links returns how many hard links the file at path has where writing replaces one of them: 0 when it
// does not exist, is written as it is, or the system does not tell.
func Links(path string) int {
	t, err := resolve(path)
	if err != nil || t.info == nil || t.through() {
		return 0
	}
	return links(t.info)
}

// resolve follows the links of path and refuses folders.
func resolve(path string) (*target, error) {
	t := &target{given: path, path: path, fd: -1}
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return nil, &fs.PathError{Op: "write", Path: path, Err: ErrFolder}
	case err == nil:
		t.info = info
	case !errors.Is(err, fs.ErrNotExist):
		return nil, t.named(nil, err)
	}
	for range 64 {
		dir, base := filepath.Split(t.path) // not cleaned: ".." is of where a link leads to
		if dir == "" {
			dir = "."
		}
		dir, err := filepath.EvalSymlinks(dir)
		if err != nil { // a folder that is missing
			return t, nil
		}
		t.path = filepath.Join(dir, base)
		if t.fd = descriptor(t.path); t.fd >= 0 {
			return t, nil
		}
		link, err := os.Readlink(t.path)
		if err != nil { // no link, or nothing there
			return t, nil
		}
		if !filepath.IsAbs(link) {
			link = dir + string(filepath.Separator) + link
		}
		t.path = link
	}
	return nil, &fs.PathError{Op: "write", Path: path, Err: syscall.ELOOP}
}

// descriptor returns the descriptor of this process that a path is the name of, -1 for other paths. Opening the path
// again would begin at the file's start, and renaming would take it from who holds the descriptor.
func descriptor(path string) int {
	dir, name := filepath.Split(path)
	process := "/proc/" + strconv.Itoa(os.Getpid())
	thread, _ := filepath.Match(process+"/task/*/fd/", dir)
	n, err := strconv.ParseUint(name, 10, 31)
	if err != nil || dir != "/dev/fd/" && dir != process+"/fd/" && !thread {
		return -1
	}
	return int(n)
}

// through reports whether the target is written as it is.
func (t *target) through() bool {
	return t.info != nil && (t.fd >= 0 || !t.info.Mode().IsRegular())
}
