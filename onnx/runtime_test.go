package onnx

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/octet-ml/octet/bench"
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/internal/shareddata"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/quantize"
	"github.com/octet-ml/octet/tensor"
)

// record runs the exported models in ONNX Runtime for Node.js, which NODE_PATH leads to, and keeps what it gives.
var record = flag.Bool("record", false, "run the exported models in ONNX Runtime and record its outputs")

// live is record that compares with what ONNX Runtime gives now, and keeps nothing.
var live = flag.Bool("live", false, "run the exported models in ONNX Runtime and compare its outputs")

// exported is a model with inputs that both runtimes are given.
type exported struct {
	name    string
	graph   *graph.Graph
	inputs  []*tensor.Tensor
	least   float64 // SQNR in dB of ONNX Runtime's output to octet's, 0: the largest difference is at most 1e-4
	classes bool    // nearly all samples have the same class
}

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
func quantized(g *graph.Graph, in []*tensor.Tensor) *graph.Graph {
	q := quantize.New(quantize.Options{Backend: quantize.Native, Session: graph.Options{CPU: "generic", Threads: 1}})
	calib := must(q.Calib(g))
	defer calib.Close()
	must(calib.Run(context.Background(), in...))
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

// models lists what is exported.
func models(t *testing.T) []exported {
	resnet, pictures := tracedModel("resnet20.ts.pt", ops.F32(4, 3, 32, 32))
	mobilenet, larger := tracedModel("mobilenet_v2.ts.pt", ops.F32(2, 3, 64, 64))
	unet, images := tracedModel("unet.ts.pt", ops.F32(2, 3, 16, 16))
	types, words := tokens()
	bert, _ := tracedModel("bert.ts.pt", types...)
	list := []exported{
		{name: "resnet20", graph: resnet, inputs: pictures},
		{name: "mobilenet_v2", graph: mobilenet, inputs: larger},
		{name: "unet", graph: unet, inputs: images},
		{name: "bert", graph: bert, inputs: words},
		{name: "resnet20-int8", graph: quantized(resnet, pictures), inputs: pictures, least: 40},
		{name: "mobilenet_v2-int8", graph: quantized(mobilenet, larger), inputs: larger, least: 40},
		{name: "unet-int8", graph: quantized(unet, images), inputs: images, least: 40},
		{name: "bert-int8", graph: quantized(bert, words), inputs: words, least: 40},
	}
	arrays, err := tensor.ReadNPZ(shareddata.Path(t, "data", "cifar10", "test.npz"), 0)
	if err != nil {
		t.Fatal(err)
	}
	x := must(tensor.New(tensor.Float32, arrays.Get("x").Shape()...))
	mean, std := arrays.Get("mean").Float32s(), arrays.Get("std").Float32s()
	for i, v := range arrays.Get("x").Contiguous().Uint8s() {
		c := i / (32 * 32) % 3
		x.Float32s()[i] = (float32(v)/255 - mean[c]) / std[c]
	}
	cifar := must(loader.Load(filepath.Join("..", "bench", "testdata", "resnet20-int8.safetensors")))
	list = append(list, built()...)
	return append(list, exported{name: "cifar10-int8", graph: cifar, inputs: []*tensor.Tensor{x}, classes: true})
}

// TestRuntime exports models again, compares the digests of the files with those that ONNX Runtime read, and octet's outputs with those
// it gave.
func TestRuntime(t *testing.T) {
	for _, m := range models(t) {
		t.Run(m.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "model.onnx")
			if err := Export(path, m.graph, "test"); err != nil {
				t.Fatal(err)
			}
			sum := sha256.Sum256(must(os.ReadFile(path)))
			recorded := filepath.Join("testdata", m.name+".npz")
			if *live {
				recorded = filepath.Join(t.TempDir(), "recorded.npz")
			}
			if *record || *live {
				recordRuntime(t, path, recorded, sum[:], m.inputs)
			}
			arrays, err := tensor.ReadNPZ(recorded, 0)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(arrays.Get("sha256").Uint8s(), sum[:]) {
				t.Errorf("the export is another file than the one that ONNX Runtime read: run the test with -record")
			}
			s, err := m.graph.Compile(graph.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			out, err := s.Run(t.Context(), m.inputs...)
			if err != nil {
				t.Fatal(err)
			}
			m.check(t, arrays.Get("y"), out[0])
		})
	}
}

// check compares what ONNX Runtime gave with octet's output.
func (m *exported) check(t *testing.T, theirs, ours *tensor.Tensor) {
	t.Helper()
	diff := must(bench.CompareOutputs([]*tensor.Tensor{theirs}, []*tensor.Tensor{ours}, []string{m.name}))[0]
	t.Logf("SQNR %.1f dB, largest difference %g", diff.SQNR, diff.MaxAbsDiff)
	switch {
	case m.classes:
		a, err := bench.Compare(theirs, ours)
		if err != nil || a.N != 1017 || a.SameClass < 1012 {
			t.Errorf("%d of %d in the same class (%v)", a.SameClass, a.N, err)
		}
	case m.least > 0:
		if !(diff.SQNR >= m.least) {
			t.Errorf("SQNR %.1f dB", diff.SQNR)
		}
	case !(diff.MaxAbsDiff <= 1e-4):
		t.Errorf("the largest difference is %g", diff.MaxAbsDiff)
	}
}

