package loader

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/octet-ml/octet/internal/shareddata"
	"github.com/octet-ml/octet/tensor"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func isFileError(err error, reason string) bool {
	var fe *FileError
	return errors.As(err, &fe) && strings.Contains(err.Error(), reason)
}

// stateDictFixtures returns the fixtures that have expected values, by name.
func stateDictFixtures(t testing.TB) []string {
	files := must(filepath.Glob("testdata/*.npz"))
	if len(files) < 12 {
		t.Fatalf("only %d fixtures", len(files))
	}
	var names []string
	for _, f := range files {
		if f != safetensorsValues {
			names = append(names, strings.TrimSuffix(f, ".npz"))
		}
	}
	return names
}

// checkWeights compares weights with what PyTorch read from the same file.
func checkWeights(t *testing.T, file string, w *Weights, want tensor.Arrays) {
	t.Helper()
	count := 0
	for _, a := range want {
		if strings.Contains(a.Name, ":") {
			continue
		}
		count++
		got := w.Get(a.Name)
		if got == nil {
			t.Errorf("%s: no tensor %s among %v", file, a.Name, w.Names())
			continue
		}
		raw := got.WithQParams(nil)
		if d := got.DType(); d == tensor.Float16 || d == tensor.BFloat16 {
			bits := tensor.Data[uint16](raw.Contiguous())
			wide := make([]int32, len(bits))
			for i, b := range bits {
				wide[i] = int32(b)
			}
			raw = must(tensor.FromSlice(wide, got.Shape()...))
		}
		if raw.DType() != a.Tensor.DType() || !raw.Shape().Equal(a.Tensor.Shape()) || !bytes.Equal(raw.Contiguous().Bytes(), a.Tensor.Bytes()) {
			t.Errorf("%s: %s is %v, PyTorch has %v or other elements", file, a.Name, raw, a.Tensor)
		}
		checkQParams(t, file, a.Name, got, want)
	}
	if w.Len() != count {
		t.Errorf("%s: %d tensors, want %d", file, w.Len(), count)
	}
}

func checkQParams(t *testing.T, file, name string, got *tensor.Tensor, want tensor.Arrays) {
	t.Helper()
	q, scale := got.QParams(), want.Get(name+":scale")
	if scale == nil || q == nil {
		if scale != nil || q != nil {
			t.Errorf("%s: %s has quantization %v, PyTorch has %v", file, name, q, scale)
		}
		return
	}
	if !slices.Equal(q.Scale, scale.Float32s()) || !slices.Equal(q.ZeroPoint, want.Get(name+":zero_point").Int32s()) || q.DType != got.DType() {
		t.Errorf("%s: %s is quantized by %v %v %v", file, name, q, q.Scale, q.ZeroPoint)
	}
	if axis := want.Get(name + ":axis"); (axis != nil) != q.Scheme.PerChannel() || axis != nil && int(axis.Int64s()[0]) != q.Axis {
		t.Errorf("%s: %s is quantized as %v along %d", file, name, q.Scheme, q.Axis)
	}
}

func TestStateDict(t *testing.T) {
	for _, base := range stateDictFixtures(t) {
		want := must(tensor.ReadNPZ(base+".npz", 0))
		for _, file := range []string{base + ".pth", base + ".legacy.pth"} {
			w, err := StateDict(file)
			if err != nil {
				t.Error(err)
				continue
			}
			checkWeights(t, file, w, want)
		}
	}
	for _, file := range []string{"deflated", "byteorder_little"} {
		w, err := StateDict("testdata/" + file + ".pth")
		if err != nil {
			t.Error(err)
			continue
		}
		checkWeights(t, file, w, must(tensor.ReadNPZ("testdata/plain.npz", 0)))
	}
}

