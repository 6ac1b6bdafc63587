package aten

import "github.com/octet-ml/octet/loader/internal/build"

// counts are what a program has done: build.Limits say how much it may.
type counts struct{ steps, items, work int }

// maxItems is the most elements of a list, and bytes of a string, however much is allowed.
const maxItems = 1 << 24

// LimitError is a program that does more while its graph is made than any real one.
type LimitError = build.LimitError

var (
	errSteps = &LimitError{What: "runs too long before its graph is complete"}
	errItems = &LimitError{What: "makes too many list elements and strings"}
)

// stepsPerLook is how often steps and lists look at the context.
const stepsPerLook = 1 << 8

// Step counts a statement.
func (m *Evaluator) Step() error {
	if m.counts.steps++; m.counts.steps > m.Limits().Steps {
		return errSteps
	}
	if m.counts.steps%stepsPerLook == 0 {
		return m.Ended()
	}
	return nil
}

// Spend counts what lists and strings take.
func (m *Evaluator) Spend(n int) error {
	if m.counts.items += n; n < 0 || m.counts.items > m.Limits().Items {
		return errItems
	}
	return nil
}

// Toil counts elements of lists and bytes of strings that are looked at: one
// statement may look at millions.
func (m *Evaluator) Toil(n int) error {
	if m.counts.work += n; n < 0 || m.counts.work > m.Limits().Work {
		return errSteps
	}
	return nil
}

// sizeOf is what an operator may look at in an argument.
func sizeOf(v Value) int {
	switch v := v.(type) {
	case string:
		return len(v) / 16
	case *Dict:
		return len(v.Keys)
	}
	items, _ := Items(v)
	return len(items)
}
