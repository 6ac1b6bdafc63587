package aten

// budget bounds the work of a program, which may be hostile. The limits are far
// above what real ones need.
type budget struct{ steps, items, work int }

const (
	maxSteps = 1 << 23 // statements
	maxItems = 1 << 24 // elements of lists and bytes of strings that are made
	maxWork  = 1 << 25 // elements and bytes that are looked at
)

// LimitError is a program that does more while its graph is made than any real one.
type LimitError struct{ What string }

func (e *LimitError) Error() string { return "the program " + e.What }

var (
	errSteps = &LimitError{"runs too long before its graph is complete"}
	errItems = &LimitError{"makes too many list elements and strings"}
)

// Step counts a statement.
func (b *budget) Step() error {
	if b.steps++; b.steps > maxSteps {
		return errSteps
	}
	return nil
}

// Spend counts what lists and strings take.
func (b *budget) Spend(n int) error {
	if b.items += n; n < 0 || b.items > maxItems {
		return errItems
	}
	return nil
}

// Toil counts elements of lists and bytes of strings that are looked at: one
// statement may look at millions.
func (b *budget) Toil(n int) error {
	if b.work += n; n < 0 || b.work > maxWork {
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
