package loader

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/tensor"
)

// shardFolder writes the model of a folder with its weights in so many files, and returns the folder, its index and what each file has.
func shardFolder(t *testing.T, from string, n int) (dir string, index map[string]string, shards map[string][]Named) {
	t.Helper()
	dir = t.TempDir()
	config, err := os.ReadFile(filepath.Join(from, "config.json"))
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "config.json"), config, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	tensors, _, err := ReadSafetensors(filepath.Join(from, "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	index, shards = make(map[string]string), make(map[string][]Named)
	for i, named := range tensors {
		shard := string(rune('a'+i%n)) + ".safetensors"
		shards[shard] = append(shards[shard], named)
		index[named.Name] = shard
	}
	for shard, list := range shards {
		writeShard(t, dir, shard, list)
	}
	writeIndex(t, dir, index)
	return dir, index, shards
}

func writeShard(t *testing.T, dir, name string, tensors []Named) {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, name))
	if err == nil {
		err = errors.Join(writeSafetensors(f, nil, tensors, false), f.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}

func writeIndex(t *testing.T, dir string, index map[string]string) {
	t.Helper()
	b, err := json.Marshal(map[string]any{"metadata": map[string]int{"total_size": 1}, "weight_map": index})
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "model.safetensors.index.json"), b, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestShards loads weights that are in one to five files, as one file has them.
func TestShards(t *testing.T) {
	const from = "testdata/hub/bert-sequence"
	want, err := Load(from)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{1, 2, 5} {
		dir, _, _ := shardFolder(t, from, n)
		for _, opts := range [][]Option{nil, {OnDemand()}, {FS(os.DirFS(dir))}} {
			path := dir
			if len(opts) > 0 && newModelFile(opts).fsys == fs.FS(os.DirFS(dir)) {
				path = "."
			}
			g, err := Load(path, opts...)
			if err != nil {
				t.Fatal(err)
			}
			sameConstants(t, g, want)
		}
		if files := WeightsFiles(dir); len(files) != n {
			t.Errorf("%d files of weights, want %d", len(files), n)
		}
	}
}

// TestShardsOfPickles loads weights that torch.save wrote in two files, as transformers 4 had them, and refuses a file that is missing.
func TestShardsOfPickles(t *testing.T) {
	const dir, second = "testdata/hub_bin", "pytorch_model-00002-of-00002.bin"
	want, err := Load("testdata/hub/bert-sequence")
	if err != nil {
		t.Fatal(err)
	}
	for _, opts := range [][]Option{nil, {OnDemand()}} {
		g, err := Load(dir, opts...)
		if err != nil {
			t.Fatal(err)
		}
		sameConstants(t, g, want)
	}
	if files := WeightsFiles(dir); len(files) != 2 || filepath.Base(files[1]) != second {
		t.Errorf("the files of weights are %q", files)
	}
	without := t.TempDir()
	if err := os.CopyFS(without, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(without, second)); err != nil {
		t.Fatal(err)
	}
	_, err = Load(without)
	if e, ok := errors.AsType[*ShardError](err); !ok || e.Shard != second {
		t.Errorf("without its second file: %v", err)
	}
}

func sameConstants(t *testing.T, a, b *graph.Graph) {
	t.Helper()
	x, y := a.Constants(), b.Constants()
	if len(x) != len(y) {
		t.Fatalf("%d constants, want %d", len(x), len(y))
	}
	for i := range x {
		if string(x[i].Const.Bytes()) != string(y[i].Const.Bytes()) {
			t.Fatalf("constant %s differs", x[i].Name)
		}
	}
}

// TestShardsRefused opens folders of which a file of weights or the index is wrong.
func TestShardsRefused(t *testing.T) {
	const from, one = "testdata/hub/bert-model", "a.safetensors"
	for _, c := range []struct {
		name   string
		damage func(t *testing.T, dir string, index map[string]string, shards map[string][]Named)
		want   ShardError // its file and, where it is known, its tensor
	}{
		{"missing", func(t *testing.T, dir string, _ map[string]string, _ map[string][]Named) {
			if err := os.Remove(filepath.Join(dir, one)); err != nil {
				t.Fatal(err)
			}
		}, ShardError{Shard: one}},
		{"without a tensor", func(t *testing.T, dir string, _ map[string]string, shards map[string][]Named) {
			writeShard(t, dir, one, shards[one][1:])
		}, ShardError{Shard: one, Tensor: "embeddings.LayerNorm.bias"}},
		{"of another model", func(t *testing.T, dir string, index map[string]string, _ map[string][]Named) {
			delete(index, "embeddings.word_embeddings.weight")
			writeIndex(t, dir, index)
		}, ShardError{Shard: one, Tensor: "embeddings.word_embeddings.weight"}},
		{"a tensor in two", func(t *testing.T, dir string, _ map[string]string, shards map[string][]Named) {
			writeShard(t, dir, "b.safetensors", append(shards["b.safetensors"], shards[one][0]))
		}, ShardError{Shard: "b.safetensors", Tensor: "embeddings.LayerNorm.bias"}},
		{"outside", func(t *testing.T, dir string, index map[string]string, _ map[string][]Named) {
			index["x"] = "../a.safetensors"
			writeIndex(t, dir, index)
		}, ShardError{Shard: "../a.safetensors", Tensor: "x"}},
		{"absolute", func(t *testing.T, dir string, index map[string]string, _ map[string][]Named) {
			index["x"] = "/etc/passwd"
			writeIndex(t, dir, index)
		}, ShardError{Shard: "/etc/passwd", Tensor: "x"}},
		{"no name", func(t *testing.T, dir string, index map[string]string, _ map[string][]Named) {
			index["x"] = ""
			writeIndex(t, dir, index)
		}, ShardError{Tensor: "x"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, index, shards := shardFolder(t, from, 2)
			c.damage(t, dir, index, shards)
			_, err := Load(dir)
			have, ok := errors.AsType[*ShardError](err)
			file, _ := errors.AsType[*FileError](err)
			if !ok || have.Shard != c.want.Shard || have.Tensor != c.want.Tensor || file.File != filepath.Join(dir, "model.safetensors.index.json") {
				t.Errorf("%v, want a ShardError of %+v", err, c.want)
			}
		})
	}
	for _, text := range []string{"", "{", "[]", "{}", `{"weight_map":{}}`, `{"weight_map":{"x":5}}`} {
		dir, _, _ := shardFolder(t, from, 2)
		if err := os.WriteFile(filepath.Join(dir, "model.safetensors.index.json"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, ok := errors.AsType[*FileError](func() error { _, err := Load(dir); return err }()); !ok {
			t.Errorf("the index %q is taken", text)
		}
	}
	dir, _, _ := shardFolder(t, from, 2)
	_, err := Load(dir, MaxMemory(30000))
	if _, ok := errors.AsType[*tensor.BudgetError](err); !ok {
		t.Errorf("files beyond the bound: %v", err)
	}
}
