//go:build !nopytorch

package loader

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/internal/shareddata"
	"github.com/octet-ml/octet/ops"
)

// TestLoadDetectsPrograms checks that an archive with a record of TorchScript is read as such.
func TestLoadDetectsPrograms(t *testing.T) {
	path := filepath.Join(t.TempDir(), "script")
	// A name of the same length, so that the archive stays whole.
	archive := bytes.ReplaceAll(torchZip(".", map[string]int{"pickle-0": 4}), []byte(storageFolder+"pickle-0"), []byte(scriptRecord))
	if err := os.WriteFile(path, archive, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Load(path)
	if !isFileError(err, "constants.pkl: rejected") {
		t.Errorf("a file of TorchScript without constants gives %v", err)
	}
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
