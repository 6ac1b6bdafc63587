package loader

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/int8"
	"github.com/octet-ml/octet/tensor"
)

// tables is a model of the sum of rows of two tables that are large enough for RowsOnDemand, one of them int8.
func tables(t *testing.T) string {
	b := newNet(t)
	const rows, inner = 1 << 14, 70
	q := &tensor.QParams{DType: tensor.Int8, Scheme: tensor.PerChannelAffine, Min: -128, Max: 127}
	for range rows {
		q.Scale, q.ZeroPoint = append(q.Scale, b.r.Float32()+0.01), append(q.ZeroPoint, int32(b.r.IntN(20)-10))
	}
	at := b.g.Input("at", tensor.Int64, 2, 3)
	wide := b.add("wide", ops.Embedding{}, b.g.Const("wide.weight", randomTensor(b.r, tensor.Float32, rows, inner)), at)
	narrow := b.add("narrow", int8.Embedding{}, b.g.Const("narrow.weight", randomTensor(b.r, tensor.Int8, rows, inner).WithQParams(q)), at)
	b.g.SetOutputs(b.add("sum", ops.Binary{Fn: ops.Add}, wide, narrow))
	path := filepath.Join(t.TempDir(), "tables.safetensors")
	if err := Save(path, b.g); err != nil {
		t.Fatal(err)
	}
	return path
}

func runTables(s *graph.Session, shape tensor.Shape, at ...int64) ([]float32, error) {
	y, err := s.Run(context.Background(), must(tensor.FromSlice(at, shape...)))
	if err != nil {
		return nil, err
	}
	return y[0].Float32s(), nil
}

// TestRowsOnDemand gives the bits of a model that was read at once, for shapes that come later too, without the tables in memory.
func TestRowsOnDemand(t *testing.T) {
	path := tables(t)
	want := must(must(Load(path)).Compile(graph.Options{}))
	defer want.Close()
	g := must(Load(path, RowsOnDemand()))
	got := must(g.Compile(graph.Options{}))
	defer got.Close()
	for _, c := range []struct {
		shape tensor.Shape
		at    []int64
	}{{tensor.Shape{2, 3}, []int64{0, 1<<14 - 1, 7, 7, 300, 12}}, {tensor.Shape{1, 1}, []int64{5}}, {tensor.Shape{2, 0}, []int64{}}} {
		if y := must(runTables(got, c.shape, c.at...)); !slices.Equal(y, must(runTables(want, c.shape, c.at...))) {
			t.Errorf("indices %v of shape %v differ", c.at, c.shape)
		}
	}
	for _, bad := range []int64{-1, 1 << 14} {
		if _, err := runTables(got, tensor.Shape{1, 1}, bad); !isA[*ops.ValueError](err) {
			t.Errorf("index %d: %v", bad, err)
		}
	}
	for _, v := range g.Constants() {
		if v.Const.DType() != tensor.Int32 && v.Const.Evict() != 0 {
			t.Errorf("%s %v is in memory", v.Name, v.Const)
		}
	}
}

// TestRowsOnDemandChanged compares the checksum of a table before rows are read, and refuses a file that was written to since.
func TestRowsOnDemandChanged(t *testing.T) {
	path := tables(t)
	s := must(must(Load(path, RowsOnDemand())).Compile(graph.Options{}))
	defer s.Close()
	raw := must(os.ReadFile(path))
	raw[len(raw)-1] ^= 1 // of the last table
	if err := os.WriteFile(path, raw, 0o666); err != nil {
		t.Fatal(err)
	}
	_, err := runTables(s, tensor.Shape{1, 1}, 0)
	if fe, ok := errors.AsType[*FileError](err); !ok || fe.File != path || !errors.Is(err, ErrChanged) {
		t.Errorf("written to since: %v", err)
	}
	_, err = must(Load(path, RowsOnDemand())).Compile(graph.Options{})
	if fe, ok := errors.AsType[*FileError](err); !ok || fe.File != path || !isA[*ChecksumError](err) {
		t.Errorf("a byte that differs: %v", err)
	}
}
