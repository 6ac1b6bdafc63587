package cli

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/octet-ml/octet/tensor"
)

// TestMethodFlag runs, converts and inspects the methods of a module that --method names.
func TestMethodFlag(t *testing.T) {
	model := moduleFile(t, method("forward", "x: Tensor", "return torch.add(x, 1)"), method("encode", "x: Tensor", "return torch.mul(x, 2)"),
		method("decode", "x: Tensor,\n    k: int=3", "return torch.mul(x, k)"))
	dir := t.TempDir()
	input, output := filepath.Join(dir, "x.npz"), filepath.Join(dir, "y.npz")
	x, err := tensor.FromSlice([]float32{1, 10}, 2)
	if err != nil {
		t.Fatal(err)
	}
	writeArrays(t, input, map[string]*tensor.Tensor{"x": x})
	check := func(model string, want []float32, flags ...string) {
		t.Helper()
		octet(t, exitOK, append([]string{"run", model, "--input", input, "--output", output}, flags...)...)
		arrays, err := tensor.ReadNPZ(output, 0)
		if err != nil {
			t.Fatal(err)
		}
		if got := arrays[0].Tensor.Float32s(); !slices.Equal(got, want) {
			t.Errorf("%v gives %v, want %v", flags, got, want)
		}
	}
	for name, want := range map[string][]float32{"": {2, 11}, "forward": {2, 11}, "encode": {2, 20}, "decode": {3, 30}} {
		flags := []string{"--method", name}
		check(model, want, flags...)
		converted := filepath.Join(dir, "converted"+name+".safetensors")
		octet(t, exitOK, append([]string{"convert", model, "-o", converted, "--shape", "2"}, flags...)...)
		check(converted, want)
	}
	if r := octetJSON[inspectResult](t, "inspect", model); !slices.Equal(r.Methods, []string{"decode", "encode", "forward"}) {
		t.Errorf("inspect lists the methods %v", r.Methods)
	}
	_, said := octet(t, exitUsage, "run", model, "--input", input, "--output", output, "--method", "encod")
	for _, want := range []string{"encod", "decode", "forward"} {
		if !strings.Contains(said, want) {
			t.Errorf("said %q of a method that is not there, which lacks %q", said, want)
		}
	}
	octet(t, exitFile, "run", quantizeDigits(t), "--input", input, "--output", output, "--method", "encode")
}
