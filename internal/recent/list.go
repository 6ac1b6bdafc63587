// Package recent keeps values in the order in which they were used last.
package recent

// List is values of which the least recently used goes first. The zero List is empty. It takes no lock.
type List[T any] struct {
	values []T // most recently used first
}

// Add adds a value as the most recent.
func (l *List[T]) Add(v T) {
	l.values = append(l.values, v)
	l.toFront(len(l.values) - 1)
}

// Use returns the first value that matches, from the most recent on, and makes it the most recent.
func (l *List[T]) Use(matches func(T) bool) (v T, ok bool) {
	for i, v := range l.values {
		if matches(v) {
			l.toFront(i)
			return v, true
		}
	}
	return v, false
}

func (l *List[T]) toFront(i int) {
	v := l.values[i]
	copy(l.values[1:i+1], l.values[:i])
	l.values[0] = v
}

// Latest returns the most recent value, and false when there is none.
func (l *List[T]) Latest() (v T, ok bool) {
	if len(l.values) == 0 {
		return v, false
	}
	return l.values[0], true
}

// Drop takes out the least recently used values while too says so of what is left, and gives each to gone unless that is
// nil. The most recent one stays.
func (l *List[T]) Drop(too func() bool, gone func(T)) {
	for len(l.values) > 1 && too() {
		last := len(l.values) - 1
		v := l.values[last]
		clear(l.values[last:])
		l.values = l.values[:last]
		if gone != nil {
			gone(v)
		}
	}
}

// Keep is Drop down to a number of values.
func (l *List[T]) Keep(most int, gone func(T)) {
	l.Drop(func() bool { return len(l.values) > most }, gone)
}

// Len returns the number of values.
func (l *List[T]) Len() int { return len(l.values) }

// All returns the values, the most recent first. They are the list's own until it changes.
func (l *List[T]) All() []T { return l.values }
