package quantize

import (
	"context"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// goldenResult is what was recorded of one model with one backend.
type goldenResult struct {
	Noise         map[string]float64
	FallbackOrder []string `json:"fallback_order"`
	Fallback1     []string `json:"fallback1"`
	Observers     map[string]map[string]goldenQParams
	QAT           *goldenQAT
}

type goldenQParams struct {
	Scale     []float32
	ZeroPoint []float64 `json:"zero_point"`
	DType     string
	QScheme   string
}

// goldenRun is a model with its recorded results.
type goldenRun struct {
	model    *graph.Graph
	tensors  tensor.Arrays
	backends map[string]goldenResult
}

func goldenModel(t *testing.T, name string) goldenRun {
	t.Helper()
	dir := os.Getenv("OCTET_GOLDEN")
	if dir == "" {
		dir = "testdata"
	}
	dir = filepath.Join(dir, "quantizer", name)
	var r goldenRun
	var expected struct{ Backends map[string]goldenResult }
	readGolden(t, filepath.Join("quantizer", name, "expected.json"), &expected)
	r.backends = expected.Backends
	weights, err := loader.StateDict(filepath.Join(dir, "state_dict.pth"))
	if err != nil {
		t.Fatal(err)
	}
	m := goldenModels[name]
	r.model, err = nn.Build(nn.Architecture{
		Name: name, Inputs: []nn.Input{{Name: "x", DType: tensor.Float32, Shape: m.input}}, Root: m.forward,
	}, weights)
	if err != nil {
		t.Fatal(err)
	}
	if r.tensors, err = tensor.ReadNPZ(filepath.Join(dir, "tensors.npz"), 1<<26); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r goldenRun) tensor(t *testing.T, name string) *tensor.Tensor {
	t.Helper()
	x := r.tensors.Get(name)
	if x == nil {
		t.Fatalf("no recorded tensor %q", name)
	}
	return x
}

func (r goldenRun) run(t *testing.T, g *graph.Graph) []float32 {
	t.Helper()
	s, err := g.Compile(graph.Options{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	out, err := s.Run(context.Background(), r.tensor(t, "test"))
	if err != nil {
		t.Fatal(err)
	}
	return out[0].Float32s()
}

// calibrate runs the recorded batches through a proxy.
func (r goldenRun) calibrate(t *testing.T, run func(context.Context, ...*tensor.Tensor) ([]*tensor.Tensor, error)) {
	t.Helper()
	for i := range 4 {
		if _, err := run(context.Background(), r.tensor(t, fmt.Sprintf("calib%d", i))); err != nil {
			t.Fatal(err)
		}
	}
}

func TestGoldenQuantizer(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(goldenModels)) {
		r := goldenModel(t, name)
		within(t, "float output", r.run(t, r.model), r.tensor(t, "float").Contiguous().Float32s(), 1e-4)
		for _, backend := range slices.Sorted(maps.Keys(r.backends)) {
			t.Run(name+"/"+backend, func(t *testing.T) { testGoldenQuantizer(t, r, backend) })
		}
	}
}

func testGoldenQuantizer(t *testing.T, r goldenRun, backend string) {
	want := r.backends[backend]
	b, err := ParseBackend(backend)
	if err != nil {
		t.Fatal(err)
	}
	q := New(Options{Backend: b, Device: X86})
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
	// Activations behind a layer differ by the rounding of its sums.
	sameParameters(t, "activation", params.Activations, want.Observers["activations"], 1e-6)
	sameParameters(t, "weight", params.Weights, want.Observers["weights"], 0)
	sameParameters(t, "bias", params.Biases, want.Observers["biases"], 1e-6)
	if x := want.Observers["activations"]["x"].Scale[0]; b != FBGEMM && params.Activations["x"].Scale[0] != x {
		t.Errorf("input x has scale %v, want %v", params.Activations["x"].Scale[0], x)
	}

	// A symmetric scale is the largest magnitude over 127.5, so that value always
	// lies between two integers and a last bit decides: from here on the recorded
	// parameters are used, which are within 1e-6 of the observed ones.
	for name, p := range want.Observers["activations"] {
		params.Activations[name].Scale = p.Scale
		q.values[name] = fixedObserver{q.values[name], params.Activations[name]}
	}
	amp, err := q.AMP(r.model)
	if err != nil {
		t.Fatal(err)
	}
	defer amp.Close()
	r.calibrate(t, amp.Run)
	sameNoise(t, amp.Noise(), want)

	r.sameOutput(t, q, backend+"_quantized", params)
	linear := New(Options{Backend: b, Device: X86, Filter: Filter{IncludeOpTypes: []string{"linear"}}})
	linear.values = q.values
	r.sameOutput(t, linear, backend+"_linear_only", params)
	if err := q.Fallback(amp, 1); err != nil {
		t.Fatal(err)
	}
	if got := q.Options().Filter.ExcludeNames; !slices.Equal(got, want.Fallback1) {
		t.Errorf("fallback excludes %v, want %v", got, want.Fallback1)
	}
	if p, err := q.prepare(r.model, nil); err != nil {
		t.Fatal(err)
	} else if name := want.Fallback1[0]; fusedReLU(p, name) && q.values[name] != nil {
		// The toolkit does not fuse an excluded layer with its ReLU, whose output
		// is then an activation that calibration did not see: it keeps the parameters
		// that observers begin with.
		q.values[name] = fixedObserver{q.values[name], tensor.PerTensor(tensor.Uint8, 1, 0)}
	}
	r.sameOutput(t, q, backend+"_fallback1", params)
}

// fixedObserver gives recorded parameters.
type fixedObserver struct {
	Observer
	q *tensor.QParams
}

func (o fixedObserver) QParams() (*tensor.QParams, error) { return o.q, nil }

func fusedReLU(p *prepared, path string) bool {
	for _, n := range p.graph.Nodes {
		if n.Scope.Path != path {
			continue
		}
		switch op := n.Op.(type) {
		case ops.Conv:
			return op.Act == ops.ActReLU
		case ops.Linear:
			return op.Act == ops.ActReLU
		}
	}
	return false
}

func sameParameters(t *testing.T, what string, got map[string]*tensor.QParams, want map[string]goldenQParams, tolerance float64) {
	t.Helper()
	if g, w := slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)); !slices.Equal(g, w) {
		t.Errorf("%s observers of %v, want %v", what, g, w)
		return
	}
	for name, w := range want {
		g := got[name]
		if d := dtypeName[w.DType]; g.DType != d {
			t.Errorf("%s %q is %v, want %v", what, name, g.DType, d)
		}
		// Per-channel zero points of symmetric schemes are recorded for each channel or once.
		for len(w.ZeroPoint) < len(w.Scale) {
			w.ZeroPoint = append(w.ZeroPoint, w.ZeroPoint[0])
		}
		for i := range w.Scale {
			if len(g.Scale) != len(w.Scale) || math.Abs(float64(g.Scale[i])-float64(w.Scale[i])) > tolerance*float64(w.Scale[i]) || float64(g.ZeroPoint[i]) != w.ZeroPoint[i] {
				t.Errorf("%s %q has scale %v and zero point %v, want %v and %v", what, name, g.Scale, g.ZeroPoint, w.Scale, w.ZeroPoint)
				break
			}
		}
	}
}

