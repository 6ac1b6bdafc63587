package cli

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/octet-ml/octet/tensor"
)

// arrayOf returns n x 6 small numbers of a type.
func arrayOf(t *testing.T, dtype tensor.DType, n int) *tensor.Tensor {
	t.Helper()
	v := make([]float32, n*6)
	for i := range v {
		v[i] = float32(i % 2)
	}
	x, err := tensor.FromSlice(v, n, 6)
	if err == nil {
		x, err = x.To(dtype)
	}
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// TestMisfits gives arrays of other types to a TorchScript model of floats, and to one of indices: every command
// rejects the file, names the array, and says what the model takes. A model may be given bytes by --scale-bytes.
func TestMisfits(t *testing.T) {
	dir := t.TempDir()
	good, bad, out := filepath.Join(dir, "good.npz"), filepath.Join(dir, "bad.npz"), filepath.Join(dir, "out")
	const n = 8
	for _, c := range []struct {
		model    string
		takes    tensor.DType
		rejected []tensor.DType
	}{
		{scriptFile(t, "x: Tensor", "w = torch.ones([3, 6])\nreturn torch.linear(x, w)"), tensor.Float32, []tensor.DType{tensor.Uint8, tensor.Bool, tensor.Int64, tensor.Int8}},
		{scriptFile(t, "x: Tensor", "w = torch.ones([3, 6])\nreturn torch.sum(torch.embedding(w, x), [1])"), tensor.Int64, []tensor.DType{tensor.Uint8, tensor.Bool, tensor.Float64}},
	} {
		writeArrays(t, good, map[string]*tensor.Tensor{"x": arrayOf(t, c.takes, n)})
		for _, dtype := range c.rejected {
			writeArrays(t, bad, map[string]*tensor.Tensor{"x": arrayOf(t, dtype, n)})
			advice := fmt.Sprintf("array x is %v where the model takes %v", dtype, c.takes)
			if dtype == tensor.Uint8 && c.takes == tensor.Float32 {
				advice = "array x is uint8, and stays so without mean and std: give them, or scale the bytes by 1/255 (--scale-bytes)"
			}
			for _, args := range [][]string{
				{"run", c.model, "--input", bad, "--output", out},
				{"eval", c.model, "--data", bad},
				{"quantize", c.model, "--calib", bad, "-o", out},
				{"quantize", c.model, "--dynamic", "--data", bad, "-o", out},
				{"tune", c.model, "--calib", good, "--data", bad, "--max-drop", "1%", "-o", out},
				{"qat", c.model, "--calib", good, "--data", bad, "--distill", "--epochs", "1", "--batch", "4", "--lr", "0.1", "-o", out},
			} {
				if _, said := octet(t, exitFile, args...); !strings.Contains(said, bad+": ") || !strings.Contains(said, advice) {
					t.Errorf("%s of %v: said %q, want %q", args[0], dtype, said, advice)
				}
			}
		}
	}
}

// TestLimitIsNotOfSamples gives samples to a program that makes too much: no other samples would mend that, and their file is not rejected.
func TestLimitIsNotOfSamples(t *testing.T) {
	data := filepath.Join(t.TempDir(), "d.npz")
	writeArrays(t, data, map[string]*tensor.Tensor{"x": arrayOf(t, tensor.Float32, 2)})
	model := scriptFile(t, "x: Tensor", "l = [0]\nfor _0 in range(40):\n  l = torch.add(l, l)\nreturn torch.add(x, torch.len(l))")
	for _, args := range [][]string{
		{"run", model, "--input", data, "--output", data + ".out"},
		{"eval", model, "--data", data},
		{"quantize", model, "--calib", data, "-o", data + ".out"},
	} {
		if _, said := octet(t, exitFailed, args...); strings.Contains(said, "these samples") || !strings.Contains(said, "too many list elements") {
			t.Errorf("%s said %q", args[0], said)
		}
	}
}

// TestUnnormalized says that mean and std are of no use where there are no bytes, and is silent where there are.
func TestUnnormalized(t *testing.T) {
	model := scriptFile(t, "x: Tensor", "return torch.mul(x, 2)")
	data := filepath.Join(t.TempDir(), "d.npz")
	half, err := tensor.FromSlice([]float32{0.5}, 1)
	if err != nil {
		t.Fatal(err)
	}
	for dtype, want := range map[tensor.DType]string{
		tensor.Float32: data + ": mean and std are not used, for they are of bytes that become floats: x is float32",
		tensor.Uint8:   "",
	} {
		writeArrays(t, data, map[string]*tensor.Tensor{"x": arrayOf(t, dtype, 2), "mean": half, "std": half})
		_, said := octet(t, exitOK, "eval", model, "--data", data)
		if !strings.Contains(said, want) || want == "" && said != "" {
			t.Errorf("%v: said %q, want %q", dtype, said, want)
		}
	}
}

// TestMisfittingLabels names file and array of labels that fit no metric, or that are of no class, and takes a metric that is named and does not
// fit for an error of the command line.
func TestMisfittingLabels(t *testing.T) {
	dir := t.TempDir()
	model, data, good, out := filepath.Join(dir, "m"), filepath.Join(dir, "d.npz"), filepath.Join(dir, "good.npz"), filepath.Join(dir, "o")
	linearModel(t, model, 3)
	writeArrays(t, good, map[string]*tensor.Tensor{"x": arrayOf(t, tensor.Float32, 8)})
	odd, err := tensor.FromSlice(make([]int64, 16), 8, 2)
	if err != nil {
		t.Fatal(err)
	}
	large, err := tensor.FromSlice([]int64{0, 1, 2, 3, 0, 1, 2, 0}, 8)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"y", "labels"} {
		for _, c := range []struct {
			labels *tensor.Tensor
			says   string
		}{{odd, "do not fit the output"}, {large, "the label of sample 3 is 3"}} {
			writeArrays(t, data, map[string]*tensor.Tensor{"x": arrayOf(t, tensor.Float32, 8), name: c.labels})
			for _, args := range [][]string{
				{"eval", model, "--data", data},
				{"quantize", model, "--calib", good, "--data", data, "-o", out},
				{"tune", model, "--calib", good, "--data", data, "--max-drop", "1%", "-o", out},
				{"qat", model, "--calib", good, "--data", data, "--epochs", "1", "--batch", "4", "--lr", "0.1", "-o", out},
			} {
				if _, said := octet(t, exitFile, args...); !strings.Contains(said, data+": "+name+": ") || !strings.Contains(said, c.says) {
					t.Errorf("%s: said %q, want %q", args[0], said, c.says)
				}
			}
		}
	}
	writeArrays(t, data, map[string]*tensor.Tensor{"x": arrayOf(t, tensor.Float32, 8), "y": odd})
	if _, said := octet(t, exitUsage, "eval", model, "--data", data, "--metric", "top1"); !strings.Contains(said, `metric "top1": labels int64[8, 2] do not fit`) {
		t.Errorf("said %q", said)
	}
}

