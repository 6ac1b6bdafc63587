package data

import (
	"archive/zip"
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/octet-ml/octet/tensor"
)

// npz returns an archive of the members, of which those without bytes are left out. Its checksums are right whatever the
// members hold.
func npz(t testing.TB, names []string, members ...[]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i, m := range members {
		if len(m) == 0 {
			continue
		}
		w, err := z.Create(names[i] + ".npy")
		if err == nil {
			_, err = w.Write(m)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func npy(t testing.TB, x *tensor.Tensor) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := tensor.WriteNPY(&b, x); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// FuzzDataset opens data sets that nothing wrote and takes batches of them. What is refused gives a *tensor.FileError.
func FuzzDataset(f *testing.F) {
	x := npy(f, of([]uint8{1, 2, 3, 4, 5, 6}, 2, 3, 1, 1))
	y, mean, std := npy(f, of([]int64{1, 0}, 2)), npy(f, of([]float32{0.1, 0.2, 0.3}, 3)), npy(f, of([]float32{1, 2, 3}, 3))
	f.Add(x, y, mean, std)
	f.Add(x, []byte(nil), mean[:len(mean)-4], std)
	f.Add(npy(f, of([]float32{1, 2}, 2)), y, []byte(nil), npy(f, of([]float32{0}, 1)))
	f.Add(bytes.Replace(x, []byte("|u1"), []byte("}u1"), 1), y, mean, std)
	path := filepath.Join(f.TempDir(), "data.npz")
	f.Fuzz(func(t *testing.T, x, y, mean, std []byte) {
		if err := os.WriteFile(path, npz(t, []string{"x", "y", "mean", "std"}, x, y, mean, std), 0o600); err != nil {
			t.Fatal(err)
		}
		typed := func(err error) bool {
			if file, ok := errors.AsType[*tensor.FileError](err); err != nil && (!ok || file.File != path) {
				t.Errorf("untyped error %v", err)
			}
			return err == nil
		}
		d, err := OpenDataset(path)
		if !typed(err) || d.Len() == 0 {
			return
		}
		for _, input := range []graphInput{{"x", tensor.Float32, []int{1, 3, 1, 1}}, {"x", tensor.Uint8, []int{1}}} {
			in, err := d.Batch(model(t, input), 0, 1)
			if typed(err) && (len(in) != 1 || in[0].Dim(0) != 1 || in[0].DType() != input.dtype) {
				t.Errorf("the batch is %v", in)
			}
		}
	})
}
