package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/semver"
	"golang.org/x/mod/zip"

	gomodule "golang.org/x/mod/module"
)

// writeModule writes a version of the module of a folder under out as a module proxy serves it (https://go.dev/ref/mod#goproxy-protocol):
// PATH/@v/ with list, VERSION.info, VERSION.mod and VERSION.zip, so that GOPROXY=file://out takes it. The zip has what git tracks
// or would track, and has the same bytes each time. It returns the paths of the three files of the version below out.
func writeModule(source, out, version string) ([]string, error) {
	if semver.Canonical(version) != version {
		return nil, fmt.Errorf("-version %q: give a version such as v0.1.0", version)
	}
	mod, err := os.ReadFile(filepath.Join(source, "go.mod"))
	if err != nil {
		return nil, err
	}
	m := gomodule.Version{Path: modfile.ModulePath(mod), Version: version}
	escaped, err := gomodule.EscapePath(m.Path)
	if err != nil {
		return nil, err
	}
	files, err := trackedFiles(source)
	if err != nil {
		return nil, err
	}
	var packed bytes.Buffer
	if err := zip.Create(&packed, m, files); err != nil {
		return nil, fmt.Errorf("zip of %s: %w", m, err)
	}
	info, err := json.Marshal(struct{ Version string }{version})
	if err != nil {
		return nil, err
	}
	folder := filepath.Join(filepath.FromSlash(escaped), "@v")
	if err := os.MkdirAll(filepath.Join(out, folder), 0o755); err != nil {
		return nil, err
	}
	var written []string
	for suffix, content := range map[string][]byte{".info": info, ".mod": mod, ".zip": packed.Bytes()} {
		path := filepath.Join(folder, version+suffix)
		if err := os.WriteFile(filepath.Join(out, path), content, 0o644); err != nil {
			return nil, err
		}
		written = append(written, path)
	}
	return written, addToList(filepath.Join(out, folder, "list"), version)
}

// addToList adds a version to the list of those that the folder has.
func addToList(path, version string) error {
	list, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for line := range strings.Lines(string(list)) {
		if strings.TrimSpace(line) == version {
			return nil
		}
	}
	return os.WriteFile(path, append(list, version+"\n"...), 0o644)
}

// trackedFiles lists what git tracks or would track in a folder and is there.
func trackedFiles(source string) ([]zip.File, error) {
	cmd := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	cmd.Dir = source
	names, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("git ls-files in %s: %w", source, err)
	}
	var files []zip.File
	for name := range strings.SplitSeq(strings.TrimRight(string(names), "\x00"), "\x00") {
		if _, err := os.Lstat(filepath.Join(source, name)); err == nil {
			files = append(files, file{source, name})
		}
	}
	return files, nil
}

// file is a file of the module.
type file struct{ source, name string }

func (f file) Path() string                 { return f.name }
func (f file) Lstat() (fs.FileInfo, error)  { return os.Lstat(filepath.Join(f.source, f.name)) }
func (f file) Open() (io.ReadCloser, error) { return os.Open(filepath.Join(f.source, f.name)) }
