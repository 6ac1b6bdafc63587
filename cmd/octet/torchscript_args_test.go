package main

import (
	"archive/zip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/octet-ml/octet/tensor"
)

// scriptFile writes an archive of a module without attributes, whose forward has
// these parameters and this body.
func scriptFile(t *testing.T, params, body string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "model.pt")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	source := "class M(Module):\n  __parameters__ = []\n  __buffers__ = []\n  def forward(self: __torch__.M,\n    " + params + ") -> Tensor:\n    " +
		strings.ReplaceAll(body, "\n", "\n    ") + "\n"
	z := zip.NewWriter(f)
	for _, r := range [][2]string{
		{"data.pkl", "\x80\x02c__torch__\nM\n)\x81}b."}, {"constants.pkl", "\x80\x02)."}, {"version", "3\n"}, {"code/__torch__.py", source},
	} {
		w, err := z.CreateHeader(&zip.FileHeader{Name: "model/" + r[0], Method: zip.Store})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(r[1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// writeArrays writes an npz file.
func writeArrays(t *testing.T, path string, arrays map[string]*tensor.Tensor) {
	t.Helper()
	var list []tensor.Named
	for name, a := range arrays {
		list = append(list, tensor.Named{Name: name, Tensor: a})
	}
	if err := tensor.WriteNPZ(path, list); err != nil {
		t.Fatal(err)
	}
}

// TestTorchScriptUnsupported runs a model with operators that octet does not have:
// all are named, with counts and lines.
func TestTorchScriptUnsupported(t *testing.T) {
	model := scriptFile(t, "x: Tensor", "y = torch.svd(x)\nz = torch.cholesky(torch.cholesky(x))\nw = torch.relu(x)\nreturn torch.randn_like(w)")
	input := filepath.Join(t.TempDir(), "x.npz")
	writeArrays(t, input, map[string]*tensor.Tensor{"x": tensor.Scalar(float32(1))})
	_, said := octet(t, exitUnsupported, "run", model, "--input", input, "--output", filepath.Join(t.TempDir(), "y.npz"))
	for _, want := range []string{"aten::svd at code/__torch__.py:6", "aten::cholesky (2 times) at code/__torch__.py:7", "aten::randn_like at code/__torch__.py:9"} {
		if !strings.Contains(said, want) {
			t.Errorf("said %q, want %q", said, want)
		}
	}
	if strings.Contains(said, "relu") {
		t.Errorf("said %q, which names an operator that is there", said)
	}
}

// TestTorchScriptArguments gives numbers to a model as arrays without dimensions,
// and leaves out the last one.
func TestTorchScriptArguments(t *testing.T) {
	model := scriptFile(t, "x: Tensor,\n    n: int,\n    f: float,\n    b: bool,\n    k: int=3", "if b:\n  x = torch.mul(x, n)\nfor i in range(k):\n  x = torch.add(x, f)\nreturn x")
	dir := t.TempDir()
	input, output := filepath.Join(dir, "x.npz"), filepath.Join(dir, "y.npz")
	for _, c := range []struct {
		b    bool
		want float32
	}{{true, 4*2 + 3*0.5}, {false, 2 + 3*0.5}} {
		writeArrays(t, input, map[string]*tensor.Tensor{"x": tensor.Scalar(float32(2)), "n": tensor.Scalar(int64(4)), "f": tensor.Scalar(0.5), "b": tensor.Scalar(c.b)})
		octet(t, exitOK, "run", model, "--input", input, "--output", output)
		y, err := tensor.ReadNPZ(output, 0)
		if err != nil {
			t.Fatal(err)
		}
		if got := y.Get("output0").Float32s()[0]; got != c.want {
			t.Errorf("with %v: %v, want %v", c.b, got, c.want)
		}
	}
	writeArrays(t, input, map[string]*tensor.Tensor{"x": tensor.Scalar(float32(2)), "n": tensor.Scalar(int64(4))})
	_, said := octet(t, exitFile, "run", model, "--input", input, "--output", output)
	if !strings.Contains(said, "[x n f b k]") {
		t.Errorf("said %q, want the inputs", said)
	}
}
