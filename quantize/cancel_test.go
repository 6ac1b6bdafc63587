package quantize

import (
	"context"
	"errors"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/tensor"
)

// TestStopsBetweenNodes ends the context behind a node of calibrating, measuring and tuning: no other node runs.
func TestStopsBetweenNodes(t *testing.T) {
	f := newQATFixture(t, Options{})
	model, data := f.model, (&dataset{batches: [][]*tensor.Tensor{{f.x}, {f.x}}}).all()
	var behind func()
	session := graph.Options{Threads: 2, Trace: func(graph.StepTrace) { behind() }}
	for name, work := range map[string]func(ctx context.Context, q *Quantizer) error{
		"calibrate":   func(ctx context.Context, q *Quantizer) error { return q.Calibrate(ctx, model, data) },
		"sensitivity": func(ctx context.Context, q *Quantizer) error { _, err := q.Sensitivities(ctx, model, data); return err },
		"accuracy": func(ctx context.Context, _ *Quantizer) error {
			_, err := Cosine(model, data, session)(ctx, model)
			return err
		},
		"tune": func(ctx context.Context, q *Quantizer) error {
			_, err := q.Tune(ctx, model, Target{Accuracy: Cosine(model, data, session), Data: data, MaxDrop: 1e-9})
			if _, missed := errors.AsType[*TargetError](err); missed {
				return nil
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			nodes := 0
			for last := 1; ; last += 1 + last/8 {
				q := New(Options{Session: session})
				behind = func() {}
				if name != "calibrate" {
					if err := q.Calibrate(context.Background(), model, data); err != nil {
						t.Fatal(err)
					}
				}
				ctx, cancel := context.WithCancel(context.Background())
				nodes = 0
				behind = func() {
					if nodes++; nodes == last {
						cancel()
					}
				}
				err := work(ctx, q)
				cancel()
				if err == nil && nodes < last {
					break
				}
				// Outputs of the last node are still taken.
				if nodes > last || err != nil && !errors.Is(err, context.Canceled) {
					t.Fatalf("the context ended behind node %d, %d have run: %v", last, nodes, err)
				}
			}
			if nodes < 20 {
				t.Errorf("%d nodes", nodes)
			}
		})
	}
}
