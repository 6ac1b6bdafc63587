package loader

import (
	"context"
	"strings"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/tensor"
)

// TestWideInputs gives int32 for inputs of int16: all of their values, and no others.
func TestWideInputs(t *testing.T) {
	g, err := Load("testdata/exported/integers.pt2")
	if err != nil {
		t.Fatal(err)
	}
	s, err := g.Compile(graph.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	run := func(values ...int32) error {
		x := must(tensor.FromSlice(values, 4))
		_, err := s.Run(context.Background(), x, x, must(tensor.FromSlice(make([]int64, 4), 4)))
		return err
	}
	if err := run(32767, -32768, 0, 1); err != nil {
		t.Error(err)
	}
	for _, v := range []int32{32768, -32769} {
		if err := run(0, 0, v, 0); err == nil || !strings.Contains(err.Error(), "outside of -32768 to 32767, the range of int16") {
			t.Errorf("%d: %v", v, err)
		}
	}
}
