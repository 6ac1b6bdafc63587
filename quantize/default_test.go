package quantize

import (
	"context"
	"fmt"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/internal/shareddata"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/tensor"
)

// faceDetector is a RetinaFace detector, with an image for it.
func faceDetector(t testing.TB) (*graph.Graph, *dataset) {
	t.Helper()
	m, err := loader.Load(shareddata.Path(t, "data", "face", "mnet025.ts.pt"))
	if err != nil {
		t.Fatal(err)
	}
	data, err := tensor.ReadNPZ(shareddata.Path(t, "data", "face", "mnet025_io.npz"), 1<<28)
	if err != nil {
		t.Fatal(err)
	}
	return m, &dataset{batches: [][]*tensor.Tensor{{data.Get("input").Contiguous()}}}
}

// outputSQNR returns the mean SQNR of a quantized model's outputs, in dB.
func outputSQNR(t testing.TB, float, quantized *graph.Graph, d *dataset) float64 {
	t.Helper()
	ctx := context.Background()
	reference, err := collect(ctx, float, d.all(), graph.Options{})
	if err != nil {
		t.Fatal(err)
	}
	diff, err := reference.compare(ctx, quantized, d.all(), graph.Options{})
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, s := range diff {
		sum += s.sqnr()
	}
	return sum / float64(len(diff))
}

// TestDefaultObserver compares the observers over the real models, with
// activations of 8 and of 6 bits: by the mean SQNR of the models' outputs none may be better
// than Native's default by more than other samples would change, a quarter of a dB. Of
// those as good, mse merges exactly and does not depend on batches.
// docs/quantization.md shows the table that -v logs.
func TestDefaultObserver(t *testing.T) {
	skipLong(t)
	face, images := faceDetector(t)
	test, dev := cifar(t, "test.npz", 64), sst2(t, "dev.npz", 64)
	test.batches, dev.batches = test.batches[:3], dev.batches[:2]
	photos, sentences := cifar(t, "calib.npz", 64), sst2(t, "calib.npz", 64)
	sentences.batches = sentences.batches[:2]
	models := []struct {
		name        string
		graph       *graph.Graph
		calib, test *dataset
	}{
		{"ResNet-20", resnet20(t), photos, test},
		{"BERT", smallBERT(t), sentences, dev},
		{"RetinaFace", face, images, images},
	}
	means := make(map[Kind]float64)
	for _, kind := range Kinds() {
		line, total := "", 0.0
		for _, m := range models {
			config := ObserverConfig{Kind: kind, Spec: affineU8}
			q := New(Options{Activation: &config})
			calibrate(t, q, m.graph, m.calib)
			for _, bits := range []int{8, 6} {
				config.Spec = affineU8.WithBits(bits)
				s := outputSQNR(t, m.graph, quantized(t, q, m.graph, WithActivation(config)), m.test)
				line += fmt.Sprintf(" %s %d bits %.1f dB,", m.name, bits, s)
				total += s
			}
		}
		means[kind] = total / float64(2*len(models))
		t.Logf("%-14s %.2f dB:%s", kind, means[kind], line)
	}
	o, err := Native.Observers(HostDevice)
	if err != nil {
		t.Fatal(err)
	}
	for kind, mean := range means {
		if mean > means[o.Activation.Kind]+0.25 {
			t.Errorf("%s has %.2f dB, the default, %s, %.2f dB", kind, mean, o.Activation.Kind, means[o.Activation.Kind])
		}
	}
}
