package loader

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"time"

	"github.com/octet-ml/octet/internal/rawfile"
)

// textMetadata is what begins the keys of the files of a text model: the rest is the path in its folder.
const textMetadata = "octet.text/"

// TextFiles are the small files of a folder of Hugging Face as an octet file carries them, each compressed: tokenizer, configuration and pooling. As an fs.FS they
// are what text.OpenFS and ReadTextModel (with FS) read, under ".".
type TextFiles map[string]string

// textFileNames are the files that are taken, beside those that modules.json names.
var textFileNames = []string{"tokenizer.json", "vocab.txt", "tokenizer_config.json", "sentence_bert_config.json", "config.json", "modules.json"}

// PackText takes the files of a folder of Hugging Face that say how texts become inputs, and what the outputs mean; nil of nil. What is missing is left
// out, and vocab.txt where there is a tokenizer.json.
func PackText(fsys fs.FS) (TextFiles, error) {
	if t, ok := fsys.(TextFiles); ok || fsys == nil {
		return t, nil
	}
	names := textFileNames
	if text, err := readConfig(fsys, "modules.json"); err != nil {
		return nil, err
	} else if text != nil {
		var modules []struct{ Path string }
		if err := json.Unmarshal(text, &modules); err != nil {
			return nil, &FileError{File: "modules.json", Err: err}
		}
		for _, m := range modules {
			if m.Path != "" {
				names = append(names[:len(names):len(names)], path.Join(m.Path, "config.json"))
			}
		}
	}
	t := make(TextFiles)
	for _, name := range names {
		if _, ok := t["tokenizer.json"]; ok && name == "vocab.txt" || !fs.ValidPath(name) {
			continue
		}
		if err := t.add(fsys, name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	return t, nil
}

func (t TextFiles) add(fsys fs.FS, name string) error {
	f, err := fsys.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxModelText+1))
	if err != nil {
		return err
	}
	if len(text) > maxModelText {
		return &FileError{File: name, Reason: fmt.Sprintf("more than the %d bytes that a model carries", maxModelText)}
	}
	t[name], err = packText(string(text))
	return err
}

// Size returns the bytes that they take of an octet file.
func (t TextFiles) Size() (bytes int) {
	for name, packed := range t {
		bytes += len(textMetadata) + len(name) + len(packed)
	}
	return bytes
}

// textFilesOf returns the files that metadata has, nil for none.
func textFilesOf(metadata map[string]string) TextFiles {
	var t TextFiles
	for k, packed := range metadata {
		if name, ok := strings.CutPrefix(k, textMetadata); ok {
			if t == nil {
				t = make(TextFiles)
			}
			t[name] = packed
		}
	}
	return t
}

// Open decompresses a file. What is wrong with it is a *FileError.
func (t TextFiles) Open(name string) (fs.File, error) {
	packed, ok := t[name]
	if name == "." {
		return &textFile{name: name, folder: true}, nil
	}
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	text, err := unpackText(textMetadata+name, packed)
	if err != nil {
		return nil, err
	}
	return &textFile{text: text, name: name}, nil
}

// textFile is an open file, and what is known of it.
type textFile struct {
	name, text string
	read       int
	folder     bool
}

func (f *textFile) Stat() (fs.FileInfo, error) { return f, nil }
func (f *textFile) Close() error               { return nil }
func (f *textFile) Name() string               { return path.Base(f.name) }
func (f *textFile) ModTime() (t time.Time)     { return t }
func (f *textFile) IsDir() bool                { return f.folder }
func (f *textFile) Sys() any                   { return nil }
func (f *textFile) Size() int64                { return int64(len(f.text)) }

func (f *textFile) Mode() fs.FileMode {
	if f.folder {
		return fs.ModeDir | 0o555
	}
	return 0o444
}

func (f *textFile) Read(p []byte) (int, error) {
	n := copy(p, f.text[f.read:])
	if f.read += n; n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

// folderFiles are the files of a folder in fsys.
type folderFiles struct {
	fsys fs.FS
	dir  string
}

func (f folderFiles) Open(name string) (fs.File, error) { return f.fsys.Open(rawfile.Join(f.fsys, f.dir, name)) }
