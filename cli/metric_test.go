package cli

import (
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/octet-ml/octet/bench"
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// normal returns normally distributed numbers.
func normal(t *testing.T, r *rand.Rand, shape ...int) *tensor.Tensor {
	t.Helper()
	x, err := tensor.New(tensor.Float32, shape...)
	if err != nil {
		t.Fatal(err)
	}
	for i := range x.Float32s() {
		x.Float32s()[i] = float32(r.NormFloat64())
	}
	return x
}

// linearModel writes a model of two linear layers with the given outputs, in modules that can fall back.
func linearModel(t *testing.T, path string, outputs int, more ...ops.Op) {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 1))
	g := graph.New()
	y := g.Input("x", tensor.Float32, 1, 6)
	for i, n := range []int{8, outputs} {
		name := string(rune('a' + i))
		var err error
		if y, err = g.Add1(graph.Scope{Path: name, Class: "Linear"}, ops.Linear{}, y, g.Const(name+".weight", normal(t, r, n, y.Type.Shape[1]))); err != nil {
			t.Fatal(err)
		}
	}
	for _, op := range more {
		var err error
		if y, err = g.Add1(graph.Scope{}, op, y); err != nil {
			t.Fatal(err)
		}
	}
	g.SetOutputs(y)
	if err := loader.Save(path, g); err != nil {
		t.Fatal(err)
	}
}

// TestOutputForms evaluates, tunes and trains models of several forms of outputs: the metric and the loss fit them.
func TestOutputForms(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	model, data, out := filepath.Join(dir, "m"), filepath.Join(dir, "d.npz"), filepath.Join(dir, "o")
	const n = 16
	r := rand.New(rand.NewPCG(2, 2))
	x := normal(t, r, n, 6)
	ints := func(limit int64, shape ...int) *tensor.Tensor {
		v := make([]int64, tensor.Shape(shape).Strides()[0]*shape[0])
		for i := range v {
			v[i] = r.Int64N(limit)
		}
		y, err := tensor.FromSlice(v, shape...)
		if err != nil {
			t.Fatal(err)
		}
		return y
	}
	floats, err := ints(100, n, 3).To(tensor.Float32)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name         string
		outputs      int
		more         []ops.Op
		labels       *tensor.Tensor
		metric, loss string
	}{
		{"classes", 3, nil, ints(3, n), "top1", "cross-entropy of 3 classes along axis 1"},
		{"one logit", 1, nil, ints(2, n), "binary", "bce"},
		{"one probability", 1, []ops.Op{ops.Unary{Fn: ops.Sigmoid}}, ints(2, n), "binary", "mse"},
		{"several labels", 4, nil, ints(2, n, 4), "binary", "bce"},
		{"pixels", 12, []ops.Op{ops.Reshape{Shape: []int{0, 3, 2, 2}}}, ints(3, n, 2, 2), "pixel", "cross-entropy of 3 classes along axis 1"},
		{"tokens", 12, []ops.Op{ops.Reshape{Shape: []int{0, 4, 3}}}, ints(3, n, 4), "token", "cross-entropy of 3 classes along axis 2"},
		{"numbers", 3, nil, floats, "r2", "mse"},
		{"no labels", 5, nil, nil, "cosine", "mse"},
		{"no labels, one logit", 1, nil, nil, "cosine", "bce"},
	} {
		t.Run(c.name, func(t *testing.T) {
			linearModel(t, model, c.outputs, c.more...)
			arrays := map[string]*tensor.Tensor{"x": x}
			distill := []string{"--distill"}
			if c.labels != nil {
				arrays["y"], distill = c.labels, nil
			}
			writeArrays(t, data, arrays)
			e := octetJSON[evalResult](t, "eval", model, "--data", data)
			if c.labels != nil && (e.Metric != c.metric || e.Value == nil) {
				t.Errorf("eval: %+v", e)
			}
			evalInShards(t, "eval", model, "--data", data, "--batch", "4")
			q := octetJSON[quantizeResult](t, "tune", model, "--calib", data, "--data", data, "--max-drop", "100%", "-o", out)
			if !strings.HasPrefix(q.TunedBy, c.metric+": ") || len(q.Outputs) != 1 {
				t.Errorf("tune: %q, %+v", q.TunedBy, q.Outputs)
			}
			l := octetJSON[qatResult](t, append([]string{"qat", model, "--calib", data, "--data", data, "--eval", data, "--epochs", "1", "--batch", "8", "--lr", "0.0001", "-o", out}, distill...)...)
			if l.Loss != c.loss || l.Float.Metric != c.metric {
				t.Errorf("qat: loss %q, metric %q", l.Loss, l.Float.Metric)
			}
		})
	}
	// What does not fit is refused, before anything is trained.
	linearModel(t, model, 3)
	writeArrays(t, data, map[string]*tensor.Tensor{"x": x, "y": ints(3, n)})
	quantized := []string{"quantize", model, "--calib", data, "--data", data, "-o", out, "--metric"}
	for name, labelled := range map[string]bool{"top1": true, "agreement": false, "cosine": false, "none": false} {
		q := octetJSON[quantizeResult](t, append(quantized, name)...)
		if strings.HasPrefix(q.Metric, name+": ") != (name != "none") || (q.Float.Value != nil) != labelled || len(q.Outputs) != 1 {
			t.Errorf("quantize --metric %s: %q, %+v", name, q.Metric, q.Float)
		}
	}
	for _, c := range []struct {
		args []string
		said string
	}{
		{append(quantized, "tpo1"), "did you mean top1?"},
		{append(quantized, "r2"), `metric "r2"`},
		{[]string{"quantize", model, "--calib", data, "-o", out, "--metric", "top1"}, "--metric top1 needs --data"},
	} {
		if _, said := octet(t, exitUsage, c.args...); !strings.Contains(said, c.said) {
			t.Errorf("%v: said %q", c.args, said)
		}
	}
	for _, c := range []struct {
		labels *tensor.Tensor
		code   int
		says   string
		more   []string
	}{
		{ints(9, n), exitFile, "none of the model's 3 classes", nil},
		{ints(9, n, 2), exitFile, data + ": y: no metric: labels int64[16, 2] do not fit the output", nil},
		{ints(3, n), exitUsage, `did you mean cross-entropy?`, []string{"--loss", "cross"}},
		{ints(3, n), exitUsage, "do not have the form", []string{"--loss", "mse"}},
	} {
		writeArrays(t, data, map[string]*tensor.Tensor{"x": x, "y": c.labels})
		_, said := octet(t, c.code, append([]string{"qat", model, "--calib", data, "--data", data, "--epochs", "1", "--batch", "8", "--lr", "0.01", "-o", out}, c.more...)...)
		if !strings.Contains(said, c.says) {
			t.Errorf("%v %v: said %q, want %q", c.labels, c.more, said, c.says)
		}
	}
}

