package loader

import (
	"fmt"
	"os"
	"path"
	"strings"
	"testing"

	"github.com/octet-ml/octet/internal/shareddata"
	"github.com/octet-ml/octet/loader/internal/container"
	"github.com/octet-ml/octet/loader/internal/pickle"
)

// TestScriptPickles decodes the pickles of TorchScript archives, which PyTorch's
// C++ writes and whose modules are objects of classes the archive defines, and
// rebuilds all tensors they hold.
func TestScriptPickles(t *testing.T) {
	allow := func(module, name string) error {
		if module == "__torch__" || strings.HasPrefix(module, "__torch__.") {
			return nil
		}
		return stateDictGlobal(module, name)
	}
	for file, want := range map[string]int{
		"cifar10/resnet20.ts.pt": 116, "cifar10/resnet20_torch_int8.ts.pt": 104, "face/mnet025.ts.pt": 300, "bert_sst2/model.ts.pt": 74,
	} {
		f, err := os.Open(shareddata.Path(t, "data", path.Dir(file), path.Base(file)))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		info := must(f.Stat())
		a, err := container.Open(f, info.Size())
		if err != nil {
			t.Fatal(err)
		}
		for record, folder := range map[string]string{"data.pkl": "data/", "constants.pkl": "constants/"} {
			data := must(a.Read(record, maxPickle))
			v, n, err := pickle.Load(data, pickle.Options{Global: allow})
			if err != nil || n != len(data) {
				t.Errorf("%s: %s: took %d of %d bytes, %v", file, record, n, len(data), err)
				continue
			}
			storages, objects, quantized, err := rebuildAll(v, newRebuilder(newZipStorages(a, folder), info.Size()))
			if err != nil {
				t.Errorf("%s: %s: %v", file, record, err)
			}
			if record == "data.pkl" && (storages != want || objects == 0) {
				t.Errorf("%s: %d tensors in %d objects, want %d", file, storages, objects, want)
			}
			if int8 := strings.Contains(file, "int8"); record == "data.pkl" && (quantized > 0) != int8 {
				t.Errorf("%s: %d quantized tensors", file, quantized)
			}
		}
	}
}

// rebuildAll makes every tensor below v and counts storages, module objects and
// quantized tensors.
func rebuildAll(v pickle.Value, r *rebuilder) (storages, objects, quantized int, err error) {
	seen := make(map[*pickle.Object]bool)
	var walk func(v pickle.Value) error
	walk = func(v pickle.Value) error {
		switch v := v.(type) {
		case pickle.Tuple:
			for _, e := range v {
				if err := walk(e); err != nil {
					return err
				}
			}
		case *pickle.Dict:
			for i := range v.Len() {
				if _, e := v.At(i); e != nil {
					if err := walk(e); err != nil {
						return err
					}
				}
			}
		case *pickle.Object:
			if seen[v] {
				return nil
			}
			seen[v] = true
			t, err := r.tensor(v)
			if err != nil {
				return fmt.Errorf("%s: %w", v.Class, err)
			}
			if t != nil {
				if t.QParams() != nil {
					quantized++
				}
				return nil
			}
			objects++
			return walk(v.State)
		}
		return nil
	}
	err = walk(v)
	for _, s := range r.source.(*zipStorages).read {
		if s.dtype.Size() > 0 {
			storages++
		}
	}
	return storages, objects, quantized, err
}
