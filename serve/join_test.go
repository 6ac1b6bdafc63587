package serve

import (
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// TestJoinQParams joins only requests whose integers mean the same numbers: a joined run has one scale and one zero point for all.
func TestJoinQParams(t *testing.T) {
	half, other := tensor.PerTensor(tensor.Uint8, 0.5, 0), tensor.PerTensor(tensor.Uint8, 0.25, 0)
	x, err := tensor.FromSlice(make([]uint8, 2), 1, 2)
	if err != nil {
		t.Fatal(err)
	}
	i := &instance{signature: &graph.Signature{Batch: true, Inputs: []graph.Port{{Type: ops.Type{DType: tensor.Uint8, Shape: tensor.Shape{1, 2}}}}}, batch: batchTable{sizes: []int{2, 4}}}
	var q queue
	waiting := func(p *tensor.QParams) *job {
		j := &job{instance: i, inputs: []*tensor.Tensor{x.WithQParams(p)}, samples: 1}
		q.normal = append(q.normal, j)
		return j
	}
	first, unlike, plain, like := waiting(half), waiting(other), waiting(nil), waiting(tensor.PerTensor(tensor.Uint8, 0.5, 0))
	if got := q.companions(first); len(got) != 2 || got[1] != like {
		t.Errorf("%d requests are joined, want the two of scale 0.5", len(got))
	}
	for _, j := range []*job{unlike, plain} {
		if got := q.companions(j); len(got) > 1 {
			t.Errorf("%v is joined with %d others", j.inputs[0].QParams(), len(got)-1)
		}
	}
}