// recordRuntime runs a model in ONNX Runtime.
func recordRuntime(t *testing.T, model, recorded string, sum []byte, inputs []*tensor.Tensor) {
	t.Helper()
	dir := t.TempDir()
	args := []string{filepath.Join("testdata", "run.js"), model, filepath.Join(dir, "y.npy")}
	for i, x := range inputs {
		path := filepath.Join(dir, string(rune('a'+i))+".npy")
		f := must(os.Create(path))
		if err := errors.Join(tensor.WriteNPY(f, x), f.Close()); err != nil {
			t.Fatal(err)
		}
		args = append(args, path)
	}
	if out, err := exec.Command("node", args...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	f := must(os.Open(filepath.Join(dir, "y.npy")))
	defer f.Close()
	y, err := tensor.ReadNPY(f, 0)
	if err != nil {
		t.Fatal(err)
	}
	arrays := []tensor.Named{{Name: "y", Tensor: y}, {Name: "sha256", Tensor: must(tensor.FromSlice(sum, len(sum)))}}
	if err := tensor.WriteNPZ(recorded, arrays); err != nil {
		t.Fatal(err)
	}
}

// fields reads a message: the values of its fields by number, bytes for those that have a length.
func fields(b []byte) map[int][][]byte {
	all := make(map[int][][]byte)
	for len(b) > 0 {
		tag, n := binary.Uvarint(b)
		b = b[n:]
		switch tag & 7 {
		case varint:
			_, n := binary.Uvarint(b)
			all[int(tag>>3)] = append(all[int(tag>>3)], b[:n])
			b = b[n:]
		case fixed32:
			b = b[4:]
		default:
			size, n := binary.Uvarint(b)
			all[int(tag>>3)] = append(all[int(tag>>3)], b[n:n+int(size)])
			b = b[n+int(size):]
		}
	}
	return all
}

// TestQuantizedLayers counts, of each int8 model, the layers in ONNX whose input and weight come out of a DequantizeLinear: as many as
// octet computes in int8.
func TestQuantizedLayers(t *testing.T) {
	for _, m := range models(t) {
		if !strings.HasSuffix(m.name, "-int8") {
			continue
		}
		want := 0
		for _, n := range m.graph.Nodes {
			if name := n.Op.Name(); strings.HasPrefix(name, "int8.conv") || name == "int8.linear" || name == "int8.attention" { // whose first product is one of integers
				want++
			}
		}
		var dequantized []string
		got := 0
		model := fields(must(encode(m.graph, "test")))
		for _, b := range fields(model[7][0])[1] {
			n := fields(b)
			switch kind := string(n[4][0]); kind {
			case "DequantizeLinear":
				dequantized = append(dequantized, string(n[2][0]))
			case "Transpose", "Reshape", "Pad", "Slice", "MaxPool": // move the floats that stand for integers
				if slices.Contains(dequantized, string(n[1][0])) {
					dequantized = append(dequantized, string(n[2][0]))
				}
			case "Conv", "Gemm", "MatMul":
				if slices.Contains(dequantized, string(n[1][0])) && slices.Contains(dequantized, string(n[1][1])) {
					got++
				}
			}
		}
		if got != want || want == 0 {
			t.Errorf("%s: %d layers of ONNX are int8, of octet %d", m.name, got, want)
		}
	}
}

// TestExportRefuses names the operator that is not written.
func TestExportRefuses(t *testing.T) {
	g := graph.New()
	x := g.Input("x", tensor.Float32, 2, 3)
	y := must(g.Add1(graph.Scope{Path: "net.last"}, ops.Unary{Fn: ops.LGamma}, x))
	g.SetOutputs(y)
	path := filepath.Join(t.TempDir(), "model.onnx")
	err := Export(path, g, "test")
	var unsupported *ops.UnsupportedError
	if !errors.As(err, &unsupported) || !strings.Contains(err.Error(), "net.last") || unsupported.Op != "lgamma" {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("a file was written")
	}
	// What has no exact form says what to do instead.
	g = graph.New()
	g.SetOutputs(must(g.Add1(graph.Scope{}, ops.Unary{Fn: ops.Erfc}, g.Input("x", tensor.Float32, 2, 3))))
	if err := Export(path, g, "test"); !errors.As(err, &unsupported) || !strings.Contains(err.Error(), "1 - torch.erf(x)") {
		t.Errorf("%v", err)
	}
}
