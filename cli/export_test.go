package cli

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
)

// TestExport writes float and int8 models as ONNX, and refuses what is not written.
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
	if _, said := octet(t, exitUnsupported, "export", dynamic, "--onnx", at("dynamic.onnx")); !strings.Contains(said, "fc") {
		t.Errorf("a dynamic layer: %s", said)
	}
}