// TestQuantizeInt8 refuses a model that is int8 already, as a wrong use and not a wrong file.
func TestQuantizeInt8(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	if _, stderr := octet(t, exitUsage, "quantize", quantizeDigits(t), "--calib", digitsCalib, "-o", out); !strings.Contains(stderr, "int8 already") {
		t.Error(stderr)
	}
}

// TestShapeMisfits gives shapes that the model does not take: the flag is named, and the exit code is that of a wrong command line.
func TestShapeMisfits(t *testing.T) {
	model, out := scriptFile(t, "x: Tensor, y: Tensor", "w = torch.ones([3, 6])\nreturn torch.linear(x, w) + y"), filepath.Join(t.TempDir(), "out.safetensors")
	for _, shape := range []string{"2x5,2x3", "2x6,2x3,2x3"} {
		for _, args := range [][]string{
			{"bench", model},
			{"inspect", model},
			{"convert", model, "-o", out},
			{"export", model, "--onnx", out},
		} {
			if _, said := octet(t, exitUsage, append(args, "--shape", shape)...); !strings.Contains(said, "--shape") {
				t.Errorf("%s --shape %s: %s", args[0], shape, said)
			}
		}
	}
	if _, said := octet(t, exitUsage, "bench", "--arch", "digits", "--shape", "1x2"); !strings.Contains(said, "--shape") {
		t.Errorf("bench --arch: %s", said)
	}
}
