package graph

// valueTable maps values to something: those of one graph by their number, which takes less time and memory than a map of
// many, and values of another graph, which a malformed one may hold, in a map.
type valueTable[T any] struct {
	entries []valueEntry[T]
	others  map[*Value]T
}

type valueEntry[T any] struct {
	of *Value // nil: no value
	is T
}

// newValueTable returns an empty table for the values that g has.
func newValueTable[T any](g *Graph) *valueTable[T] {
	return &valueTable[T]{entries: make([]valueEntry[T], g.next)}
}

func (t *valueTable[T]) get(v *Value) (is T, ok bool) {
	if v.id < len(t.entries) && t.entries[v.id].of == v {
		return t.entries[v.id].is, true
	}
	is, ok = t.others[v]
	return is, ok
}

func (t *valueTable[T]) set(v *Value, is T) {
	if v.id < len(t.entries) {
		if e := &t.entries[v.id]; e.of == nil || e.of == v {
			*e = valueEntry[T]{v, is}
			return
		}
	}
	if t.others == nil {
		t.others = make(map[*Value]T)
	}
	t.others[v] = is
}

// has reports whether there is something for a value.
func (t *valueTable[T]) has(v *Value) bool {
	_, ok := t.get(v)
	return ok
}