// TestDistillOutputs trains a model of two heads: both have the teacher's as targets, so that the weights of both change.
func TestDistillOutputs(t *testing.T) {
	dir := t.TempDir()
	model, data := filepath.Join(dir, "m"), filepath.Join(dir, "d.npz")
	r := rand.New(rand.NewPCG(3, 3))
	g := graph.New()
	x := g.Input("x", tensor.Float32, 1, 6)
	var heads []*graph.Value
	for _, name := range []string{"a", "b"} {
		y, err := g.Add1(graph.Scope{Path: name, Class: "Linear"}, ops.Linear{}, x, g.Const(name+".weight", normal(t, r, 3, 6)))
		if err != nil {
			t.Fatal(err)
		}
		heads = append(heads, y)
	}
	g.SetOutputs(heads...)
	if err := loader.Save(model, g); err != nil {
		t.Fatal(err)
	}
	writeArrays(t, data, map[string]*tensor.Tensor{"x": normal(t, r, 16, 6)})
	at := func(rate string) []*tensor.Tensor {
		out, y := filepath.Join(dir, "o"+rate), filepath.Join(dir, "y.npz")
		l := octetJSON[qatResult](t, "qat", model, "--calib", data, "--data", data, "--epochs", "4", "--batch", "8", "--bits", "3", "--lr", rate, "--distill", "-o", out)
		if l.Loss != "mean of mse, mse of 2 outputs" {
			t.Errorf("loss %q", l.Loss)
		}
		octet(t, exitOK, "run", out, "--input", data, "--output", y)
		arrays, err := tensor.ReadNPZ(y, 0)
		if err != nil {
			t.Fatal(err)
		}
		return []*tensor.Tensor{arrays.Get("output0"), arrays.Get("output1")}
	}
	still, trained := at("0.0000000001"), at("0.05")
	for i := range still {
		if string(still[i].Contiguous().Bytes()) == string(trained[i].Contiguous().Bytes()) {
			t.Errorf("training does not change output %d", i)
		}
	}
}

