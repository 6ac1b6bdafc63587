package cli

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/octet-ml/octet/tensor"
)

// wrongKinds writes files of kinds that are neither data, nor names of classes, calibrations or tokenizers, and returns what each is called.
func wrongKinds(t *testing.T, dir string) map[string]string {
	t.Helper()
	var archive, keras, compressed bytes.Buffer
	w := tar.NewWriter(&archive)
	err := w.WriteHeader(&tar.Header{Name: "x.txt", Size: 0})
	if err == nil {
		err = w.Close()
	}
	z := zip.NewWriter(&keras)
	for _, name := range []string{"metadata.json", "model.weights.h5"} {
		if err == nil {
			_, err = z.Create(name)
		}
	}
	g := gzip.NewWriter(&compressed)
	if err == nil {
		_, err = g.Write(make([]byte, 100))
	}
	for _, c := range []interface{ Close() error }{z, g} {
		if err == nil {
			err = c.Close()
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	const zeros = "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	kinds := make(map[string]string)
	for kind, text := range map[string]string{
		"an HDF5 file":            "\x89HDF\r\n\x1a\n" + zeros,
		"an ONNX model":           "\x08\x07\x12\x07pytorch\x1a\x042.0.:\x20" + zeros,
		"a tar archive":           archive.String(),
		"a safetensors file":      "\x02\x00\x00\x00\x00\x00\x00\x00{}",
		"a plain pickle":          "\x80\x04}\x94.",
		"compressed with gzip":    compressed.String(),
		"a compiled program":      "\x7fELF" + zeros,
		"a GGUF or GGML file":     "GGUF" + zeros,
		"a TensorFlow Lite model": "\x1c\x00\x00\x00TFL3" + zeros,
		"a table of columns":      "PAR1\x15\x04\x15\x10" + zeros + "PAR1",
		"a document (PDF)":        "%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n" + zeros,
	} {
		kinds[filepath.Join(dir, strings.ReplaceAll(kind, " ", "_"))] = kind
		if err := os.WriteFile(filepath.Join(dir, strings.ReplaceAll(kind, " ", "_")), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	kinds[filepath.Join(dir, "a.keras")] = "a Keras model"
	if err := os.WriteFile(filepath.Join(dir, "a.keras"), keras.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return kinds
}

// TestWrongKinds gives files of every other kind, and folders, where data, names of classes, a calibration and a tokenizer are wanted:
// the error says what the file is and what is wanted, and nothing of models.
func TestWrongKinds(t *testing.T) {
	dir := t.TempDir()
	x, texts, out := filepath.Join(dir, "x.npz"), filepath.Join(dir, "t.txt"), filepath.Join(dir, "out")
	ones, err := tensor.FromSlice(slices.Repeat([]float32{1}, 6), 6)
	if err != nil {
		t.Fatal(err)
	}
	writeArrays(t, x, map[string]*tensor.Tensor{"x": ones})
	if err := os.WriteFile(texts, []byte("some text\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	model := scriptFile(t, "x: Tensor", "return torch.relu(x)")
	kinds := wrongKinds(t, t.TempDir())
	kinds[t.TempDir()] = ""
	for path, kind := range kinds {
		for wanted, args := range map[string][]string{
			"data is an .npz":                     {"eval", model, "--data", path},
			"data is an .npz or":                  {"run", model, "--input", path, "--output", out},
			"data is an .npz or .npy":             {"quantize", model, "--calib", path, "-o", out},
			"names of classes are a text file":    {"eval", model, "--data", x, "--labels", path},
			"a calibration is a file of JSON":     {"quantize", model, "--state", path, "-o", out},
			"a calibration is a file":             {"quantize", "merge", path, path, "-o", out},
			"a tokenizer is a tokenizer.json, a ": {"eval", model, "--data", texts, "--tokenizer", path},
		} {
			_, stderr := octet(t, exitFile, args...)
			kind := kind
			if kind == "a Keras model" && !strings.HasPrefix(wanted, "data") {
				kind = "a zip file"
			}
			switch {
			case !strings.Contains(stderr, path) || !strings.Contains(stderr, kind):
				t.Errorf("%v: %s", args, stderr)
			case kind == "compressed with gzip":
				wanted = "decompress it first"
			case kind == "": // folders are told by their readers
				continue
			}
			if !strings.Contains(stderr, wanted) || strings.Contains(stderr, "torch.jit") || strings.Contains(stderr, "state_dict") || strings.Contains(stderr, "model in it") {
				t.Errorf("%v: %s", args, stderr)
			}
		}
	}
}
