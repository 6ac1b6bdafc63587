//go:build !noserve

package cli

import (
	"context"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/octet-ml/octet/tensor"
)

// TestBoundInputs gives the commands that run models on data one whose inputs are an optional tensor, a dict and a named tuple:
// the arrays of the data name their parts, and the optional one is left out.
func TestBoundInputs(t *testing.T) {
	const model = "testdata/bound.pt"
	arrays := func(n int) []tensor.Named {
		var out []tensor.Named
		for i, name := range []string{"x", "parts.u", "pair.left", "pair.right"} {
			x, err := tensor.New(tensor.Float32, n, []int{4, 4, 3, 3}[i])
			if err != nil {
				t.Fatal(err)
			}
			for k := range x.Float32s() {
				x.Float32s()[k] = float32((k*7+i)%13)/6 - 1
			}
			out = append(out, tensor.Named{Name: name, Tensor: x})
		}
		return out
	}
	y, err := tensor.FromSlice([]int64{0, 1, 2, 0, 1, 2, 0, 1}, 8)
	if err != nil {
		t.Fatal(err)
	}
	file := func(name string) string { return filepath.Join(t.TempDir(), name) }
	plain, data := file("x.npz"), file("data.npz")
	for path, have := range map[string][]tensor.Named{plain: arrays(8), data: append(arrays(8), tensor.Named{Name: "y", Tensor: y})} {
		if err := tensor.WriteNPZ(path, have); err != nil {
			t.Fatal(err)
		}
	}
	quantized, outputs := file("int8.safetensors"), file("y.npz")
	octet(t, exitOK, "run", model, "--input", plain, "--output", outputs)
	octet(t, exitOK, "eval", model, "--data", plain, "--against", outputs)
	if out, _ := octet(t, exitOK, "eval", model, "--data", data); !strings.Contains(out, "greatest of 3 outputs") {
		t.Errorf("eval says\n%s", out)
	}
	octet(t, exitOK, "quantize", model, "--calib", data, "--data", data, "-o", quantized)
	octet(t, exitOK, "run", quantized, "--input", plain, "--output", file("q.npz"))
	octet(t, exitOK, "eval", quantized, "--data", data)

	a := newApp(io.Discard, io.Discard)
	list, err := a.configured(t.Context(), &serveFlags{models: []string{"m=" + model}, warm: []string{plain}})
	if err != nil {
		t.Fatal(err)
	}
	g, err := list[0].Source.Open(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, v := range g.Inputs {
		names = append(names, v.Name)
	}
	if got := strings.Join(names, " "); got != "x parts.u pair.left pair.right" {
		t.Errorf("the server takes %s", got)
	}
	octet(t, exitOK, "serve", "--check", "m="+model, "--warm", plain)

	// A model of a folder, and the data that warms one up, may be gone while the server runs: that is no matter of the others.
	f := &serveFlags{models: []string{"m=" + model}, warm: []string{"gone=" + plain, "m=" + file("none.npz")}, shapes: []string{"gone=1x2"}}
	if _, err := a.configured(t.Context(), f); err == nil || !strings.Contains(err.Error(), `there is no model "gone"`) {
		t.Errorf("at the start: error %v", err)
	}
	f.running = true
	if list, err = a.configured(t.Context(), f); err != nil || len(list) != 1 {
		t.Fatalf("while it runs: %v, error %v", list, err)
	}
	if _, err := list[0].Source.Open(t.Context()); err == nil || !strings.Contains(err.Error(), "none.npz") {
		t.Errorf("the model without its data: error %v", err)
	}
}
