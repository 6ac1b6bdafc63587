package loader

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
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
