package quantize

import (
	"context"
	"errors"
	"math"
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

// TestQuantizeStops ends the context of a conversion with learned rounding while it is at a layer: the layers behind it are not
// converted.
func TestQuantizeStops(t *testing.T) {
	f := newQATFixture(t, Options{})
	q := New(Options{Rounding: Learned})
	data := (&dataset{batches: [][]*tensor.Tensor{{f.x}}}).all()
	if err := q.Calibrate(t.Context(), f.model, data); err != nil {
		t.Fatal(err)
	}
	for name, work := range map[string]func(ctx context.Context) error{
		"quantize": func(ctx context.Context) error { _, err := q.QuantizeContext(ctx, f.model); return err },
		"compare":  func(ctx context.Context) error { _, err := q.CompareContext(ctx, f.model); return err },
		"amp":      func(ctx context.Context) error { _, err := q.AMPContext(ctx, f.model); return err },
	} {
		ctx := &endsAt{Context: t.Context(), left: math.MaxInt}
		if err := work(ctx); err != nil {
			t.Fatal(err)
		}
		asked := math.MaxInt - ctx.left
		if asked < 5 {
			t.Errorf("%s asks its context %d times", name, asked)
		}
		for n := range asked {
			ctx := &endsAt{Context: t.Context(), left: n}
			if err := work(ctx); !errors.Is(err, context.Canceled) || ctx.left != -1 {
				t.Errorf("%s: the context ended at question %d of %d: %v, and it was asked %d times more", name, n, asked, err, -1-ctx.left)
			}
		}
	}
}

// endsAt is a context that has ended when its error was asked for so many times.
type endsAt struct {
	context.Context
	left int
}

func (c *endsAt) Err() error {
	if c.left--; c.left < 0 {
		return context.Canceled
	}
	return nil
}
