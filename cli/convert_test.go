package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const tracedResNet20 = "../loader/testdata/both/resnet20.ts.pt"

// TestConvert writes models of each kind as octet files, which run to the bits of the model without --arch and --shape.
func TestConvert(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	octet(t, exitOK, "convert", digitsModel, "--arch", "digits", "-o", at("digits"))
	octet(t, exitOK, "run", digitsModel, "--arch", "digits", "--input", digitsCalib, "--output", at("a.npz"))
	octet(t, exitOK, "run", at("digits"), digitsCalib, "--output", at("b.npz"))
	if a, b := readArrays(t, at("a.npz"))[0].Tensor, readArrays(t, at("b.npz"))[0].Tensor; !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Error("the octet file has other outputs")
	}
	// A TorchScript file: of given shapes, or of those that preprocessing says.
	for _, c := range []struct {
		flags []string
		takes string
	}{
		{[]string{"--shape", "1x3x40x40"}, "float32[-1 3 -1 -1]"},
		{[]string{"--size", "36", "--crop", "32", "--mean", "0.5", "--std", "0.25"}, "size [36], crop [32], channels 3, mean [0.5], std [0.25]"},
	} {
		_, said := octet(t, exitOK, append([]string{"convert", tracedResNet20, "-o", at("r")}, c.flags...)...)
		if said != "" {
			t.Errorf("%v: said %q", c.flags, said)
		}
		if shown, _ := octet(t, exitOK, "inspect", at("r")); !strings.Contains(shown, c.takes) || !strings.Contains(shown, "made of     resnet20.ts.pt") {
			t.Errorf("%v: inspect shows\n%s", c.flags, shown)
		}
	}
	whole, err := os.Stat(at("digits"))
	if err != nil {
		t.Fatal(err)
	}
	for _, half := range []string{"float16", "bfloat16"} {
		r := octetJSON[convertResult](t, "convert", digitsModel, "--arch", "digits", "--weights", half, "-o", at(half))
		if r.OutputBytes > whole.Size()*6/10 {
			t.Errorf("%s takes %d bytes of %d", half, r.OutputBytes, whole.Size())
		}
		want := octetJSON[evalResult](t, "eval", at("digits"), "--data", digitsTest)
		if got := octetJSON[evalResult](t, "eval", at(half), "--data", digitsTest); *got.Right < *want.Right-3 {
			t.Errorf("%s: %d right, as float32 %d", half, *got.Right, *want.Right)
		}
		octet(t, exitOK, "quantize", at(half), "--calib", digitsCalib, "-o", at("int8"))
	}
	for code, args := range map[int][]string{
		exitUsage: {"convert", digitsModel, "--arch", "digits", "--weights", "float61", "-o", at("x")},
		exitFile:  {"convert", digitsModel, "-o", at("x")},
	} {
		octet(t, code, args...)
	}
	if _, said := octet(t, exitUsage, "convert", tracedResNet20, "-o", at("x")); !strings.Contains(said, "give --shape") {
		t.Errorf("without shapes: %q", said)
	}
	octet(t, exitUsage, "convert", digitsModel, "--arch", "digits", "--with-preprocessing", "-o", at("x"))
}
