package loader

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/internal/shareddata"
	"github.com/octet-ml/octet/ops"
)

// formatSignature writes a signature on a few lines.
func formatSignature(s *graph.Signature) []string {
	lines := []string{fmt.Sprintf("batch %v, stateful %v", s.Batch, s.Stateful)}
	for i, list := range [][]graph.Port{s.Inputs, s.Outputs} {
		for _, p := range list {
			lines = append(lines, fmt.Sprintf("%s %s %v%v", []string{"<-", "->"}[i], p.Name, p.Type.DType, p.Extents()))
		}
	}
	return lines
}

// TestSignature asks models of all kinds of files what they take and give, before they run.
func TestSignature(t *testing.T) {
	for _, c := range []struct {
		file   []string
		inputs []ops.Type
		want   []string
	}{
		{[]string{"pt2", "cnn_26.pt2"}, nil, []string{"batch true, stateful false", "<- x float32[-1 3 16 16]", "-> output0 float32[-1 5]"}},
		{[]string{"pt2", "hf_bert_214.pt2"}, nil, []string{"batch true, stateful false", "<- input_ids int64[-1 -1]", "<- attention_mask int64[-1 -1]", "-> logits float32[-1 2]"}},
		{[]string{"pt2", "buffers_26.pt2"}, nil, []string{"batch false, stateful true", "<- x float32[3 4]", "-> output0 float32[3 4]", "-> output1 int64[]"}},
		{[]string{"pt2", "mlp_26.pt2"}, nil, []string{"batch false, stateful false", "<- x float32[3 6]", "-> output0 float32[3 4]"}},
		{[]string{"data", "cifar10", "resnet20.ts.pt"}, []ops.Type{ops.F32(1, 3, 32, 32)}, []string{"batch true, stateful false", "<- x float32[-1 3 -1 -1]", "-> output0 float32[-1 10]"}},
	} {
		g, err := Load(shareddata.Path(t, c.file...))
		if err != nil {
			t.Fatal(err)
		}
		if c.inputs != nil {
			if _, err := g.Signature(); !errors.Is(err, graph.ErrOpen) {
				t.Errorf("%v without types: error %v", c.file, err)
			}
		}
		s, err := g.Signature(c.inputs...)
		if err != nil {
			t.Errorf("%v: %v", c.file, err)
			continue
		}
		if d := cmp.Diff(c.want, formatSignature(s)); d != "" {
			t.Errorf("%v (-want +got)\n%s", c.file, d)
		}
	}
}

// TestSignatureStays holds the signature of a saved model to that of the one it was saved from, names of outputs too.
func TestSignatureStays(t *testing.T) {
	g, err := nn.BuildRandom(nn.ResNet20CIFAR(), 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"", "scores"} {
		g.Outputs[0].Name = name
		path := filepath.Join(t.TempDir(), "model.safetensors")
		if err := Save(path, g); err != nil {
			t.Fatal(err)
		}
		loaded, err := Load(path)
		if err != nil {
			t.Fatal(err)
		}
		before, err := g.Signature()
		if err != nil {
			t.Fatal(err)
		}
		after, err := loaded.Signature()
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(formatSignature(before), formatSignature(after)); d != "" {
			t.Errorf("output %q (-built +loaded)\n%s", name, d)
		}
		want := name
		if want == "" {
			want = "output0"
		}
		if got := after.Outputs[0].Name; got != want {
			t.Errorf("the output is called %q, want %q", got, want)
		}
	}
}
