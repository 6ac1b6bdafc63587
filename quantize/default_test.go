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

// observerModels are the real models that observers are compared on, each with
// data to calibrate and to test on. By parts takes enough of it for a test.
func observerModels(t testing.TB, parts bool) []observerModel {
	t.Helper()
	face, images := faceDetector(t)
	test, dev := cifar(t, "test.npz", 64), sst2(t, "dev.npz", 64)
	photos, sentences := cifar(t, "calib.npz", 64), sst2(t, "calib.npz", 64)
	if parts {
		test.batches, dev.batches, sentences.batches = test.batches[:3], dev.batches[:2], sentences.batches[:2]
	}
	return []observerModel{
		{"ResNet-20", resnet20(t), photos, test},
		{"BERT", smallBERT(t), sentences, dev},
		{"RetinaFace", face, images, images},
	}
}

type observerModel struct {
	name        string
	graph       *graph.Graph
	calib, test *dataset
}

// observerQuality returns the SQNR of the models' outputs with activations of 8
// and of 6 bits, in dB, by the model and bits, and its mean.
func observerQuality(t testing.TB, kind Kind, models []observerModel) (each map[string]float64, mean float64) {
	t.Helper()
	each = make(map[string]float64)
	for _, m := range models {
		config := ObserverConfig{Kind: kind, Spec: affineU8}
		q := New(Options{Activation: &config})
		calibrate(t, q, m.graph, m.calib)
		for _, bits := range []int{8, 6} {
			config.Spec = affineU8.WithBits(bits)
			s := outputSQNR(t, m.graph, quantized(t, q, m.graph, WithActivation(config)), m.test)
			each[fmt.Sprintf("%s-%d-bits-dB", m.name, bits)] = s
			mean += s / float64(2*len(models))
		}
	}
	return each, mean
}

// TestDefaultObserver compares the observers over parts of the data of the real
// models: none may be better than Native's default by more than other samples would
// change, a quarter of a dB. BenchmarkDefaultObserver takes all samples.
func TestDefaultObserver(t *testing.T) {
	skipLong(t)
	models := observerModels(t, true)
	means := make(map[Kind]float64)
	for _, kind := range Kinds() {
		each, mean := observerQuality(t, kind, models)
		means[kind] = mean
		t.Logf("%-14s %.2f dB: %v", kind, mean, each)
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

// BenchmarkDefaultObserver reports how well each observer does over all data of
// the real models: the table in docs/quantization.md. One iteration suffices.
func BenchmarkDefaultObserver(b *testing.B) {
	models := observerModels(b, false)
	for _, kind := range Kinds() {
		b.Run(string(kind), func(b *testing.B) {
			for b.Loop() {
				each, mean := observerQuality(b, kind, models)
				for name, v := range each {
					b.ReportMetric(v, name)
				}
				b.ReportMetric(mean, "mean-dB")
			}
		})
	}
}
