package torchscript

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/octet-ml/octet/bench"
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/quantize"
	"github.com/octet-ml/octet/tensor"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// tracedModel returns a model of the loader's fixtures for random inputs of the types.
func tracedModel(name string, types ...ops.Type) (*graph.Graph, []*tensor.Tensor) {
	g := must(loader.Load(filepath.Join("..", "loader", "testdata", "both", name)))
	return must(g.Specialize(types...)), must(bench.RandomInputs(types, 7))
}

// quantized returns the int8 form of a model, calibrated on the inputs.
func quantized(t testing.TB, g *graph.Graph, in []*tensor.Tensor, options quantize.Options) *graph.Graph {
	t.Helper()
	options.Session = graph.Options{CPU: "generic", Threads: 1}
	q := quantize.New(options)
	calib := must(q.Calib(g))
	defer calib.Close()
	must(calib.Run(t.Context(), in...))
	return must(q.Quantize(g))
}

// tokens are inputs of the small BERT.
func tokens() (types []ops.Type, in []*tensor.Tensor) {
	ids, mask, kinds := make([]int64, 128), make([]int64, 128), make([]int64, 128)
	for i := range ids {
		ids[i], mask[i] = int64(i*7%40+1), 1
		if i > 100 {
			mask[i] = 0
		}
	}
	for _, list := range [][]int64{ids, mask, kinds} {
		t := must(tensor.FromSlice(list, 2, 64))
		types, in = append(types, ops.Type{DType: t.DType(), Shape: t.Shape()}), append(in, t)
	}
	return types, in
}

// archive returns the exported model.
func archive(t testing.TB, g *graph.Graph) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := WriteTo(&b, g); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func run(t testing.TB, g *graph.Graph, in []*tensor.Tensor) []*tensor.Tensor {
	t.Helper()
	s, err := g.Compile(graph.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	out, err := s.Run(t.Context(), in...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// sameOutputs compares the bits of the outputs of a model with those of its export, read again.
func sameOutputs(t *testing.T, g *graph.Graph, in []*tensor.Tensor) {
	t.Helper()
	data := archive(t, g)
	back, err := loader.LoadFrom(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	want, got := run(t, g, in), run(t, back, in)
	if len(want) != len(got) {
		t.Fatalf("%d outputs, want %d", len(got), len(want))
	}
	for i := range want {
		w, y := want[i].Contiguous(), got[i].Contiguous()
		if !w.Shape().Equal(y.Shape()) || w.DType() != y.DType() || !bytes.Equal(w.Bytes(), y.Bytes()) {
			t.Errorf("output %d: %v is read back as %v", i, w, y)
		}
	}
}

// TestModels exports models and reads them back: all outputs have the same bits.
func TestModels(t *testing.T) {
	resnet, pictures := tracedModel("resnet20.ts.pt", ops.F32(4, 3, 32, 32))
	mobilenet, larger := tracedModel("mobilenet_v2.ts.pt", ops.F32(2, 3, 64, 64))
	unet, images := tracedModel("unet.ts.pt", ops.F32(2, 3, 32, 32))
	types, words := tokens()
	bert, _ := tracedModel("bert.ts.pt", types...)
	for _, m := range []struct {
		name string
		g    *graph.Graph
		in   []*tensor.Tensor
	}{{"resnet20", resnet, pictures}, {"mobilenet_v2", mobilenet, larger}, {"unet", unet, images}, {"bert", bert, words}} {
		t.Run(m.name, func(t *testing.T) { sameOutputs(t, m.g, m.in) })
		t.Run(m.name+"-dynamic", func(t *testing.T) {
			q := quantize.New(quantize.Options{Backend: quantize.Native, Dynamic: true})
			sameOutputs(t, must(q.Quantize(m.g)), m.in)
		})
		for _, backend := range []*quantize.Backend{quantize.Native, quantize.FBGEMM, quantize.Reference, quantize.DISC} {
			t.Run(m.name+"-"+backend.Name, func(t *testing.T) {
				sameOutputs(t, quantized(t, m.g, m.in, quantize.Options{Backend: backend}), m.in)
			})
		}
	}
}
