// Package sticky keeps the first error of many steps, so that one look at the end is enough.
package sticky

// Error is the first error of steps of which the later ones still take place, with results that have no meaning. The zero
// Error is none. It takes no lock.
type Error struct{ first error }

// Fail makes err the error, unless err is nil or there is one.
func (e *Error) Fail(err error) {
	if e.first == nil {
		e.first = err
	}
}

// Err returns the first error.
func (e *Error) Err() error { return e.first }
