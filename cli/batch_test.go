package cli

import (
	"path/filepath"
	"testing"

	"github.com/octet-ml/octet/tensor"
)

// batchFile writes the first n rows of an array for each input, of small integers.
func batchFile(t *testing.T, dtype tensor.DType, n, width int, inputs ...string) string {
	t.Helper()
	v := make([]float32, n*width)
	for i := range v {
		v[i] = float32(i * i % 7)
	}
	x, err := tensor.FromSlice(v, n, width)
	if err == nil {
		x, err = x.To(dtype)
	}
	if err != nil {
		t.Fatal(err)
	}
	arrays := make(map[string]*tensor.Tensor)
	for _, name := range inputs {
		arrays[name] = x
	}
	path := filepath.Join(t.TempDir(), "data.npz")
	writeArrays(t, path, arrays)
	return path
}

// TestQuantizedForAnyBatch quantizes a BERT whose inputs have their batch and length in common: the file takes batches of any
// size, whatever calibration ran on.
func TestQuantizedForAnyBatch(t *testing.T) {
	inputs := []string{"input_ids", "attention_mask", "token_type_ids"}
	int8 := filepath.Join(t.TempDir(), "int8.safetensors")
	file := func(n int) string {
		path := batchFile(t, tensor.Int64, n, 64, inputs...)
		arrays, err := tensor.ReadNPZ(path, 0)
		if err != nil {
			t.Fatal(err)
		}
		kinds := arrays.Get("input_ids").Clone()
		for i, id := range kinds.Int64s() {
			kinds.Int64s()[i] = id % 2 // there are two types of tokens
		}
		writeArrays(t, path, map[string]*tensor.Tensor{"input_ids": arrays.Get("input_ids"), "attention_mask": kinds, "token_type_ids": kinds})
		return path
	}
	octet(t, exitOK, "quantize", filepath.Join(both, "bert.pt2"), "--calib", file(3), "-o", int8)
	for _, n := range []int{1, 2, 5} {
		octet(t, exitOK, "run", int8, "--input", file(n), "--output", filepath.Join(t.TempDir(), "y.npz"))
	}
}

// TestQuantizeFixedBatch quantizes and compares a model that is another one for batches of other sizes: the file takes those of
// calibration.
func TestQuantizeFixedBatch(t *testing.T) {
	model := scriptFile(t, "x: Tensor", "y = torch.linear(x, torch.ones([3, 6]))\nif torch.eq(torch.remainder(torch.size(x, 0), 7), 0):\n  z = torch.mul(y, 2.)\nelse:\n  z = y\nreturn torch.relu(z)")
	for _, n := range []int{10, 100} { // 64 and 36 of the latter
		int8, data := filepath.Join(t.TempDir(), "int8.safetensors"), batchFile(t, tensor.Float32, n, 6, "x")
		octet(t, exitOK, "quantize", model, "--calib", data, "-o", int8)
		octet(t, exitOK, "eval", int8, "--data", batchFile(t, tensor.Float32, 100, 6, "x"), "--output", filepath.Join(t.TempDir(), "y.npz"))
	}
}

// TestQuantizePartialBatch quantizes models that do not take the last, smaller batch of the samples, or are other graphs for it:
// it is filled up. The file of the one that takes four samples and more does so.
func TestQuantizePartialBatch(t *testing.T) {
	for _, body := range map[string]string{
		"branch": "y = torch.linear(x, torch.ones([3, 6]))\nif torch.gt(torch.size(x, 0), 3):\n  z = torch.relu(y)\nelse:\n  z = torch.mul(torch.relu(y), 2.)\nreturn torch.linear(z, torch.ones([2, 3]))",
		"loop":   "y = torch.linear(x, torch.ones([3, 6]))\nz = annotate(List[Tensor], [])\nfor i in range(torch.size(x, 0)):\n  _0 = torch.append(z, torch.linear(torch.select(y, 0, i), torch.ones([2, 3])))\nreturn torch.stack(z)",
		"held":   "y = torch.linear(x, torch.ones([3, 6]))\nreturn torch.linear(torch.stack([torch.select(y, 0, 0), torch.select(y, 0, 3)]), torch.ones([2, 3]))",
	} {
		model := scriptFile(t, "x: Tensor", body)
		for _, n := range []int{10, 4} {
			dir := t.TempDir()
			samples := batchFile(t, tensor.Float32, n, 6, "x")
			octet(t, exitOK, "quantize", model, "--calib", samples, "--batch", "4", "-o", filepath.Join(dir, "int8.safetensors"))
			octet(t, exitOK, "run", filepath.Join(dir, "int8.safetensors"), "--input", batchFile(t, tensor.Float32, 4, 6, "x"), "--output", filepath.Join(dir, "y.npz"))
		}
	}
}
