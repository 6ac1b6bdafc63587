package train

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"slices"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/internal/fixture"
	"github.com/octet-ml/octet/tensor"
)

// everything returns the bytes of what a checkpoint holds.
func everything(tr *Trainer) []byte {
	var b []byte
	tr.tensors(func(_ string, x *tensor.Tensor) { b = append(b, x.Bytes()...) })
	return b
}

// TestStepCancelled ends the context of a step behind every node: while the step can still be given up nothing has
// changed, once it writes it is made, and training goes on to the bits of one that was not disturbed.
func TestStepCancelled(t *testing.T) {
	for name, opts := range map[string]Options{
		"adam, statistics of the batch": {Optimizer: Adam{LR: 0.01}, FreezeBatchNorm: Never, ClipNorm: 1},
		"momentum":                      {Optimizer: SGD{LR: 0.01, Momentum: 0.9}},
		"recomputed":                    {Optimizer: Adam{LR: 0.01}, FreezeBatchNorm: Never, Recompute: graph.SmallestArena},
	} {
		t.Run(name, func(t *testing.T) { testStepCancelled(t, opts) })
	}
}

func testStepCancelled(t *testing.T, opts Options) {
	opts.Session.Threads = 2
	whole := residualTrainer(t, opts)
	var behind func(graph.StepTrace)
	opts.Session.Trace = func(s graph.StepTrace) { behind(s) }
	disturbed := residualTrainer(t, opts)
	x, y := batch(t, 16, 2)

	// step makes a step whose context ends behind a node, counts the nodes, and tells whether one has written.
	step := func(last int) (nodes int, wrote bool, err error) {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		behind = func(s graph.StepTrace) {
			_, writes := s.Node.Op.(graph.Writer)
			wrote = wrote || writes
			if nodes++; s.Index == last {
				cancel()
			}
		}
		_, err = disturbed.Step(ctx, x, y)
		return nodes, wrote, err
	}
	wholeStep := func() {
		if _, err := whole.Step(context.Background(), x, y); err != nil {
			t.Fatal(err)
		}
	}
	wholeStep()
	nodes, _, err := step(-1)
	if err != nil {
		t.Fatal(err)
	}
	made := 0
	for last := range nodes {
		_, wrote, err := step(last)
		switch {
		case err == nil && wrote:
			made++
			wholeStep()
		case !errors.Is(err, context.Canceled) || wrote:
			t.Fatalf("the context ended behind node %d: %v, written: %v", last, err, wrote)
		}
		if disturbed.Steps() != whole.Steps() || !bytes.Equal(everything(disturbed), everything(whole)) {
			t.Fatalf("the context ended behind node %d: %d steps, an undisturbed training has %d, or others", last, disturbed.Steps(), whole.Steps())
		}
	}
	if made < 10 || nodes-made < 40 {
		t.Errorf("of steps with %d nodes %d were made", nodes, made)
	}
}

// TestCompileCancelled ends the context while the first step is prepared.
func TestCompileCancelled(t *testing.T) {
	_, tr := newTrainer(t, Options{Optimizer: SGD{LR: 0.01}})
	x, y := batch(t, 4, 1)
	if _, err := tr.Step(fixture.EndingAt(t, 5), x, y); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if tr.steps.Len() != 0 {
		t.Error("a plan was kept")
	}
	if _, err := tr.Step(context.Background(), x, y); err != nil {
		t.Error(err)
	}
}

// TestUnread takes batches back, also behind the end of an epoch, and resumes from a checkpoint written then.
func TestUnread(t *testing.T) {
	s := newSampler(t, 5)
	s.Unread() // nothing to take back
	for i := range 12 {
		epoch, want := s.Epoch(), slices.Clone(s.Next())
		s.Unread()
		if got := s.Next(); s.Epoch() < epoch || !slices.Equal(got, want) {
			t.Errorf("batch %d: %v after Unread, want %v", i, got, want)
		}
	}
	path := filepath.Join(t.TempDir(), "checkpoint.npz")
	opts := Options{Optimizer: Adam{LR: 0.01}}
	_, whole := newTrainer(t, opts)
	run(t, whole, newSampler(t, 5), 8)

	_, first := newTrainer(t, opts)
	s = newSampler(t, 5)
	run(t, first, s, 4)
	s.Next() // the last batch of an epoch, of a step that is given up
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	x, y := batch(t, 8, 1)
	if _, err := first.Step(ctx, x, y); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	s.Unread()
	if err := first.Save(path, s); err != nil {
		t.Fatal(err)
	}
	_, second := newTrainer(t, opts)
	resumed := newSampler(t, 5)
	if err := second.Load(path, resumed); err != nil {
		t.Fatal(err)
	}
	run(t, second, resumed, 4)
	if !bytes.Equal(everything(second), everything(whole)) {
		t.Error("the resumed training gives other parameters")
	}
}
