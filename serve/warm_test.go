package serve

import (
	"strings"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// crowded is the identity for one sample, and adds one to the elements of several.
type crowded struct{ bound float32 }

func (crowded) Name() string                            { return "crowded" }
func (crowded) Infer(in []ops.Type) ([]ops.Type, error) { return in[:1], nil }

func (op crowded) Prepare(*ops.Prepare) (*ops.Kernel, error) {
	return &ops.Kernel{Run: func(c *ops.Call) error {
		x, y := c.In[0].Float32s(), c.Out[0].Float32s()
		for i, v := range x {
			if op.bound != 0 && v != op.bound {
				return &ops.ValueError{Op: "crowded", Reason: "a value out of range"}
			}
			if y[i] = v; c.In[0].Dim(0) > 1 {
				y[i]++
			}
		}
		return nil
	}}, nil
}

func crowdedModel(t *testing.T, op crowded) *graph.Graph {
	g := graph.New()
	x := g.Input("x", tensor.Float32, 1, 3)
	y, err := g.Add1(graph.Scope{}, op, x)
	if err != nil {
		t.Fatal(err)
	}
	g.SetOutputs(y)
	return g
}

// TestWarmUp looks at what the warm-up says of models that are not joined, or cannot be run on any values.
func TestWarmUp(t *testing.T) {
	s := newServer(t, Options{Batch: 8})
	load(t, s, "crowded", crowdedModel(t, crowded{}))
	load(t, s, "picky", crowdedModel(t, crowded{bound: 7}))
	example := Graph(crowdedModel(t, crowded{bound: 7}))
	example.Warm = []*tensor.Tensor{fromSlice(t, []float32{7, 7, 7, 7, 7, 7}, 2, 3)}
	if err := s.Load(t.Context(), "given", example); err != nil {
		t.Fatal(err)
	}
	example.Warm = []*tensor.Tensor{fromSlice(t, []float32{1, 7, 7}, 1, 3)}
	if err := s.Load(t.Context(), "wrong", example); CodeOf(err) != InvalidArgument {
		t.Errorf("an example that the model refuses: error %v", err)
	}
	want := map[string][2]string{ // why it is not joined, and how it was warmed up
		"crowded": {"off: output output0 of 2 joined samples has other bits than of one", ""},
		"picky":   {"off: not measured, for lack of an example", "a value out of range"},
		"given":   {"off: output output0 of 2 joined samples has other bits than of one", ""},
		"wrong":   {"", ""},
	}
	for _, r := range s.ModelStatuses() {
		if w := want[r.Name]; r.Batching != w[0] || !strings.Contains(r.WarmUp, w[1]) {
			t.Errorf("%s: batching %q, warm-up %q", r.Name, r.Batching, r.WarmUp)
		}
	}
}
