package torchscript

import (
	"bytes"
	"slices"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/int8"
	"github.com/octet-ml/octet/tensor"
)

// embeddings looks rows up in int8 tables: with one scale, with one for each row, with zero points, of three dimensions, by indices of int64
// and int32. The output is all of the rows.
func embeddings() (*graph.Graph, []*tensor.Tensor) {
	const rows, inner = 7, 24
	table := func(q *tensor.QParams, shape ...int) *tensor.Tensor {
		t := must(tensor.New(tensor.Int8, shape...))
		for i := range t.Int8s() {
			t.Int8s()[i] = tensorInt8(i*37%256 - 128)
		}
		return t.WithQParams(q)
	}
	perRow := func(scheme tensor.QScheme, zero int32) *tensor.QParams {
		q := &tensor.QParams{DType: tensor.Int8, Scheme: scheme, Min: -128, Max: 127}
		for i := range int32(rows) {
			q.Scale, q.ZeroPoint = append(q.Scale, 0.1/float32(i+3)), append(q.ZeroPoint, zero*i)
		}
		return q
	}
	g := graph.New()
	long := g.Input("ids", tensor.Int64, 2, 5)
	short := must(g.Add1(graph.Scope{}, ops.Cast{DType: tensor.Int32}, long))
	var parts []*graph.Value
	for _, c := range []struct {
		table   *tensor.Tensor
		indices *graph.Value
	}{
		{table(tensor.PerTensor(tensor.Int8, 0.03, -5), rows, inner), long},
		{table(perRow(tensor.PerChannelSymmetric, 0), rows, inner), long},
		{table(perRow(tensor.PerChannelAffine, 11), rows, inner), short},
		{table(perRow(tensor.PerChannelAffine, -9), rows, inner/2, 2), long},
	} {
		y := must(g.Add1(graph.Scope{Path: "net.words"}, int8.Embedding{}, g.Const("net.words.weight", c.table), c.indices))
		parts = append(parts, must(g.Add1(graph.Scope{}, ops.Reshape{Shape: []int{2, 5, inner}}, y)))
	}
	g.SetOutputs(must(g.Add1(graph.Scope{}, ops.Concat{Axis: 2}, parts...)))
	return g, []*tensor.Tensor{must(tensor.FromSlice([]int64{6, 0, 3, 3, 1, 2, 5, 4, 0, 6}, 2, 5))}
}

// TestEmbeddings reads tables back as int8 ones, whose rows have the same bits.
func TestEmbeddings(t *testing.T) {
	g, in := embeddings()
	sameOutputs(t, g, in)
	data := archive(t, g)
	back := must(loader.LoadFrom(bytes.NewReader(data), int64(len(data))))
	back = must(back.Specialize(g.Inputs[0].Type))
	tables := 0
	for _, n := range back.Nodes {
		if n.Op == (int8.Embedding{}) && n.Inputs[0].Const != nil {
			tables++
		}
	}
	if tables != 4 || slices.ContainsFunc(back.Nodes, func(n *graph.Node) bool { return n.Op == ops.Op(int8.Dequantize{}) }) {
		t.Errorf("%d of 4 tables are read back as int8:\n%v", tables, back)
	}
}
