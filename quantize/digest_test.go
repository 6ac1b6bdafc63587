package quantize

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/ops"
)

// changed returns the model with another value in a constant.
func changed(m *graph.Graph) *graph.Graph {
	g := m.Clone()
	v := g.Constants()[0]
	v.Const = v.Const.Contiguous().Clone()
	v.Const.Float32s()[0] += 1e-3
	return g
}

// TestStateOfAnotherModel checks that what was observed of one model is not taken for another, whose values
// have the same names, and that extents do not make another model.
func TestStateOfAnotherModel(t *testing.T) {
	m := build(t, []int{1, 3, 16, 16}, mobile)
	q := New(Options{})
	observeBatches(t, q, m, 1)
	data, err := json.Marshal(q)
	if err != nil {
		t.Fatal(err)
	}
	other := changed(m)
	var wrong *ModelError
	for name, f := range map[string]func(q *Quantizer) error{
		"Quantize":   func(q *Quantizer) error { _, err := q.Quantize(other); return err },
		"Calib":      func(q *Quantizer) error { _, err := q.Calib(other); return err },
		"AMP":        func(q *Quantizer) error { _, err := q.AMP(other); return err },
		"QAT":        func(q *Quantizer) error { _, err := q.QAT(other); return err },
		"Compare":    func(q *Quantizer) error { _, err := q.Compare(other); return err },
		"Parameters": func(q *Quantizer) error { _, err := q.Parameters(other); return err },
		"Merge": func(q *Quantizer) error {
			part := New(Options{})
			observeBatches(t, part, other, 1)
			return q.Merge(part)
		},
	} {
		read := New(Options{})
		if err := json.Unmarshal(data, read); err != nil {
			t.Fatal(err)
		}
		if w := read.Warnings(); w != nil {
			t.Errorf("a state that names its model is warned of: %v", w)
		}
		if err := f(read); !errors.As(err, &wrong) || !errors.Is(err, ErrMismatch) {
			t.Errorf("%s: another model gives %v", name, err)
		}
		if _, err := read.Quantize(build(t, []int{4, 3, 24, 24}, mobile)); err != nil {
			t.Errorf("the model with other extents: %v", err)
		}
	}
}

// TestOldState reads a state that does not say which model it is of.
func TestOldState(t *testing.T) {
	m := build(t, []int{1, 3, 16, 16}, mobile)
	q := New(Options{})
	observeBatches(t, q, m, 1)
	q.model = ""
	data, err := json.Marshal(q)
	if err != nil {
		t.Fatal(err)
	}
	read := New(Options{})
	if err := json.Unmarshal(data, read); err != nil {
		t.Fatal(err)
	}
	if len(read.Warnings()) != 1 {
		t.Errorf("warnings are %v", read.Warnings())
	}
	quantized(t, read, m)
	observeBatches(t, read, m, 2)
	if read.Warnings() != nil || read.model == "" {
		t.Error("a calibration that goes on does not say of which model it is")
	}
	if New(Options{}).Warnings() != nil {
		t.Error("a new quantizer is warned of")
	}
}

// TestDigest checks what makes a model another one.
func TestDigest(t *testing.T) {
	shape := []int{1, 4, 6, 6}
	m := build(t, shape, momentsModel)
	same := digest(m)
	if digest(m.Clone()) != same || digest(build(t, []int{3, 4, 6, 6}, momentsModel)) != same {
		t.Error("a copy, or another batch, has another digest")
	}
	if digest(changed(m)) == same {
		t.Error("another weight has the same digest")
	}
	tanh := build(t, shape, func(c *nn.Context, x *graph.Value) *graph.Value {
		return c.Apply(ops.Unary{Fn: ops.Tanh}, momentsModel(c, x))
	})
	if digest(tanh) == same {
		t.Error("another operator has the same digest")
	}
}
