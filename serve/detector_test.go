package serve

import (
	"bytes"
	"math/rand/v2"
	"net/http/httptest"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/serve/oip"
	"github.com/octet-ml/octet/tensor"
)

// nmsModel gives those of boxes [n, 4] with scores [n] that non-maximum suppression keeps.
func nmsModel(t *testing.T) *graph.Graph {
	t.Helper()
	g := graph.New()
	boxes, scores := g.Input("boxes", tensor.Float32, 40, 4), g.Input("scores", tensor.Float32, 40)
	add := func(op ops.Op, in ...*graph.Value) []*graph.Value {
		out, err := g.Add(graph.Scope{}, op, in...)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	order := add(ops.NMS{Threshold: 0.5}, boxes, scores)
	count := add(ops.Item{Number: ops.ItemStride, Example: 40}, order[1])[0]
	kept := add(ops.SliceTo{Step: 1}, order[0], g.Const("", tensor.Scalar(int64(0))), count)[0]
	g.SetOutputs(add(ops.IndexSelect{}, boxes, kept)[0], add(ops.IndexSelect{}, scores, kept)[0])
	return g
}

// TestDetector serves a model of which each request has another number of boxes. Its requests are not joined, though batches are asked for: a box
// of one picture would suppress those of another.
func TestDetector(t *testing.T) {
	g := nmsModel(t)
	session, err := g.Compile(graph.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	s := newServer(t, Options{Threads: 2, Batch: 8})
	load(t, s, "m", g)
	web := httptest.NewServer(s.Handler())
	defer web.Close()
	client := &oip.Client{URL: web.URL, HTTP: web.Client()}
	random := rand.New(rand.NewPCG(1, 2))
	found := make(chan int, 40)
	for i := range cap(found) {
		n := i % 14 * 3
		boxes, scores := make([]float32, 4*n), make([]float32, n)
		for k := range n {
			x, y := random.Float32()*20, random.Float32()*20
			copy(boxes[4*k:], []float32{x, y, x + 8, y + 8})
			scores[k] = random.Float32()
		}
		in := []*tensor.Tensor{fromSlice(t, boxes, n, 4), fromSlice(t, scores, n)}
		want, err := session.Run(t.Context(), in...)
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			request := &oip.InferRequest{Inputs: []*oip.Tensor{oip.NewTensor("boxes", in[0]), oip.NewTensor("scores", in[1])}}
			answer, err := client.Infer(t.Context(), "m", "", request)
			if err != nil {
				t.Errorf("%d boxes: %v", n, err)
				found <- -1
				return
			}
			for k, o := range answer.Outputs {
				if !o.Value.Shape().Equal(want[k].Shape()) || !bytes.Equal(o.Value.Contiguous().Bytes(), want[k].Contiguous().Bytes()) {
					t.Errorf("%d boxes: output %d is %v, want %v", n, k, o.Value, want[k])
				}
			}
			found <- answer.Outputs[0].Value.Shape()[0]
		}()
	}
	counts := map[int]bool{}
	for range cap(found) {
		counts[<-found] = true
	}
	if len(counts) < 10 || !counts[0] {
		t.Errorf("the requests have %v boxes", counts)
	}
	stats, err := s.Stats("m", "")
	if err != nil {
		t.Fatal(err)
	}
	if n := stats.ModelStats[0].ExecutionCount; int(n) != cap(found) {
		t.Errorf("%d requests ran in %d runs", cap(found), n)
	}
}
