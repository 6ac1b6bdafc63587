package quantize

import (
	"slices"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/tensor"
)

// TestFallbackCountsModules leaves two modules in float of three, the noisiest of which is called in three places: it counts once.
func TestFallbackCountsModules(t *testing.T) {
	m := build(t, []int{1, 8, 6, 6}, func(c *nn.Context, x *graph.Value) *graph.Value {
		for range 3 {
			x = c.Call("shared", nn.Conv2d{In: 8, Out: 8, Kernel: 3, Padding: 1}, x)
		}
		x = c.Call("b", nn.Conv2d{In: 8, Out: 8, Kernel: 1}, x)
		return c.Call("c", nn.Conv2d{In: 8, Out: 8, Kernel: 1}, x)
	})
	d := &dataset{batches: [][]*tensor.Tensor{{randomInput(t, 1, 4, 8, 6, 6)}}}
	q := New(Options{})
	calibrate(t, q, m, d)
	amp, err := q.AMP(m)
	if err != nil {
		t.Fatal(err)
	}
	defer amp.Close()
	mustRun(t, amp.Run, d.batches[0][0])
	noise := amp.Noise()
	names := make([]string, len(noise))
	for i, n := range noise {
		names[i] = n.Name
	}
	if calls := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n != "shared" }); len(names) != 5 || len(calls) != 3 {
		t.Fatalf("the noise of %v is measured, not of each call", names)
	}
	for n := range 4 {
		fresh := New(q.Options())
		if err := fresh.Fallback(amp, n); err != nil {
			t.Fatal(err)
		}
		if left := fresh.Options().Filter.ExcludeNames; len(left) != n {
			t.Errorf("%d modules fall back: %v", n, left)
		}
	}
}
