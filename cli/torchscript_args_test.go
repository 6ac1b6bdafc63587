package cli

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
	return moduleFile(t, method("forward", params, body))
}

// method is the source of a method that returns a tensor.
func method(name, params, body string) string {
	return "  def " + name + "(self: __torch__.M,\n    " + params + ") -> Tensor:\n    " + strings.ReplaceAll(body, "\n", "\n    ") + "\n"
}

// moduleFile writes an archive of a module without attributes, which has these methods.
func moduleFile(t *testing.T, methods ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "model.pt")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	source := "class M(Module):\n  __parameters__ = []\n  __buffers__ = []\n" + strings.Join(methods, "")
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
	model := scriptFile(t, "x: Tensor", "y = torch.geqrf(x)\nz = torch.linalg_eigvals(torch.linalg_eigvals(x))\nw = torch.relu(x)\nreturn torch.ldl_factor(w)")
	input := filepath.Join(t.TempDir(), "x.npz")
	writeArrays(t, input, map[string]*tensor.Tensor{"x": tensor.Scalar(float32(1))})
	_, said := octet(t, exitUnsupported, "run", model, "--input", input, "--output", filepath.Join(t.TempDir(), "y.npz"))
	for _, want := range []string{"aten::geqrf at code/__torch__.py:6", "aten::linalg_eigvals (2 times) at code/__torch__.py:7", "aten::ldl_factor at code/__torch__.py:9"} {
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

// TestRunArrays runs models on arrays as they are: bytes are bytes, a list has all of its tensors, and an array that the model
// has no place for is never dropped without a word.
func TestRunArrays(t *testing.T) {
	dir := t.TempDir()
	input, output := filepath.Join(dir, "x.npz"), filepath.Join(dir, "o.npz")
	one, two := tensor.Scalar(float32(1)), tensor.Scalar(float32(2))
	bytes, err := tensor.FromSlice([]uint8{1, 254}, 2)
	if err != nil {
		t.Fatal(err)
	}
	array := func(name string, x *tensor.Tensor) tensor.Named { return tensor.Named{Name: name, Tensor: x} }
	list := scriptFile(t, "x: Tensor,\n    more: List[Tensor]", "for m in more:\n  x = torch.add(x, m)\nreturn x")
	only := scriptFile(t, "more: List[Tensor]", "return torch.stack(more)")
	masked := scriptFile(t, "x: Tensor,\n    mask: Optional[Tensor]=None,\n    scale: Optional[Tensor]=None", "if mask is not None:\n  x = torch.mul(x, mask)\nreturn x")
	first := scriptFile(t, "more: List[Tensor],\n    mask: Optional[Tensor]=None,\n    n: int=3", "x = torch.mul(torch.sum(torch.stack(more)), n)\nif mask is not None:\n  x = torch.mul(x, mask)\nreturn x")
	maybe := scriptFile(t, "x: Tensor,\n    more: Optional[List[Tensor]]=None", "if more is not None:\n  x = torch.sum(torch.stack(more))\nreturn x")
	plain := scriptFile(t, "x: Tensor", "return torch.add(x, 1)")
	y := scriptFile(t, "x: Tensor,\n    y: Tensor", "return torch.sub(x, y)")
	difference := scriptFile(t, "p: Tensor,\n    q: Tensor", "return torch.sub(p, q)")
	for _, c := range []struct {
		name   string
		model  string
		arrays []tensor.Named
		code   int
		says   string
		want   float64 // the first number of the output
	}{
		{"bytes", plain, []tensor.Named{array("x", bytes)}, exitOK, "", 2},
		{"a list by name", list, []tensor.Named{array("more.0", two), array("x", one), array("more.1", two)}, exitOK, "", 5},
		{"a list in order", list, []tensor.Named{array("a", one), array("b", two), array("c", two), array("d", two)}, exitOK, "", 7},
		{"only a list", only, []tensor.Named{array("x", one), array("y", two)}, exitOK, "", 1},
		{"a list before optional inputs", first, []tensor.Named{array("more.0", one), array("more.1", two)}, exitOK, "", 9},
		{"a list before an optional input that is given", first, []tensor.Named{array("more.0", one), array("mask", two)}, exitOK, "", 6},
		{"an optional list", maybe, []tensor.Named{array("x", one), array("more.0", two)}, exitOK, "", 2},
		{"an optional list left out", maybe, []tensor.Named{array("x", one)}, exitOK, "", 1},
		{"an input y", y, []tensor.Named{array("y", one), array("x", two)}, exitOK, "", 1},
		{"an array y in order", difference, []tensor.Named{array("a", two), array("y", one)}, exitOK, "", 1},
		{"an optional input", masked, []tensor.Named{array("mask", two), array("x", two)}, exitOK, "", 4},
		{"an optional input of another name", masked, []tensor.Named{array("attention", two), array("x", two)}, exitFile, `attention: no input of the model, which has [x mask scale]`, 0},
		{"a later input without one before", masked, []tensor.Named{array("scale", two), array("x", two)}, exitOK, "", 2},
		{"a gap in a list", list, []tensor.Named{array("more.1", one), array("x", two)}, exitFile, `(more): its element 0 is missing`, 0},
		{"surplus by order", plain, []tensor.Named{array("a", one), array("b", two)}, exitFile, "it has [a b]", 0},
		{"surplus by name", plain, []tensor.Named{array("b", one), array("x", two), array("y", two)}, exitOK, "not used, for the model has no such input: b, y", 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := tensor.WriteNPZ(input, c.arrays); err != nil {
				t.Fatal(err)
			}
			_, said := octet(t, c.code, "run", c.model, "--input", input, "--output", output)
			if !strings.Contains(said, c.says) || c.says == "" && said != "" {
				t.Errorf("said %q, want %q", said, c.says)
			}
			if c.code != exitOK {
				return
			}
			got, err := tensor.ReadNPZ(output, 0)
			if err != nil {
				t.Fatal(err)
			}
			wide, err := got[0].Tensor.To(tensor.Float64)
			if err != nil {
				t.Fatal(err)
			}
			if v := tensor.Data[float64](wide.Contiguous())[0]; v != c.want {
				t.Errorf("got %v, want %v", v, c.want)
			}
		})
	}
}