var dtypeName = map[string]tensor.DType{"qint8": tensor.Int8, "quint8": tensor.Uint8, "qint32": tensor.Int32}

// noiseTolerance is 1e-4, and more in plain Go: without fused multiply-add its sums round
// otherwise than PyTorch's, which puts one output of "inverted" on the other side of a
// quantization step.
func noiseTolerance(t *testing.T) float64 {
	t.Helper()
	tier, err := asm.Resolve("")
	if err != nil {
		t.Fatal(err)
	}
	if tier == asm.Generic {
		return 1e-3
	}
	return 1e-4
}

func sameNoise(t *testing.T, got []ModuleNoise, want goldenResult) {
	t.Helper()
	var order []string
	tolerance := noiseTolerance(t)
	for _, m := range got {
		order = append(order, m.Name)
		if w := want.Noise[m.Name]; math.Abs(m.Noise-w) > tolerance*w {
			t.Errorf("noise of %q is %v, want %v (%.2g relative)", m.Name, m.Noise, w, math.Abs(m.Noise-w)/w)
		}
	}
	if !slices.Equal(order, want.FallbackOrder) {
		t.Errorf("fallback order %v, want %v", order, want.FallbackOrder)
	}
}

// sameOutput compares the quantized model's output with the recorded one: within
// one quantization step of the last layer, and equal in at least 99 % of the
// elements after rounding to that step.
func (r goldenRun) sameOutput(t *testing.T, q *Quantizer, name string, params *Parameters) {
	t.Helper()
	m, err := q.Quantize(r.model)
	if err != nil {
		t.Fatal(err)
	}
	got, want := r.run(t, m), r.tensor(t, name).Contiguous().Float32s()
	var last string
	for _, l := range q.Report().Layers {
		if params.Weights[l.Name] != nil {
			last = l.Name
		}
	}
	step := float64(params.Activations[last].Scale[0])
	worst, equal := 0.0, 0
	for i := range want {
		d := math.Abs(float64(got[i]) - float64(want[i]))
		worst = max(worst, d)
		if math.RoundToEven(float64(got[i])/step) == math.RoundToEven(float64(want[i])/step) {
			equal++
		}
	}
	share := float64(equal) / float64(len(want))
	t.Logf("%s: within %.3f steps, %.1f %% of %d equal", name, worst/step, 100*share, len(want))
	if worst > 1.001*step || share < 0.99 {
		t.Errorf("%s: within %.3f steps, %.1f %% of %d equal", name, worst/step, 100*share, len(want))
	}
}
