package quantize

import (
	"bytes"
	"context"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/graph/train"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// tiedModel is an embedding, products with constants and a head that has the embedding's table as its weight; a cell in between is
// called three times.
func tiedModel(t *testing.T) (*graph.Graph, *tensor.Tensor) {
	t.Helper()
	const rows, inner = 200, 48
	m, err := nn.BuildRandom(nn.Architecture{
		Name: "tied", Inputs: []nn.Input{{Name: "ids", DType: tensor.Int64, Shape: []int{4, 9}}},
		Root: root(func(c *nn.Context, x *graph.Value) *graph.Value {
			table := c.Parameter("table", nn.SmallNormal, rows, inner)
			v := c.Apply(ops.Embedding{}, table, x)
			for range 3 {
				h := c.Apply(ops.MatMul{}, v, c.Parameter("w", nn.SmallNormal, inner, 2*inner))
				h = c.Apply(ops.Binary{Fn: ops.Add}, h, c.Parameter("b", nn.SmallNormal, 2*inner))
				h = c.Call("fc", nn.Linear{In: 2 * inner, Out: inner}, c.Apply(ops.Unary{Fn: ops.GELU}, h))
				v = c.Apply(ops.Binary{Fn: ops.Add}, v, h)
			}
			return c.Apply(ops.Linear{}, v, table)
		}),
	}, 3)
	if err != nil {
		t.Fatal(err)
	}
	ids, err := tensor.New(tensor.Int64, 4, 9)
	if err != nil {
		t.Fatal(err)
	}
	for i := range ids.Int64s() {
		ids.Int64s()[i] = int64(i * 37 % rows)
	}
	return m, ids
}

// TestSharedConstants quantizes what modules share: it is in the file once, in int8, embeddings too.
func TestSharedConstants(t *testing.T) {
	m, ids := tiedModel(t)
	want := run(t, m, ids)[0]
	for _, dynamic := range []bool{false, true} {
		q := New(Options{Dynamic: dynamic})
		if !dynamic {
			calib, err := q.Calib(m)
			if err != nil {
				t.Fatal(err)
			}
			defer calib.Close()
			mustRun(t, calib.Run, ids)
		}
		g := quantized(t, q, m)
		for _, l := range q.Report().Layers {
			if (l.Op == "embedding" || l.Op == "linear") && l.Precision != "int8" || l.Op == "matmul" {
				t.Errorf("dynamic %v: %s is %s: %s", dynamic, l.Op, l.Precision, l.Reason)
			}
		}
		path := filepath.Join(t.TempDir(), "model")
		if err := loader.Save(path, g); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		weights := int64(200*48 + 2*48*96)
		if scales := int64(4 * (200 + 2*96 + 2*48 + 48)); info.Size() > weights+2*scales+5000 {
			t.Errorf("dynamic %v: the file has %d bytes, the weights %d", dynamic, info.Size(), weights)
		}
		again, err := loader.Load(path)
		if err != nil {
			t.Fatal(err)
		}
		y := run(t, again, ids)[0]
		if s := sumsOf(y.Float32s(), want.Float32s()).sqnr(); s < 30 {
			t.Errorf("dynamic %v: SQNR %.1f dB", dynamic, s)
		}
	}
}

// TestSharedFloatConstants quantizes while running what shares a convolution and its batch norm: what they are folded to stays
// float32, and is in memory once.
func TestSharedFloatConstants(t *testing.T) {
	m, err := nn.BuildRandom(nn.Architecture{
		Name: "shared", Inputs: []nn.Input{{Name: "x", DType: tensor.Float32, Shape: []int{1, 16, 8, 8}}},
		Root: root(func(c *nn.Context, x *graph.Value) *graph.Value {
			for range 3 {
				x = c.Call("conv", nn.Conv2d{In: 16, Out: 16, Kernel: 3, Padding: 1, NoBias: true}, x)
				x = c.Call("bn", nn.BatchNorm2d{Features: 16}, x)
				x = c.Apply(ops.Unary{Fn: ops.ReLU}, x)
			}
			return x
		}),
	}, 3)
	if err != nil {
		t.Fatal(err)
	}
	g := quantized(t, New(Options{Dynamic: true}), m)
	convs, weights := 0, make(map[*tensor.Tensor]bool)
	for _, n := range g.Nodes {
		if n.Op.Name() == "conv2d" {
			convs++
			weights[n.Inputs[1].Const], weights[n.Inputs[2].Const] = true, true
		}
	}
	if convs != 3 || len(weights) != 2 {
		t.Errorf("%d convolutions have %d weights and biases, not 3 and 2", convs, len(weights))
	}
}

// TestWeightOnly checks what embeddings have: all integers whatever the bits of other weights, and float32 where a rule, or a value, says so.
func TestWeightOnly(t *testing.T) {
	infinite := func(m *graph.Graph) {
		for _, v := range m.Constants() {
			if v.Name == "table" {
				v.Const.Float32s()[7] = float32(math.Inf(1))
			}
		}
	}
	for name, c := range map[string]struct {
		opts      Options
		change    func(*graph.Graph)
		precision string
		least     float64 // dB of the table
	}{
		"4 bits":      {Options{Dynamic: true, Weight: &ObserverConfig{Kind: MinMax, Spec: nativeS8.WithBits(4)}}, nil, "int8", 40},
		"reference":   {Options{Backend: Reference}, nil, "float32", 0},
		"excluded":    {Options{Filter: Filter{ExcludeOpTypes: []string{"embedding"}}}, nil, "float32", 0},
		"rule":        {Options{Backend: Native.With("own", Rule{Operators: []string{"embedding"}, Precision: Float32})}, nil, "float32", 0},
		"an infinity": {Options{Filter: Filter{ExcludeOpTypes: []string{"linear"}}}, infinite, "float32", 0},
	} {
		m, ids := tiedModel(t)
		if c.change != nil {
			c.change(m)
		}
		q := New(c.opts)
		if !c.opts.Dynamic {
			calib, err := q.Calib(m)
			if err != nil {
				t.Fatal(name, err)
			}
			defer calib.Close()
			mustRun(t, calib.Run, ids)
		}
		quantized(t, q, m)
		for _, l := range q.Report().Layers {
			if l.Op == "embedding" && (l.Precision != c.precision || (l.Precision == "int8") != (l.Reason == "") || float64(l.SQNR) < c.least) {
				t.Errorf("%s: %+v", name, l)
			}
		}
	}
}

// TestTrainedEmbedding trains an embedding, which stays float in what is trained and what is converted.
func TestTrainedEmbedding(t *testing.T) {
	m, ids := tiedModel(t)
	q := New(Options{})
	calib, err := q.Calib(m)
	if err != nil {
		t.Fatal(err)
	}
	defer calib.Close()
	mustRun(t, calib.Run, ids)
	qat, err := q.QAT(m)
	if err != nil {
		t.Fatal(err)
	}
	defer qat.Close()
	trainer, err := train.New(qat, train.Options{Loss: train.MeanSquaredError, Optimizer: train.SGD{LR: 1e-2}})
	if err != nil {
		t.Fatal(err)
	}
	defer trainer.Close()
	target := run(t, m, ids)[0].Clone()
	for i := range target.Float32s() {
		target.Float32s()[i] += float32(math.Sin(float64(i)))
	}
	for range 2 {
		if _, err := trainer.Step(context.Background(), ids, target); err != nil {
			t.Fatal(err)
		}
	}
	got, want := mustRun(t, qat.Run, ids), run(t, quantized(t, q, m), ids)[0]
	if !bytes.Equal(got.Contiguous().Bytes(), want.Contiguous().Bytes()) {
		t.Errorf("the proxy gives %v, the converted model %v", got.Contiguous().Float32s()[:4], want.Contiguous().Float32s()[:4])
	}
}
