package serve

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// summing is a model that keeps the sum of its inputs, and gives it.
type summing struct{}

func (summing) Specialize(inputs []ops.Type, before string) (*graph.Graph, error) {
	g := graph.New()
	x := g.Input("x", inputs[0].DType, inputs[0].Shape...)
	g.State = &graph.State{Before: before, After: "sum", Outputs: 1}
	sum := x
	if before == "" {
		zero, err := tensor.New(inputs[0].DType, inputs[0].Shape...)
		if err != nil {
			return nil, err
		}
		if sum, err = g.Add1(graph.Scope{}, ops.Binary{Fn: ops.Add}, x, g.Const("zero", zero)); err != nil {
			return nil, err
		}
	} else {
		g.State.Inputs = 1
		kept := g.Input("kept", inputs[1].DType, inputs[1].Shape...)
		var err error
		if sum, err = g.Add1(graph.Scope{}, ops.Binary{Fn: ops.Add}, x, kept); err != nil {
			return nil, err
		}
	}
	g.SetOutputs(sum, sum)
	return g, nil
}

// newSumming serves the model under the name m.
func newSumming(t *testing.T, opts Options) *Server {
	s := newServer(t, opts)
	source := Graph(graph.NewOpen([]string{"x"}, summing{}))
	if err := s.Load(t.Context(), "m", source); err == nil || !errors.Is(err, ErrNoTypes) {
		t.Errorf("a model without types: error %v", err)
	}
	source.Inputs = []ops.Type{ops.F32(1)}
	if err := s.Load(t.Context(), "m", source); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSequences lets clients of a model that keeps something stand beside each other: each has its own.
func TestSequences(t *testing.T) {
	s := newSumming(t, Options{Threads: 2, MaxSequences: 5})
	h := s.Handler()
	send := func(id string, parameters string, x float64) (int, string) {
		body := fmt.Sprintf(`{"parameters":{"sequence_id":%s%s},"inputs":[{"name":"x","datatype":"FP32","shape":[1],"data":[%v]}]}`, id, parameters, x)
		status, text, _ := ask(t, h, "POST", "/v2/models/m/infer", strings.NewReader(body))
		return status, text
	}
	want := func(sum float64) string {
		return fmt.Sprintf(`{"model_name":"m","outputs":[{"name":"output0","shape":[1],"datatype":"FP32","data":[%v]}]}`, sum)
	}
	var wg sync.WaitGroup
	for client := 1; client <= 4; client++ {
		wg.Go(func() {
			id, start, sum := fmt.Sprint(client), `,"sequence_start":true`, 0.
			if client%2 == 0 {
				id = fmt.Sprintf(`"c%d"`, client)
			}
			for k := range 20 {
				x := float64(100*client + k)
				sum += x
				if status, text := send(id, start, x); status != 200 || text != want(sum) {
					t.Errorf("client %d, request %d: got %d %s, want the sum %v", client, k, status, text, sum)
				}
				start = ""
			}
		})
	}
	wg.Wait()
	for _, c := range []struct {
		id, parameters string
		status         int
		text           string
	}{
		{`9`, ``, 400, errorBody(`sequence "9" is not known, or was idle for too long: its first request has the parameter sequence_start`)},
		{`0`, ``, 400, errorBody(`model m keeps something between requests: give the parameter sequence_id`)},
		{`1`, `,"sequence_start":true`, 200, want(1)}, // begins anew
		{`1`, `,"sequence_end":true`, 200, want(2)},
		{`1`, ``, 400, errorBody(`sequence "1" is not known, or was idle for too long: its first request has the parameter sequence_start`)},
		{`1`, `,"sequence_start":true,"sequence_end":true`, 200, want(1)},
		{`"a"`, `,"sequence_start":true`, 200, want(1)},
		{`"b"`, `,"sequence_start":true`, 200, want(1)},
		{`"c"`, `,"sequence_start":true`, 429, errorBody(`there are 5 sequences, at most 5 are possible`)},
		{`1`, `,"sequence_start":1`, 400, errorBody(`parameter sequence_start: it is 1 where true or false is needed`)},
	} {
		if status, text := send(c.id, c.parameters, 1); status != c.status || text != c.text {
			t.Errorf("%s%s: got %d %s, want %d %s", c.id, c.parameters, status, text, c.status, c.text)
		}
	}
	if n := s.Gauges().Models[0].Sequences; n != 5 {
		t.Errorf("%d sequences, want 5", n)
	}
}

// TestSequenceIdle ends sequences that nobody uses.
func TestSequenceIdle(t *testing.T) {
	s := newSumming(t, Options{Threads: 1, SequenceIdle: time.Millisecond})
	body := `{"parameters":{"sequence_id":1,"sequence_start":true},"inputs":[{"name":"x","datatype":"FP32","shape":[1],"data":[1]}]}`
	if status, text, _ := ask(t, s.Handler(), "POST", "/v2/models/m/infer", strings.NewReader(body)); status != 200 {
		t.Fatal(status, text)
	}
	until(t, func() bool { return s.Gauges().Models[0].Sequences == 0 })
}

// TestSequenceReload loads a model anew within a sequence: it goes on with what it began with, and others begin with the new one.
func TestSequenceReload(t *testing.T) {
	s := newSumming(t, Options{Threads: 1})
	send := func(id, parameters string) string {
		body := `{"parameters":{"sequence_id":` + id + parameters + `},"inputs":[{"name":"x","datatype":"FP32","shape":[1],"data":[1]}]}`
		_, text, _ := ask(t, s.Handler(), "POST", "/v2/models/m/infer", strings.NewReader(body))
		return text
	}
	d, err := s.find("m", "")
	if err != nil {
		t.Fatal(err)
	}
	send(`1`, `,"sequence_start":true`)
	old := d.current.Load()
	if err := s.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if text := send(`1`, ``); !strings.Contains(text, `"data":[2]`) {
		t.Errorf("after a reload: %s", text)
	}
	select {
	case <-old.gone:
		t.Error("the model was closed under a sequence")
	default:
	}
	if text := send(`1`, `,"sequence_end":true`); !strings.Contains(text, `"data":[3]`) {
		t.Errorf("the end: %s", text)
	}
	<-old.gone
}
