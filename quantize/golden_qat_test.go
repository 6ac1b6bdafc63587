package quantize

import (
	"context"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/train"
	"github.com/octet-ml/octet/tensor"
)

// goldenQAT is what was recorded of five steps of training: SGD on the mean squared error.
type goldenQAT struct {
	LR     float64
	Losses []float64
	Params []string
	Grads  map[string][]float32 `json:"grads_step0"`
}

// ourName is the name of a parameter of the toolkit here: fused modules are not containers.
func ourName(name string) string { return strings.Replace(name, ".0.", ".", 1) }

func TestGoldenQAT(t *testing.T) {
	trained := 0
	for _, name := range slices.Sorted(maps.Keys(goldenModels)) {
		r := goldenModel(t, name)
		for _, backend := range slices.Sorted(maps.Keys(r.backends)) {
			want := r.backends[backend].QAT
			if want == nil {
				continue
			}
			trained++
			t.Run(name+"/"+backend, func(t *testing.T) { testGoldenQAT(t, r, backend, want) })
		}
	}
	if trained != 21 {
		t.Errorf("training was recorded of %d models and backends, want 21", trained)
	}
}

func testGoldenQAT(t *testing.T, r goldenRun, backend string, want *goldenQAT) {
	b, err := ParseBackend(backend)
	if err != nil {
		t.Fatal(err)
	}
	q := New(Options{Backend: b, Device: X86, Session: graph.Options{Threads: 2}})
	calib, err := q.Calib(r.model)
	if err != nil {
		t.Fatal(err)
	}
	defer calib.Close()
	r.calibrate(t, calib.Run)
	params, err := q.Parameters(r.model)
	if err != nil {
		t.Fatal(err)
	}
	// The recorded parameters, as the observed ones differ in the last bit.
	for name, p := range r.backends[backend].Observers["activations"] {
		params.Activations[name].Scale = p.Scale
		q.values[name] = fixedObserver{q.values[name], params.Activations[name]}
	}
	qat, err := q.QAT(r.model)
	if err != nil {
		t.Fatal(err)
	}
	defer qat.Close()
	var names, wantNames []string
	for _, p := range qat.Parameters() {
		names = append(names, p.Name)
	}
	for _, name := range want.Params {
		wantNames = append(wantNames, ourName(name))
	}
	slices.Sort(names)
	slices.Sort(wantNames)
	if !slices.Equal(names, wantNames) {
		t.Fatalf("parameters %v, want %v", names, wantNames)
	}
	trainer, err := train.New(qat, train.Options{Loss: train.MeanSquaredError, Optimizer: train.SGD{LR: want.LR}, Session: graph.Options{Threads: 2}})
	if err != nil {
		t.Fatal(err)
	}
	defer trainer.Close()
	ctx := context.Background()
	x, target := r.tensor(t, "test").Contiguous(), r.tensor(t, backend+"_qat_target").Contiguous()
	step := outputStep(qat)
	closeOutput(t, "output before training", mustRun(t, qat.Run, x), r.tensor(t, backend+"_qat_output0"), step)
	_, grads, err := trainer.Gradients(ctx, x, target)
	if err != nil {
		t.Fatal(err)
	}
	for name, w := range want.Grads {
		if g := grads[ourName(name)]; g == nil {
			t.Errorf("no gradient of %s", name)
		} else {
			closeTo(t, "gradient of "+name, g.Float32s(), w, 1e-4, 2e-7)
		}
	}
	for i, w := range want.Losses {
		loss, err := trainer.Step(ctx, x, target)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(loss-w) > 1e-4*w {
			t.Errorf("step %d: loss %v, want %v (%.2g relative)", i, loss, w, math.Abs(loss-w)/w)
		}
	}
	closeOutput(t, "output after training", mustRun(t, qat.Run, x), r.tensor(t, backend+"_qat_output"), step)
	if b == DISC {
		// The toolkit converts with bias observers that calibration has left: it rounds biases to steps
		// of the scales before training, where octet has those after it.
		for _, p := range qat.params {
			if bias := params.Biases[strings.TrimSuffix(p.Name, ".bias")]; p.Kind == train.Bias && bias != nil {
				if err := fakeQuantize(p.Value.Float32s(), p.Value.Float32s(), p.Value.Shape(), bias); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	int8, err := q.Quantize(r.model)
	if err != nil {
		t.Fatal(err)
	}
	s, err := int8.Compile(graph.Options{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	closeOutput(t, "converted", mustRun(t, s.Run, x), r.tensor(t, backend+"_qat_quantized"), step)
}

func mustRun(t *testing.T, run func(context.Context, ...*tensor.Tensor) ([]*tensor.Tensor, error), x *tensor.Tensor) *tensor.Tensor {
	t.Helper()
	out, err := run(context.Background(), x)
	if err != nil {
		t.Fatal(err)
	}
	return out[0]
}

// outputStep is the scale of the last layer's output.
func outputStep(a *QAT) float64 {
	p := a.prepared
	for _, n := range slices.Backward(p.graph.Nodes) {
		if isLayer(n.Op) {
			return float64(a.values[p.names[n.Outputs[0]]].scale.Value.Float32s()[0])
		}
	}
	return 0
}

// closeOutput fails unless all elements are within a quantization step.
func closeOutput(t *testing.T, what string, got, want *tensor.Tensor, step float64) {
	t.Helper()
	g, w := got.Contiguous().Float32s(), want.Contiguous().Float32s()
	worst := 0.0
	for i := range w {
		worst = max(worst, math.Abs(float64(g[i])-float64(w[i])))
	}
	t.Logf("%s: within %.3f steps", what, worst/step)
	if worst > 1.001*step {
		t.Errorf("%s: within %.3f steps", what, worst/step)
	}
}

// closeTo fails unless all values are within a tolerance relative to the largest, or within an absolute one: the
// gradient of a scale is a sum of terms which cancel, to a hundredth and less, and each of which is
// the rounding error of a float32 activation.
func closeTo(t *testing.T, what string, got, want []float32, tolerance, absolute float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
	}
	largest, worst := 0.0, 0.0
	for i := range want {
		largest = max(largest, math.Abs(float64(want[i])))
		worst = max(worst, math.Abs(float64(got[i])-float64(want[i])))
	}
	if worst > max(tolerance*largest, absolute) {
		t.Errorf("%s: off by %.2g of the largest, %.3g", what, worst/largest, largest)
	}
}
