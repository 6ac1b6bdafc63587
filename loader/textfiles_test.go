package loader

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/octet-ml/octet/graph"
)

// TestTextFiles saves models of folders with the files that say how texts become inputs, and reads these of the saved model.
func TestTextFiles(t *testing.T) {
	long := strings.Repeat("cat\ndog\n", 1<<16)
	dir := t.TempDir()
	if err := errors.Join(os.CopyFS(dir, os.DirFS("testdata/hub/bert-sentence")), os.WriteFile(filepath.Join(dir, "vocab.txt"), []byte(long), 0o644),
		os.WriteFile(filepath.Join(dir, "secret.txt"), []byte("not of the model"), 0o644)); err != nil {
		t.Fatal(err)
	}
	for _, opts := range [][]Option{nil, {FS(os.DirFS(filepath.Dir(dir)))}} {
		path := dir
		if opts != nil {
			path = filepath.Base(dir)
		}
		g := must(Load(path, opts...))
		file := filepath.Join(t.TempDir(), "m.octet")
		if err := Save(file, g); err != nil {
			t.Fatal(err)
		}
		again := must(Load(file))
		files, ok := again.Info.Texts.(TextFiles)
		if !ok || len(files) != 4 || files.Size() > 5000 {
			t.Fatalf("%d files of %d bytes", len(files), files.Size())
		}
		if text := must(fs.ReadFile(files, "vocab.txt")); string(text) != long {
			t.Error("vocab.txt differs")
		}
		if m := must(ReadTextModel(".", FS(files))); m.Config.Pooling == nil {
			t.Errorf("%+v", m)
		}
		// What was saved is saved again to the same bytes.
		other := filepath.Join(t.TempDir(), "n.octet")
		if err := Save(other, again); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(must(os.ReadFile(file)), must(os.ReadFile(other))) {
			t.Error("saved again, the file differs")
		}
	}
}

// TestTextFilesRefused opens files of a model that are damaged, or too large.
func TestTextFilesRefused(t *testing.T) {
	bomb := must(packText(strings.Repeat(" ", maxModelText+1)))
	for _, packed := range []string{"", "%", bomb, must(packText("x")) + "AAAA"} {
		_, err := TextFiles{"vocab.txt": packed}.Open("vocab.txt")
		if !isFileError(err, textMetadata+"vocab.txt") {
			t.Errorf("%.10q: %v", packed, err)
		}
	}
	if _, err := (TextFiles{}).Open("vocab.txt"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	g := must(Load("testdata/hub/bert-sentence"))
	large := fstest.MapFS{"vocab.txt": {Data: make([]byte, maxModelText+1)}}
	g.Info = &graph.Info{Texts: large}
	if err := Save(filepath.Join(t.TempDir(), "m.octet"), g); !isFileError(err, "") {
		t.Errorf("a vocabulary that is too large: %v", err)
	}
	for _, modules := range []string{"{", `[{"path":"../../etc"}]`} {
		files, err := PackText(fstest.MapFS{"modules.json": {Data: []byte(modules)}})
		if err == nil && len(files) != 1 {
			t.Errorf("%s: %v", modules, files)
		}
	}
}
