package cli

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// TestExport writes float, int8 and dynamic models as ONNX and as TorchScript, which is read back to the same outputs, and refuses what is
// not written.
func TestExport(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	octet(t, exitOK, "export", digitsModel, "--arch", "digits", "--onnx", at("float.onnx"))
	octet(t, exitOK, "export", quantizeDigits(t), "--onnx", at("int8.onnx"))
	octet(t, exitOK, "export", tracedResNet20, "--shape", "1x3x32x32", "--onnx", at("traced.onnx"))
	if text := read(t, at("int8.onnx")); bytes.Count(text, []byte("DequantizeLinear")) < 10 || bytes.Contains(read(t, at("float.onnx")), []byte("DequantizeLinear")) {
		t.Errorf("the int8 model has %d DequantizeLinear", bytes.Count(text, []byte("DequantizeLinear")))
	}
	dynamic := at("dynamic.safetensors")
	octet(t, exitOK, "quantize", digitsModel, "--arch", "digits", "--dynamic", "-o", dynamic)
	octet(t, exitOK, "export", dynamic, "--onnx", at("dynamic.onnx"))
	g := graph.New()
	y, err := g.Add1(graph.Scope{Path: "last"}, ops.Unary{Fn: ops.Erfc}, g.Input("x", tensor.Float32, 2))
	if err != nil {
		t.Fatal(err)
	}
	g.SetOutputs(y)
	if err := loader.Save(at("erfc.safetensors"), g); err != nil {
		t.Fatal(err)
	}
	if _, said := octet(t, exitUnsupported, "export", at("erfc.safetensors"), "--onnx", at("erfc.onnx")); !strings.Contains(said, "last") {
		t.Errorf("an operator that is not written: %s", said)
	}
	torchScript := func(model string, flags ...string) string {
		out := at("out.pt")
		octet(t, exitOK, append([]string{"export", model, "--torchscript", "-o", out}, flags...)...)
		return out
	}
	sameOutputs := func(a, b string) {
		data := at("x.npz")
		octet(t, exitOK, "compare", a, b, "--data", data, "--atol", "0", "--rtol", "0")
	}
	x, err := tensor.New(tensor.Float32, 3, 1, 28, 28)
	if err != nil {
		t.Fatal(err)
	}
	for i := range x.Float32s() {
		x.Float32s()[i] = float32(i%97)/48 - 1
	}
	if err := tensor.WriteNPZ(at("x.npz"), []tensor.Named{{Name: "x", Tensor: x}}); err != nil {
		t.Fatal(err)
	}
	int8 := quantizeDigits(t)
	sameOutputs(int8, torchScript(int8))
	sameOutputs(dynamic, torchScript(dynamic))
	octet(t, exitUsage, "export", int8)
	octet(t, exitUsage, "export", int8, "--torchscript")
	octet(t, exitUsage, "export", int8, "--torchscript", "-o", at("a.pt"), "--onnx", at("a.onnx"))
	octet(t, exitUsage, "export", int8, "--onnx", at("a.onnx"), "-o", at("a.pt"))
}
