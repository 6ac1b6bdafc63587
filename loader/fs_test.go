package loader_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"testing"
	"testing/fstest"

	"github.com/octet-ml/octet/digits"
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/tensor"
	"github.com/octet-ml/octet/text"
)

// inOrder hides that files can be read at any place.
type inOrder struct{ fs.FS }

func (f inOrder) Open(name string) (fs.File, error) {
	file, err := f.FS.Open(name)
	if err != nil {
		return nil, err
	}
	return struct{ fs.File }{file}, nil
}

// TestFS reads models and weights from files of the system, of a map, and of what can only be read in order.
func TestFS(t *testing.T) {
	var b bytes.Buffer
	g, err := digits.Load()
	if err != nil {
		t.Fatal(err)
	}
	if err := loader.SaveTo(&b, g, loader.SaveOptions{}); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "models"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "models", "digits.safetensors"), b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	memory := fstest.MapFS{"models/digits.safetensors": {Data: b.Bytes(), Mode: 0o644}}
	for name, fsys := range map[string]fs.FS{"system": os.DirFS(dir), "memory": memory, "in order": inOrder{memory}} {
		for _, more := range [][]loader.Option{nil, {loader.OnDemand()}} {
			m, err := loader.Load("models/digits.safetensors", append(more, loader.FS(fsys))...)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if m.String() != g.String() {
				t.Errorf("%s: another graph", name)
			}
			if s, err := m.Compile(graph.Options{Threads: 1}); err != nil {
				t.Errorf("%s: %v", name, err)
			} else {
				s.Close()
			}
		}
		w, err := loader.StateDict("models/digits.safetensors", loader.FS(fsys))
		if err != nil || w.Get("fc.weight") == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Failures name the file.
	_, err = loader.Load("models/none", loader.FS(memory))
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	_, err = loader.Load("models", loader.FS(memory))
	if e, ok := errors.AsType[*loader.FileError](err); !ok || e.File != "models" {
		t.Errorf("a folder: %v", err)
	}
	_, err = loader.Load("models/digits.safetensors", loader.FS(inOrder{memory}), loader.MaxMemory(1000))
	if e, ok := errors.AsType[*loader.FileError](err); !ok || e.File != "models/digits.safetensors" {
		t.Errorf("a file beyond the bound: %v", err)
	}
	if e, ok := errors.AsType[*tensor.BudgetError](err); !ok || e.Limit != 1000 {
		t.Errorf("a file beyond the bound: %v", err)
	}
	if _, err = loader.Load("models/digits.safetensors", loader.FS(memory), loader.Mapped(new(loader.Mapping))); err == nil {
		t.Error("a file in memory was mapped")
	}
}

// TestSaveTo compares what SaveTo writes with the file that Save makes, and gives back what writing fails with.
func TestSaveTo(t *testing.T) {
	g, err := digits.Load()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "digits.safetensors")
	if err := loader.Save(path, g); err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := loader.SaveTo(&b, g, loader.SaveOptions{}); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b.Bytes(), file) {
		t.Error("SaveTo writes other bytes than Save")
	}
	full := errors.New("full")
	if err := loader.SaveTo(failing{full}, g, loader.SaveOptions{}); !errors.Is(err, full) {
		t.Errorf("writing failed: %v", err)
	}
	open := graph.NewOpen([]string{"x"}, nil)
	b.Reset()
	if err := loader.SaveTo(&b, open, loader.SaveOptions{}); !errors.Is(err, graph.ErrOpen) || b.Len() > 0 {
		t.Errorf("an open graph: %v, %d bytes written", err, b.Len())
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// TestFSFolder reads folders of Hugging Face, model and tokenizer, from a map, as from the system.
func TestFSFolder(t *testing.T) {
	fsys := fstest.MapFS{}
	if err := fs.WalkDir(os.DirFS("testdata/hub"), ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			var b []byte
			b, err = os.ReadFile(filepath.Join("testdata/hub", path))
			fsys[path] = &fstest.MapFile{Data: b, Mode: 0o644}
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	folders, err := fs.Glob(fsys, "*/config.json")
	if err != nil || len(folders) == 0 {
		t.Fatalf("no folders: %v", err)
	}
	for _, config := range folders {
		dir := path.Dir(config)
		g, err := loader.Load(dir, loader.FS(fsys))
		if err != nil {
			t.Errorf("%s: %v", dir, err)
			continue
		}
		want, err := loader.Load(filepath.Join("testdata/hub", dir))
		if err != nil {
			t.Fatal(err)
		}
		if g.String() != want.String() {
			t.Errorf("%s: another graph", dir)
		}
		have, err := loader.ReadTextModel(dir, loader.FS(fsys))
		if err != nil {
			t.Fatal(err)
		}
		if m, err := loader.ReadTextModel(filepath.Join("testdata/hub", dir)); err != nil || m.Task != have.Task {
			t.Errorf("%s: task %v, %v", dir, have.Task, err)
		}
	}
	tokenizers := os.DirFS("../text/testdata")
	tok, err := text.OpenFS(inOrder{tokenizers}, "bert")
	if err != nil {
		t.Fatal(err)
	}
	want, err := text.Open("../text/testdata/bert")
	if err != nil {
		t.Fatal(err)
	}
	a, err := tok.Encode("a great movie")
	if err != nil {
		t.Fatal(err)
	}
	b, err := want.Encode("a great movie")
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(a, b) || tok.Size() != want.Size() {
		t.Errorf("another tokenizer: %v, want %v", a, b)
	}
}
