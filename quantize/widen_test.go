package quantize

import (
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/internal/shareddata"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// TestWiden quantizes and trains a model of bfloat16 weights and activations.
func TestWiden(t *testing.T) {
	at := func(file string) string { return shareddata.Path(t, "cases", "quant", "half_model", file) }
	m, err := loader.Load(at("model.pt"))
	if err != nil {
		t.Fatal(err)
	}
	in := firstSamples(t, m, at("test.npz"), 0)
	want := run(t, m, in...)[0].Contiguous().Float32s()
	for _, backend := range []*Backend{Native, Reference, DISC, FBGEMM} {
		q := New(Options{Backend: backend})
		calibrate(t, q, m, &dataset{batches: [][]*tensor.Tensor{firstSamples(t, m, at("calib.npz"), 0)}})
		y := run(t, reloaded(t, quantized(t, q, m)), in...)[0]
		if s := sumsOf(want, y.Contiguous().Float32s()); s.sqnr() < 40 {
			t.Errorf("%v: %.1f dB", backend, s.sqnr())
		}
		a := trainOneStep(t, q, m, in[0])
		trained := make(map[string]bool)
		for _, p := range a.Parameters() {
			trained[p.Name] = true
		}
		for _, name := range []string{"c.weight", "c.bias", "fc.weight", "fc.bias"} {
			if !trained[name] {
				t.Errorf("%v: %s is not trained", backend, name)
			}
		}
	}
}

// TestWidenTypes keeps the types of inputs and outputs, and rounds where an operator says that it makes halves.
func TestWidenTypes(t *testing.T) {
	g := graph.New()
	x := g.Input("x", tensor.Float16, 2, 3)
	y, err := g.Add1(graph.Scope{}, ops.Unary{Fn: ops.Exp}, x)
	if err != nil {
		t.Fatal(err)
	}
	like, err := g.Add1(graph.Scope{}, ops.Full{Like: true, Value: 0.1, DType: tensor.Float16}, y)
	if err != nil {
		t.Fatal(err)
	}
	sum, err := g.Add1(graph.Scope{}, ops.Binary{Fn: ops.Add}, y, like)
	if err != nil {
		t.Fatal(err)
	}
	g.SetOutputs(sum, x, like)
	sum.Name = "sum"
	wide, err := widened(g)
	if err != nil {
		t.Fatal(err)
	}
	if err := wide.Verify(); err != nil {
		t.Fatal(err)
	}
	for _, v := range append(wide.Inputs, wide.Outputs...) {
		if v.Type.DType != tensor.Float16 {
			t.Errorf("%q is %v", v.Name, v.Type)
		}
	}
	if wide.Outputs[0].Name != "sum" || wide.Outputs[1] != wide.Inputs[0] {
		t.Error("the outputs are others")
	}
	add := wide.Outputs[0].Node.Inputs[0].Node
	if add.Op.Name() != "add" || add.Outputs[0].Type.DType != tensor.Float32 {
		t.Errorf("%s computes %v", add.Op.Name(), add.Outputs[0].Type)
	}
	half, err := tensor.New(tensor.Float16, 2, 3)
	if err != nil {
		t.Fatal(err)
	}
	got, want := run(t, wide, half), run(t, g, half)
	for i := range got {
		if string(got[i].Contiguous().Bytes()) != string(want[i].Contiguous().Bytes()) {
			t.Errorf("output %d differs", i)
		}
	}
	float := graph.New()
	float.SetOutputs(float.Input("x", tensor.Float32, 1))
	if same, _ := widened(float); same != float {
		t.Error("a graph without halves is another")
	}
}