func TestStateDictOrderAndNotes(t *testing.T) {
	for _, ext := range []string{".pth", ".legacy.pth"} {
		w := must(StateDict("testdata/checkpoint" + ext))
		want := []string{"conv.weight", "conv.bias", "bn.weight", "bn.bias", "bn.running_mean", "bn.running_var", "bn.num_batches_tracked", "fc.weight", "fc.bias"}
		if !slices.Equal(w.Names(), want) {
			t.Errorf("%s: names %v, want %v", ext, w.Names(), want)
		}
		var ranged []string
		for name, v := range w.All() {
			if v != w.Get(name) {
				t.Errorf("%s: %s differs between All and Get", ext, name)
			}
			ranged = append(ranged, name)
		}
		if !slices.Equal(ranged, want) {
			t.Errorf("%s: All gives %v", ext, ranged)
		}
		for name, v := range map[string]any{"best_prec1": 91.5, "epoch": int64(7), "arch": "net", "done": true, "none": nil} {
			if got, ok := w.Scalars[name]; !ok || got != v {
				t.Errorf("%s: %s is %v, want %v", ext, name, got, v)
			}
		}
		w = must(StateDict("testdata/checkpoint_optimizer" + ext))
		if want := []string{"optimizer", "args", "acc", "shape", "seen"}; !slices.Equal(w.Skipped, want) {
			t.Errorf("%s: skipped %v, want %v", ext, w.Skipped, want)
		}
		if w.Get("absent") != nil {
			t.Errorf("%s: a tensor that is absent", ext)
		}
	}
}

// TestStateDictShares checks that tensors of one storage stay views of one
// memory, with the strides they were saved with.
func TestStateDictShares(t *testing.T) {
	for _, ext := range []string{".pth", ".legacy.pth"} {
		w := must(StateDict("testdata/views" + ext))
		if got := w.Get("transposed").Strides(); !slices.Equal(got, []int{1, 6}) {
			t.Errorf("%s: strides %v, want [1 6]", ext, got)
		}
		w.Get("whole").Float32s()[5] = 99
		if w.Get("tied").Float32s()[5] != 99 || w.Get("slice").Float32s()[0] != 99 {
			t.Errorf("%s: tensors of one storage do not share it", ext)
		}
	}
}

func TestStateDictComplex(t *testing.T) {
	w, err := StateDict("testdata/complex64.pth")
	if err != nil {
		t.Fatal(err)
	}
	c := w.Get("w")
	parts, err := c.ViewAsReal()
	if c.DType() != tensor.Complex64 || err != nil || !slices.Equal(parts.Float32s(), []float32{1, 0, 1, 0}) {
		t.Errorf("got %+v, error %v, want two ones of complex64", c, err)
	}
	if _, err := c.To(tensor.Float32); err == nil {
		t.Error("complex numbers became floats")
	}
}

func TestStateDictRefuses(t *testing.T) {
	for file, reason := range map[string]string{
		"refused_module.pth":         "save torch.save(model.state_dict(), path) instead",
		"refused_module.legacy.pth":  "save torch.save(model.state_dict(), path) instead",
		"refused_wrapped_module.pth": "save torch.save(model.state_dict(), path) instead",
		"refused_uint64.pth":         "w: element 1 is 18446744073709551615: numbers of uint64 are read up to 2^63-1",
		"refused_sparse.pth":         "_rebuild_sparse_tensor",
		"refused_two.pth":            `several dicts of tensors ("a", "b")`,
		"refused_tensor.pth":         "not a state_dict",
		"refused_no_tensors.pth":     "a dict without tensors",
		"refused_torchscript.pt":     "a TorchScript archive, graph and weights: load it as a model",
		"byteorder_big.pth":          `byte order "big" is not read`,
		"plain.npz":                  "NumPy arrays, which are data (.npz)",
		"gen":                        "a folder, not a file",
	} {
		if _, err := StateDict("testdata/" + file); !isFileError(err, reason) || !strings.HasPrefix(err.Error(), "testdata/"+file+": ") {
			t.Errorf("%s: got %v, want a rejection with %q", file, err, reason)
		}
	}
	tar := make([]byte, 1024)
	copy(tar[257:], "ustar")
	for reason, raw := range map[string]string{
		"empty file": "", "text file": "hello", "tar archive": string(tar), "gzip": "\x1f\x8b123", "web page": "<!DOCTYPE html>",
		"Git LFS": "version https://git-lfs.github.com/spec/v1\n", "plain pickle": "\x80\x02K\x01.", "HDF5": "\x89HDF\r\n",
	} {
		if _, err := StateDictFrom(strings.NewReader(raw), int64(len(raw))); !isFileError(err, reason) {
			t.Errorf("%.20q: got %v, want a rejection with %q", raw, err, reason)
		}
	}
	if _, err := StateDict("testdata/absent.pth"); !errors.Is(err, os.ErrNotExist) || isFileError(err, "") {
		t.Errorf("absent file: got %v", err)
	}
	if _, err := StateDictFrom(strings.NewReader("PK"), 100); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("reader shorter than its size: got %v", err)
	}
}

