package bench

import (
	"context"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/ops/int8"
	"github.com/octet-ml/octet/tensor"
)

// TestRunOperatorsKnown runs an operator alone that takes what follows from shapes, which is known before it runs.
func TestRunOperatorsKnown(t *testing.T) {
	g := graph.New()
	x := g.Input("x", tensor.Float32, 2, 6)
	b := graph.Builder{Graph: g}
	q := b.Add(int8.Quantize{Q: tensor.PerTensor(tensor.Uint8, 0.1, 100)}, x)
	shape := b.Add(ops.ShapeOf{}, b.Add(ops.Reshape{Shape: []int{3, 4}}, x))
	g.SetOutputs(b.Add(int8.Dequantize{}, b.Add(ops.ReshapeTo{}, q, shape)))
	if err := b.Err(); err != nil {
		t.Fatal(err)
	}
	r, err := RunOperators(context.Background(), g, asm.Best(), 1)
	if err != nil || r.Integers != 2 || r.Floats != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
}