// TestEvalAgainst compares outputs of any number and type with recorded ones, and names numbers that are not finite null.
func TestEvalAgainst(t *testing.T) {
	dir := t.TempDir()
	data, recorded := filepath.Join(dir, "d.npz"), filepath.Join(dir, "o.npz")
	x, err := tensor.FromSlice([]float32{1, 2, 3, 4, 5, 6}, 3, 2)
	if err != nil {
		t.Fatal(err)
	}
	writeArrays(t, data, map[string]*tensor.Tensor{"x": x})
	path := scriptFile(t, "x: Tensor", "return (torch.div(x, 0), torch.gt(x, 2), torch.sum(x))")
	octet(t, exitOK, "eval", path, "--data", data, "--output", recorded)
	r := octetJSON[evalResult](t, "eval", path, "--data", data, "--against", recorded)
	if len(r.Outputs) != 3 || r.Outputs[1].Equal != 6 || r.Outputs[2].Equal != 1 || r.Agreement != nil {
		t.Errorf("%+v", r)
	}
	// A sum over the batch is not put together of two.
	if _, said := octet(t, exitUsage, "eval", path, "--data", data, "--against", recorded, "--batch", "2"); !strings.Contains(said, "output 2 is float32[]") {
		t.Errorf("said %q", said)
	}
	if _, said := octet(t, exitUsage, "eval", path, "--data", data, "--metric", "top"); !strings.Contains(said, "did you mean top1?") {
		t.Errorf("said %q", said)
	}
	invalid := filepath.Join(dir, "nan.npz")
	if x, err = tensor.FromSlice([]float32{1, 2, float32(math.NaN()), 4, 5, float32(math.NaN())}, 3, 2); err != nil {
		t.Fatal(err)
	}
	writeArrays(t, invalid, map[string]*tensor.Tensor{"x": x})
	rows := scriptFile(t, "x: Tensor", "return torch.mul(x, 2)")
	if _, said := octet(t, exitOK, "eval", rows, "--data", invalid, "--batch", "2"); !strings.Contains(said, "2 of 3 samples have a NaN in their output") {
		t.Errorf("said %q", said)
	}
	n := scriptFile(t, "x: Tensor,\n    n: int", "return torch.mul(x, n)")
	b := octetJSON[bench.Measurements](t, "bench", n, "--shape", "2x3,:int64", "--runs", "1")
	if len(b.Results) != 1 || b.Results[0].Batch != 2 {
		t.Errorf("bench with a number: %+v", b.Results)
	}
}

// TestUncomparedOutputs quantizes a model that keeps the rows whose score is above 0: the int8 model keeps others, so that no row of one is one of the
// other's. It is written, and the report says what was not compared.
func TestUncomparedOutputs(t *testing.T) {
	dir := t.TempDir()
	model, data, out := filepath.Join(dir, "m"), filepath.Join(dir, "d.npz"), filepath.Join(dir, "o")
	r := rand.New(rand.NewPCG(4, 4))
	g := graph.New()
	add := func(op ops.Op, in ...*graph.Value) *graph.Value {
		t.Helper()
		y, err := g.Add1(graph.Scope{Path: op.Name(), Class: "Linear"}, op, in...)
		if err != nil {
			t.Fatal(err)
		}
		return y
	}
	x := g.Input("x", tensor.Float32, 64, 6)
	y := add(ops.Linear{}, x, g.Const("w", normal(t, r, 8, 6)))
	score := add(ops.Reshape{Shape: []int{64}}, add(ops.Linear{}, y, g.Const("v", normal(t, r, 1, 8))))
	mask := add(ops.Binary{Fn: ops.Gt}, score, g.Const("", tensor.Scalar(float32(0))))
	count := add(ops.Item{}, add(ops.Reduce{Fn: ops.Sum}, mask))
	rows := add(ops.NonZero{}, mask, count)
	g.SetOutputs(add(ops.Index{Axes: []int{0}}, y, rows))
	if err := loader.Save(model, g); err != nil {
		t.Fatal(err)
	}
	writeArrays(t, data, map[string]*tensor.Tensor{"x": normal(t, r, 64, 6)})
	q := octetJSON[quantizeResult](t, "quantize", model, "--calib", data, "--data", data, "--bits", "4", "-o", out)
	if len(q.Uncompared) != 1 || len(q.Outputs) != 0 || !strings.Contains(q.Uncompared[0], "not compared") {
		t.Errorf("uncompared %q, outputs %+v", q.Uncompared, q.Outputs)
	}
	if last := q.Layers[len(q.Layers)-1]; last.Measured.Elements != 0 {
		t.Errorf("%d elements of %s were compared", last.Measured.Elements, last.Name)
	}
	if _, err := loader.Load(out); err != nil {
		t.Error(err)
	}
}