// TestStateDictTruncated cuts files at every byte: none loads, none panics.
func TestStateDictTruncated(t *testing.T) {
	for _, file := range []string{"plain.pth", "deflated.pth", "qtensors.pth", "plain.legacy.pth", "qtensors.legacy.pth", "protocol4.legacy.pth", "views.legacy.pth"} {
		raw := must(os.ReadFile("testdata/" + file))
		for n := range raw {
			if _, err := StateDictFrom(bytes.NewReader(raw[:n]), int64(n)); !isFileError(err, "") {
				t.Errorf("%s cut to %d of %d bytes: got %v", file, n, len(raw), err)
				break
			}
		}
		longer := append(slices.Clone(raw), 0)
		if _, err := StateDictFrom(bytes.NewReader(longer), int64(len(longer))); strings.Contains(file, "legacy") != isFileError(err, "1 bytes follow") {
			t.Errorf("%s with a byte more: got %v", file, err)
		}
	}
}

// TestStateDictFlipped changes every byte in two ways: what is not rejected
// still has consistent tensors.
func TestStateDictFlipped(t *testing.T) {
	for _, file := range []string{"plain.pth", "qtensors.legacy.pth", "views.legacy.pth"} {
		raw := must(os.ReadFile("testdata/" + file))
		for i := range raw {
			for _, flip := range []byte{1 << (i % 8), 0xff} {
				raw[i] ^= flip
				if w, err := StateDictFrom(bytes.NewReader(raw), int64(len(raw))); err == nil {
					touch(t, w)
				} else if !isFileError(err, "") {
					t.Errorf("%s with byte %d changed by %#x: got %v", file, i, flip, err)
				}
				raw[i] ^= flip
			}
		}
	}
}

// touch reads every element of every tensor, but of views that expand to much.
func touch(t *testing.T, w *Weights) {
	t.Helper()
	for name, v := range w.All() {
		if v.Numel() < 1<<18 && v.Clone().Numel() != v.Numel() {
			t.Errorf("%s is inconsistent", name)
		}
		if q := v.QParams(); q != nil {
			if err := q.Validate(v.Shape()); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func TestStateDictResNet20(t *testing.T) {
	legacy, err := StateDict(shareddata.Path(t, "data", "cifar10", "resnet20.th"))
	if err != nil {
		t.Fatal(err)
	}
	zipped, err := StateDict(shareddata.Path(t, "data", "cifar10", "resnet20_zip.pth"))
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := legacy.Scalars["best_prec1"].(float64); !ok || got < 91 || got > 92 {
		t.Errorf("best_prec1 is %v", legacy.Scalars["best_prec1"])
	}
	if legacy.Len() != 97 {
		t.Errorf("%d tensors, want 97", legacy.Len())
	}
	for name, v := range legacy.All() {
		z := zipped.Get(name)
		if z == nil || z.DType() != v.DType() || !z.Shape().Equal(v.Shape()) || !bytes.Equal(z.Contiguous().Bytes(), v.Contiguous().Bytes()) {
			t.Errorf("%s is %v in one file and %v in the other", name, v, z)
		}
	}
	// The zip file was saved by a later PyTorch, whose batch norms count batches.
	for _, name := range zipped.Names() {
		if legacy.Get(name) == nil && !strings.HasSuffix(name, "num_batches_tracked") {
			t.Errorf("%s is in one file only", name)
		}
	}
}

func TestStateDictBERT(t *testing.T) {
	w, err := StateDict(shareddata.Path(t, "data", "bert_sst2", "pytorch_model.bin"))
	if err != nil {
		t.Fatal(err)
	}
	if v := w.Get("bert.embeddings.word_embeddings.weight"); v == nil || v.Rank() != 2 || v.Dim(1) != 128 {
		t.Errorf("word embeddings are %v", v)
	}
}
