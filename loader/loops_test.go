//go:build !nopytorch

package loader

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/tensor"
)

// TestLoopsAreLinear counts what a first run of loops costs whose iterations look at values, with n, 2n and 4n iterations: nodes that are run, and
// allocations, of which making graphs and plans is most. What is linear grows to twice as much from 2n to 4n, what is quadratic to four times as much.
func TestLoopsAreLinear(t *testing.T) {
	for _, family := range []string{"loops", "loops_2"} {
		cases := readScriptCases(t, "testdata/script/"+family+".json.gz")
		if len(cases) != 10 {
			t.Fatalf("%s has %d programs", family, len(cases))
		}
		for _, c := range cases {
			t.Run(family+"/"+c.What, func(t *testing.T) {
				var nodes, allocated [3]int
				for i := range nodes {
					nodes[i], allocated[i] = firstRun(t, &c, c.Runs[i])
				}
				t.Logf("%d nodes, %d allocations", nodes, allocated)
				for what, n := range map[string][3]int{"nodes": nodes, "allocations": allocated} {
					if 2*n[2] > 5*n[1] {
						t.Errorf("%d %s for n, 2n and 4n iterations", n, what)
					}
				}
			})
		}
	}
}

// firstRun counts the nodes and the allocations of the first run of a session.
func firstRun(t *testing.T, c *scriptCase, r scriptRun) (nodes, allocations int) {
	data := c.archive(t)
	g, err := LoadFrom(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	s, err := g.Compile(graph.Options{Threads: 1, Trace: func(graph.StepTrace) { nodes++ }})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	in := make([]*tensor.Tensor, len(r.In))
	for i, x := range r.In {
		in[i] = x.tensor(t)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	out, err := s.Run(context.Background(), in...)
	runtime.ReadMemStats(&after)
	if err != nil || len(out) != len(r.Out) {
		t.Fatal(fmt.Errorf("%d outputs: %w", len(out), err))
	}
	return nodes, int(after.Mallocs - before.Mallocs)
}
