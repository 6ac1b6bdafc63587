package loader

import (
	"archive/zip"
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/tensor"
)

// TestKinds: files of other kinds say what they are, where a model is wanted and where weights are.
func TestKinds(t *testing.T) {
	archive := func(names ...string) string {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		for _, name := range names {
			w := must(z.Create(name))
			if _, err := w.Write([]byte("x")); err != nil {
				t.Fatal(err)
			}
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	plain := string(must(os.ReadFile("testdata/plain.pth")))
	safe := string(must(os.ReadFile("testdata/plain.safetensors")))
	module := string(must(os.ReadFile("testdata/refused_module.pth")))
	for _, c := range []struct {
		name, content string
		kind          FileKind
	}{
		{"empty", "", KindEmpty}, {"page", "<!doctype html>", KindWebPage}, {"text", "404: Not Found", KindText},
		{"pointer", "version https://git-lfs.github.com/spec/v1\n", KindLFSPointer},
		{"onnx", "\x08\x08\x12\x07pytorch", KindONNX}, {"pb", "\x08\x01\x12\x30\x0a", KindTensorFlow}, {"tflite", "\x1c\x00\x00\x00TFL3", KindTFLite},
		{"h5", "\x89HDF\r\n\x1a\n", KindHDF5}, {"keras", archive("config.json", "model.weights.h5"), KindKeras},
		{"gguf", "GGUF\x03\x00\x00\x00", KindGGUF}, {"gz", "\x1f\x8b\x08\x00", KindCompressed}, {"7z", "7z\xbc\xaf\x27\x1c\x00", KindPacked},
		{"rar", "Rar!\x1a\x07\x00", KindPacked}, {"tar", strings.Repeat("\x00", 257) + "ustar\x00", KindTar},
		{"npy", "\x93NUMPY\x01\x00", KindArrays}, {"npz", archive("x.npy", "y.npy"), KindArrays}, {"zipped", archive("m/model.pt", "m/readme.md"), KindPacked},
		{"other", archive("a/b.txt"), KindOtherZip}, {"elf", "\x7fELF\x02\x01", KindProgram}, {"pickle", "\x80\x04K\x01.", KindPickle},
		{"cut", plain[:len(plain)-40], KindTruncated}, {"half", plain[:len(plain)/2], KindTruncated},
		{"cut script", string(must(os.ReadFile("testdata/refused_torchscript.pt")))[:1000], KindTruncated},
		{"cut safetensors", safe[:40], KindTruncated},
		{"module", module, KindModule}, {"legacy module", string(must(os.ReadFile("testdata/refused_module.legacy.pth"))), KindModule},
		{"parquet", "PAR1\x15\x04\x15\x10PAR1", KindTable}, {"feather", "ARROW1\x00\x00", KindTable}, {"pdf", "%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n", KindDocument},
		{"index", `{"metadata": {"total_size": 100}, "weight_map": {"a": "model-00001-of-00002.safetensors"}}`, KindShardIndex},
		{"long index", `{"metadata": {"total_parameters": 1, "total_size": 100}, "weight_map": {` + strings.Repeat(`"a": "model-00001-of-00002.safetensors",`, 100), KindShardIndex},
		{"binary", "\x00\x01\x02\x03", KindUnrecognized},
	} {
		path := filepath.Join(t.TempDir(), c.name)
		if err := os.WriteFile(path, []byte(c.content), 0o600); err != nil {
			t.Fatal(err)
		}
		_, load := Load(path)
		_, weights := StateDict(path)
		for _, err := range []error{load, weights} {
			var ke *KindError
			if !isFileError(err, string(c.kind)) || !errors.As(err, &ke) || ke.Kind != c.kind || ke.Advice == "" {
				t.Errorf("%s: %v, want %q", c.name, err, c.kind)
			}
		}
	}
	for _, file := range []string{"refused_torchscript.pt", filepath.Join("exported", firstExported(t))} {
		var ke *KindError
		if _, err := StateDict(filepath.Join("testdata", file)); !errors.As(err, &ke) || ke.Kind != KindTorchScript && ke.Kind != KindExported {
			t.Errorf("weights of %s: %v", file, err)
		}
		if _, err := tensor.ReadNPZ(filepath.Join("testdata", file), 0); !errors.As(err, &ke) {
			t.Errorf("arrays of %s: %v", file, err)
		}
	}
}

// firstExported returns the name of a file of torch.export.
func firstExported(t *testing.T) string {
	files := must(filepath.Glob("testdata/exported/*.pt2"))
	if len(files) == 0 {
		t.Fatal("no exported programs")
	}
	return filepath.Base(files[0])
}

// TestGlobalError: the class that a file may not name is in the error.
func TestGlobalError(t *testing.T) {
	raw := torchZipOf(t, pickled(dict(str("state_dict"), call("some.package.Net", num(1)))))
	var ge *GlobalError
	if _, err := StateDictFrom(bytes.NewReader(raw), int64(len(raw))); !isFileError(err, "some.package.Net") || !errors.As(err, &ge) || ge.Name != "some.package.Net" {
		t.Errorf("got %v", err)
	}
}

// torchZipOf is an archive of torch.save with a pickle alone.
func torchZipOf(t *testing.T, data string) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w := must(z.Create("a/data.pkl"))
	if _, err := w.Write([]byte(data)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestBuildUnderAttribute builds an architecture with weights whose names all begin with the attribute that a training
// program has the model as.
func TestBuildUnderAttribute(t *testing.T) {
	arch := nn.Architecture{Name: "linear", Inputs: []nn.Input{{Name: "x", DType: tensor.Float32, Shape: []int{1, 2}}}, Root: nn.Linear{In: 2, Out: 2}}
	path := filepath.Join(t.TempDir(), "w")
	for names, fits := range map[[2]string]bool{
		{"weight", "bias"}: true, {"model.weight", "model.bias"}: true, {"net.weight", "model.bias"}: false, {"a.b.weight", "a.b.bias"}: false,
	} {
		weights := []Named{{Name: names[0], Tensor: must(tensor.New(tensor.Float32, 2, 2))}, {Name: names[1], Tensor: must(tensor.New(tensor.Float32, 2))}}
		if err := WriteSafetensors(path, nil, weights); err != nil {
			t.Fatal(err)
		}
		_, err := Build(path, arch)
		if (err == nil) != fits || !fits && !isA[*nn.BindError](err) {
			t.Errorf("%v: %v", names, err)
		}
	}
}

// TestLongNames: names are bounded in every format, and do not fill an error.
func TestLongNames(t *testing.T) {
	name := strings.Repeat("é", maxName)
	path := filepath.Join(t.TempDir(), "w")
	if err := WriteSafetensors(path, nil, []Named{{Name: name, Tensor: tensor.Scalar(float32(1))}}); err != nil {
		t.Fatal(err)
	}
	raw := torchZipOf(t, pickled(dict(str(name), weight(1, 0, nums(1), nums(1)))))
	_, safe := StateDict(path)
	_, saved := StateDictFrom(bytes.NewReader(raw), int64(len(raw)))
	for _, err := range []error{safe, saved} {
		if !isFileError(err, "8192 bytes, at most 4096") || len(err.Error()) > 512 {
			t.Errorf("got %.600v", err)
		}
	}
}
