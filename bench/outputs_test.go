package bench

import (
	"fmt"
	"math"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// TestCompareOutputs compares outputs of several types.
func TestCompareOutputs(t *testing.T) {
	nan := float32(math.NaN())
	a := []*tensor.Tensor{of([]float32{3, 4}, 2), of([]int64{1, 2, 3}, 3), of([]bool{true, false}, 1, 2), of([]float32{nan, 1}, 2), tensor.Scalar(float32(2))}
	b := []*tensor.Tensor{of([]float64{3, 5}, 2), of([]int32{1, 2, 4}, 3), of([]bool{true, false}, 1, 2), of([]float32{nan, 1}, 2), tensor.Scalar(nan)}
	d := must(CompareOutputs(a, b, []string{"a", "b", "c", "d", "e"}))
	if math.Abs(d[0].SQNR-10*math.Log10(34)) > 1e-9 || math.Abs(d[0].Cosine-29/math.Sqrt(25*34)) > 1e-9 || d[0].MaxAbsDiff != 1 || d[0].Equal != 1 {
		t.Errorf("floats: %+v", d[0])
	}
	if d[1].Equal != 2 || d[2].Equal != 2 || !math.IsInf(d[2].SQNR, 1) || d[3].Equal != 2 || !math.IsNaN(d[4].MaxAbsDiff) {
		t.Errorf("others: %+v", d[1:])
	}
	for _, other := range [][]*tensor.Tensor{a[:1], {a[1], a[0], a[2], a[3], a[4]}} {
		if _, err := CompareOutputs(a, other, make([]string, 5)); err == nil {
			t.Errorf("%v were compared with %v", a, other)
		}
	}
}

// TestDefaultBatch checks the batch that bench takes for a model that was saved with another.
func TestDefaultBatch(t *testing.T) {
	for _, c := range []struct {
		inputs []ops.Type
		want   int
		notes  int
	}{
		{[]ops.Type{ops.F32(64, 3), {DType: tensor.Int64}}, 1, 1},
		{[]ops.Type{ops.F32(64, 3), ops.F32(7, 64)}, 0, 0},
		{[]ops.Type{ops.F32(1, 3)}, 0, 0},
	} {
		g := graph.New()
		for i, in := range c.inputs {
			g.Input(fmt.Sprint("in", i), in.DType, in.Shape...)
		}
		g.SetOutputs(g.Inputs...)
		if batch, notes := (Sweep{}).defaultBatch(g); batch != c.want || len(notes) != c.notes {
			t.Errorf("%v: a batch of %d, %q", c.inputs, batch, notes)
		}
	}
}
