package quantize

import (
	"os"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/internal/shareddata"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/tensor"
)

func smallBERT(t testing.TB) *graph.Graph {
	t.Helper()
	text, err := os.ReadFile(shareddata.Path(t, "data", "bert_sst2", "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	config, err := nn.ParseBERTConfig(text)
	if err != nil {
		t.Fatal(err)
	}
	weights, err := loader.StateDict(shareddata.Path(t, "data", "bert_sst2", "pytorch_model.bin"))
	if err != nil {
		t.Fatal(err)
	}
	m, err := nn.Build(nn.BERTClassifier(config), weights)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// sst2 reads tokenized sentences.
func sst2(t testing.TB, name string, batch int) *dataset {
	t.Helper()
	data, err := tensor.ReadNPZ(shareddata.Path(t, "data", "bert_sst2", name), 1<<28)
	if err != nil {
		t.Fatal(err)
	}
	d := &dataset{}
	d.add(t, batch, data.Get("y").Contiguous().Int64s(),
		data.Get("input_ids"), data.Get("attention_mask"), data.Get("token_type_ids"))
	return d
}

// TestBERT checks the accuracy of every backend on SST-2 against what PyTorch
// and the reference toolkit reach. The toolkit has 656 right with FBGEMM: where
// its greedy search for a range stops depends on the last bits of its sums.
func TestBERT(t *testing.T) {
	skipLong(t)
	m, dev, calib := smallBERT(t), sst2(t, "dev.npz", 64), sst2(t, "calib.npz", 64)
	float := classes(t, m, dev)
	if n := count(float, dev.labels); n != 692 {
		t.Errorf("float32: %d right, want 692", n)
	}
	dynamic := classes(t, quantized(t, New(Options{Dynamic: true}), m), dev)
	right := count(dynamic, dev.labels)
	t.Logf("dynamic: %d right, %d as in float", right, count(dynamic, float))
	if right < 690 {
		t.Errorf("dynamic: %d right, want 690", right)
	}
	for _, c := range []struct {
		backend  *Backend
		from, to int // right
	}{{Native, 690, 872}, {Reference, 690, 696}, {DISC, 690, 696}, {FBGEMM, 653, 872}} {
		q := New(Options{Backend: c.backend, Device: X86})
		calibrate(t, q, m, calib)
		got := classes(t, quantized(t, q, m), dev)
		right := count(got, dev.labels)
		t.Logf("%v: %d right, %d as in float", c.backend, right, count(got, float))
		if right < c.from || right > c.to {
			t.Errorf("%v: %d right, want %d to %d", c.backend, right, c.from, c.to)
		}
	}
}
