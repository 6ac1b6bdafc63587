package cli

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/octet-ml/octet/internal/shareddata"
	"github.com/octet-ml/octet/tensor"
)

// TestExportedInspect shows exported programs: with what they take, and what is missing.
func TestExportedInspect(t *testing.T) {
	pt2 := func(name string) string { return shareddata.Path(t, "pt2", name+".pt2") }
	for _, c := range []struct {
		code int
		args []string
		says []string
	}{
		{exitOK, []string{"inspect", pt2("hf_bert_214")}, []string{
			"torch.export", "2.14.1", "schema 8.20", "as exported", "int64[s72, s53]", "s53: 2 to 32", "L['input_ids'].size()[1] <= 32", "encoder", "logits",
		}},
		{exitOK, []string{"inspect", pt2("cnn_core_26"), "--code"}, []string{"2.6.0", "schema 8.2", "decomposed", "s0: 1 to 16", "conv"}},
		{exitOK, []string{"inspect", pt2("mlp_214"), "--plan"}, []string{"plan ("}},
		{exitOK, []string{"inspect", pt2("two_models_214"), "--model", "mlp"}, []string{"mlp (of mlp, cnn)"}},
		{exitUsage, []string{"inspect", pt2("two_models_214")}, []string{"holds several models, mlp, cnn: name one with --model"}},
		{exitUsage, []string{"inspect", pt2("two_models_214"), "--model", "x"}, []string{`holds no model "x": it has mlp, cnn`}},
		{exitUnsupported, []string{"inspect", pt2("custom_op_26")}, []string{"not supported", "mylib::double"}},
		{exitUnsupported, []string{"bench", pt2("custom_op_26")}, []string{"mylib::double"}},
		{exitOK, []string{"bench", pt2("cnn_26"), "--runs", "1"}, []string{"cnn_26.pt2"}},
	} {
		out, errors := octet(t, c.code, c.args...)
		for _, s := range c.says {
			if !strings.Contains(out+errors, s) {
				t.Errorf("%v does not say %q:\n%s%s", c.args, s, out, errors)
			}
		}
	}
}

// TestExportedRun runs programs on arrays: bytes and an input called y are taken as the
// program says, float32 stands for bfloat16.
func TestExportedRun(t *testing.T) {
	for name, outputs := range map[string][]string{
		"image_214":              nil,
		"mutated_input_core_214": {"output0", "after_x", "after_y"},
		"bfloat16_214":           nil,
		"while_loop_26":          nil,
		"pytree_io_26":           {"output0", "output1", "output3", "output4", "output5", "output6", "output7"},
	} {
		file := shareddata.Path(t, "pt2", name+".pt2")
		input := strings.TrimSuffix(file, "pt2") + "npz"
		output := filepath.Join(t.TempDir(), "out.npz")
		octet(t, exitOK, "run", file, "--input", input, "--output", output)
		want, err := tensor.ReadNPZ(input, 0)
		if err != nil {
			t.Fatal(err)
		}
		got, err := tensor.ReadNPZ(output, 0)
		if err != nil {
			t.Fatal(err)
		}
		if outputs == nil {
			for i := 0; want.Get(fmt.Sprintf("output%d", i)) != nil; i++ {
				outputs = append(outputs, fmt.Sprintf("output%d", i))
			}
		}
		if len(got) != len(outputs) {
			t.Errorf("%s: %d outputs, want %v", name, len(got), outputs)
			continue
		}
		for i, o := range outputs {
			near(t, name+" "+o, got[i].Tensor, want.Get(o))
		}
	}
}

// near compares a tensor with what PyTorch has.
func near(t *testing.T, what string, got, want *tensor.Tensor) {
	t.Helper()
	if !got.Shape().Equal(want.Shape()) {
		t.Errorf("%s: shape %v, want %v", what, got.Shape(), want.Shape())
		return
	}
	wide := func(x *tensor.Tensor) []float64 {
		f, err := x.Contiguous().To(tensor.Float64)
		if err != nil {
			t.Fatal(err)
		}
		return tensor.Data[float64](f.Contiguous())
	}
	g := wide(got)
	for i, w := range wide(want) {
		if math.Abs(g[i]-w) > 1e-2*max(1, math.Abs(w)) {
			t.Errorf("%s: element %d is %v, want %v", what, i, g[i], w)
			return
		}
	}
}

// TestExportedRefused refuses what was made of models for other runtimes, and says what to do.
func TestExportedRefused(t *testing.T) {
	for name, content := range map[string]string{
		"a.pte": "\x10\x00\x00\x00ET12\x00\x00\x00\x00",
		"a.ff":  "\x10\x00\x00\x00PTMF\x00\x00\x00\x00",
	} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, errors := octet(t, exitUnsupported, "bench", path); !strings.Contains(errors, "torch.export.save") {
			t.Errorf("%s: %s", name, errors)
		}
	}
}
