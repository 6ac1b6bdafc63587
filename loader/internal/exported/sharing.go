package exported

import (
	"cmp"
	"slices"
	"unsafe"

	"github.com/octet-ml/octet/internal/sorting"
	"github.com/octet-ml/octet/tensor"
)

// joinTied returns the contiguous form of tensors, the same one for those that are one view of one memory. None is nil.
func joinTied(saved []*tensor.Tensor) []*tensor.Tensor {
	out := make([]*tensor.Tensor, len(saved))
	first := make(map[string]*tensor.Tensor)
	for i, t := range saved {
		if t == nil {
			continue
		}
		view := t.ViewID()
		if first[view] == nil {
			first[view] = t.Contiguous()
		}
		out[i] = first[view]
	}
	return out
}

// span is the memory of a tensor, by its number.
type span struct {
	memory      *tensor.Storage
	first, last uintptr
	tensor      int
}

// spansOf returns the memory of tensors that have any.
func spansOf(saved []*tensor.Tensor) []span {
	var spans []span
	for i, t := range saved {
		if t != nil && t.Numel() > 0 {
			memory, first, last := t.Span()
			spans = append(spans, span{memory, first, last, i})
		}
	}
	return spans
}

func compareSpans(a, b span) int {
	return cmp.Or(cmp.Compare(uintptr(unsafe.Pointer(a.memory)), uintptr(unsafe.Pointer(b.memory))), cmp.Compare(a.first, b.first), cmp.Compare(a.last, b.last))
}

// overlaps returns for each tensor another one that it shares memory with in part, -1 for none. Those that are tied share all
// of it. The spans are sorted, and each is looked at twice.
func overlaps(spans []span, tied []*tensor.Tensor, compare func(a, b span) int) []int {
	with := slices.Repeat([]int{-1}, len(tied))
	sorting.Func(spans, compare)
	var far, other span // of those before, the one that reaches farthest, and that of those not tied to it
	far.tensor, other.tensor = -1, -1
	isTied := func(a, b int) bool { return a >= 0 && b >= 0 && tied[a] == tied[b] }
	for i, s := range spans {
		if i > 0 && s.memory != spans[i-1].memory {
			far.tensor, other.tensor = -1, -1
		}
		before := far
		if isTied(before.tensor, s.tensor) {
			before = other
		}
		if before.tensor >= 0 && s.first < before.last {
			with[s.tensor] = before.tensor
		}
		switch {
		case isTied(far.tensor, s.tensor):
		case far.tensor < 0 || s.last > far.last:
			far, other = s, far
		case other.tensor < 0 || s.last > other.last:
			other = s
		}
	}
	next := span{tensor: -1} // of those behind, the first that is not tied to its neighbour
	for i := len(spans) - 1; i >= 0; i-- {
		s := spans[i]
		if i+1 < len(spans) && s.memory != spans[i+1].memory {
			next.tensor = -1
		} else if i+1 < len(spans) && !isTied(spans[i+1].tensor, s.tensor) {
			next = spans[i+1]
		}
		if with[s.tensor] < 0 && next.tensor >= 0 && next.first < s.last {
			with[s.tensor] = next.tensor
		}
	}
	return with
}
