package cli

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// bertInt8 writes the small BERT in int8: static, calibrated on drawn tokens, and dynamic.
func bertInt8(t *testing.T) (static, dynamic string) {
	const model = "../loader/testdata/both/bert.pt2"
	g, err := loader.Load(model)
	if err != nil {
		t.Fatal(err)
	}
	types, ok := g.Example()
	if !ok {
		t.Fatal("the BERT says no shapes")
	}
	arrays := make(map[string]*tensor.Tensor)
	for i, v := range g.Inputs {
		x, err := tensor.New(types[i].DType, types[i].Shape...)
		if err != nil {
			t.Fatal(err)
		}
		for k := range x.Int64s() {
			if x.Int64s()[k] = 1; i == 0 {
				x.Int64s()[k] = int64(1 + 7*k%40)
			}
		}
		arrays[v.Name] = x
	}
	calib := filepath.Join(t.TempDir(), "calib.npz")
	writeArrays(t, calib, arrays)
	static, dynamic = filepath.Join(t.TempDir(), "static.safetensors"), filepath.Join(t.TempDir(), "dynamic.safetensors")
	octet(t, exitOK, "quantize", model, "--calib", calib, "--compare", "0", "-o", static)
	octet(t, exitOK, "quantize", model, "--dynamic", "-o", dynamic)
	return static, dynamic
}

// TestVerify verifies convolutions and BERT, static and dynamic, on every tier, and files whose promise is another one.
func TestVerify(t *testing.T) {
	static, dynamic := bertInt8(t)
	for _, path := range []string{quantizeDigits(t), static, dynamic} {
		r := octetJSON[verifyResult](t, "verify", path)
		if len(r.Tiers) != len(asm.Supported()) || r.Integers+r.Floats < 4 || path != dynamic && r.Recorded == "" {
			t.Errorf("%s: %+v", path, r)
		}
		for _, tier := range r.Tiers {
			if !tier.Equal || tier.Beyond != "" {
				t.Errorf("%s: %+v", path, tier)
			}
		}
	}
	g, err := loader.Load(static)
	if err != nil {
		t.Fatal(err)
	}
	was := g.Info.Int8Digest
	g.Info.Int8Digest = strings.Repeat("0", 64)
	other := filepath.Join(t.TempDir(), "other.safetensors")
	if err := loader.Save(other, g); err != nil {
		t.Fatal(err)
	}
	if said, stderr := octet(t, exitFailed, "verify", other); !strings.Contains(said, "DIFFERS") || !strings.Contains(stderr, "cpu --check") {
		t.Errorf("%s%s", said, stderr)
	}
	g.Info = nil
	if err := loader.Save(other, g); err != nil {
		t.Fatal(err)
	}
	if said, _ := octet(t, exitOK, "verify", other); !strings.Contains(said, "the file has no digest") || !strings.Contains(said, was) {
		t.Errorf("without a digest: %s", said)
	}
	if said, _ := octet(t, exitOK, "verify", digitsModel, "--arch", "digits"); !strings.Contains(said, "no int8 operators") {
		t.Errorf("a float model: %s", said)
	}
}
