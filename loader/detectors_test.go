//go:build !nopytorch

package loader

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/tensor"
)

// TestDetectors compares torchvision's detectors, traced and scripted, with what PyTorch finds: 20 boxes or more in a picture, as many as
// a model may give, one and none, in pictures of two sizes, and in two pictures at once. A session runs all pictures of a model.
func TestDetectors(t *testing.T) {
	files, err := filepath.Glob("testdata/detectors/*.json.gz")
	if err != nil || len(files) != 14 {
		t.Fatalf("%d fixtures of 7 models by 2 versions: %v", len(files), err)
	}
	for _, path := range files {
		name := strings.TrimSuffix(filepath.Base(path), ".json.gz")
		for _, c := range readScriptCases(t, path) {
			t.Run(name+"/"+c.What, func(t *testing.T) {
				t.Parallel()
				boxes, other := map[int]bool{}, ""
				sessions := map[int]*graph.Session{}
				for _, r := range c.Runs {
					if sessions[len(r.In)] == nil {
						sessions[len(r.In)] = detectorSession(t, &c, len(r.In))
					}
					boxes[r.Out[0].Shape[0]] = true
					if why := runDetector(t, sessions[len(r.In)], r); other == "" {
						other = why
					}
				}
				if other != "" {
					t.Errorf("it differs in %s", other)
				}
				if !boxes[0] || !boxes[1] || !boxes[30] || len(boxes) < 4 {
					t.Errorf("the pictures have %v boxes", boxes)
				}
			})
		}
	}
}

// TestLoopOfBoxes checks that what a detector does with each box is one loop of the graph, however many there are: one graph serves all
// pictures of one size in which it finds any.
func TestLoopOfBoxes(t *testing.T) {
	for _, c := range readScriptCases(t, "testdata/detectors/mask_rcnn-2.14.json.gz") {
		t.Run(c.What, func(t *testing.T) {
			t.Parallel()
			made, boxes := make(map[*graph.Graph]int), make(map[int]bool)
			s := detectorSession(t, &c, 1)
			runDetector(t, s, c.Runs[0]) // after which a scripted one keeps that it has run
			for _, r := range c.Runs {
				n := r.Out[0].Shape[0]
				if n == 0 || len(r.In) != 1 || !slices.Equal(r.In[0].Shape, c.Runs[0].In[0].Shape) {
					continue
				}
				if why := runDetector(t, s, r); why != "" {
					t.Error(why)
				}
				boxes[n], made[s.Graph()] = true, 0
			}
			for g := range made {
				for _, n := range g.Nodes {
					if _, ok := n.Op.(graph.Loop); ok {
						made[g]++
					}
				}
			}
			if len(made) != 1 || made[s.Graph()] != 1 || len(boxes) < 2 {
				t.Errorf("%d graphs, the last with %d loops, for pictures with %v boxes", len(made), made[s.Graph()], boxes)
			}
		})
	}
}

// detectorSession is a session for so many pictures.
func detectorSession(t *testing.T, c *scriptCase, pictures int) *graph.Session {
	data := c.archive(t)
	g, err := LoadFrom(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	if c.What == "scripted" {
		var names []string
		for i := range pictures {
			names = append(names, fmt.Sprint("images.", i))
		}
		if g, err = g.Bind(names...); err != nil {
			t.Fatal(err)
		}
	}
	s, err := g.Compile(graph.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// runDetector says in what a run differs from PyTorch's.
func runDetector(t *testing.T, s *graph.Session, r scriptRun) string {
	var in []*tensor.Tensor
	for _, x := range r.In {
		in = append(in, x.tensor(t))
	}
	out, err := s.Run(context.Background(), in...)
	if err != nil || len(out) != len(r.Out) {
		return fmt.Sprintf("pictures %v: %d outputs, want %d: %v", in, len(out), len(r.Out), err)
	}
	for i, w := range r.Out {
		want, tol := w.tensor(t), 1e-6
		if want.DType() == tensor.Float32 {
			for _, v := range want.Float32s() {
				tol = max(tol, 1e-4*math.Abs(float64(v)))
			}
			if want.Rank() == 4 {
				tol += 1. / 512 // masks are kept to eight bits
			}
		}
		if why := differ(inOrderOf(out[i], want, tol), want, 0, tol); why != "" {
			return fmt.Sprintf("pictures %v: output %d: %s", in, i, why)
		}
	}
	return ""
}

// inOrderOf returns the rows of x in the order of want's that they are like: boxes whose scores are equal but for rounding change places
// from one kernel to another, and so do their scores and labels.
func inOrderOf(x, want *tensor.Tensor, tol float64) *tensor.Tensor {
	if x.DType() != want.DType() || !x.Shape().Equal(want.Shape()) || x.Numel() == 0 {
		return x
	}
	x, n := x.Clone(), x.Numel()/x.Shape()[0]
	if x.DType() == tensor.Int64 {
		orderRows(x.Int64s(), want.Int64s(), n, tol)
	} else {
		orderRows(x.Float32s(), want.Float32s(), n, tol)
	}
	return x
}

// orderRows exchanges rows of n elements, so that each is like that of want where there is one.
func orderRows[T int64 | float32](rows, want []T, n int, tol float64) {
	alike := func(a, b T) bool { return math.Abs(float64(a)-float64(b)) <= tol }
	for i := 0; i < len(rows); i += n {
		for j := i; j < len(rows); j += n {
			if slices.EqualFunc(rows[j:j+n], want[i:i+n], alike) {
				for k := range n {
					rows[i+k], rows[j+k] = rows[j+k], rows[i+k]
				}
				break
			}
		}
	}
}