// TestRunParts gives models lists, tuples and dicts by the names of their parts, and leaves out optional inputs anywhere.
func TestRunParts(t *testing.T) {
	dir := t.TempDir()
	input, output := filepath.Join(dir, "x.npz"), filepath.Join(dir, "o.npz")
	dict := scriptFile(t, "d: Dict[str, Tensor]", `return torch.sub(d["a.b"], d["c"])`)
	numbers := scriptFile(t, "d: Dict[int, Tensor],\n    k: int", `return torch.mul(d[7], k)`)
	nested := scriptFile(t, "p: Tuple[Tensor, List[Tensor]],\n    q: List[Tuple[Tensor, Tensor]]", "x, more = p\ny, z = q[1]\nreturn torch.add(torch.sub(x, more[1]), torch.mul(y, z))")
	lists := scriptFile(t, "d: Dict[str, List[Tensor]],\n    m: Optional[Dict[str, Tensor]],\n    n: Optional[Tensor]", `x = torch.sub(d["k"][1], d["j"][0])
if m is not None:
  x = torch.mul(x, m["s"])
if n is not None:
  x = torch.add(x, n)
return x`)
	for _, c := range []struct {
		name   string
		model  string
		arrays map[string]float32
		code   int
		says   string
		want   float32
	}{
		{"a dict", dict, map[string]float32{"d.a.b": 5, "d.c": 3}, exitOK, "", 2},
		{"a dict by ints", numbers, map[string]float32{"d.7": 5, "k": 3}, exitOK, "", 15},
		{"nested", nested, map[string]float32{"p.0": 9, "p.1.0": 1, "p.1.1": 2, "q.0.0": 1, "q.0.1": 1, "q.1.0": 3, "q.1.1": 4}, exitOK, "", 19},
		{"lists in a dict", lists, map[string]float32{"d.k.0": 1, "d.k.1": 7, "d.j.0": 4}, exitOK, "", 3},
		{"an optional dict", lists, map[string]float32{"d.k.0": 1, "d.k.1": 7, "d.j.0": 4, "m.s": 3}, exitOK, "", 9},
		{"the last of two optional", lists, map[string]float32{"d.k.0": 1, "d.k.1": 7, "d.j.0": 4, "n": 3}, exitOK, "", 6},
		{"a dict missing", lists, map[string]float32{"n": 3}, exitFile, "d is missing, which is a Dict[str, List[Tensor]]", 0},
		{"a dict without parts", dict, map[string]float32{"d": 5}, exitFile, "where the model takes [d.a.b d.c]", 0},
		{"a word for an int", numbers, map[string]float32{"d.x": 5, "k": 3}, exitFile, "its key is no int", 0},
		{"an element missing", nested, map[string]float32{"p.0": 9, "p.1.0": 1, "p.1.1": 2, "q.1.0": 3, "q.1.1": 4}, exitFile, "(q): its element 0 is missing", 0},
		{"too many elements", nested, map[string]float32{"p.0": 9, "p.1.0": 1, "p.2": 2, "q.0.0": 3, "q.0.1": 4}, exitFile, "(p): it has 2 elements", 0},
		{"parts of a tensor", lists, map[string]float32{"d.k.0": 1, "n.0": 3}, exitFile, "(n): it is a Tensor, which has no parts", 0},
		{"none at all", dict, map[string]float32{"x": 5}, exitFile, "where the model takes [d.a.b d.c]", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			arrays := make(map[string]*tensor.Tensor)
			for name, v := range c.arrays {
				arrays[name] = tensor.Scalar(v)
				if name == "k" {
					arrays[name] = tensor.Scalar(int64(v))
				}
			}
			writeArrays(t, input, arrays)
			_, said := octet(t, c.code, "run", c.model, "--input", input, "--output", output)
			if !strings.Contains(said, c.says) || c.says == "" && said != "" {
				t.Errorf("said %q, want %q", said, c.says)
			}
			if c.code != exitOK {
				return
			}
			got, err := tensor.ReadNPZ(output, 0)
			if err != nil {
				t.Fatal(err)
			}
			if v := got[0].Tensor.Float32s()[0]; v != c.want {
				t.Errorf("got %v, want %v", v, c.want)
			}
		})
	}
}
