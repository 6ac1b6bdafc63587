package int8

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// TestEmbedding compares rows with the definition, for tables per row and per tensor, and indices of both types.
func TestEmbedding(t *testing.T) {
	must := func(x *tensor.Tensor, err error) *tensor.Tensor {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	rng := rand.New(rand.NewPCG(7, 8))
	const rows, inner = 300, 70
	table := must(tensor.New(tensor.Int8, rows, inner))
	for i := range table.Int8s() {
		table.Int8s()[i] = int8(rng.IntN(256) - 128)
	}
	per := &tensor.QParams{DType: tensor.Int8, Scheme: tensor.PerChannelAffine, Min: -128, Max: 127}
	for range rows {
		per.Scale, per.ZeroPoint = append(per.Scale, rng.Float32()+0.01), append(per.ZeroPoint, int32(rng.IntN(20)-10))
	}
	indices := make([]int64, 2*511)
	narrow := make([]int32, len(indices))
	for i := range indices {
		indices[i] = int64(rng.IntN(rows))
		narrow[i] = int32(indices[i])
	}
	for name, q := range map[string]*tensor.QParams{"per row": per, "per tensor": tensor.PerTensor(tensor.Int8, 0.03, -4)} {
		for _, at := range []*tensor.Tensor{must(tensor.FromSlice(indices, 2, 511)), must(tensor.FromSlice(narrow, 2, 511))} {
			pool := ops.NewPool(3)
			y, err := ops.Eval(Embedding{}, asm.Best(), pool, table.WithQParams(q), at)
			pool.Close()
			if err != nil {
				t.Fatal(err)
			}
			if !y[0].Shape().Equal(tensor.Shape{2, 511, inner}) {
				t.Fatalf("%s: %v", name, y[0].Shape())
			}
			for i, v := range y[0].Float32s() {
				row := int(indices[i/inner])
				k := row % len(q.Scale)
				if want := float32(int32(table.Int8s()[row*inner+i%inner])-q.ZeroPoint[k]) * q.Scale[k]; v != want {
					t.Fatalf("%s: element %d is %v, want %v", name, i, v, want)
				}
			}
		}
	}
	for _, bad := range []int64{-1, rows} {
		var value *ops.ValueError
		if _, err := ops.Eval(Embedding{}, asm.Best(), nil, table.WithQParams(per), must(tensor.FromSlice([]int64{bad}, 1))); !errors.As(err, &value) {
			t.Errorf("index %d: %v", bad, err)
		}
	}
	columns := *per
	columns.Axis, columns.Scale, columns.ZeroPoint = 1, per.Scale[:inner], per.ZeroPoint[:inner]
	index := ops.Type{DType: tensor.Int64, Shape: tensor.Shape{3}}
	for name, in := range map[string][]ops.Type{
		"float table":       {ops.F32(4, 5), index},
		"scales of columns": {{DType: tensor.Int8, Shape: tensor.Shape{rows, inner}, Q: &columns}, index},
		"no parameters":     {{DType: tensor.Int8, Shape: tensor.Shape{rows, inner}}, index},
		"float indices":     {{DType: tensor.Int8, Shape: tensor.Shape{rows, inner}, Q: per}, ops.F32(3)},
		"fewer scales":      {{DType: tensor.Int8, Shape: tensor.Shape{rows + 1, inner}, Q: per}, index},
	} {
		var shape *ops.ShapeError
		if _, err := (Embedding{}).Infer(in); !errors.As(err, &shape) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
